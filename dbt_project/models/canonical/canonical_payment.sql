with

unioned as (

    select * from {{ ref('int_payment__union') }}

)

select
    id,
    customer_id,
    invoice_id,
    order_id,
    amount,
    currency,
    status,
    payment_method,
    payment_reference,
    description,
    paid_at,
    created_at,
    updated_at,
    _source,
    _source_record_id,
    _extracted_at
from unioned
