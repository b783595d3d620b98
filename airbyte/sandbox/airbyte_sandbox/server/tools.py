"""The APIs that the sandbox serves; a tool's room adds its two lines here when it has an API."""

from airbyte_sandbox.ga4.api import API as GA4
from airbyte_sandbox.github.api import API as GITHUB
from airbyte_sandbox.hubspot.api import API as HUBSPOT
from airbyte_sandbox.server.api import ToolApi
from airbyte_sandbox.shopify.api import API as SHOPIFY
from airbyte_sandbox.slack.api import API as SLACK
from airbyte_sandbox.stripe.api import API as STRIPE
from airbyte_sandbox.zendesk_support.api import API as ZENDESK_SUPPORT

APIS: tuple[ToolApi, ...] = (STRIPE, GITHUB, GA4, SHOPIFY, SLACK, HUBSPOT, ZENDESK_SUPPORT)
