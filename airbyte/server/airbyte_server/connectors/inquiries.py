"""Check and discover, with what was answered lately kept by connector, version and configuration."""

from collections.abc import Callable, Hashable
from typing import Any

import orjson

from airbyte_server.connectors.asking import OnRenewal, OnStart
from airbyte_server.connectors.cache import AnswerCache
from airbyte_server.connectors.checking import CheckAnswer, check_source
from airbyte_server.connectors.discovery import discover_source
from airbyte_server.connectors.processes import ProcessPool
from airbyte_server.connectors.program import Command, ConnectorProgram, JsonObject
from airbyte_server.connectors.registry import KNOWN_CONNECTORS
from airbyte_server.secrets.box import Configuration


class Inquiries:
    """Asks connectors; `fingerprint` gives a keyed hash, so that no hash of a secret can be guessed back."""

    def __init__(
        self,
        pool: ProcessPool,
        *,
        fingerprint: Callable[[Any], str],
        timeout: float,
        memory_mib: int,
        cache_seconds: float,
    ) -> None:
        self._pool = pool
        self._fingerprint = fingerprint
        self._timeout = timeout
        self._memory_mib = memory_mib
        self._cache = AnswerCache(seconds=cache_seconds)

    def discover(
        self,
        program: ConnectorProgram,
        configuration: Configuration,
        *,
        fresh: bool = False,
        on_start: OnStart | None = None,
        on_renewal: OnRenewal | None = None,
    ) -> list[JsonObject]:
        """The source's streams; with `fresh` asked of the connector whatever is kept."""

        def ask() -> bytes:
            found = discover_source(
                self._pool,
                program,
                configuration,
                timeout=self._timeout,
                memory_mib=self._memory_mib,
                on_start=on_start,
                on_renewal=on_renewal,
            )
            return orjson.dumps(found)

        # As text, so that nobody changes what another gets.
        key, is_fresh = self._key(program, "discover", configuration), fresh or _reads_this_machine(program)
        streams: list[JsonObject] = orjson.loads(self._cache.answer(key, ask, fresh=is_fresh))
        return streams

    def check(
        self, program: ConnectorProgram, configuration: Configuration, *, on_renewal: OnRenewal | None = None
    ) -> CheckAnswer:
        """Whether the source can be reached; only a success is kept."""

        def ask() -> CheckAnswer:
            return check_source(
                self._pool,
                program,
                configuration,
                timeout=self._timeout,
                memory_mib=self._memory_mib,
                on_renewal=on_renewal,
            )

        return self._cache.answer(
            self._key(program, "check", configuration),
            ask,
            fresh=_reads_this_machine(program),
            is_kept=lambda answer: answer.succeeded,
        )

    def _key(self, program: ConnectorProgram, command: Command, configuration: Configuration) -> Hashable:
        return command, program.source_type, program.version, self._fingerprint(configuration)


def _reads_this_machine(program: ConnectorProgram) -> bool:
    """Whether what it answers changes without a change of its configuration, and is cheap to ask."""
    known = KNOWN_CONNECTORS.get(program.source_type)
    return known is not None and known.is_local
