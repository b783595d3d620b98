with

unioned as (

    select * from {{ ref('int_customer__union') }}

)

select
    id,
    first_name,
    last_name,
    full_name,
    email,
    phone,
    company_name,
    currency,
    is_active,
    address_street,
    address_city,
    address_state,
    address_postal_code,
    address_country,
    created_at,
    updated_at,
    _source,
    _source_record_id,
    _extracted_at
from unioned
