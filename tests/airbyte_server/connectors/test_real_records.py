"""Real records of three connectors, from file to table: every one is a row or a counted duplicate."""

import psycopg
import pytest
from airbyte_server.loader import Loader, StreamTarget, final_table_name
from psycopg import sql


def targets_of(configured, prefix):
    for entry in configured["streams"]:
        stream = entry["stream"]
        deduped = entry["sync_mode"] == "incremental" and stream.get("source_defined_primary_key")
        yield StreamTarget(
            stream=stream["name"],
            namespace="tenant_real",
            table=final_table_name(prefix, stream["name"]),
            json_schema=stream["json_schema"],
            sync_mode="incremental_deduped_history" if deduped else "full_refresh_overwrite",
            primary_key=stream.get("source_defined_primary_key") or [],
            cursor=stream.get("default_cursor_field") or [],
        )


def count(url, table):
    with psycopg.connect(url) as connection:
        row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier("tenant_real", table)))
        return row.fetchone()[0]


@pytest.mark.parametrize("source", ["stripe", "github", "shopify"])
def test_every_real_record_is_accounted_for(connector, shared, database, source):
    config = {"path": str(shared / "records" / source), "catalog": str(shared / "catalogs" / f"{source}.json")}
    configured = connector.configured("incremental", **config)
    targets = list(targets_of(configured, f"{source}_"))
    sent = {path.stem: len(path.read_bytes().splitlines()) for path in (shared / "records" / source).iterdir()}
    assert {target.stream for target in targets} == sent.keys()
    states = []
    first = Loader(database, targets, sync_id=1, on_state=states.append).load(
        connector.run("read", config, configured).lines
    )
    rows = {target.stream: count(database, target.table) for target in targets}
    for target in targets:
        outcome = first[None, target.stream]
        assert outcome.complete
        assert outcome.rows_written == rows[target.stream]
        assert outcome.records_emitted == sent[target.stream] == rows[target.stream] + outcome.duplicates
    Loader(database, targets, sync_id=2, on_state=states.append).load(
        connector.run("read", config, configured, states).lines
    )
    assert {target.stream: count(database, target.table) for target in targets} == rows
    incremental = {target.stream for target in targets if target.sync_mode == "incremental_deduped_history"}
    assert {state["stream"]["stream_descriptor"]["name"] for state in states} == incremental
