with

source as (

    select * from {{ source('shop', 'shop_ticket') }}

),

renamed as (

    select
        id,
        title,
        description,
        status,
        priority,
        type,
        creator_id,
        assignee,
        project_id,
        parent_id,
        due_date,
        completed_at,
        created_at,
        updated_at,
        'shop' as _source,
        id as _source_record_id,
        {{ sluice.try_cast('_airbyte_extracted_at', 'timestamptz') }} as _extracted_at
    from source

)

select * from renamed
