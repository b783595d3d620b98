with

unioned as (

    select * from {{ ref('int_repository__union') }}

)

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
    _source,
    _source_record_id,
    _extracted_at
from unioned
