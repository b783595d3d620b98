with

unioned as (

    select * from {{ ref('int_product__union') }}

)

select
    id,
    name,
    description,
    product_type,
    product_status,
    vendor,
    item_code,
    price,
    currency,
    is_active,
    product_url,
    created_at,
    updated_at,
    _source,
    _source_record_id,
    _extracted_at
from unioned
