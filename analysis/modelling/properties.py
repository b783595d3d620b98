"""The yml of a model set: sources, models, columns, contracts, tests; as PyYAML's safe dumper writes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from analysis.mapping.vocabulary import load_vocabulary
from analysis.modelling.fragments import jinja_string
from analysis.modelling.plan import EntityUnion, ModelPlan, ModelTest, OwnModel, Source, SourceStream, StagingModel
from analysis.modelling.union_sql import PROVENANCE_TYPES, union_columns

RAW_SCHEMA = "sluice_raw"
"""The placeholder for the tenant's raw schema."""

_PROVENANCE_TEXTS = {
    "_source": "Name of the source that the row came from.",
    "_source_record_id": "What identifies the record within its stream: its key, else Airbyte's id of the raw row.",
    "_extracted_at": "When the record was read from the source.",
}


def dump_yml(content: Mapping[str, Any]) -> str:
    """One yml document, its keys in the order given."""
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=110)


def source_yml(source: Source) -> str:
    """A source and its raw tables."""
    tables = [_table(stream) for stream in source.streams]
    described = {"name": source.model_name, "description": source.description, "schema": RAW_SCHEMA, "tables": tables}
    return dump_yml({"version": 2, "sources": [described]})


def _table(stream: SourceStream) -> dict[str, Any]:
    table = {"name": stream.model_name, "description": stream.description}
    if stream.table != stream.model_name:
        # dbt renders yml as Jinja and puts the name between quotes as it is: any name that is not a plain word goes in
        # as a string of Jinja's, with its quotes doubled for SQL.
        is_plain = stream.table.isascii() and stream.table.replace("_", "").isalnum()
        table["identifier"] = (
            stream.table if is_plain else "{{ " + jinja_string(stream.table.replace('"', '""')) + " }}"
        )
    return table


def staging_yml(models: Sequence[StagingModel]) -> str:
    """The staging models of one source."""
    return dump_yml({"version": 2, "models": [_described(model.name, model, model.tests) for model in models]})


def own_yml(plan: ModelPlan) -> str:
    """The tenant's own models with their contracts."""
    models = []
    for own in plan.own:
        described = _described(own.name, plan.staging_model(own.staging), own.tests, own)
        models.append(described)
    return dump_yml({"version": 2, "models": models})


def union_yml(unions: Sequence[EntityUnion]) -> str:
    """The unions that the canonical models read."""
    models = []
    for union in unions:
        entity = load_vocabulary()[union.entity]
        columns = [{"name": name, "data_type": kind} for name, kind in union_columns(union.entity).items()]
        text = f"{entity.description}: the rows of every source, as the canonical model reads them."
        models.append({"name": union.name, "description": text, "columns": columns})
    return dump_yml({"version": 2, "models": models})


def _described(
    name: str, staging: StagingModel, tests: Sequence[ModelTest], own: OwnModel | None = None
) -> dict[str, Any]:
    columns: list[dict[str, Any]] = [
        {"name": column.name, "description": column.description, "data_type": column.sql_type}
        for column in staging.columns
    ]
    columns += [
        {"name": column, "description": _PROVENANCE_TEXTS[column], "data_type": kind}
        for column, kind in PROVENANCE_TYPES.items()
    ]
    for column in columns:
        found = [
            _test(test) for test in tests if test.columns == (column["name"],) and test.kind != "unique_combination"
        ]
        if found:
            column["data_tests"] = found
    described: dict[str, Any] = {"name": name, "description": own.description if own else staging.description}
    if own:
        described["config"] = {"contract": {"enforced": True}}
    combined = [_combination(test) for test in tests if test.kind == "unique_combination"]
    if combined:
        described["data_tests"] = combined
    return described | {"columns": columns}


def _test(test: ModelTest) -> dict[str, Any]:
    config = {"severity": test.severity}
    if test.kind == "accepted_values":
        return {"accepted_values": {"arguments": {"values": list(test.values)}, "config": config}}
    return {test.kind: {"config": config}}


def _combination(test: ModelTest) -> dict[str, Any]:
    # A row whose key is not complete is no duplicate of another.
    complete = " and ".join(f"{column} is not null" for column in test.columns)
    arguments = {"columns": list(test.columns)}
    return {
        "sluice.unique_combination": {"arguments": arguments, "config": {"severity": test.severity, "where": complete}}
    }
