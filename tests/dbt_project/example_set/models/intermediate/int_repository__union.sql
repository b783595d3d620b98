select * from {{ ref('stg_crm__repository') }}
union all
select * from {{ ref('stg_shop__repository') }}
