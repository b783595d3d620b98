"""What a source offers, asked of its connector."""

from airbyte_server.connectors.asking import OnRenewal, OnStart, answers
from airbyte_server.connectors.processes import ProcessPool, trace_failure
from airbyte_server.connectors.program import ConnectorProgram, JsonObject
from airbyte_server.connectors.starting import ConnectorCall
from airbyte_server.errors import ConnectorTimeoutError, ConnectorTroubleError, ServerError
from airbyte_server.secrets.box import Configuration
from airbyte_server.secrets.marks import marks_of
from airbyte_server.secrets.masking import scrubbed, secrets_in


def discover_source(
    pool: ProcessPool,
    program: ConnectorProgram,
    configuration: Configuration,
    *,
    timeout: float,
    memory_mib: int = 1024,
    on_start: OnStart | None = None,
    on_renewal: OnRenewal | None = None,
) -> list[JsonObject]:
    """The source's streams as the protocol has them; a failure carries the connector's sentence, scrubbed."""
    call = ConnectorCall(program=program, command="discover", configuration=configuration, memory_mib=memory_mib)
    catalog: JsonObject | None = None
    failure: ServerError | None = None
    try:
        for message in answers(pool, call, timeout=timeout, on_start=on_start, on_renewal=on_renewal):
            if message.get("type") == "CATALOG":
                catalog = message["catalog"]
            failure = trace_failure(message) or failure
    except ConnectorTimeoutError:
        raise ConnectorTimeoutError(
            f"Source {program.source_type} took longer than {timeout:g} s to list its streams."
        ) from None
    if failure is None and catalog is None:
        failure = ConnectorTroubleError(f"Source {program.source_type} ended without a catalog.")
    if failure is not None:
        secrets = secrets_in(configuration, marks=marks_of(program.specification))
        raise type(failure)(scrubbed(failure.sentence, secrets))
    streams: list[JsonObject] = (catalog or {}).get("streams", [])
    return streams
