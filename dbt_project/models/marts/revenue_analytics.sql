with

events as (

    select * from {{ ref('int_revenue__events') }}
    where event_date is not null and (is_revenue or is_failed_payment or is_order)

),

first_revenue as (

    select
        customer_key,
        min(event_date) as first_date
    from events
    where is_revenue and customer_key is not null
    group by customer_key

),

measured as (

    select
        events.event_date as revenue_date,
        events.currency,
        coalesce(sum(events.amount) filter (where events.is_revenue), 0) as gross_amount,
        count(*) filter (where events.is_payment) as payment_count,
        count(*) filter (where events.is_failed_payment) as failed_payment_count,
        count(*) filter (where events.is_order) as order_count,
        count(distinct events.customer_key) filter (where events.is_revenue) as paying_customer_count,
        count(distinct events.customer_key) filter (
            where events.is_revenue and first_revenue.first_date = events.event_date
        ) as new_customer_count,
        count(distinct events.customer_key) filter (
            where events.is_revenue and first_revenue.first_date < events.event_date
        ) as returning_customer_count,
        trim_scale(avg(events.amount) filter (where events.is_revenue)) as average_amount
    from events
    left join first_revenue on events.customer_key = first_revenue.customer_key
    group by events.event_date, events.currency

)

select
    revenue_date,
    currency,
    gross_amount,
    payment_count,
    failed_payment_count,
    order_count,
    paying_customer_count,
    new_customer_count,
    returning_customer_count,
    average_amount
from measured
