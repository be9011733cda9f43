"""``python -m tests.chaos``: every fault, with both databases; a table of each, what clients saw, what was lost."""

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.chaos import faults
from tests.chaos.faults import Database, Row
from tests.postgres import Cluster

EACH = {
    "kill": faults.killed_worker,
    "stop": faults.stopped_service,
    "database": faults.database_down,
    "clock": faults.clock_jump,
}


def play(fault: Callable[[Database, Path], Awaitable[Row | list[Row]]], database: Database) -> list[Row]:
    """The rows of one fault; one that could not be told is a loss."""
    with tempfile.TemporaryDirectory(prefix="firstline-chaos-") as folder:
        try:
            told = asyncio.run(fault(database, Path(folder)))  # type: ignore[arg-type]
        except Exception as error:
            traceback.print_exc()
            log = Path(folder, "log")
            print(log.read_text(encoding="utf-8") if log.exists() else "", file=sys.stderr)
            return [Row(database.name, fault.__name__, "", 0, f"not told: {type(error).__name__}: {error}")]
    return told if isinstance(told, list) else [told]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where nothing was lost."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Breaks what Firstline depends on.")
    parser.add_argument("--only", choices=[*EACH, "fhir"], help="one fault")
    parser.add_argument("--sqlite", action="store_true", help="without PostgreSQL")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    print("| Fault | Database | What clients saw | Slowest hook | Lost |\n|---|---|---|---|---|", flush=True)
    cluster = None if asked.sqlite or asked.only == "fhir" else Cluster()
    try:
        databases = [faults.sqlite(), *([faults.postgresql(cluster)] if cluster else [])]
        rows: list[Row] = []
        for name, fault in EACH.items():
            if asked.only in (None, name):
                for database in databases:
                    rows += tell(play(fault, database))
        if asked.only in (None, "fhir"):
            rows += tell(play(faults.fhir_faults, databases[0]))
    finally:
        if cluster:
            cluster.remove()
    lost = [row for row in rows if row.lost != "nothing"]
    print(f"\n{len(rows)} faults in {time.monotonic() - began:.0f} s; {len(lost)} of them with a loss")
    return 1 if lost else 0


def tell(rows: list[Row]) -> list[Row]:
    for row in rows:
        print(f"| {row.fault} | {row.database} | {row.saw} | {row.slowest:.2f} s | {row.lost} |", flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main())
