"""The faults. Each returns a row of the table; what it asserts is what may never happen, whatever breaks."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.chaos.prescribers import SIGN, Prescribers
from tests.chaos.service import Service, free_port, settings_file, until
from tests.fetching import CHART, lacking, records_of
from tests.fhir_server import fhir_server
from tests.postgres import Cluster
from tests.recorded import rows_of
from tests.sentences import request_of

JUMP_DAYS = 400
BETWEEN_SECONDS = 1.0
KILLS = 2
STARTING_SECONDS = 2.5
"""Until a new worker serves."""
MANNERS = {
    "fine": "works (the control)",
    "dead": "hangs up",
    "slow": "says nothing",
    "broken": "says 500",
    "stranger": "lies: another patient's records",
    "endless": "pages without end",
    "html": "a sign-in page",
}
"""How the FHIR server of the tests behaves."""
FHIR_REQUESTS = 8
DEADLINE_SECONDS = 0.4
HOOK_SECONDS = 1.5


class Row(NamedTuple):
    """``lost``: what was acknowledged and is not there, or was said and is not so. Must be "nothing"."""

    database: str
    fault: str
    saw: str
    slowest: float
    lost: str


class Database(NamedTuple):
    """A database of its own for one fault. ``out`` makes it fail while the block lasts, for so many seconds."""

    name: str
    fresh: Callable[[Path], str]
    out: Callable[[str], Any]
    seconds: float


# Databases


def sqlite() -> Database:
    """It waits for a lock for 5 seconds before it gives up."""
    return Database("SQLite", lambda folder: f"sqlite:///{folder}/records.db", _locked, 6.5)


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Another program keeps the file to itself."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def postgresql(cluster: Cluster) -> Database:
    @contextmanager
    def stopped(_: str) -> Iterator[None]:
        cluster.stop()
        try:
            yield
        finally:
            cluster.start()

    made = iter(range(100))
    return Database("PostgreSQL", lambda _: cluster.create(f"chaos_{next(made)}"), stopped, 3)


# What must be there afterwards


async def lost_of(url: str, told: Prescribers, all_answers: bool) -> str:
    """What is missing from the records; ``all_answers``: whether no answer may be."""
    cards = {row.card for row in await rows_of(url, "feedback")}
    answers = len(await rows_of(url, "answers"))
    missing = len(told.acknowledged - cards)
    said = [f"{missing} acknowledged feedback"] if missing else []
    if all_answers and answers < told.answered:
        said.append(f"{told.answered - answers} answers not recorded")
    said += [f"{count} x {what}" for what, count in Counter(told.wrong).items()]
    if not told.acknowledged:
        said.append("no feedback was taken at all")
    return ", ".join(said) or "nothing"


# The faults


async def killed_worker(database: Database, folder: Path) -> Row:
    url = database.fresh(folder)
    with Service(folder, url) as service:
        async with Prescribers(service.port) as told:
            for _ in range(KILLS):
                await asyncio.sleep(BETWEEN_SECONDS)
                await asyncio.to_thread(service.kill_a_worker)
                await asyncio.to_thread(service.whole_again)
                await asyncio.sleep(STARTING_SECONDS)
        ended = await asyncio.to_thread(service.stop)
    assert ended == 0, f"ended with {ended}"
    # The answers of a killed worker's last moment may be missing; feedback that was acknowledged never.
    return Row(
        database.name,
        f"kill -9 of a worker, {KILLS} times",
        told.saw(),
        told.slowest["hook"],
        await lost_of(url, told, False),
    )


async def stopped_service(database: Database, folder: Path) -> Row:
    url = database.fresh(folder)
    with Service(folder, url) as service:
        async with Prescribers(service.port) as told:
            await asyncio.sleep(2 * BETWEEN_SECONDS)
            stopping = asyncio.create_task(asyncio.to_thread(service.stop))
            told.end()
            ended = await stopping
    assert ended == 0, f"ended with {ended}"
    return Row(database.name, "SIGTERM while busy", told.saw(), told.slowest["hook"], await lost_of(url, told, True))


async def database_down(database: Database, folder: Path) -> Row:
    url = database.fresh(folder)
    with Service(folder, url) as service:
        async with Prescribers(service.port) as told:
            await asyncio.sleep(BETWEEN_SECONDS)
            out = database.out(url)
            await asyncio.to_thread(out.__enter__)
            began = time.monotonic()
            await asyncio.to_thread(until, lambda: service.ready()[0] == 503, "/ready never said that it is down")
            # The prescribers wait for their feedback to be taken; another goes on signing.
            async with httpx.AsyncClient(base_url=told.base, timeout=20) as calling:
                while time.monotonic() - began < database.seconds:
                    await told.sign(calling)
                    await asyncio.sleep(0.1)
            if told.slowest["hook"] > HOOK_SECONDS:
                told.wrong.append("hook that waited for the database")
            await asyncio.to_thread(out.__exit__, None, None, None)
            for _ in range(2 * service.workers):
                await asyncio.to_thread(until, lambda: service.ready()[0] == 200, "/ready never said that it is back")
            await asyncio.sleep(BETWEEN_SECONDS)
        await asyncio.to_thread(service.stop)
    return Row(
        database.name, "database down and back", told.saw(), told.slowest["hook"], await lost_of(url, told, True)
    )


async def clock_jump(database: Database, folder: Path) -> Row:
    """Forward by more than the retention, back by as much; retention runs every second meanwhile."""
    url, wrong = database.fresh(folder), folder / "clock"
    wrong.write_text("0", encoding="ascii")
    chosen = {"CHAOS_CLOCK": str(wrong)}
    with Service(folder, url, 1, "tests.chaos.clock", **chosen) as service:
        async with Prescribers(service.port, must_say=None) as told:
            for days in (0, JUMP_DAYS, -JUMP_DAYS, 0):
                wrong.write_text(str(days * 86_400), encoding="ascii")
                await asyncio.sleep(1.5 * BETWEEN_SECONDS)
        await asyncio.to_thread(service.stop)
    return Row(
        database.name,
        f"clock jumps {JUMP_DAYS} days ahead and back",
        told.saw(),
        told.slowest["hook"],
        await lost_of(url, told, True),
    )


async def fhir_faults(database: Database, folder: Path) -> list[Row]:
    """Requests without a chart, whose FHIR server is slow, dead, lying, broken or endless."""
    with fhir_server() as server:
        server.hold(*records_of(request_of(list(CHART))))
        bases = {words: server.base(manner) for manner, words in MANNERS.items()}
        bases["nobody listens"] = f"http://127.0.0.1:{free_port()}/fhir"
        chosen = {"FIRSTLINE_CONFIG": settings_file(folder, bases)}
        with Service(folder, database.fresh(folder), 1, **chosen) as service:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", timeout=20) as calling:
                rows = [await _fhir_fault(calling, manner, base) for manner, base in bases.items()]
    assert "DD-01" in rows[0].saw, "the control, a FHIR server that works, did not lead to a whole answer"
    return rows


async def _fhir_fault(calling: httpx.AsyncClient, manner: str, base: str) -> Row:
    saw: Counter[str] = Counter()
    silent, slowest = 0, 0.0
    for _ in range(FHIR_REQUESTS):
        began = time.perf_counter()
        answer = await calling.post(SIGN, json=lacking(CHART, base))
        slowest = max(slowest, time.perf_counter() - began)
        content = answer.json()
        if answer.status_code == 412:
            saw["412 (nothing of the chart could be had)"] += 1
            continue
        review = content["extension"]["firstline.review"]
        missing = sum(entry.startswith("medications:") for entry in review.get("notAssessed", ()))
        rules = sorted({one["rule"] for one in review.get("findings", ()) if one["indicator"] == "critical"})
        saw[
            f"{answer.status_code}: {', '.join(rules) or 'no critical finding'}"
            f"{', medications named as missing' if missing else ''}"
        ] += 1
        silent += answer.status_code != 200 or not (rules or missing)
    told = "; ".join(f"{count} x {what}" for what, count in saw.items())
    lost = f"{silent} dangers passed over in silence" if silent else "nothing"
    if slowest > DEADLINE_SECONDS + 0.6:
        lost = f"{lost}; an answer took {slowest:.1f} s"
    return Row("either", f"FHIR server: {manner}", told, slowest, lost)
