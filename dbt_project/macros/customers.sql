{#- A lower-case address, or null for what is not one: "redacted" in every row must not make one customer of all. -#}
{% macro email_address(expression) -%}
    case when {{ expression }} like '%_@_%' then lower(trim({{ expression }})) end
{%- endmacro %}

{#- A real customer is an e-mail address, else a customer of one source; hashed, so that a key tells no address. -#}
{% macro customer_key(email, source, customer_id) -%}
    left(
        encode(
            sha256(
                convert_to(coalesce('email:' || {{ email }}, 'id:' || {{ source }} || ':' || {{ customer_id }}), 'UTF8')
            ),
            'hex'
        ),
        32
    )
{%- endmacro %}
