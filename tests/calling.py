"""Calls the service in this process, as a client would over HTTP."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from hooks.app import create_app
from hooks.settings import Settings

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SIGN, SELECT, PRESCRIBE = (
    f"/cds-services/firstline-{hook}" for hook in ("order-sign", "order-select", "medication-prescribe")
)


def an_app(**chosen: Any) -> Starlette:
    return create_app(Settings(today=NOW, **chosen))


def call(app: Any, method: str, path: str, client: str = "127.0.0.1", **sent: Any) -> httpx.Response:
    async def answered() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as calling:
            return await calling.request(method, path, **sent)

    return asyncio.run(answered())
