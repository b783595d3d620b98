select * from {{ ref('stg_crm__customer') }}
union all
select * from {{ ref('stg_shop__customer') }}
