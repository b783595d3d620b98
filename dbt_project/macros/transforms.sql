{#-
  The transforms that a plan may name. Each gives null where the value is not of the type: a bad value never fails a build.
  Text that carries no offset is UTC.
-#}

{% macro try_cast(expression, type) -%}
    {%- set value = '(' ~ expression ~ ')::text' -%}
    {%- set type = type | lower -%}
    {%- if type == 'text' -%}
        {{ value }}
    {%- elif type in ('numeric', 'decimal') -%}
        {{ sluice.try_cast_to_numeric(value) }}
    {%- elif type in ('bigint', 'integer', 'int', 'smallint') -%}
        {%- set bound = {'bigint': 63, 'integer': 31, 'int': 31, 'smallint': 15}[type] -%}
        case
            when
                {{ sluice.is_finite_number(value) }}
                then case
                    when
                        {{ value }}::numeric = trunc({{ value }}::numeric)
                        and {{ value }}::numeric >= -(2::numeric ^ {{ bound }})
                        and {{ value }}::numeric < (2::numeric ^ {{ bound }})
                        then {{ value }}::numeric::{{ type }}
                end
        end
    {%- elif type == 'date' -%}
        {{ sluice.utc_date(sluice.try_cast_to_timestamptz(value)) }}
    {%- elif type in ('timestamptz', 'timestamp with time zone') -%}
        {{ sluice.try_cast_to_timestamptz(value) }}
    {%- else -%}
        case when pg_input_is_valid({{ value }}, '{{ type }}') then {{ value }}::{{ type }} end
    {%- endif -%}
{%- endmacro %}

{#- NaN and Infinity are valid numerics, and one of them spoils every sum. -#}
{% macro is_finite_number(value) -%}
    (pg_input_is_valid({{ value }}, 'numeric') and {{ value }} ~ '[0-9]')
{%- endmacro %}

{% macro try_cast_to_numeric(value) -%}
    case when {{ sluice.is_finite_number(value) }} then {{ value }}::numeric end
{%- endmacro %}

{#- PostgreSQL reads 'today' and 'infinity' as times too; few clients can read a year beyond 1 to 9999. -#}
{% macro try_cast_to_timestamptz(value) -%}
    case
        when
            pg_input_is_valid({{ value }}, 'timestamptz')
            and {{ value }} !~* '(now|today|tomorrow|yesterday|epoch|infinity|bc)'
            then case
                when
                    {{ value }}::timestamptz < '0001-01-02 00:00:00+00'::timestamptz
                    or {{ value }}::timestamptz >= '9999-12-31 00:00:00+00'::timestamptz
                    then null
                when {{ sluice.carries_an_offset(value) }} then {{ value }}::timestamptz
                else {{ value }}::timestamp at time zone 'utc'
            end
    end
{%- endmacro %}

{% macro carries_an_offset(value) -%}
    {{ value }} ~* '(:[0-9.]+|t[0-9]{4,6}([.][0-9]+)?) ?((?!(am|pm)$)[a-z]{1,5}|[+-][0-9:]+)$'
{%- endmacro %}

{% macro utc_date(expression) -%}
    (({{ expression }}) at time zone 'utc')::date
{%- endmacro %}

{% macro epoch_seconds_to_timestamp(expression) -%}
    {{ sluice.epoch_to_timestamp(expression, 1) }}
{%- endmacro %}

{% macro epoch_milliseconds_to_timestamp(expression) -%}
    {{ sluice.epoch_to_timestamp(expression, 1000) }}
{%- endmacro %}

{#- Whole and fractional part apart, so that no microsecond is lost to a double. -#}
{% macro epoch_to_timestamp(expression, per_second) -%}
    {%- set value = '(' ~ expression ~ ')::text' -%}
    {%- set seconds = '(' ~ value ~ '::numeric / ' ~ per_second ~ ')' -%}
    case
        when
            {{ sluice.is_finite_number(value) }}
            then case
                when
                    {{ seconds }} between -62135510400 and 253402214399
                    then to_timestamp(floor({{ seconds }})::double precision)
                    + (({{ seconds }} - floor({{ seconds }})) * 1000000)::bigint * interval '1 microsecond'
            end
    end
{%- endmacro %}

{% macro json_text(expression, path_list) -%}
    {%- set names = path_list | map('string') | map('replace', "'", "''") | join("', '") -%}
    (({{ expression }}) #>> array['{{ names }}']::text[])
{%- endmacro %}
