"""The limits of a request: how many at once, how large, how long to wait for it, how far it may unfold."""

import asyncio
import zlib
from collections.abc import Awaitable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hooks import measures
from hooks.refusals import refusal
from hooks.settings import Settings

LONGEST_LENGTH = 18
"""Digits of a Content-Length that is worth reading as a number."""
RETRY_AFTER = "1"
GZIP_WINDOW = 31
"""zlib's word for a gzip header and trailer."""
BUSY = "Firstline answers as many requests as it may at once. Try again."


class TooLargeError(Exception):
    """The body is larger than the site allows, as sent or unpacked."""


class TooSlowError(Exception):
    """The body did not come within the time that the site allows."""


class EncodingError(Exception):
    """The body is packed in a way that is not read, or is not what it says."""


class AtOnce:
    """Lets so many hook requests in at once; the others are told to come again, before anything of them is read."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most
        self.under_way = 0
        self.busy = refusal(503, BUSY, headers={"Retry-After": RETRY_AFTER, "Connection": "close"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        if self.under_way >= self.most:
            measures.count_refusal("too many at once")
            await self.busy(scope, receive, send)
            return
        self.under_way += 1
        measures.UNDER_WAY.set(self.under_way)
        try:
            await self.app(scope, receive, send)
        finally:
            self.under_way -= 1
            measures.UNDER_WAY.set(self.under_way)


def fields_of(scope: Scope) -> dict[bytes, bytes]:
    """The header fields by name; of several of one name the first."""
    return dict(reversed([*scope["headers"]]))


async def read_body(fields: Mapping[bytes, bytes], receive: Receive, settings: Settings) -> bytes:
    """The whole body, unpacked. Stops as soon as it is too large or too slow.

    Raises ``TooLargeError``, ``TooSlowError``, ``EncodingError``, and Starlette's ``ClientDisconnect``.
    """
    limit = settings.max_body_bytes
    declared = fields.get(b"content-length", b"").decode("latin-1")
    if declared.isdecimal() and (len(declared) > LONGEST_LENGTH or int(declared) > limit):
        raise TooLargeError
    encoding = ""
    if b"content-encoding" in fields:
        encoding = fields[b"content-encoding"].decode("latin-1").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise EncodingError
    body = await _in_time(_whole(receive, limit), settings.body_seconds)
    return _unpacked(body, limit) if encoding == "gzip" else body


async def _in_time(coming: Awaitable[bytes], seconds: float) -> bytes:
    """What ``asyncio.timeout`` would do, with less: every request passes here."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    cancelled = task.cancelling()
    late: list[bool] = []
    timer = asyncio.get_running_loop().call_later(seconds, _cut_off, task, late)
    try:
        return await coming
    except asyncio.CancelledError:
        if late and task.uncancel() <= cancelled:
            raise TooSlowError from None
        raise
    finally:
        timer.cancel()


def _cut_off(task: asyncio.Task[Any], late: list[bool]) -> None:
    late.append(True)
    task.cancel()


async def body_or_refusal(fields: Mapping[bytes, bytes], receive: Receive, settings: Settings) -> bytes | Response:
    """The whole body, or the answer that says why it is not read."""
    try:
        return await read_body(fields, receive, settings)
    except TooLargeError:
        measures.count_refusal("too large")
        told = f"The request is larger than {settings.max_body_bytes} bytes."
        return refusal(413, told, headers={"Connection": "close"})
    except TooSlowError:
        measures.count_refusal("too slow")
        return refusal(408, "The request took too long to arrive.", headers={"Connection": "close"})
    except EncodingError:
        return refusal(415, "Send the request plain, or packed with gzip.", "Content-Encoding")
    except ClientDisconnect:
        return refusal(400, "The request broke off.")


async def _whole(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLargeError
        chunks.append(chunk)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _unpacked(body: bytes, limit: int) -> bytes:
    """Never unfolds more than the limit, however little was sent."""
    unpacking = zlib.decompressobj(GZIP_WINDOW)
    try:
        text = unpacking.decompress(body, limit + 1)
    except zlib.error:
        raise EncodingError from None
    if len(text) > limit:
        raise TooLargeError
    if not unpacking.eof or unpacking.unused_data:
        raise EncodingError
    return text
