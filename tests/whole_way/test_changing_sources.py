"""A folder as people have them: empty files, odd names, files that come and go."""

import json

import psycopg
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def relations(stack, tenant):
    with psycopg.connect(stack.reader_url(tenant)) as reader:
        query = "select relname from pg_class where relnamespace = %s::regnamespace and relkind = 'r'"
        return {name for (name,) in reader.execute(query, [f"tenant_{tenant}_analytics"])}


def test_empty_and_odd_files_are_published_and_adding_again_takes_what_came_and_lets_go_what_went(stack, tmp_path):
    notes = [{"id": number, "select": "x", "nested": {"deep": [1, 2]}} for number in range(3)]
    (tmp_path / "My Notes.V1.jsonl").write_text("\n".join(map(json.dumps, notes)))
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "nothing.csv").write_text("")
    (tmp_path / "header only.csv").write_text("a,b,c\n")
    (tmp_path / "agents.csv").write_bytes("\ufeffagent_id;name\n7;Jo\n".encode())
    source = f"file:path={tmp_path}"
    stack.add("folders", files=source)
    stack.sluice("onboard", "folders")
    published = relations(stack, "folders")
    assert {"files__my_notes_v1", "files__empty", "files__nothing", "files__header_only", "files__agents"} <= published
    with psycopg.connect(stack.reader_url("folders")) as reader:
        assert reader.execute("select agent_id::text, name from tenant_folders_analytics.files__agents").fetchall() == [
            ("7", "Jo")
        ]

    for name in ("empty.jsonl", "nothing.csv", "header only.csv"):
        (tmp_path / name).unlink()
    (tmp_path / "fresh.jsonl").write_text('{"id": 1}\n')
    stack.add("folders", files=source)
    stack.sluice("onboard", "folders")
    changed = relations(stack, "folders")
    assert {"files__my_notes_v1", "files__fresh", "files__agents"} <= changed
    assert not changed & {"files__empty", "files__nothing", "files__header_only"}
