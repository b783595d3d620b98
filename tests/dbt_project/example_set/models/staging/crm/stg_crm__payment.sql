with

source as (

    select * from {{ source('crm', 'crm_payment') }}

),

renamed as (

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
        'crm' as _source,
        id as _source_record_id,
        {{ sluice.try_cast('_airbyte_extracted_at', 'timestamptz') }} as _extracted_at
    from source

)

select * from renamed
