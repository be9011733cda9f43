"""Prescribers who sign one order after the other, and answer each card; what they saw."""

import asyncio
import contextlib
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.recorded import overridden, story

SIGN = "/cds-services/firstline-order-sign"
STORY = "clonazepam-active"
DANGER = "DD-01"
"""What every answer to this story must say."""
TRY_AGAIN_SECONDS = 0.1
AT_WORK = 4


class Prescribers:
    """At work while the block lasts; at its end each finishes what it has begun.

    Feedback that was refused, or whose connection broke, is sent again until it is taken, as a client does.
    """

    def __init__(self, port: int, must_say: str | None = DANGER) -> None:
        self.must_say = must_say
        self.base = f"http://127.0.0.1:{port}"
        self.hooks: Counter[str] = Counter()
        self.feedback: Counter[str] = Counter()
        self.acknowledged: set[str] = set()
        self.wrong: list[str] = []
        self.slowest: dict[str, float] = {"hook": 0.0, "feedback": 0.0}
        self._request = story(STORY)
        self._going = True
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._prescribe()) for _ in range(AT_WORK)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.end()
        for done in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(done, BaseException):
                self.wrong.append(type(done).__name__)

    def end(self) -> None:
        """Nobody begins anything more."""
        self._going = False

    @property
    def answered(self) -> int:
        return self.hooks["200"]

    async def _prescribe(self) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=20) as calling:
            while self._going:
                answer = await self.sign(calling)
                if answer is None:
                    await asyncio.sleep(TRY_AGAIN_SECONDS)
                elif answer.status_code == 200:
                    cards = answer.json()["cards"]
                    await self._feed(calling, cards[0]["uuid"] if cards else str(uuid4()))

    async def sign(self, calling: httpx.AsyncClient) -> httpx.Response | None:
        """One hook request; what its answer must say is looked for."""
        answer = await self._post(calling, SIGN, {**self._request, "hookInstance": str(uuid4())}, self.hooks, "hook")
        if answer is not None and answer.status_code == 200:
            self._look(answer.json())
        return answer

    def _look(self, content: dict[str, Any]) -> None:
        found = {finding["rule"] for finding in content["extension"]["firstline.review"].get("findings", ())}
        if self.must_say is not None and (self.must_say not in found or not content["cards"]):
            self.wrong.append(f"an answer without {self.must_say}")

    async def _feed(self, calling: httpx.AsyncClient, card: str) -> None:
        while True:
            answer = await self._post(
                calling, f"{SIGN}/feedback", {"feedback": [overridden(card)]}, self.feedback, "feedback"
            )
            if answer is not None and answer.status_code == 200:
                self.acknowledged.add(card)
                return
            if answer is not None and (answer.status_code != 503 or "retry-after" not in answer.headers):
                self.wrong.append(f"feedback got {answer.status_code}")
            if not self._going:
                return
            await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def _post(
        self, calling: httpx.AsyncClient, path: str, content: Any, counted: Counter[str], kind: str
    ) -> httpx.Response | None:
        began = time.perf_counter()
        answer = None
        with contextlib.suppress(httpx.TransportError):
            answer = await calling.post(path, json=content)
        self.slowest[kind] = max(self.slowest[kind], time.perf_counter() - began)
        counted["broken off" if answer is None else str(answer.status_code)] += 1
        return answer

    def saw(self) -> str:
        """In words, for the table."""

        def told(counted: Counter[str]) -> str:
            return ", ".join(
                f"{count} {'answered' if kind == '200' else kind}" for kind, count in sorted(counted.items())
            )

        return f"hooks: {told(self.hooks)}; feedback: {told(self.feedback)}"
