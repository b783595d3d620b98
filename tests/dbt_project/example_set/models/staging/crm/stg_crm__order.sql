with

source as (

    select * from {{ source('crm', 'crm_order') }}

),

renamed as (

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
        'crm' as _source,
        id as _source_record_id,
        {{ sluice.try_cast('_airbyte_extracted_at', 'timestamptz') }} as _extracted_at
    from source

)

select * from renamed
