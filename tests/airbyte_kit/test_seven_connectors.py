"""The connectors of this repository pass the check, each against the sandbox and its samples."""

import pytest
from airbyte_kit.check import examined_against
from airbyte_kit.connector import find_connector
from airbyte_kit.sandbox import sandbox

NAMES = ["stripe", "github", "shopify", "hubspot", "slack", "ga4", "zendesk-support"]
ONE_LINE = {"spec", "check", "discover", "unauthorised", "rate_limit", "server_errors", "secrets"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_connector_passes_the_check(name, forks):
    connector = find_connector(name)
    with sandbox(name) as subject:
        findings = list(examined_against(connector, subject, forks))
    wrong = [f"{each.step} {each.stream or ''}: {each.reason}" for each in findings if each.outcome == "failed"]
    assert not wrong, "\n".join(wrong)
    excepted = {(each.stream, each.step) for each in findings if each.reason.startswith("Excepted: ")}
    assert excepted == {(stream, step) for stream, steps in connector.exceptions.items() for step in steps}
    passed = {each.step for each in findings if each.outcome == "ok"}
    assert passed - {"windows"} == ONE_LINE | {"read", "schema", "keys", "paging", "incremental", "later_day", "replay"}
    read = {each.stream for each in findings if (each.step, each.outcome) == ("read", "ok")}
    assert read >= set(connector.sampled)
