select * from {{ ref('stg_crm__product') }}
union all
select * from {{ ref('stg_shop__product') }}
