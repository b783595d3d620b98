with

source as (

    select * from {{ source('crm', 'crm_customer') }}

),

renamed as (

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
        'crm' as _source,
        id as _source_record_id,
        {{ sluice.try_cast('_airbyte_extracted_at', 'timestamptz') }} as _extracted_at
    from source

)

select * from renamed
