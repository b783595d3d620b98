"""Every error as a problem document: a title, a sentence, and nothing of the request."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from airbyte_server.errors import ConflictError, RefusedError, RetryableError, ServerError

logger = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answer each kind of error in the one form."""
    app.add_exception_handler(ServerError, _on_server_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(DataError, _on_data_error)
    app.add_exception_handler(IntegrityError, _on_integrity_error)
    app.add_exception_handler(OperationalError, _on_database_error)
    app.add_exception_handler(PoolTimeoutError, _on_database_error)
    app.add_exception_handler(Exception, _on_anything_else)


def problem(status: int, title: str, detail: str) -> JSONResponse:
    """A problem document; `message` repeats the sentence where clients look for it."""
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail, "message": detail}
    return JSONResponse(content, status_code=status)


async def _on_server_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServerError)
    return problem(error.status, error.title, str(error))


async def _on_invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problem(RefusedError.status, RefusedError.title, " ".join(_sentences(error.errors())))


def _sentences(errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with each field; never its value, which may be a secret."""
    sentences = []
    for error in errors:
        name = ".".join(str(part) for part in error["loc"] if part != "body") or "The body"
        if error["type"] == "json_invalid":
            sentences.append("The body is not valid JSON.")
        elif error["type"] == "missing":
            sentences.append(f"{name} is missing.")
        elif error["type"] in ("literal_error", "enum"):
            sentences.append(f"{name} must be one of {error['ctx']['expected']}.")
        else:
            sentences.append(f"{name}: {error['msg']}.")
    return sentences


async def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "http-error", str(error.detail))


async def _on_data_error(_: Request, error: Exception) -> JSONResponse:
    logger.info("A value could not be stored: %s.", type(error).__name__)
    return problem(RefusedError.status, RefusedError.title, "A value of the request cannot be stored in PostgreSQL.")


async def _on_integrity_error(_: Request, error: Exception) -> JSONResponse:
    logger.info("Two requests met: %s.", type(error).__name__)
    return problem(
        ConflictError.status, ConflictError.title, "Another request changed what this one refers to; try again."
    )


async def _on_database_error(_: Request, error: Exception) -> JSONResponse:
    logger.error("The database does not answer: %s.", type(error).__name__)
    return problem(RetryableError.status, RetryableError.title, "The server's database does not answer; try again.")


async def _on_anything_else(_: Request, error: Exception) -> JSONResponse:
    return problem(500, "server-error", f"The server failed ({type(error).__name__}); see its log.")
