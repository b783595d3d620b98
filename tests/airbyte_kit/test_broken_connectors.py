"""Connectors that are wrong in one thing each: the check fails in the step that is about it, and says what it is."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from airbyte_kit.findings import Finding

from tests.airbyte_kit.small_api import KEY


@dataclass(frozen=True)
class Break:
    """A text of the manifest, what stands in its place, and the failure that must come of it."""

    name: str
    found: str
    put: str
    step: str
    stream: str | None
    says: str


FAST = (
    "a key that is empty",
    "a wrong type",
    "paging that repeats",
    "a cursor that does not reach the request",
    "a secret in a log",
    "no word for 401",
)
BREAKS = [
    Break(
        "a key that is empty",
        "primary_key: [id]",
        "primary_key: [email]",
        "keys",
        "customers",
        "email is empty in 1 of 7",
    ),
    Break(
        "a key that is not unique",
        "primary_key: [id]\n    retriever:\n",
        "primary_key: [currency]\n    retriever:\n",
        "keys",
        "invoices",
        r"1 keys \(currency\) come more than once",
    ),
    Break(
        "a wrong type",
        "amount: *number",
        "amount: *text",
        "schema",
        "invoices",
        r"amount is no null or string, such as 10.5 \(21 times in 21 records\)",
    ),
    Break(
        "paging that repeats",
        "inject_into: request_parameter, field_name: cursor }",
        "inject_into: header, field_name: X-Next }",
        "paging",
        "customers",
        "/v1/customers.* was asked for .* times: the page after it is never reached",
    ),
    Break(
        "paging that stops",
        "not response.get('next_cursor')",
        "True",
        "paging",
        "customers",
        "With smaller pages 6 of 7 records are lost",
    ),
    Break(
        "a cursor that does not reach the request",
        "field_name: updated_since",
        "field_name: since",
        "incremental",
        "customers",
        "All 7 records come again: the cursor does not reach the request",
    ),
    Break(
        "a cursor that does not say what changed",
        "cursor_field: updated_at",
        "cursor_field: created_at",
        "later_day",
        "customers",
        "older than the state",
    ),
    Break(
        "a secret in a log",
        "      response_filters:\n",
        "      response_filters:\n"
        "        - type: HttpResponseFilter\n          predicate: \"{{ response.get('next_cursor') is none }}\"\n"
        "          action: IGNORE\n          error_message: \"Key {{ config['api_key'] | base64encode }} has all\"\n",
        "secrets",
        None,
        "A secret is told in a LOG line",
    ),
    Break(
        "a secret in its records",
        "value: \"{{ stream_partition['customer_id'] | tojson }}\"",
        "value: \"{{ config['api_key'] }}\"",
        "secrets",
        None,
        "A secret is told in a RECORD line",
    ),
    Break(
        "a secret in an error",
        "refused the API key;",
        "refused {{ config['api_key'] }};",
        "unauthorised",
        None,
        "customers: its error says the secret that was refused",
    ),
    Break(
        "no word for 401",
        "http_codes: [401, 403]",
        "http_codes: [402]",
        "unauthorised",
        None,
        "customers: its error is not one sentence",
    ),
    Break(
        "401 that passes for the end",
        "action: FAIL\n",
        "action: IGNORE\n",
        "unauthorised",
        None,
        "customers: refused, it does not fail",
    ),
    Break(
        "an impatient connector",
        "header: Retry-After",
        "header: X-Retry",
        "rate_limit",
        None,
        "Retry-After says 60 s, and it asks customers again after",
    ),
    Break(
        "errors that end it",
        "      max_retries: 6\n",
        "      max_retries: 0\n",
        "server_errors",
        None,
        "customers fails",
    ),
    Break("no connection", '/v1"\n', '/v2"\n', "check", None, "."),
    Break(
        "a secret that is not marked",
        "        airbyte_secret: true\n",
        "",
        "spec",
        None,
        "The authenticator sends api_key as a secret: mark it airbyte_secret",
    ),
    Break("no specification", "spec:\n", "metadata:\n", "spec", None, "The manifest has no spec"),
    Break(
        "no streams", "streams:\n  - $ref", "streams: []\nnone:\n  - $ref", "spec", None, "The manifest has no streams"
    ),
    Break(
        "two streams of one name",
        'streams:\n  - $ref: "#/definitions/customers"\n',
        'streams:\n  - $ref: "#/definitions/customers"\n  - $ref: "#/definitions/customers"\n',
        "discover",
        "customers",
        "There are two streams of this name",
    ),
    Break(
        "a secret in an address",
        "/customers/{{ stream_partition['customer_id'] }}/invoices",
        "/customers/{{ stream_partition['customer_id'] }}/invoices?k={{ config['api_key'] }}",
        "secrets",
        None,
        "A secret stands in the address of a request",
    ),
    Break(
        "windows with gaps",
        "cursor_granularity: PT1S",
        "cursor_granularity: P5D",
        "windows",
        "customers",
        "Short windows leave out . of 7 records",
    ),
    Break("no manifest", "type: DeclarativeSource", "type: Declarative", "spec", None, "The manifest cannot run"),
]


SPEEDS = {True: (), False: (pytest.mark.slow,)}


@pytest.mark.parametrize(
    "broken", [pytest.param(each, id=each.name, marks=SPEEDS[each.name in FAST]) for each in BREAKS]
)
def test_what_is_broken_fails_in_its_step(broken, fresh, check_live):
    shutil.rmtree(fresh / "samples")
    change(fresh, broken)
    findings = check_live(fresh)
    (found,) = [each for each in findings if (each.step, each.stream) == (broken.step, broken.stream)]
    assert found.outcome == "failed", told(findings)
    assert re.search(broken.says, found.reason), found.reason
    assert not [each for each in findings if KEY in each.reason]


def change(folder: Path, broken: Break) -> None:
    manifest = folder / "manifest.yaml"
    text = manifest.read_text()
    assert broken.found in text
    manifest.write_text(text.replace(broken.found, broken.put))


def told(findings: Sequence[Finding]) -> str:
    return "\n".join(f"{each.step} {each.stream or ''} {each.outcome} {each.reason}" for each in findings)
