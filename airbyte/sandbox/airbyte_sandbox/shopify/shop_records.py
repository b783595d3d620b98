"""The shop itself and its places."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from airbyte_sandbox.schema import Record
from airbyte_sandbox.shopify.stamps import ZONE_NAME, graphql_id, stamp
from airbyte_sandbox.shopify.stock_records import SHOWROOM, WAREHOUSE
from airbyte_sandbox.world import World

SHOP = "sandbox-shop"


def founded_at(world: World) -> datetime:
    """When the shop opened, before all that it sells."""
    return datetime.combine(world.start - timedelta(days=401), time(7), UTC)


def location_records(world: World) -> Sequence[Record]:
    """The warehouse, which sends everything, and a showroom."""
    places = ((WAREHOUSE, "Warehouse", "1200 Depot Drive"), (SHOWROOM, "Showroom", "14 Garden Way"))
    return [
        {
            "id": number,
            "name": name,
            "address1": street,
            "address2": None,
            "city": "Phoenix",
            "zip": "85004",
            "province": "Arizona",
            "country": "US",
            "phone": "",
            "created_at": stamp(founded_at(world)),
            "updated_at": stamp(founded_at(world)),
            "country_code": "US",
            "country_name": "United States",
            "province_code": "AZ",
            "legacy": False,
            "active": True,
            "admin_graphql_api_id": graphql_id("Location", number),
            "localized_country_name": "United States",
            "localized_province_name": "Arizona",
        }
        for number, name, street in places
    ]


def shop_record(world: World) -> Record:
    """The shop's own settings."""
    founded = stamp(founded_at(world))
    return {
        "id": 690_933_842,
        "name": "Sandbox Shop",
        "email": "owner@sandbox-labs.example",
        "domain": "sandbox-shop.example",
        "province": "Arizona",
        "country": "US",
        "address1": "1200 Depot Drive",
        "address2": None,
        "zip": "85004",
        "city": "Phoenix",
        "source": None,
        "phone": "",
        "latitude": 33.4484,
        "longitude": -112.074,
        "primary_locale": "en",
        "created_at": founded,
        "updated_at": founded,
        "country_code": "US",
        "country_name": "United States",
        "currency": "USD",
        "customer_email": "help@sandbox-labs.example",
        "timezone": f"(GMT-07:00) {ZONE_NAME}",
        "iana_timezone": ZONE_NAME,
        "shop_owner": "Ashby Lindqvist",
        "weight_unit": "kg",
        "province_code": "AZ",
        "taxes_included": False,
        "auto_configure_tax_inclusivity": None,
        "tax_shipping": None,
        "county_taxes": True,
        "plan_display_name": "Development",
        "plan_name": "affiliate",
        "has_discounts": True,
        "has_gift_cards": False,
        "myshopify_domain": f"{SHOP}.myshopify.com",
        "google_apps_domain": None,
        "google_apps_login_enabled": None,
        **_money_formats(),
        "eligible_for_payments": True,
        "requires_extra_payments_agreement": False,
        "password_enabled": False,
        "has_storefront": True,
        "finances": True,
        "primary_location_id": WAREHOUSE,
        "checkout_api_supported": True,
        "multi_location_enabled": True,
        "setup_required": False,
        "pre_launch_enabled": False,
        "enabled_presentment_currencies": ["EUR", "GBP", "JPY", "USD"],
        "cookie_consent_level": "implicit",
        "marketing_sms_consent_enabled_at_checkout": False,
        "transactional_sms_disabled": False,
    }


def _money_formats() -> Record:
    plain, named = "${{amount}}", "${{amount}} USD"
    return {
        "money_format": plain,
        "money_in_emails_format": plain,
        "money_with_currency_format": named,
        "money_with_currency_in_emails_format": named,
    }
