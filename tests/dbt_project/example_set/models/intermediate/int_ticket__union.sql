select * from {{ ref('stg_crm__ticket') }}
union all
select * from {{ ref('stg_shop__ticket') }}
