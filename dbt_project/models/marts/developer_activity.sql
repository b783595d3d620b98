with

repositories as (

    select * from {{ ref('canonical_repository') }}

),

repository_references as (

    select
        _source,
        _source_record_id,
        id as reference,
        coalesce(full_name, name, id) as repository
    from repositories
    where id is not null
    union all
    select
        _source,
        _source_record_id,
        full_name as reference,
        full_name as repository
    from repositories
    where full_name is not null

),

repository_names as (

    select distinct on (_source, reference)
        _source,
        reference,
        repository
    from repository_references
    order by _source, reference, repository, _source_record_id

),

pull_requests as (

    select
        requests.created_at,
        requests.merged_at,
        coalesce(requests.author_login, requests.author_id) as contributor,
        coalesce(requests.closed_at, requests.merged_at) as closed_at,
        coalesce(repository_names.repository, requests.repository_id, '(unknown)') as repository
    from {{ ref('canonical_pull_request') }} as requests
    left join repository_names
        on
            requests._source = repository_names._source
            and requests.repository_id = repository_names.reference

),

events as (

    select
        'opened' as event_type,
        {{ utc_date('created_at') }} as activity_date,
        repository,
        contributor,
        null::double precision as hours_to_merge
    from pull_requests
    union all
    select
        'merged' as event_type,
        {{ utc_date('merged_at') }} as activity_date,
        repository,
        contributor,
        (extract(epoch from merged_at - created_at) / 3600)::double precision as hours_to_merge
    from pull_requests
    union all
    select
        'closed' as event_type,
        {{ utc_date('closed_at') }} as activity_date,
        repository,
        contributor,
        null::double precision as hours_to_merge
    from pull_requests

)

select
    activity_date,
    repository,
    count(*) filter (where event_type = 'opened') as pull_requests_opened,
    count(*) filter (where event_type = 'merged') as pull_requests_merged,
    count(*) filter (where event_type = 'closed') as pull_requests_closed,
    count(distinct contributor) as contributor_count,
    trim_scale(
        round((percentile_cont(0.5) within group (order by hours_to_merge))::numeric, 4)
    ) as median_hours_to_merge
from events
where activity_date is not null
group by activity_date, repository
