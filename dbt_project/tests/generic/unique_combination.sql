{#- Fails once per combination of columns that more than one row has; nulls are compared as values. -#}
{% test unique_combination(model, columns) %}

    select
        {{ columns | join(',\n        ') }},
        count(*) as row_count
    from {{ model }}
    group by
        {{ columns | join(',\n        ') }}
    having count(*) > 1

{% endtest %}
