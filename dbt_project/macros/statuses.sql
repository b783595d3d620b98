{#- How the tools' words for a state are read; the one place that decides. -#}

{% macro status_word(status) -%}
    regexp_replace(lower(trim({{ status }})), '[^a-z0-9]+', '_', 'g')
{%- endmacro %}

{#-
  `succeeded`, `failed` or `other`. Gross counts what was received, also what was refunded or disputed later; a payment
  without any status was received, since tools that only list received money give none. A negative amount is money given
  back, which gross does not know.
-#}
{% macro payment_outcome(status, amount) -%}
    case
        when
            {{ sluice.status_word(status) }} in (
                'failed', 'failure', 'fail', 'error', 'declined', 'denied', 'rejected', 'refused', 'unsuccessful', 'bounced',
                'processor_declined', 'gateway_rejected', 'settlement_declined', 'payment_failed', 'd'
            )
            then 'failed'
        when {{ amount }} < 0 then 'other'
        when
            {{ status }} is null
            or {{ sluice.status_word(status) }} in (
                '', 'succeeded', 'success', 'successful', 'succeed', 'paid', 'paid_out', 'captured', 'completed', 'complete',
                'settled', 'received', 'processed', 'confirmed', 'approved', 'true', 's',
                'partially_refunded', 'partial_refund', 'refunded', 'partially_refund', 'disputed', 'charged_back', 'chargeback'
            )
            then 'succeeded'
        else 'other'
    end
{%- endmacro %}

{#- An order that was called off, or never placed. -#}
{% macro order_is_cancelled(order_status) -%}
    coalesce(
        {{ sluice.status_word(order_status) }} in (
            'cancelled', 'canceled', 'voided', 'void', 'failed', 'declined', 'rejected', 'draft', 'expired', 'abandoned',
            'deleted', 'trash', 'checkout_draft'
        ),
        false
    )
{%- endmacro %}

{#- Whether an order of a source without payments is revenue: paid if it says how it stands, else not called off. -#}
{% macro order_is_revenue(order_status, payment_status, amount) -%}
    case
        when {{ payment_status }} is not null then {{ sluice.payment_outcome(payment_status, amount) }} = 'succeeded'
        else not {{ sluice.order_is_cancelled(order_status) }} and coalesce({{ amount }}, 0) >= 0
    end
{%- endmacro %}

{% macro ticket_is_open(status, completed_at) -%}
    (
        {{ completed_at }} is null
        and coalesce(
            {{ sluice.status_word(status) }} not in (
                'closed', 'close', 'done', 'solved', 'resolved', 'complete', 'completed', 'cancelled', 'canceled', 'archived',
                'deleted', 'spam', 'merged', 'rejected', 'declined', 'wont_fix', 'won_t_fix', 'duplicate', 'false'
            ),
            true
        )
    )
{%- endmacro %}
