select * from {{ ref('stg_crm__order') }}
union all
select * from {{ ref('stg_shop__order') }}
