"""`python -m airbyte_server`: serve until SIGTERM."""

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airbyte_server.settings import ServerSettings


def main() -> int:
    """Serve by the settings of the environment; 2 and a sentence if they are wrong."""
    from pydantic import ValidationError

    from airbyte_server.errors import ServerError
    from airbyte_server.settings import ServerSettings

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    try:
        serve(ServerSettings())
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

    services = make_services(settings)
    services.storage.open()
    uvicorn.run(
        create_app(services), host=settings.host, port=settings.port, log_config=None, timeout_graceful_shutdown=5
    )


if __name__ == "__main__":
    sys.exit(main())
