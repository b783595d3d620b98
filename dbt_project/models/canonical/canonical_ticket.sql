with

unioned as (

    select * from {{ ref('int_ticket__union') }}

)

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
    _source,
    _source_record_id,
    _extracted_at
from unioned
