"""Mixed requests of 10 KB to 1.3 MB at rising rates: throughput, p50, p99, errors. ``make load``.

One server process on one core, with records and feedback in a database of its own; the client on another core, where
there is one. Requests start by the clock, whether or not earlier ones were answered, and a request's time runs from the
moment at which it should have started. A rate is sustained where no request fails and the answers keep up with it.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.charts import TODAY, order_sign

ROOT = Path(__file__).parents[1]
PATH = "/cds-services/firstline-order-sign"
CONNECTIONS = 64
IDLE_SECONDS = 2
SUSTAINED = 0.95
"""The part of the wanted rate at which answers have to come."""


class Kind(NamedTuple):
    """A size of request: ``share`` of all, how many different ones, and the bar for its p99 in milliseconds."""

    label: str
    wanted_bytes: int
    share: float
    variants: int
    most_ms: float | None


KINDS = (
    Kind("10 KB", 10_000, 0.50, 200, None),
    Kind("100 KB", 100_000, 0.40, 60, 100),
    Kind("1.3 MB", 1_300_000, 0.02, 8, 300),
)
FEEDBACK = Kind("feedback", 300, 0.08, 1, None)
RATES = (25, 50, 75, 100, 125, 150, 175, 200, 250, 300, 350, 400, 500, 600, 800, 1000)


class Sent(NamedTuple):
    """One request as it went: its kind, the status (0: none came) and seconds from when it was due."""

    label: str
    status: int
    seconds: float


class Client:
    """Kept connections to one server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.places = asyncio.Semaphore(CONNECTIONS)

    async def post(self, path: str, body: bytes) -> int:
        """The status; 0 where the connection broke."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer: asyncio.StreamWriter | None = None
        async with self.places:
            try:
                reader, writer = await self._connection()
                writer.write(head.encode() + body)
                answered = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in answered.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError, StopIteration):
                if writer is not None:
                    writer.close()
                return 0
            self.free.append((time.perf_counter(), reader, writer))
            return int(answered.split(b" ", 2)[1])

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that was used a moment ago, else a new one: the server closes those that nobody uses."""
        while self.free:
            used, reader, writer = self.free.pop()
            if time.perf_counter() - used < IDLE_SECONDS:
                return reader, writer
            writer.close()
        return await asyncio.open_connection(port=self.port)

    async def close(self) -> None:
        for _, _, writer in self.free:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def percentile(seconds: Sequence[float], part: float) -> float:
    """The least of the values that so large a part does not exceed, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] * 1000


def draws(chance: random.Random, bodies: dict[str, list[bytes]]) -> Iterator[tuple[str, str, bytes]]:
    """Kind, path and body of one request after the other, in their shares."""
    kinds = (*KINDS, FEEDBACK)
    while True:
        [kind] = chance.choices(kinds, [kind.share for kind in kinds])
        if kind is FEEDBACK:
            entry = {"card": f"card-{chance.getrandbits(64)}", "outcome": "overridden"}
            entry["outcomeTimestamp"] = f"{TODAY}T09:00:00Z"
            yield kind.label, f"{PATH}/feedback", json.dumps({"feedback": [entry]}).encode()
        else:
            yield kind.label, PATH, chance.choice(bodies[kind.label])


async def drive(client: Client, rate: float, seconds: float, requests: Iterator[tuple[str, str, bytes]]) -> list[Sent]:
    """Starts so many requests a second, evenly, for so long; returns when the last is answered."""
    sent: list[Sent] = []

    async def one(due: float, label: str, path: str, body: bytes) -> None:
        status = await client.post(path, body)
        sent.append(Sent(label, status, time.perf_counter() - due))

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(round(rate * seconds)):
            due = began + number / rate
            left = due - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
            group.create_task(one(due, *next(requests)))
    return sent


def told(rate: float, sent: Sequence[Sent], took: float) -> str:
    """One line of the table: throughput, p50 and p99 of each kind, errors."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    for one in sent:
        by_kind[one.label].append(one.seconds)
    cells = []
    for kind in (*KINDS, FEEDBACK):
        times = by_kind.get(kind.label)
        cells.append(f"{percentile(times, 0.5):8.1f} {percentile(times, 0.99):8.1f}" if times else f"{'-':>8} {'-':>8}")
    errors = Counter(one.status for one in sent if one.status != 200)
    kinds = ", ".join(f"{count} x {status or 'broken off'}" for status, count in errors.items())
    return f"{rate:>7.0f} {len(sent) / took:>9.1f} {'  '.join(cells)} {errors.total():>7} {kinds}".rstrip()


def head() -> str:
    names = "  ".join(f"{kind.label:>17}" for kind in (*KINDS, FEEDBACK))
    columns = "  ".join(f"{'p50 ms':>8} {'p99 ms':>8}" for _ in (*KINDS, FEEDBACK))
    return f"{'':>17} {names}\n{'wanted':>7} {'answers/s':>9} {columns} {'errors':>7}"


@contextlib.contextmanager
def serving(folder: str, database: str | None) -> Iterator[int]:
    """A server process of one worker on the first core; the port where it answers."""
    environment = {
        **os.environ, "FIRSTLINE_PORT": "0", "FIRSTLINE_TODAY": f"{TODAY}T09:00:00Z", "FIRSTLINE_LOG_LEVEL": "warning",
        "FIRSTLINE_DATABASE_URL": database or f"sqlite:///{folder}/records.db",
    }  # fmt: skip
    command = [sys.executable, "-m", "hooks.serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        cores = os.sched_getaffinity(0)
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline().rstrip("/\n").rpartition(":")[2])
            if len(cores) > 1:
                first = min(cores)
                for thread in Path(f"/proc/{child.pid}/task").iterdir():
                    os.sched_setaffinity(int(thread.name), {first})
                os.sched_setaffinity(0, cores - {first})
            yield port
        finally:
            os.sched_setaffinity(0, cores)
            child.terminate()
            child.wait(30)


async def measure(port: int, rates: Sequence[int], seconds: float, warming: float = 3) -> bool:
    """Prints the table; whether the bars are met at half of the highest sustained rate."""
    bodies = {kind.label: [order_sign(kind.wanted_bytes, seed) for seed in range(kind.variants)] for kind in KINDS}
    requests = draws(random.Random(1), bodies)
    client = Client(port)
    try:
        await drive(client, 20, warming, requests)
        print(head(), flush=True)
        top = await rise(client, rates, seconds, requests)
        if not top:
            print("\nnot even the lowest rate was sustained")
            return False
        half, longer = top / 2, 3 * seconds
        began = time.perf_counter()
        sent = await drive(client, half, longer, requests)
        print(f"\ntop rate {top:.0f} a second; at half of it, for {longer:.0f} s:")
        print(told(half, sent, time.perf_counter() - began))
    finally:
        await client.close()
    met = all(one.status == 200 for one in sent)
    for kind in KINDS:
        times = [one.seconds for one in sent if one.label == kind.label]
        if kind.most_ms is not None and times:
            found = percentile(times, 0.99)
            met = met and found < kind.most_ms
            verdict = "met" if found < kind.most_ms else "NOT met"
            print(f"{kind.label}: p99 {found:.1f} ms, bar {kind.most_ms:.0f} ms: {verdict}")
    return met


async def rise(
    client: Client, rates: Sequence[int], seconds: float, requests: Iterator[tuple[str, str, bytes]]
) -> float:
    """Prints a line for each rate, up to the first that is not sustained; the highest that was, or 0."""
    top = 0.0
    for rate in rates:
        began = time.perf_counter()
        sent = await drive(client, rate, seconds, requests)
        took = time.perf_counter() - began
        print(told(rate, sent, took), flush=True)
        if any(one.status != 200 for one in sent) or len(sent) / took < SUSTAINED * rate:
            break
        top = rate
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where the bars are met."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description="Requests at rising rates.")
    parser.add_argument("--seconds", type=float, default=8, help="for each rate (default: 8)")
    parser.add_argument("--rates", type=lambda text: [int(rate) for rate in text.split(",")], default=list(RATES))
    parser.add_argument("--database", help="its address (default: SQLite in a folder of its own)")
    asked = parser.parse_args(arguments)
    shares = ", ".join(f"{kind.share:.0%} {kind.label}" for kind in (*KINDS, FEEDBACK))
    print(f"one process, records on; Python {sys.version.split()[0]}; {os.cpu_count()} cores; {shares}\n")
    with tempfile.TemporaryDirectory() as folder, serving(folder, asked.database) as port:
        return 0 if asyncio.run(measure(port, asked.rates, asked.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
