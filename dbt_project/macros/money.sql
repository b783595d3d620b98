{#-
  ISO 4217's minor units as payment APIs use them: ISK and UGX have none by ISO, yet are sent in hundredths; MGA's fifth
  is not sent at all. An unknown currency is taken to have hundredths.
-#}
{% macro minor_units_to_amount(amount, currency) -%}
    (
        {{ sluice.try_cast(amount, 'numeric') }}
        * case
            when
                upper(trim(({{ currency }})::text)) in (
                    'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
                )
                then 1
            when upper(trim(({{ currency }})::text)) in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 0.001
            else 0.01
        end
    )
{%- endmacro %}

{#- Upper case; XXX is ISO 4217's code for no currency, so that unknown money is never added to known. -#}
{% macro currency_code(expression) -%}
    coalesce(nullif(upper(trim({{ expression }})), ''), 'XXX')
{%- endmacro %}
