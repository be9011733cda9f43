"""Structured mutations of the stored requests: no 5xx, nothing of the machine in a body, memory that stays.

2,000 in ``make test``; ``make fuzz`` takes 20,000 others. ``FUZZ=N`` sets how many, ``FUZZ_FROM=N`` the first number.
"""

import asyncio
import gc
import json
import os
import re
from collections import Counter
from typing import Any

import httpx
import psutil
import pytest

from tests.calling import an_app
from tests.conformance import breaches
from tests.fixtures import FOLDER
from tests.mutations import SECRET, Mutated, mutated

MANY = int(os.environ.get("FUZZ", "2000"))
FIRST = int(os.environ.get("FUZZ_FROM", "0"))
EXPECTED = {200, 400, 412, 415, 422}
OF_THE_MACHINE = re.compile(
    r"Traceback|\.py\b|/hooks/|/cds/|site-packages|\bline \d+, in\b|\b[A-Z]\w+Error\b|/home/|/root/|/usr/|msgspec"
)
BROKEN = re.compile(r"(?:[A-Z]+-?\d+|review): not checked")
DIALECTS = {"medication-prescribe": "1.0"}
MOST_GROWTH = 30_000_000
"""Bytes. What Firstline remembers of words is bounded; what it forgets is given back late, or in pieces."""


def wrong(sent: Mutated, status: int, text: str) -> str | None:
    """What is wrong with an answer; None: nothing."""
    if status not in EXPECTED:
        return f"status {status}"
    if OF_THE_MACHINE.search(text):
        return "a path or a trace"
    if status != 200:
        return "the value is echoed" if SECRET in text else None
    if sent.path.endswith("/feedback"):
        return None if text == "" else "feedback is answered with a body"
    content = json.loads(text)
    hook = sent.path.removeprefix("/cds-services/firstline-")
    if breaches(content, DIALECTS.get(hook, "2.0")):
        return "the answer breaks the specification"
    untold = content["extension"]["firstline.review"].get("notAssessed", [])
    return "a rule or the review broke" if any(BROKEN.fullmatch(entry) for entry in untold) else None


async def play(numbers: range) -> tuple[dict[int, str], Counter[int]]:
    """Sends these mutations; what went wrong, by number, and how often each status came."""
    broken: dict[int, str] = {}
    statuses: Counter[int] = Counter()
    transport = httpx.ASGITransport(an_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as calling:
        for number in numbers:
            sent = mutated(number)
            answer = await calling.post(sent.path, content=sent.body, headers=sent.headers)
            statuses[answer.status_code] += 1
            why = wrong(sent, answer.status_code, answer.text)
            if why is not None:
                broken[number] = f"{sent.story}: {why}"
    return broken, statuses


def resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def test_no_mutation_breaks_the_service_and_memory_stays(caplog: pytest.LogCaptureFixture) -> None:
    tenth = MANY // 10
    broken, statuses = asyncio.run(play(range(FIRST, FIRST + 4 * tenth)))
    before = resident()
    more, others = asyncio.run(play(range(FIRST + 4 * tenth, FIRST + MANY)))
    after = resident()
    print(f"{MANY} requests: {dict(statuses + others)}; resident {before >> 20} MB, then {after >> 20} MB")
    assert {**broken, **more} == {}
    assert (statuses + others)[200] > MANY / 2
    assert min((statuses + others)[status] for status in (400, 422)) > MANY / 100
    assert after - before < MOST_GROWTH
    # "rule never checked" was looked for above; whatever else is logged as an error is one.
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert SECRET not in caplog.text


def test_a_mutation_is_told_by_its_number() -> None:
    assert mutated(7) == mutated(7) != mutated(8)
    assert len({mutated(number).body for number in range(100)}) > 95


@pytest.mark.parametrize(
    ("status", "content", "why"),
    [
        (500, {}, "status 500"),
        (400, {"x": "/root/x"}, "a path or a trace"),
        (422, {"x": SECRET}, "the value is echoed"),
        (200, {"cards": None}, "the answer breaks the specification"),
    ],
)
def test_what_is_wrong_would_be_seen(status: int, content: Any, why: str) -> None:
    sent = Mutated("/cds-services/firstline-order-sign", b"", {}, "x")
    assert wrong(sent, status, json.dumps(content)) == why


def test_a_rule_that_broke_would_be_seen() -> None:
    answer = json.loads((FOLDER / "clonazepam-active.response.json").read_text(encoding="utf-8"))
    sent = Mutated("/cds-services/firstline-order-sign", b"", {}, "clonazepam-active")
    assert wrong(sent, 200, json.dumps(answer)) is None
    answer["extension"]["firstline.review"]["notAssessed"] = ["NP-01: not checked"]
    assert wrong(sent, 200, json.dumps(answer)) == "a rule or the review broke"
