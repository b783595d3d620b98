with

customers as (

    select
        _source,
        coalesce(id, _source_record_id) as customer_id,
        {{ email_address('email') }} as email,
        1 as precedence
    from {{ ref('canonical_customer') }}

),

orders as (

    select
        _source,
        customer_id,
        {{ email_address('customer_email') }} as email,
        2 as precedence
    from {{ ref('canonical_order') }}

),

payments as (

    select
        _source,
        customer_id,
        null::text as email,
        3 as precedence
    from {{ ref('canonical_payment') }}
    where customer_id is not null

),

mentions as (

    select * from customers
    union all
    select * from orders
    union all
    select * from payments

),

known as (

    select
        _source,
        customer_id,
        (array_agg(email order by precedence, email) filter (where email is not null))[1] as email
    from mentions
    where customer_id is not null
    group by _source, customer_id

),

guests as (

    select distinct
        _source,
        customer_id,
        email
    from mentions
    where customer_id is null and email is not null

),

identified as (

    select * from known
    union all
    select * from guests

)

select
    _source,
    customer_id,
    email,
    {{ customer_key('email', '_source', 'customer_id') }} as customer_key
from identified
