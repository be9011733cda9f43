"""Visits three servers in turn and prints the CPU time that each spends on one request.

Every server is a process of its own on loopback, run by the same uvicorn. A visit is a burst of requests over one kept
connection; visits to the servers alternate within every round, so that what else the machine does falls on all alike.
The second floor is the control: how far its ratio is from 1 is how far any ratio here can be trusted.
"""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.bench.charts import TODAY, order_sign

ROOT = Path(__file__).parents[2]
FIRSTLINE = "firstline"
SERVERS = {
    FIRSTLINE: ("hooks.app:create_app", "/cds-services/firstline-order-sign"),
    "floor": ("tests.bench.floor:create_app", "/cds-services/floor"),
    "floor again": ("tests.bench.floor:create_app", "/cds-services/floor"),
}


class Size(NamedTuple):
    """One size of request: how many different ones, how many in a visit, how many rounds."""

    label: str
    wanted_bytes: int
    variants: int
    in_visit: int
    rounds: int


SIZES = (Size("10 KB", 10_000, 24, 100, 40), Size("80 KB", 80_000, 24, 60, 40), Size("1.3 MB", 1_300_000, 6, 6, 40))
WARM_UP_VISITS = 3
FAILED_RULE = re.compile(r"[A-Z]+-?\d+: not checked")
START_SECONDS = 60


class Server:
    """A child process that serves, and its connection."""

    def __init__(self, app: str, path: str) -> None:
        self.path = path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", app, "--factory", "--host", "127.0.0.1", "--port", str(self.port)]
        environment = {**os.environ, "TODAY": f"{TODAY}T09:00:00Z"}
        self.child = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment)
        self.process = psutil.Process(self.child.pid)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def wait(self) -> None:
        """Until the socket is open."""
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connection.connect()
                return
            except OSError:
                if self.child.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the server of {self.path} did not start") from None
                time.sleep(0.05)

    def ask(self, body: bytes) -> dict[str, Any]:
        self.connection.request("POST", self.path, body, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise SystemExit(f"{self.path} answered {response.status}: {answer[:300]!r}")
        return json.loads(answer)  # type: ignore[no-any-return]

    def visit(self, bodies: list[bytes], count: int) -> float:
        """Milliseconds of CPU for one request, over a burst."""
        before = self.cpu_seconds()
        for turn in range(count):
            self.ask(bodies[turn % len(bodies)])
        return (self.cpu_seconds() - before) / count * 1000

    def cpu_seconds(self) -> float:
        """User and system time of all threads; to the nanosecond where the system tells it."""
        tasks = Path(f"/proc/{self.child.pid}/task")
        try:
            return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
        except (OSError, ValueError, IndexError):
            times = self.process.cpu_times()
            return float(times.user + times.system)

    def stop(self) -> None:
        self.connection.close()
        self.child.terminate()
        self.child.wait()


def measure(size: Size, servers: dict[str, Server]) -> tuple[int, dict[str, float]]:
    """Mean bytes of a request, and for each server the median over its visits."""
    bodies = [order_sign(size.wanted_bytes, seed) for seed in range(size.variants)]
    visits: dict[str, list[float]] = {name: [] for name in servers}
    names = list(servers)
    for turn in range(WARM_UP_VISITS + size.rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            spent = servers[name].visit(bodies, size.in_visit)
            if turn >= WARM_UP_VISITS:
                visits[name].append(spent)
    return round(statistics.mean(map(len, bodies))), {name: statistics.median(spent) for name, spent in visits.items()}


def growth(measured: list[tuple[int, float, float]], column: int) -> float:
    """How much more than in proportion the cost grew from the second to the last size; 1 is linear."""
    small, large = measured[1], measured[-1]
    return (large[column] / small[column]) / (large[0] / small[0])


def main() -> None:
    servers = {name: Server(*where) for name, where in SERVERS.items()}
    try:
        for server in servers.values():
            server.wait()
        answer = servers[FIRSTLINE].ask(order_sign(10_000, 0))
        review = answer["extension"]["firstline.review"]
        if not review["inScope"] or any(FAILED_RULE.fullmatch(entry) for entry in review.get("notAssessed", ())):
            raise SystemExit("the order of the benchmark was not wholly reviewed: there is nothing to measure")
        print(f"order-sign, CPU of the server process for one request (Python {sys.version.split()[0]})\n")
        print(f"{'request':>8} {'bytes':>9} {'firstline':>11} {'floor':>10} {'ratio':>7} {'control':>8} {'us/KB':>7}")
        measured = []
        for size in SIZES:
            mean_bytes, spent = measure(size, servers)
            floor = spent["floor"]
            measured.append((mean_bytes, spent[FIRSTLINE], floor))
            print(
                f"{size.label:>8} {mean_bytes:>9} {spent[FIRSTLINE]:>8.3f} ms {floor:>7.3f} ms"
                f" {spent[FIRSTLINE] / floor:>7.2f} {spent['floor again'] / floor:>8.2f}"
                f" {spent[FIRSTLINE] / mean_bytes * 1_000_000:>7.1f}",
                flush=True,
            )
        own, plain = growth(measured, 1), growth(measured, 2)
        print(f"\ngrowth from 80 KB to 1.3 MB, over linear: firstline {own:.2f}, floor {plain:.2f}")
        print("control: a second copy of the floor, over the floor; as far as it is from 1, so far can a ratio be off")
    finally:
        for server in servers.values():
            server.stop()


if __name__ == "__main__":
    main()
