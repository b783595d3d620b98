"""What a job's process does: fork the connector, load what it writes, report."""

import gc
import sys
from multiprocessing.connection import Connection

from airbyte_server.connectors.processes import watch_server
from airbyte_server.connectors.renewal import merged
from airbyte_server.jobs.failures import may_pass, sentence_of
from airbyte_server.jobs.lines import LimitExceededError
from airbyte_server.jobs.messages import JobOrder, JsonObject, Report, stream_stats
from airbyte_server.jobs.reader import ConnectorReader
from airbyte_server.jobs.sampling import SampleReader
from airbyte_server.loader import Loader, StateOwner
from airbyte_server.secrets.masking import scrubbed

_LOGGED = ("FATAL", "ERROR", "WARN", "WARNING", "INFO")
_LONGEST_LINE = 4000


def run_job(channel: Connection, order: JobOrder) -> None:
    """Run one job to its end; the last report says done or failed."""
    reader: ConnectorReader | SampleReader | None = None
    loader: Loader | None = None
    try:
        opened = reader = _open_reader(order, channel)
        watch_server()
        loader = Loader(
            order.destination,
            order.targets,
            sync_id=order.job_id,
            staging_schema=order.staging_schema,
            owner=None if order.state_version is None else StateOwner(order.connection_id, order.state_version),
            needs_statuses=True,
            repeats=order.attempt,
            on_log=lambda level, text: _log(channel, order, level, text),
            on_progress=lambda now: channel.send(Report("progress", streams=stream_stats(now, opened.cut))),
        )
        _spare_collections()
        _share_the_interpreter()
        loader.load_batches(reader.batches())
        channel.send(Report("done", streams=stream_stats(loader.outcomes, reader.cut)))
    except Exception as error:  # noqa: BLE001 the last word of this process, whatever happened
        error = error.__cause__ if isinstance(error.__cause__, LimitExceededError) else error
        sentence = scrubbed(sentence_of(error), order.secrets)
        for complaint in reader.complaints() if reader else ():
            _log(channel, order, "ERROR", complaint)
        streams = stream_stats(loader.outcomes, reader.cut) if loader and reader else ()
        channel.send(Report("failed", sentence, streams=streams, retryable=may_pass(error)))
        sys.exit(1)
    finally:
        if reader is not None:
            reader.kill()


def _spare_collections() -> None:
    """Records make many objects and no cycles; what was loaded before the job's start is there to stay."""
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)


def _share_the_interpreter() -> None:
    """COPY's thread asks for it at each full socket buffer, and would wait 5 ms each time for the one that converts."""
    sys.setswitchinterval(0.0005)


def _open_reader(order: JobOrder, channel: Connection) -> ConnectorReader | SampleReader:
    def keep(fields: JsonObject) -> None:
        order.configuration.update(merged(order.configuration, fields))  # for the next connector of a sample
        channel.send(Report("renewed", fields=fields))

    def open_reader(part: JobOrder) -> ConnectorReader:
        return ConnectorReader(part, keep)

    return open_reader(order) if order.budget is None else SampleReader(order, order.budget, open_reader)


def _log(channel: Connection, order: JobOrder, level: str, text: str) -> None:
    level = level.upper()
    if level in _LOGGED:
        channel.send(Report("log", scrubbed(text, order.secrets)[:_LONGEST_LINE], level=level))
