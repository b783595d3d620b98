"""The real Stripe manifest on a sandbox in trouble: what passes is waited out, what does not is one sentence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from airbyte_sandbox.server.accounts import Accounts, read_account
from airbyte_sandbox.server.api import Account
from airbyte_sandbox.server.control import configurations
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.server.tools import APIS
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.connectors.running import run_connector

MANIFEST = Path(__file__).parents[2] / "airbyte/connectors/source-stripe/manifest.yaml"
STREAMS = ("charges", "refunds")
FAULTS = {
    "healthy": [],
    "limited": [{"tool": "stripe", "kind": "rate_limit", "every": 3, "seconds": 1}],
    "failing": [{"tool": "stripe", "kind": "server_error", "every": 4}],
    "cutting": [{"tool": "stripe", "kind": "cut_body", "every": 4}],
    "withdrawn": [{"tool": "stripe", "kind": "unauthorised", "every": 1}],
}
RENAMED = {"tool": "stripe", "stream": "charges", "kind": "rename_field", "field": "amount", "to": "amount_total"}
pytestmark = pytest.mark.slow


def account(name: str, **more) -> Account:
    return read_account(name, {"customers": 60, "start": "2026-05-01", "end": "2026-06-29", **more})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[tuple[str, Accounts]]:
    troubled = [account(name, faults=faults) for name, faults in FAULTS.items()]
    accounts = Accounts(accounts=[*troubled, account("drifting", drifts=[RENAMED])])
    with serving(accounts) as url:
        yield url, accounts


def read(sandbox: tuple[str, Accounts], name: str) -> tuple[int, dict[str, list[dict]], str]:
    """The exit code, the records by stream, and all that was written."""
    url, accounts = sandbox
    found = accounts.get(name)
    assert found
    written: list[bytes] = []
    program = ConnectorProgram(source_type="source-stripe", version="1", manifest=yaml.safe_load(MANIFEST.read_text()))
    catalog = {
        "streams": [
            {
                "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
            for stream in STREAMS
        ]
    }
    code = run_connector(program, "read", configurations(found, APIS, url)["stripe"], catalog, None, written.append)
    records: dict[str, list[dict]] = {stream: [] for stream in STREAMS}
    for line in b"".join(written).splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            records[message["record"]["stream"]].append(message["record"]["data"])
    return code, records, b"".join(written).decode()


def by_id(records: list[dict]) -> dict[str, dict]:
    assert len({record["id"] for record in records}) == len(records)
    return {record["id"]: record for record in records}


@pytest.fixture(scope="module")
def healthy(sandbox) -> dict[str, list[dict]]:
    code, records, _ = read(sandbox, "healthy")
    assert code == 0 and all(records.values())
    return records


@pytest.mark.parametrize("name", ["limited", "failing", "cutting"])
def test_a_read_through_passing_faults_has_every_record_once(name, sandbox, healthy):
    code, records, written = read(sandbox, name)
    assert code == 0 and "Retrying in" in written
    assert {stream: by_id(found) for stream, found in records.items()} == {
        stream: by_id(found) for stream, found in healthy.items()
    }


def test_a_key_that_was_withdrawn_ends_the_read_with_a_sentence_and_is_not_in_it(sandbox):
    code, records, written = read(sandbox, "withdrawn")
    assert code == 1 and not any(records.values())
    assert "Stripe refused the secret key" in written and "config_error" in written
    assert "sk_test_" not in written


def test_a_drift_arrives_in_the_records_of_its_stream_alone(sandbox, healthy):
    code, records, _ = read(sandbox, "drifting")
    assert code == 0
    whole = by_id(healthy["charges"])
    for charge in records["charges"]:
        assert charge["amount_total"] == whole[charge["id"]]["amount"] and "amount" not in charge
    assert by_id(records["refunds"]) == by_id(healthy["refunds"])
