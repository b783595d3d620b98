select * from {{ ref('stg_crm__pull_request') }}
union all
select * from {{ ref('stg_shop__pull_request') }}
