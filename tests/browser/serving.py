"""A real server on loopback and a real browser, for tests of the pages and for their screenshots."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TODAY = "2026-03-01T09:00:00Z"


@contextmanager
def serving(**environment: str) -> Iterator[str]:
    """The address of a service of its own process, on the day of the stories."""
    chosen = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTLINE_")}
    chosen |= {"PORT": "0", "TODAY": TODAY, **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "hooks.serve"], cwd=ROOT, env=chosen, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "http://" in line, "the service did not start"
        yield "http://" + line.split("http://")[1].split("/")[0].strip()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def launched(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
