with

source as (

    select * from {{ source('shop', 'shop_product') }}

),

renamed as (

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
        'shop' as _source,
        id as _source_record_id,
        {{ sluice.try_cast('_airbyte_extracted_at', 'timestamptz') }} as _extracted_at
    from source

)

select * from renamed
