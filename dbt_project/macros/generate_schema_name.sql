{#- Everything lands in the target's schema; a generated root project carries a macro that calls this one. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(target.schema) }}
{%- endmacro %}
