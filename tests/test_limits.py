"""The limits of a request: how many at once, how large, how packed, how slow."""

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from hooks.app import create_app
from hooks.settings import Settings
from tests.calling import NOW, SIGN, an_app, call
from tests.fixtures import FOLDER

BODY = (FOLDER / "clonazepam-active.request.json").read_bytes()
PLAIN = {"Content-Type": "application/json"}
PACKED = PLAIN | {"Content-Encoding": "gzip"}


def post(app: Any, content: Any, headers: dict[str, str] = PLAIN) -> httpx.Response:
    return call(app, "POST", SIGN, content=content, headers=headers)


def test_a_packed_request_is_answered_as_a_plain_one() -> None:
    app = an_app()
    plain, packed = post(app, BODY), post(app, gzip.compress(BODY), PACKED)
    assert packed.status_code == 200 and packed.content == plain.content
    assert post(app, BODY, PLAIN | {"Content-Encoding": "identity"}).content == plain.content


def test_a_request_that_unfolds_beyond_the_limit_is_too_large() -> None:
    bomb = gzip.compress(b" " * 2_000_000)
    assert len(bomb) < 3000
    assert post(an_app(max_body_bytes=100_000), bomb, PACKED).status_code == 413
    exact = gzip.compress(BODY + b" " * (20_000 - len(BODY)))
    assert post(an_app(max_body_bytes=20_000), exact, PACKED).status_code == 200
    assert post(an_app(max_body_bytes=19_999), exact, PACKED).status_code == 413


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (BODY, "gzip"), (gzip.compress(BODY)[:-9], "gzip"), (gzip.compress(BODY) + b"more", "gzip"),
        (BODY, "br"), (BODY, "gzip, gzip"),
    ],
)  # fmt: skip
def test_what_is_not_packed_as_it_says_is_refused(content: bytes, encoding: str) -> None:
    answer = post(an_app(), content, PLAIN | {"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert answer.json()["issue"][0]["expression"] == ["Content-Encoding"]


@pytest.mark.parametrize("depth", [200, 100_000])
def test_deep_nesting_is_answered(depth: int) -> None:
    request = json.loads(BODY)
    text = json.dumps(request | {"extension": "@"}).replace('"@"', '{"a":' * depth + "1" + "}" * depth)
    assert post(an_app(), text.encode()).status_code in (200, 400)


def test_a_body_that_never_ends_is_given_up() -> None:
    async def slow() -> Any:
        yield b"{"
        await asyncio.sleep(5)

    answer = post(an_app(body_seconds=0.05), slow())
    assert answer.status_code == 408 and answer.headers["connection"] == "close"
    assert answer.json()["issue"][0]["code"] == "timeout"


def test_a_caller_that_is_cut_off_is_not_told_that_it_was_slow() -> None:
    async def cut_off() -> None:
        async def never() -> Any:
            await asyncio.sleep(5)
            yield b""

        transport = httpx.ASGITransport(an_app(), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as calling:
            waiting = asyncio.create_task(calling.post(SIGN, content=never(), headers=PLAIN))
            await asyncio.sleep(0.01)
            waiting.cancel()
            await waiting

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cut_off())


def test_a_service_that_is_mounted_under_a_path_answers_there() -> None:
    app, mounted = an_app(), Starlette()
    mounted.mount("/firstline", app)
    there = call(mounted, "POST", f"/firstline{SIGN}", content=BODY, headers=PLAIN)
    assert there.status_code == 200 and there.content == post(app, BODY).content


def test_more_requests_than_may_be_under_way_are_told_to_come_again() -> None:
    app = create_app(Settings(today=NOW, max_at_once=2, body_seconds=5))

    async def answered() -> tuple[list[int], httpx.Response, int]:
        go = asyncio.Event()

        async def waiting() -> Any:
            await go.wait()
            yield BODY

        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as calling:
            first = [asyncio.create_task(calling.post(SIGN, content=waiting(), headers=PLAIN)) for _ in range(2)]
            await asyncio.sleep(0.01)
            refused = await calling.post(SIGN, content=BODY, headers=PLAIN)
            found = await calling.get("/cds-services")
            go.set()
            done = [answer.status_code for answer in await asyncio.gather(*first)]
            again = await calling.post(SIGN, content=BODY, headers=PLAIN)
            assert found.status_code == 200
            return done, refused, again.status_code

    done, refused, again = asyncio.run(answered())
    assert done == [200, 200] and again == 200
    assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
    assert refused.headers["access-control-allow-origin"] == "*"
