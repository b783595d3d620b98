with

unioned as (

    select * from {{ ref('int_order__union') }}

)

select
    id,
    order_number,
    customer_id,
    customer_email,
    order_status,
    payment_status,
    fulfillment_status,
    currency,
    total_amount,
    subtotal_amount,
    total_tax,
    total_discount,
    total_shipping,
    ordered_at,
    created_at,
    updated_at,
    _source,
    _source_record_id,
    _extracted_at
from unioned
