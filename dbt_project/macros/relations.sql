{#-
  dbt-postgres reads the whole database's catalogue at each start. With thousands of tenants in one database that costs
  seconds, and its `ilike` takes the underscore of a schema's name as a wildcard. Here only the one schema is read.
  The root project must put this package before dbt in its `dispatch` search order: see README.md.
-#}

{% macro postgres__get_relations() -%}
    {%- call statement('relations', fetch_result=True) -%}
        select distinct
            dependent_schema.nspname as dependent_schema,
            dependent.relname as dependent_name,
            referenced_schema.nspname as referenced_schema,
            referenced.relname as referenced_name
        from pg_catalog.pg_namespace as referenced_schema
        inner join pg_catalog.pg_class as referenced on referenced.relnamespace = referenced_schema.oid
        inner join pg_catalog.pg_depend as dependency
            on
                dependency.refclassid = 'pg_catalog.pg_class'::regclass
                and dependency.refobjid = referenced.oid
                and dependency.classid = 'pg_catalog.pg_rewrite'::regclass
        inner join pg_catalog.pg_rewrite as rule on rule.oid = dependency.objid
        inner join pg_catalog.pg_class as dependent on dependent.oid = rule.ev_class
        inner join pg_catalog.pg_namespace as dependent_schema on dependent_schema.oid = dependent.relnamespace
        where
            referenced_schema.nspname = '{{ target.schema | replace("'", "''") }}'
            and dependent.oid != referenced.oid
        order by dependent_schema, dependent_name, referenced_schema, referenced_name
    {%- endcall -%}
    {{ return(load_result('relations').table) }}
{%- endmacro %}

{% macro postgres__list_relations_without_caching(schema_relation) -%}
    {%- call statement('list_relations_without_caching', fetch_result=True) -%}
        select
            '{{ schema_relation.database | replace("'", "''") }}' as database,
            relation.relname as name,
            relation_schema.nspname as schema,
            case relation.relkind
                when 'v' then 'view'
                when 'm' then 'materialized_view'
                else 'table'
            end as type
        from pg_catalog.pg_namespace as relation_schema
        inner join pg_catalog.pg_class as relation on relation.relnamespace = relation_schema.oid
        where
            relation_schema.nspname = '{{ schema_relation.schema | replace("'", "''") }}'
            and relation.relkind in ('r', 'p', 'v', 'm')
    {%- endcall -%}
    {{ return(load_result('list_relations_without_caching').table) }}
{%- endmacro %}

{% macro postgres__list_schemas(database) -%}
    {%- if database -%}{{ adapter.verify_database(database) }}{%- endif -%}
    {%- call statement('list_schemas', fetch_result=True, auto_begin=False) -%}
        select nspname from pg_catalog.pg_namespace
        where nspname = '{{ target.schema | replace("'", "''") }}'
    {%- endcall -%}
    {{ return(load_result('list_schemas').table) }}
{%- endmacro %}
