"""`airbyte-server`, also `python -m airbyte_server`: serve until SIGTERM."""

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airbyte_server.settings import ServerSettings

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve by the command line and the environment; 2 and a sentence if they are wrong."""
    given = _read_arguments(arguments)
    from pydantic import ValidationError

    from airbyte_server.errors import ServerError
    from airbyte_server.settings import ServerSettings

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    try:
        serve(ServerSettings(**given))
    except ValidationError as error:
        for problem in error.errors(include_input=False):
            name = "_".join(["AIRBYTE_SERVER", *(str(part).upper() for part in problem["loc"])])
            print(f"{name}: {problem['msg']}", file=sys.stderr)
        return 2
    except ServerError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def serve(settings: "ServerSettings") -> None:
    """Serve until a signal comes; a database that cannot be taken raises first."""
    import uvicorn

    from airbyte_server.app import create_app
    from airbyte_server.services import make_services
    from airbyte_server.state import upkeep

    services = make_services(settings)
    services.storage.open()
    upkeep.prepare(services)
    if not settings.has_credentials:
        logger.warning(
            "No client id and secret are set: whoever is on this machine may use the server, so it listens on %s only.",
            settings.host,
        )
    uvicorn.run(
        create_app(services), host=settings.host, port=settings.port, log_config=None, timeout_graceful_shutdown=5
    )


def _read_arguments(arguments: Sequence[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="airbyte-server",
        description="An Airbyte without Docker: Airbyte's API over PostgreSQL.",
        epilog="Every option is also AIRBYTE_SERVER_<OPTION>; keep passwords there, a command line is public. "
        "AIRBYTE_SERVER_CLIENT_ID and AIRBYTE_SERVER_CLIENT_SECRET make callers log in.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--database-url", metavar="URL", help="postgresql://…, where the server keeps its state")
    parser.add_argument("--host", help="address to listen on; other than loopback only with credentials")
    parser.add_argument("--port", type=int, help="port to listen on (8000)")
    parser.add_argument("--secret-key-file", metavar="PATH", help="key of stored secrets, made at the first start")
    parser.add_argument("--max-concurrent-jobs", type=int, metavar="N", help="jobs that run side by side (2)")
    return vars(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
