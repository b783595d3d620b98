with

customers as (

    select
        {{ utc_date('first_seen_at') }} as summary_date,
        count(*) as new_customer_count
    from {{ ref('unified_customers') }}
    where first_seen_at is not null
    group by summary_date

),

revenue as (

    select
        revenue_date as summary_date,
        sum(payment_count)::bigint as payment_count,
        sum(order_count)::bigint as order_count,
        jsonb_object_agg(currency, gross_amount) filter (where gross_amount != 0) as revenue_by_currency
    from {{ ref('revenue_analytics') }}
    group by revenue_date

),

development as (

    select
        activity_date as summary_date,
        sum(pull_requests_opened)::bigint as pull_requests_opened,
        sum(pull_requests_merged)::bigint as pull_requests_merged
    from {{ ref('developer_activity') }}
    group by activity_date

),

tickets as (

    select * from {{ ref('canonical_ticket') }}

),

tickets_opened as (

    select
        {{ utc_date('created_at') }} as summary_date,
        count(*) as ticket_count
    from tickets
    where created_at is not null
    group by summary_date

),

tickets_closed as (

    select
        {{ utc_date('completed_at') }} as summary_date,
        count(*) as ticket_count
    from tickets
    where completed_at is not null
    group by summary_date

),

days as (

    select summary_date from customers
    union
    select summary_date from revenue
    union
    select summary_date from development
    union
    select summary_date from tickets_opened
    union
    select summary_date from tickets_closed

)

select
    days.summary_date,
    coalesce(sum(customers.new_customer_count) over (order by days.summary_date), 0)::bigint as customer_count,
    coalesce(customers.new_customer_count, 0) as new_customer_count,
    coalesce(revenue.payment_count, 0) as payment_count,
    coalesce(revenue.order_count, 0) as order_count,
    coalesce(revenue.revenue_by_currency, '{}'::jsonb) as revenue_by_currency,
    coalesce(development.pull_requests_opened, 0) as pull_requests_opened,
    coalesce(development.pull_requests_merged, 0) as pull_requests_merged,
    coalesce(tickets_opened.ticket_count, 0) as tickets_opened,
    coalesce(tickets_closed.ticket_count, 0) as tickets_closed
from days
left join customers on days.summary_date = customers.summary_date
left join revenue on days.summary_date = revenue.summary_date
left join development on days.summary_date = development.summary_date
left join tickets_opened on days.summary_date = tickets_opened.summary_date
left join tickets_closed on days.summary_date = tickets_closed.summary_date
