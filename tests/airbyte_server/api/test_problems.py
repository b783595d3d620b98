"""What the database refuses or delays is a problem document of its own status, and says nothing of the row."""

import asyncio

import httpx
import pytest
from airbyte_server.api import problems
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool


@pytest.fixture(scope="module")
def app():
    pool = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 0.01}
    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, **pool)
    app = FastAPI()
    problems.install(app)

    @app.get("/busy")
    def busy() -> None:
        with engine.connect(), engine.connect():
            pass

    @app.get("/gone")
    def gone() -> None:
        with engine.begin() as connection:
            connection.execute(text("create table sources (workspace text unique)"))
            connection.execute(text("insert into sources values ('hunter2'), ('hunter2')"))

    return app


@pytest.mark.parametrize(("path", "status"), [("/busy", 503), ("/gone", 409)])
def test_what_may_go_well_the_next_time_says_so(app, path, status):
    answer = asyncio.run(_get(app, path))
    assert answer.status_code == answer.json()["status"] == status
    assert "try again" in answer.json()["detail"]
    assert "hunter2" not in answer.text


async def _get(app, path):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        return await client.get(path)
