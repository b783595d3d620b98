"""Price rules and their codes as the API has them."""

from datetime import datetime

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.campaigns import Code, Rule, uses
from airbyte_sandbox.shopify.stamps import graphql_id, optional_stamp, stamp
from airbyte_sandbox.world import World


def rule_record(rule: Rule) -> Record:
    """A price rule, which does not change once it is made."""
    ids = ("product", "variant", "collection", "country")
    asked = ("product", "variant", "collection", "customer")
    return {
        "id": rule.id,
        "value_type": "percentage",
        "value": "-10.0",
        "customer_selection": "all",
        "target_type": "line_item",
        "target_selection": "all",
        "allocation_method": "across",
        "allocation_limit": None,
        "once_per_customer": False,
        "usage_limit": None,
        "starts_at": stamp(rule.starts_at),
        "ends_at": optional_stamp(rule.ends_at),
        "created_at": stamp(rule.starts_at),
        "updated_at": stamp(rule.starts_at),
        **{f"entitled_{name}_ids": [] for name in ids},
        **{f"prerequisite_{name}_ids": [] for name in asked},
        "customer_segment_prerequisite_ids": [],
        "prerequisite_subtotal_range": None,
        "prerequisite_quantity_range": None,
        "prerequisite_shipping_price_range": None,
        "prerequisite_to_entitlement_quantity_ratio": {"prerequisite_quantity": None, "entitled_quantity": None},
        "prerequisite_to_entitlement_purchase": {"prerequisite_amount": None},
        "title": rule.title,
        "admin_graphql_api_id": graphql_id("PriceRule", rule.id),
    }


def code_changed_at(world: World, code: Code) -> datetime:
    """When it was used last."""
    use = uses(world).get(code.id)
    return use.last_at if use else code.created_at


def code_record(world: World, rule: Rule, code: Code) -> Record:
    """A code with how often it was used."""
    use = uses(world).get(code.id)
    return {
        "id": code.id,
        "price_rule_id": rule.id,
        "code": code.code,
        "usage_count": use.count if use else 0,
        "created_at": stamp(code.created_at),
        "updated_at": stamp(code_changed_at(world, code)),
    }
