{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ return(sluice.generate_schema_name(custom_schema_name, node)) }}
{%- endmacro %}
