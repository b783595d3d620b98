"""Health: whether the server, its queue and its database answer."""

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from airbyte_server.errors import RetryableError
from airbyte_server.services import ServicesDep

router = APIRouter(tags=["health"])


@router.get("/health")
def get_health(services: ServicesDep) -> dict[str, bool]:
    """200 if the database answers and the queue of jobs works, 503 with a sentence if not."""
    try:
        with services.storage.begin() as connection:
            connection.execute(select(1))
    except SQLAlchemyError as error:
        raise RetryableError(f"The server's database does not answer ({type(error).__name__}).") from None
    services.supervisor.check()
    return {"available": True}
