"""What a job's process does: fork the connector, load what it writes, report."""

import sys
from multiprocessing.connection import Connection

import psycopg

from airbyte_server.connectors.processes import watch_server
from airbyte_server.errors import ServerError
from airbyte_server.jobs.messages import JobOrder, Report, stream_stats
from airbyte_server.jobs.reader import ConnectorReader
from airbyte_server.jobs.states import StateSaver
from airbyte_server.loader import Loader
from airbyte_server.secrets.masking import scrubbed

_LOGGED = ("FATAL", "ERROR", "WARN", "WARNING", "INFO")
_LONGEST_LINE = 4000


def run_job(channel: Connection, order: JobOrder) -> None:
    """Run one job to its end; the last report says done or failed."""
    reader = ConnectorReader(order, close_in_child=channel)
    watch_server()
    loader: Loader | None = None
    try:
        with StateSaver(order) as saver:
            loader = Loader(
                order.destination,
                order.targets,
                sync_id=order.job_id,
                staging_schema=order.staging_schema,
                on_state=saver.save,
                on_log=lambda level, text: _log(channel, order, level, text),
                on_progress=lambda outcomes: channel.send(Report("progress", streams=stream_stats(outcomes))),
            )
            loader.load(reader.messages())
        channel.send(Report("done", streams=stream_stats(loader.outcomes)))
    except Exception as error:  # noqa: BLE001 the last word of this process, whatever happened
        sentence = scrubbed(_sentence(error), order.secrets)
        for complaint in reader.complaints():
            _log(channel, order, "ERROR", complaint)
        channel.send(Report("failed", sentence, streams=stream_stats(loader.outcomes) if loader else ()))
        sys.exit(1)
    finally:
        reader.kill()


def _log(channel: Connection, order: JobOrder, level: str, text: str) -> None:
    level = level.upper()
    if level in _LOGGED:
        channel.send(Report("log", scrubbed(text, order.secrets)[:_LONGEST_LINE], level=level))


def _sentence(error: Exception) -> str:
    if isinstance(error, ServerError):
        return str(error)
    if isinstance(error, psycopg.Error):
        return f"PostgreSQL refused: {str(error).strip().splitlines()[0] if str(error) else type(error).__name__}."
    return f"The job failed: {type(error).__name__}: {error}"
