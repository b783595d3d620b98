"""The sandbox over HTTP: accounts that last, keys that say whose data it is, faults, drifts, and its own process."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from airbyte_sandbox.__main__ import main
from airbyte_sandbox.server.accounts import Accounts, SettingsError, held
from airbyte_sandbox.server.running import serving
from airbyte_sandbox.server.tools import APIS

DAYS = {"start": "2026-05-01", "end": "2026-05-20"}


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "kept" / "accounts.json"


@pytest.fixture
def client(file) -> Iterator[httpx.Client]:
    with serving(Accounts(file)) as url, httpx.Client(base_url=url) as client:
        yield client


def put(client: httpx.Client, name: str, **settings) -> dict:
    answer = client.put(f"/sandbox/accounts/{name}", json=settings)
    assert answer.is_success, answer.text
    return answer.json()


def charges(client: httpx.Client, account: dict, **query) -> httpx.Response:
    key = account["configurations"]["stripe"]["client_secret"]
    return client.get("/stripe/v1/charges", params=query, headers={"Authorization": f"Bearer {key}"})


def test_an_account_is_in_the_file_when_it_is_acknowledged_and_there_after_a_restart(client, file):
    faults = [{"tool": "stripe", "kind": "slow", "every": 3, "seconds": 0.5}]
    drifts = [{"tool": "stripe", "stream": "charges", "kind": "rename_field", "field": "amount", "to": "total"}]
    shown = put(client, "acme", seed=3, customers=20, **DAYS, faults=faults, drifts=drifts)
    settings = {name: value for name, value in shown.items() if name != "configurations"}
    assert json.loads(file.read_text())["accounts"] == [settings]
    with serving(Accounts(file)) as url:
        again = httpx.get(f"{url}/sandbox/accounts/acme").json()
    again.pop("configurations")
    assert again == settings
    assert client.get("/sandbox/accounts").json() == {"accounts": [settings]}


def test_a_change_keeps_what_it_does_not_name_and_the_key(client):
    before = put(client, "acme", seed=3, customers=20, **DAYS)
    after = put(client, "acme", end=None)
    assert (after["seed"], after["customers"], after["start"], after["end"]) == (3, 20, "2026-05-01", None)
    assert after["configurations"] == before["configurations"]


def test_a_removed_account_is_gone_and_its_key_with_it(client, file):
    account = put(client, "acme", **DAYS)
    assert charges(client, account).status_code == 200
    assert client.delete("/sandbox/accounts/acme").status_code == 204
    assert charges(client, account).status_code == 401
    assert client.get("/sandbox/accounts/acme").status_code == 404
    assert client.delete("/sandbox/accounts/acme").status_code == 404
    assert json.loads(file.read_text()) == {"accounts": []}


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("Acme", {}, "name"),
        ("a" * 64, {}, "name"),
        ("acme", {"sed": 3}, "'sed'"),
        ("acme", {"name": "globex"}, "'globex'"),
        ("acme", {"customers": 0}, "customers=0"),
        ("acme", {"customers": "many"}, "customers"),
        ("acme", {"seed": 2**60}, "seed"),
        ("acme", {"start": "2026-05-02", "end": "2026-05-01"}, "last=2026-05-01"),
        ("acme", {"end": "soon"}, "end"),
        ("acme", {"end": "0001-01-01"}, "2000-01-01"),
        ("acme", {"start": "9999-12-31", "end": "9999-12-31"}, "2099-12-31"),
        ("acme", {"faults": [{"tool": "stripe", "kind": "fire"}]}, "kind"),
        ("acme", {"faults": [{"tool": "striped", "kind": "slow"}]}, "'striped'"),
        ("acme", {"faults": [{"tool": "stripe", "kind": "slow", "every": 0}]}, "every=0"),
        ("acme", {"faults": [{"tool": "stripe", "kind": "slow", "evry": 2}]}, "evry"),
        ("acme", {"faults": ["slow"]}, "faults"),
        ("acme", {"faults": 5}, "faults"),
        ("acme", {"drifts": [{"tool": "stripe", "stream": "charges", "kind": "grow", "field": "id"}]}, "kind"),
        ("acme", {"drifts": [{"tool": "stripe", "stream": "charges", "kind": "rename_field", "field": "id"}]}, "to"),
    ],
)
def test_wrong_settings_are_refused_by_name_and_change_nothing(client, name, settings, says):
    answer = client.put(f"/sandbox/accounts/{name}", json=settings)
    assert answer.status_code == 422
    assert says in answer.json()["error"]
    assert client.get("/sandbox/accounts").json() == {"accounts": []}


@pytest.mark.parametrize("body", [b"[1]", b"{", b'"acme"', b"[" * 200_000])
def test_settings_that_are_no_object_are_refused(client, body):
    assert client.put("/sandbox/accounts/acme", content=body).status_code == 400


@pytest.mark.parametrize(
    "kept", ["", "[]", '{"accounts": [{"seed": 1}]}', '{"accounts": [{"name": "a", "sed": 1}]}', "[" * 200_000]
)
def test_a_file_that_is_no_list_of_accounts_is_named_and_left_alone(file, kept):
    file.parent.mkdir()
    file.write_text(kept)
    with pytest.raises(SettingsError, match=r"accounts\.json"):
        Accounts(file)
    assert file.read_text() == kept


def test_accounts_made_side_by_side_are_all_kept(client, file):
    names = [f"tenant-{number}" for number in range(12)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda name: put(client, name, **DAYS), names))
    assert {account["name"] for account in json.loads(file.read_text())["accounts"]} == set(names)
    assert [account.name for account in Accounts(file).all()] == sorted(names)


def test_an_account_without_days_has_sixty_until_yesterday(client):
    account = put(client, "acme")
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert account["end"] is None
    assert date.fromisoformat(account["start"]) == yesterday - timedelta(days=59)
    newest = charges(client, account, limit=1).json()["data"][0]
    assert newest["created"] < datetime.now(UTC).timestamp()


def test_a_key_opens_the_data_of_its_own_account_alone(client):
    acme, globex = put(client, "acme", seed=3, **DAYS), put(client, "globex", seed=4, **DAYS)
    twin = put(client, "twin", seed=3, **DAYS)
    assert charges(client, acme).json() == charges(client, twin).json() != charges(client, globex).json()
    keys = {account["configurations"]["stripe"]["client_secret"] for account in (acme, globex, twin)}
    assert len(keys) == 3


def test_every_tool_has_a_configuration_at_its_own_address(client):
    configurations = put(client, "acme", **DAYS)["configurations"]
    assert set(configurations) == {api.name for api in APIS}
    for name, configuration in configurations.items():
        assert str(client.base_url.join(f"/{name}")) in json.dumps(configuration)


@pytest.mark.parametrize("tool", [api.name for api in APIS])
def test_a_tool_refuses_a_request_without_a_key_in_its_own_form(client, tool):
    put(client, "acme", **DAYS)
    api = next(api for api in APIS if api.name == tool)
    method, path = re.sub(r"\{[^}]*\}", "1", next(iter(api.routes))).split(" ")
    answer = client.request(method, f"/{tool}{path}")
    assert (answer.status_code, answer.json()) == (api.unauthorised.status, api.unauthorised.body)


@pytest.mark.parametrize("key", ["Basic \xe9\xe9", "Basic =", "Bearer \xe9", "Basic", ""])
def test_a_key_that_cannot_be_read_is_a_wrong_one(client, key):
    answer = client.get("/stripe/v1/charges", headers={"Authorization": key.encode("latin-1")})
    assert answer.status_code == 401


def test_a_body_without_a_bottom_is_refused_as_any_other(client):
    key = put(client, "acme", **DAYS)["configurations"]["hubspot"]["credentials"]["access_token"]
    asked = {"content": b"[" * 200_000, "headers": {"Authorization": f"Bearer {key}"}}
    assert client.post("/hubspot/crm/v3/objects/contacts/search", **asked).status_code == 400


def test_only_loopback_names_are_answered(client):
    assert client.get("/sandbox/health").json()["status"] == "ok"
    assert client.get("/sandbox/health", headers={"Host": "sandbox.example"}).status_code == 400


@pytest.mark.parametrize(
    ("kind", "status"), [("rate_limit", 429), ("server_error", 500), ("unauthorised", 401), ("slow", 200)]
)
def test_a_fault_meets_every_nth_request_of_its_account_and_tool(client, kind, status):
    account = put(client, "acme", **DAYS, faults=[{"tool": "stripe", "kind": kind, "every": 3, "seconds": 0.01}])
    other = put(client, "globex", **DAYS)
    answers = [charges(client, account, limit=1) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200, 200, status, 200, 200, status, 200]
    assert all(charges(client, other, limit=1).status_code == 200 for _ in range(4))
    if kind == "rate_limit":
        assert answers[2].headers["Retry-After"] == "1"
        assert answers[2].json()["error"]["code"] == "rate_limit"


def test_a_cut_body_announces_more_than_it_sends_and_the_next_request_is_whole(client):
    account = put(client, "acme", **DAYS, faults=[{"tool": "stripe", "kind": "cut_body", "every": 2}])
    whole = charges(client, account).json()
    with pytest.raises(httpx.RemoteProtocolError):
        charges(client, account)
    assert charges(client, account).json() == whole


def test_a_fault_that_is_switched_off_is_over(client):
    account = put(client, "acme", **DAYS, faults=[{"tool": "stripe", "kind": "server_error", "every": 1}])
    assert charges(client, account).status_code == 500
    put(client, "acme", faults=[])
    assert charges(client, account).status_code == 200


@pytest.mark.parametrize(
    ("drift", "changed"),
    [
        ({"kind": "add_field", "field": "tip", "value": 5}, lambda record: {**record, "tip": 5}),
        ({"kind": "drop_field", "field": "paid"}, lambda record: without(record, "paid")),
        (
            {"kind": "rename_field", "field": "amount", "to": "total"},
            lambda record: {**without(record, "amount"), "total": record["amount"]},
        ),
        ({"kind": "change_type", "field": "amount"}, lambda record: {**record, "amount": str(record["amount"])}),
        (
            {"kind": "drop_field", "field": "outcome.type"},
            lambda record: {**record, "outcome": without(record["outcome"], "type")},
        ),
    ],
    ids=lambda found: "-".join((found["kind"], found["field"])) if isinstance(found, dict) else "",
)
def test_a_drift_changes_the_records_of_its_stream_alone(client, drift, changed):
    account = put(client, "acme", **DAYS)
    before = charges(client, account).json()["data"]
    put(client, "acme", drifts=[{"tool": "stripe", "stream": "charges", **drift}])
    assert charges(client, account).json()["data"] == [changed(record) for record in before]
    put(client, "acme", drifts=[{"tool": "stripe", "stream": "refunds", **drift}])
    assert charges(client, account).json()["data"] == before


def without(record: dict, name: str) -> dict:
    return {key: value for key, value in record.items() if key != name}


def test_the_process_announces_its_address_keeps_its_accounts_and_ends_at_sigterm(file):
    command = [sys.executable, "-m", "airbyte_sandbox", "serve", "--port", "0", "--accounts", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("sandbox: ").strip()
            account = httpx.put(f"{url}/sandbox/accounts/acme", json=DAYS).json()
            assert account["configurations"]["stripe"]["base_url"] == f"{url}/stripe"
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, complaints) == (0, "")
    assert [account.name for account in Accounts(file).all()] == ["acme"]


def test_a_file_of_accounts_is_of_one_sandbox_alone(file):
    with held(file), pytest.raises(SettingsError, match=r"accounts\.json is held by another"), held(file):
        pass
    with held(file):
        command = [sys.executable, "-m", "airbyte_sandbox", "serve", "--port", "0", "--accounts", str(file)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)


def test_a_port_that_there_is_none_of_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--port", "65536"])
    assert "0 to 65535" in capsys.readouterr().err


def test_a_port_in_use_is_one_sentence(client):
    command = [sys.executable, "-m", "airbyte_sandbox", "serve", "--port", str(client.base_url.port)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"The sandbox cannot listen on port {client.base_url.port}: Address already in use; choose another.\n"
    )
