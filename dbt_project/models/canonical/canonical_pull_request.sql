with

unioned as (

    select * from {{ ref('int_pull_request__union') }}

)

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
    _source,
    _source_record_id,
    _extracted_at
from unioned
