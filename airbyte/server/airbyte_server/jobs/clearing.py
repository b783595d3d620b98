"""What the process of a job does that empties tables: no source takes part."""

import sys
from multiprocessing.connection import Connection

from airbyte_server.connectors.processes import watch_server
from airbyte_server.jobs.failures import may_pass, sentence_of
from airbyte_server.jobs.messages import ClearOrder, Report
from airbyte_server.loader.clearing import clear_tables
from airbyte_server.secrets.masking import scrubbed


def run_clear(channel: Connection, order: ClearOrder) -> None:
    """Empty the tables; the last report says done or failed."""
    watch_server()
    try:
        emptied = clear_tables(
            order.destination, order.targets, connection_id=order.connection_id, staging_schema=order.staging_schema
        )
        channel.send(Report("log", f"Emptied: {', '.join(emptied) or 'no table, for none is there yet'}."))
        channel.send(Report("done"))
    except Exception as error:  # noqa: BLE001 the last word of this process, whatever happened
        sentence = scrubbed(sentence_of(error), order.secrets)
        channel.send(Report("failed", sentence, retryable=may_pass(error)))
        sys.exit(1)
