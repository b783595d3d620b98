with

payments as (

    select
        *,
        {{ payment_outcome('status', 'amount') }} as outcome,
        coalesce(paid_at, created_at) as occurred_at
    from {{ ref('canonical_payment') }}

),

sources_with_payments as (

    select distinct _source from payments

),

orders as (

    select
        *,
        {{ email_address('customer_email') }} as email,
        {{ order_is_cancelled('order_status') }} as is_cancelled,
        coalesce(ordered_at, created_at) as occurred_at,
        _source not in (select sources_with_payments._source from sources_with_payments)
        and {{ order_is_revenue('order_status', 'payment_status', 'total_amount') }} as is_revenue
    from {{ ref('canonical_order') }}

),

identities as (

    select * from {{ ref('int_customer__identities') }}

),

payment_events as (

    select
        'payment' as event_type,
        payments._source,
        payments._source_record_id,
        identities.customer_key,
        payments.occurred_at,
        payments.currency,
        payments.amount,
        payments.outcome = 'succeeded' as is_revenue,
        payments.outcome = 'succeeded' as is_payment,
        payments.outcome = 'failed' as is_failed_payment,
        false as is_order
    from payments
    left join identities
        on payments._source = identities._source and payments.customer_id = identities.customer_id

),

order_events as (

    select
        'order' as event_type,
        orders._source,
        orders._source_record_id,
        coalesce(
            identities.customer_key,
            case when orders.email is not null then {{ customer_key('orders.email', 'null', 'null') }} end
        ) as customer_key,
        orders.occurred_at,
        orders.currency,
        orders.total_amount as amount,
        orders.is_revenue,
        false as is_payment,
        false as is_failed_payment,
        not orders.is_cancelled as is_order
    from orders
    left join identities
        on orders._source = identities._source and orders.customer_id = identities.customer_id

),

events as (

    select * from payment_events
    union all
    select * from order_events

)

select
    event_type,
    _source,
    _source_record_id,
    customer_key,
    occurred_at,
    {{ utc_date('occurred_at') }} as event_date,
    {{ currency_code('currency') }} as currency,
    amount,
    is_revenue,
    is_payment,
    is_failed_payment,
    is_order
from events
