"""History of any sequence of releases equals what an independent model of it in Python says."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from sqlalchemy import create_engine

from orchestration.tenancy.history.spec import parse_spec
from orchestration.tenancy.history.steps import Step, write_step
from orchestration.tenancy.history.tables import prepare_table
from orchestration.tenancy.statements import run

START = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMAS = count(1)

sizes = {"int4": st.integers(0, 2), "int8": st.sampled_from([0, 1, 2**40]), "text": st.sampled_from(["0", "", "x"])}
notes = st.sampled_from([{}, {"a": 1}, {"a": [None]}, []])
keys = st.tuples(st.integers(0, 2), st.sampled_from(["EUR", "usd"]))


@st.composite
def releases(draw):
    """A release: which columns of which type it has, and its rows by key."""
    columns = {"size": draw(st.sampled_from(["int8", "int8", "int4", "text"]))}
    if draw(st.booleans()):
        columns["note"] = "jsonb"
    cells = st.fixed_dictionaries(
        {name: st.none() | (notes if kind == "jsonb" else sizes[kind]) for name, kind in columns.items()}
    )
    return columns, draw(st.dictionaries(keys, cells, max_size=5))


class Model:
    """What history must hold, told without SQL: records of key, values and what is kept beside."""

    def __init__(self, kind):
        self.kind, self.types, self.records, self.last = kind, {}, [], None

    def place(self, columns):
        """History's column for each of the release's: its own where the type fits, one beside it otherwise."""
        places = {}
        for name, kind in columns.items():
            kept = self.types.setdefault(name, kind)
            fits = kept == kind or (kind, kept) == ("int4", "int8")
            places[name] = name if fits else f"{name}__{kind}"
            if not fits:
                self.types.setdefault(places[name], kind)
        return places

    def write(self, number, at, columns, rows):
        places = self.place(columns)
        fresh = {key: {places[name]: cell for name, cell in row.items()} for key, row in rows.items()}
        step = self.write_rows if self.kind == "rows" else self.write_versions
        step(number, at, fresh)
        self.last = number

    def write_rows(self, number, at, fresh):
        known = {record["key"]: record for record in self.records}
        for key, row in fresh.items():
            record = known.get(key)
            if record is None:
                record = {"key": key, "values": {}, "first": number, "changed": number, "at": at}
                self.records.append(record)
            elif any(record["values"].get(name) != cell for name, cell in row.items()):
                record |= {"changed": number, "at": at}
            record["values"] |= row
            record |= {"current": True, "absent": None, "last": None}
        for key in known.keys() - fresh.keys():
            if known[key]["current"]:
                known[key] |= {"current": False, "absent": at, "last": self.last}

    def write_versions(self, number, at, fresh):
        for record in [record for record in self.records if record["to"] is None]:
            row = fresh.get(record["key"])
            if row is None or any(record["values"].get(name) != cell for name, cell in row.items()):
                record |= {"to": at, "last": self.last}
        open_keys = {record["key"] for record in self.records if record["to"] is None}
        for key in fresh.keys() - open_keys:
            self.records.append(
                {"key": key, "values": dict(fresh[key]), "first": number, "last": None, "from": at, "to": None}
            )

    def table(self, records=None):
        """The records as rows of the history table, in the order of key and first release."""
        beside = ("first", "changed", "at", "current", "absent", "last")
        names = beside if self.kind == "rows" else ("first", "last", "from", "to")
        ordered = sorted(
            self.records if records is None else records, key=lambda record: (record["key"], record["first"])
        )
        return [
            (*each["key"], *map(each["values"].get, sorted(self.types)), *(each[name] for name in names))
            for each in ordered
        ]


@pytest.fixture(scope="module")
def quick(warehouse_url):
    engine = create_engine(warehouse_url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=1)
    yield engine
    engine.dispose()


def fill(connection, schema, columns, rows):
    listed = sql.SQL("").join(sql.SQL(", {} {}").format(sql.Identifier(n), sql.SQL(k)) for n, k in columns.items())
    run(connection, "create table {schema}.t (day int, currency text{})", listed, schema=schema)
    for key, row in rows.items():
        cells = [json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in map(row.get, columns)]
        run(
            connection,
            "insert into {schema}.t values ({})",
            sql.SQL(", ").join(map(sql.Literal, [*key, *cells])),
            schema=schema,
        )


def found(connection, history, model, kind):
    beside = {
        "rows": "first_release, changed_release, changed_at, is_current, absent_since, last_release",
        "versions": "first_release, last_release, valid_from, valid_to",
    }
    names = [sql.SQL(", {}").format(sql.Identifier(name)) for name in sorted(model.types)]
    query = 'select day, currency{}, {} from {schema}.t order by day, currency collate "C", first_release'
    return run(connection, query, sql.Composed(names), sql.SQL(beside[kind]), schema=history)


@pytest.fixture(params=["rows", "versions"])
def follow(request, quick):
    """Write a sequence of releases into a fresh history and compare it with the model after each."""

    def follow(sequence):
        spec = parse_spec("t", {"key": ["day", "currency"], "as": request.param})
        model, history = Model(request.param), f"history_{next(SCHEMAS)}"
        with quick.connect() as connection:
            run(connection, "create schema {history}", history=history)
            for number, (columns, rows) in enumerate(sequence, 1):
                schema, at = f"{history}_r{number}", START + timedelta(days=number)
                run(connection, "create schema {schema}", schema=schema)
                fill(connection, schema, columns, rows)
                step, before = Step(schema, history, "t", number, at, model.last), deepcopy(model.records)
                places = prepare_table(connection, schema, history, "t", spec)
                written = write_step(connection, step, spec, places)
                model.write(number, at, columns, rows)
                after = model.table()
                assert found(connection, history, model, request.param) == after
                assert (written > 0) == (after != model.table(before))
                # The same release again is no news.
                assert write_step(connection, step, spec, places) == 0
            connection.rollback()

    return follow


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (
            "rows",
            [
                (1, 10, "ten", "x", None, 1, 4),
                (2, 20, "20", "y", {"a": 1}, 1, 3),
                (3, None, "30", None, [], 4, 4),
            ],
        ),
        (
            "versions",
            [
                (1, 10, None, "x", None, 1, 2),
                (1, None, "10", None, None, 3, 3),
                (1, None, "ten", None, None, 4, None),
                (2, 20, None, "y", None, 1, 1),
                (2, 20, None, "y", {"a": 1}, 2, 2),
                (2, None, "20", None, {"a": 1}, 3, 3),
                (3, None, "30", None, [], 4, None),
            ],
        ),
    ],
)
def test_columns_come_go_and_change_their_type_and_no_value_is_lost(quick, kind, wanted):
    steps = [
        "(values (1, 10, 'x'), (2, 20, 'y')) as v (id, size, old)",
        # A narrower number fits where it was; a new column begins.
        "(values (1::int2, 10::int2, 'x', null), (2, 20, 'y', '{\"a\": 1}'::jsonb)) as v (id, size, old, new)",
        # Another type goes beside; a column that is gone keeps what it had and is no change.
        "(values (1, '10', null), (2, '20', '{\"a\": 1}'::jsonb)) as v (id, size, new)",
        "(values (1, 'ten', null), (3, '30', '[]'::jsonb)) as v (id, size, new)",
    ]
    spec, history = parse_spec("t", {"key": ["id"], "as": kind}), f"history_{next(SCHEMAS)}"
    with quick.connect() as connection:
        run(connection, "create schema {history}", history=history)
        for number, query in enumerate(steps, 1):
            run(connection, "create schema {schema}", schema=f"{history}_r{number}")
            run(
                connection,
                f"create table {history}_r{number}.t as select * from {query.replace('{', '{{').replace('}', '}}')}",
            )
            step = Step(f"{history}_r{number}", history, "t", number, START, number - 1 or None)
            write_step(connection, step, spec, prepare_table(connection, step.schema, history, "t", spec))
        last = sql.Identifier("changed_release" if kind == "rows" else "last_release")
        query = "select id, size, size__text, old, new, first_release, {} from {schema}.t order by id, first_release"
        assert run(connection, query, last, schema=history) == wanted
        connection.rollback()


SEQUENCES = st.lists(releases(), min_size=1, max_size=6)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(sequence=SEQUENCES)
def test_history_equals_the_model_after_every_release(follow, sequence):
    follow(sequence)


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(sequence=SEQUENCES)
def test_history_equals_the_model_after_every_release_of_many_sequences(follow, sequence):
    follow(sequence)
