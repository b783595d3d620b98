select * from {{ ref('stg_crm__payment') }}
union all
select * from {{ ref('stg_shop__payment') }}
