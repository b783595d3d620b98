with

identities as (

    select * from {{ ref('int_customer__identities') }}

),

events as (

    select * from {{ ref('int_revenue__events') }}
    where customer_key is not null

),

customers as (

    select
        identities.customer_key,
        records.created_at,
        records.updated_at,
        coalesce(
            nullif(trim(records.full_name), ''),
            nullif(trim(concat_ws(' ', records.first_name, records.last_name)), '')
        ) as full_name,
        nullif(trim(records.company_name), '') as company_name,
        nullif(trim(records.address_country), '') as country,
        row_number() over (
            partition by identities.customer_key
            order by
                records.updated_at desc nulls last,
                records.created_at desc nulls last,
                records._source asc,
                records._source_record_id asc
        ) as recency
    from {{ ref('canonical_customer') }} as records
    inner join identities
        on
            records._source = identities._source
            and coalesce(records.id, records._source_record_id) = identities.customer_id

),

tickets as (

    select * from {{ ref('canonical_ticket') }}
    where {{ ticket_is_open('status', 'completed_at') }}

),

people as (

    select
        customer_key,
        max(email) as email,
        string_agg(distinct _source, ',' order by _source) as sources,
        count(distinct _source) as source_count
    from identities
    group by customer_key

),

described as (

    select
        customer_key,
        (array_agg(full_name order by recency) filter (where full_name is not null))[1] as full_name,
        (array_agg(company_name order by recency) filter (where company_name is not null))[1] as company_name,
        (array_agg(country order by recency) filter (where country is not null))[1] as country
    from customers
    group by customer_key

),

sightings as (

    select
        customer_key,
        created_at as seen_at
    from customers
    union all
    select
        customer_key,
        updated_at as seen_at
    from customers
    union all
    select
        customer_key,
        occurred_at as seen_at
    from events

),

seen as (

    select
        customer_key,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from sightings
    group by customer_key

),

counted as (

    select
        customer_key,
        count(*) filter (where is_payment) as payment_count,
        count(*) filter (where is_order) as order_count,
        bool_or(is_revenue) as is_paying
    from events
    group by customer_key

),

revenue as (

    select
        customer_key,
        currency,
        coalesce(sum(amount), 0) as amount
    from events
    where is_revenue
    group by customer_key, currency

),

valued as (

    select
        customer_key,
        jsonb_object_agg(currency, amount) as lifetime_value
    from revenue
    group by customer_key

),

creators as (

    select
        identities.customer_key,
        tickets._source,
        tickets._source_record_id
    from tickets
    inner join identities
        on tickets._source = identities._source and tickets.creator_id = identities.customer_id
    union
    select
        identities.customer_key,
        tickets._source,
        tickets._source_record_id
    from tickets
    inner join identities on {{ email_address('tickets.creator_id') }} = identities.email

),

ticketed as (

    select
        customer_key,
        count(*) as open_ticket_count
    from creators
    group by customer_key

)

select
    people.customer_key,
    people.email,
    described.full_name,
    described.company_name,
    described.country,
    people.sources,
    people.source_count,
    seen.first_seen_at,
    seen.last_seen_at,
    coalesce(counted.payment_count, 0) as payment_count,
    coalesce(counted.order_count, 0) as order_count,
    coalesce(ticketed.open_ticket_count, 0) as open_ticket_count,
    coalesce(valued.lifetime_value, '{}'::jsonb) as lifetime_value,
    coalesce(counted.is_paying, false) as is_paying
from people
left join described on people.customer_key = described.customer_key
left join seen on people.customer_key = seen.customer_key
left join counted on people.customer_key = counted.customer_key
left join valued on people.customer_key = valued.customer_key
left join ticketed on people.customer_key = ticketed.customer_key
