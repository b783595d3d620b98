"""What a connector says of itself: its specification and its streams."""

from collections import Counter
from collections.abc import Iterator, Sequence

from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

from airbyte_kit.findings import Finding, failed, judged, ok
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.running.run import Run


def judge_specification(run: Run, configuration: JsonObject, problems: Sequence[str] = ()) -> Finding:
    """It is a JSON schema, and the configuration that the other steps use is as it wants."""
    if problems:
        return judged("spec", problems)
    specifications = run.of("SPEC")
    if run.code or not specifications:
        return failed("spec", f"The manifest cannot run: {run.trouble()}")
    schema = specifications[0]["connectionSpecification"]
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError as error:
        return failed("spec", f"spec.connection_specification is no JSON schema: {error.message}")
    # No value of a configuration is told: it may be a secret.
    wrong = [
        f"The configuration is not as the spec wants it at {error.json_path} ({error.validator})."
        for error in Draft7Validator(schema).iter_errors(configuration)
    ]
    return judged("spec", wrong, f"{len(schema.get('properties') or {})} fields")


def judge_connection(run: Run) -> Finding:
    """The API took the configuration."""
    statuses = run.of("CONNECTION_STATUS")
    if not statuses:
        return failed("check", run.trouble())
    if statuses[0]["status"] != "SUCCEEDED":
        return failed("check", " ".join(str(statuses[0].get("message") or "no reason given").split()))
    return ok("check")


def streams_of(run: Run) -> dict[str, JsonObject]:
    """The discovered streams by name."""
    return {each["name"]: each for catalog in run.of("CATALOG") for each in catalog["streams"]}


def judge_catalog(run: Run, wanted: Sequence[str] | None) -> Iterator[Finding]:
    """Every stream is described as far as loading it needs; one line in all, and one for each that is not."""
    found = streams_of(run)
    if run.code or not found:
        yield failed("discover", run.trouble() if run.code else "It has no streams.")
        return
    unknown = [name for name in wanted or () if name not in found]
    if unknown:
        yield failed("discover", f"There is no stream {unknown[0]!r}; it has {', '.join(sorted(found))}.")
    names = Counter(each["name"] for catalog in run.of("CATALOG") for each in catalog["streams"])
    twice = [name for name, times in names.items() if times > 1]
    yield from (failed("discover", "There are two streams of this name.", name) for name in twice)
    wrong = [judged("discover", _missing(stream), stream=name) for name, stream in found.items()]
    wrong = [each for each in wrong if each.outcome == "failed"]
    yield from wrong
    if not wrong and not unknown and not twice:
        yield ok("discover", f"{len(found)} streams")


def _missing(stream: JsonObject) -> list[str]:
    schema = stream.get("json_schema") or {}
    described = schema.get("properties") or {}
    problems = [] if described else ["Its schema describes no field."]
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError as error:
        problems.append(f"Its schema is no JSON schema: {error.message}.")
    keys = [path[0] for path in stream.get("source_defined_primary_key") or []]
    cursor = (stream.get("default_cursor_field") or [])[:1]
    for kind, fields in (("key", keys), ("cursor", cursor)):
        problems += [
            f"Its {kind} {name} is not in its schema." for name in fields if described and name not in described
        ]
    if ("incremental" in stream["supported_sync_modes"]) != bool(cursor):
        problems.append(
            "It can be read incrementally just when it names a cursor: add incremental_sync, or its cursor."
        )
    return problems
