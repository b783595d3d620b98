with

source as (

    select * from {{ source('shop', 'shop_pull_request') }}

),

renamed as (

    select
        id,
        number,
        repository_id,
        title,
        state,
        author_id,
        author_login,
        is_draft,
        additions,
        deletions,
        changed_files,
        merged_at,
        closed_at,
        created_at,
        updated_at,
        'shop' as _source,
        id as _source_record_id,
        {{ sluice.try_cast('_airbyte_extracted_at', 'timestamptz') }} as _extracted_at
    from source

)

select * from renamed
