"""The SQL of staging models."""

from analysis.modelling.fragments import Fragment, inert, literal
from analysis.modelling.plan import ModelPlan, SourceStream, StagingColumn, StagingModel
from analysis.modelling.sql_text import cte, document, select_all, select_lines
from analysis.modelling.transforms import apply, value_at
from analysis.profiling.profile import Path

RAW_ID = "_airbyte_raw_id"
EXTRACTED_AT = "_airbyte_extracted_at"


def render_staging(plan: ModelPlan, model: StagingModel) -> str:
    """A staging model: one row per raw row, save those that a declared key says are older versions of another."""
    stream = plan.stream_of(model)
    source = plan.source(model.source)
    ctes = [cte("source", [select_all(f"{{{{ source('{source.model_name}', '{stream.model_name}') }}}}")])]
    read_from = "source"
    if needs_numbers(stream):
        ctes.append(cte("numbered", _numbered(stream)))
        read_from = "numbered"
    ctes.append(cte("renamed", _renamed(model, stream, source.name, read_from)))
    return document(ctes, "renamed")


def needs_numbers(stream: SourceStream) -> bool:
    """Whether rows of one key must be told apart: the raw table may hold more than one."""
    return bool(stream.key) and not stream.is_deduplicated


def row_number_name(stream: SourceStream) -> str:
    """A name for the row number that no raw column has."""
    taken = {column.name for column in stream.columns}
    name = "_sluice_row_number"
    while name in taken:
        name += "_"
    return name


def _value(stream: SourceStream, path: Path) -> tuple[Fragment, str]:
    types = {column.name: column.sql_type for column in stream.columns}
    return value_at(path[0], types[path[0]], path[1:])


def _as_text(stream: SourceStream, path: Path) -> Fragment:
    return apply("text", *_value(stream, path))


def _key_part(stream: SourceStream, path: Path) -> str:
    """A part of the key as it is compared; JSON as its text, so that JSON's null is null."""
    value, sql_type = _value(stream, path)
    return (apply("text", value, sql_type) if sql_type == "jsonb" else value).template()


def _numbered(stream: SourceStream) -> list[str]:
    key = [_key_part(stream, path) for path in stream.key]
    newest = [f"{_value(stream, stream.cursor)[0].template()} desc nulls last"] if stream.cursor else []
    order = [*newest, f"{EXTRACTED_AT} desc", f"{RAW_ID} desc"]
    return [
        "select",
        "    *,",
        "    row_number() over (",
        "        partition by",
        *[f"            {part}," for part in key[:-1]],
        f"            {key[-1]}",
        "        order by",
        *[f"            {part}," for part in order[:-1]],
        f"            {order[-1]}",
        f"    ) as {row_number_name(stream)}",
        "from source",
    ]


def _renamed(model: StagingModel, stream: SourceStream, source: str, read_from: str) -> list[str]:
    items = [
        *(_item(stream, column) for column in model.columns),
        [f"{inert(literal(source))} as _source"],
        _record_id(stream),
        [f"{EXTRACTED_AT} as _extracted_at"],
    ]
    return [*select_lines(items), f"from {read_from}", *_latest_only(stream)]


def _item(stream: SourceStream, column: StagingColumn) -> list[str]:
    arguments = tuple(_as_text(stream, path) for path in column.arguments)
    value = apply(column.transform, *_value(stream, column.path), arguments).template()
    return [value if value == column.name else f"{value} as {column.name}"]


def _latest_only(stream: SourceStream) -> list[str]:
    """Only a declared key drops rows, and never one whose key is not complete."""
    if not (needs_numbers(stream) and stream.is_key_declared):
        return []
    incomplete = [f"    or {_key_part(stream, path)} is null" for path in stream.key]
    return ["where", f"    {row_number_name(stream)} = 1", *incomplete]


def _record_id(stream: SourceStream) -> list[str]:
    """The key as text, else Airbyte's id of the raw row; rows that share an inferred key are told apart by that id."""
    if not stream.key:
        return [f"{RAW_ID}::text as _source_record_id"]
    parts = [_as_text(stream, path).template() for path in stream.key]
    exceptions = [f"{_key_part(stream, path)} is null" for path in stream.key]
    if not stream.is_key_declared:
        exceptions.append(f"{row_number_name(stream)} > 1")
    return [
        "case",
        "    when",
        f"        {exceptions[0]}",
        *[f"        or {exception}" for exception in exceptions[1:]],
        f"        then {RAW_ID}::text",
        *([f"    else {parts[0]}"] if len(parts) == 1 else _json_list(parts)),
        "end as _source_record_id",
    ]


def _json_list(parts: list[str]) -> list[str]:
    """Several parts as one text from which they can be told apart again."""
    listed = [f"        {part}," for part in parts[:-1]] + [f"        {parts[-1]}"]
    return ["    else jsonb_build_array(", *listed, "    )::text"]
