with

source as (

    select * from {{ source('crm', 'crm_repository') }}

),

renamed as (

    select
        id,
        name,
        full_name,
        owner,
        description,
        is_private,
        is_archived,
        default_branch,
        language,
        stars,
        forks,
        open_issues,
        created_at,
        updated_at,
        'crm' as _source,
        id as _source_record_id,
        {{ sluice.try_cast('_airbyte_extracted_at', 'timestamptz') }} as _extracted_at
    from source

)

select * from renamed
