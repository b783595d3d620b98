"""Whether a source can be reached with its configuration, asked of its connector."""

from dataclasses import dataclass

from airbyte_server.connectors.asking import OnRenewal, answers
from airbyte_server.connectors.processes import ProcessPool, trace_sentence
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.connectors.starting import ConnectorCall
from airbyte_server.errors import ConnectorTimeoutError
from airbyte_server.secrets.box import Configuration
from airbyte_server.secrets.marks import marks_of
from airbyte_server.secrets.masking import scrubbed, secrets_in


@dataclass(frozen=True)
class CheckAnswer:
    """What a connector says of a configuration; one that failed says why."""

    succeeded: bool
    message: str | None = None


def check_source(
    pool: ProcessPool,
    program: ConnectorProgram,
    configuration: Configuration,
    *,
    timeout: float,
    memory_mib: int = 1024,
    on_renewal: OnRenewal | None = None,
) -> CheckAnswer:
    """The connector's answer; a failure of any kind is an answer, scrubbed, and no error."""
    call = ConnectorCall(program=program, command="check", configuration=configuration, memory_mib=memory_mib)
    answer: CheckAnswer | None = None
    refusal: str | None = None
    try:
        for message in answers(pool, call, timeout=timeout, on_renewal=on_renewal):
            if message.get("type") == "CONNECTION_STATUS":
                status = message["connectionStatus"]
                answer = CheckAnswer(status.get("status") == "SUCCEEDED", status.get("message"))
            refusal = trace_sentence(message) or refusal
    except ConnectorTimeoutError:
        answer, refusal = None, f"Source {program.source_type} took longer than {timeout:g} s to check its connection."
    if answer is not None and answer.succeeded:
        return CheckAnswer(True)
    reason = (answer.message if answer else None) or refusal or f"Source {program.source_type} ended without an answer."
    return CheckAnswer(False, scrubbed(reason, secrets_in(configuration, marks=marks_of(program.specification))))
