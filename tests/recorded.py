"""The service with a database, in this process: calls, and what was recorded of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import Row, select
from starlette.applications import Starlette

from hooks.app import create_app
from hooks.records import schema
from hooks.records.database import open_reader
from hooks.records.recorder import Recorder
from hooks.settings import Settings
from tests.calling import NOW
from tests.postgres import fresh_database

FIXTURES = Path(__file__).parents[1] / "fixtures"
BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


def address(database: str, tmp_path: Path) -> str:
    """Of an empty database of this kind."""
    return fresh_database() if database == "postgresql" else f"sqlite:///{tmp_path / 'records.db'}"


def story(name: str) -> dict[str, Any]:
    """The request of a fixture."""
    request: dict[str, Any] = msgspec.json.decode((FIXTURES / f"{name}.request.json").read_bytes())
    return request


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


class Running:
    """A started service."""

    def __init__(self, app: Starlette, calling: httpx.AsyncClient, url: str) -> None:
        self.app = app
        self.calling = calling
        self.url = url

    @property
    def recorder(self) -> Recorder:
        recorder: Recorder = self.app.state.recorder
        return recorder

    async def ask(self, request: dict[str, Any], hook: str | None = None) -> dict[str, Any]:
        """The answer to a hook request."""
        hook = hook or request["hook"]
        response = await self.calling.post(f"/cds-services/firstline-{hook}", json={**request, "hook": hook})
        assert response.status_code in (200, 412), response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def feed(self, *entries: Any, hook: str = "order-sign") -> httpx.Response:
        """Sends feedback."""
        return await self.calling.post(f"/cds-services/firstline-{hook}/feedback", json={"feedback": list(entries)})

    async def rows(self, table: str) -> list[Row[Any]]:
        """What was recorded, after everything that waits has been written."""
        await self.recorder.flush()
        return await rows_of(self.url, table)


async def rows_of(url: str, table: str) -> list[Row[Any]]:
    engine = open_reader(url)
    columns = schema.metadata.tables[table]
    async with engine.connect() as connection:
        order = [columns.c[name] for name in ("id", "answer_id") if name in columns.c][:1]
        found = list((await connection.execute(select(columns).order_by(*order))).all())
    await engine.dispose()
    return found


@asynccontextmanager
async def running(url: str, clock: Clock | None = None, **chosen: Any) -> AsyncIterator[Running]:
    """The service, started with this database, and stopped."""
    app = create_app(Settings(today=NOW, database_url=url, **chosen))
    if clock is not None:
        app.state.recorder.clock = clock
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as calling:
            yield Running(app, calling, url)


def overridden(card: str, **more: Any) -> dict[str, Any]:
    """An entry of feedback, as a client sends it."""
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:00:05Z", **more}


def accepted(card: str, *suggestions: str) -> dict[str, Any]:
    listed = [{"id": one} for one in suggestions]
    return {**overridden(card), "outcome": "accepted", "acceptedSuggestions": listed}


REASON = {"reason": {"code": "Monitored", "system": "urn:firstline:override-reason"}}
