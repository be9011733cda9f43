"""Firstline as it runs in production: a process of its own, several workers, records on."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

ROOT = Path(__file__).parents[2]
TODAY = "2026-03-01T09:00:00Z"
PATIENCE_SECONDS = 40


class Service:
    """Runs while the block lasts. ``stop`` and ``kill_a_worker`` may be called in it."""

    def __init__(
        self, folder: Path, database: str, workers: int = 2, module: str = "hooks.serve", **chosen: str
    ) -> None:
        self.port = free_port()
        self.database = database
        self.log = folder / "log"
        environment = {
            **os.environ, "FIRSTLINE_PORT": str(self.port), "FIRSTLINE_DATABASE_URL": database,
            "FIRSTLINE_WORKERS": str(workers), "FIRSTLINE_LOG_LEVEL": "warning", "FIRSTLINE_TODAY": TODAY,
            **chosen,
        }  # fmt: skip
        with self.log.open("w", encoding="utf-8") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.workers = workers

    def __enter__(self) -> Self:
        assert self.child.stdout is not None
        said = self.child.stdout.readline()
        assert "answers at" in said, self.log.read_text(encoding="utf-8")
        until(lambda: self.ready()[0] == 200, "the service did not become ready")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.child.poll() is None:
            self.stop()
        assert self.child.stdout is not None
        self.child.stdout.close()

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Status and content of ``/ready``; 0 where nothing answers."""
        return self.get("/ready")

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def working(self) -> list[psutil.Process]:
        """The worker processes."""
        children = psutil.Process(self.child.pid).children()
        return [child for child in children if any("spawn_main" in part for part in _command(child))]

    def kill_a_worker(self) -> None:
        """``kill -9``: it can do nothing more."""
        self.working()[0].send_signal(signal.SIGKILL)

    def whole_again(self) -> None:
        until(lambda: len(self.working()) == self.workers, "a worker that was killed was not replaced")

    def stop(self) -> int:
        """As a container's end: SIGTERM. Returns the exit status."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(PATIENCE_SECONDS)


def _command(process: psutil.Process) -> list[str]:
    try:
        command: list[str] = process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
    return command


def until(told: Any, otherwise: str) -> None:
    """Waits until this is so. Raises ``AssertionError``."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not told():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def settings_file(folder: Path, servers: Mapping[str, str]) -> str:
    """A site in open mode whose callers may have these FHIR servers asked."""
    path = folder / "settings.toml"
    path.write_text(f"[open]\nfhir_servers = {json.dumps(list(servers.values()))}\n", encoding="utf-8")
    return str(path)
