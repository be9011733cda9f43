"""``python -m tests.chaos.clock``: the service with a clock that jumps.

It starts at ``TODAY``; the seconds by which it is wrong are in the file that ``CHAOS_CLOCK`` names.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from hooks.app import create_app
from hooks.logs import configure
from hooks.records import upkeep
from hooks.serve import Server
from hooks.settings import load


def main() -> None:
    wrong = Path(os.environ["CHAOS_CLOCK"])

    def clock() -> datetime:
        return start + timedelta(seconds=time.monotonic() - ticks + float(wrong.read_text(encoding="ascii") or 0))

    upkeep.FIRST_FORGETTING_SECONDS = upkeep.FORGETTING_SECONDS = 1
    settings = load()
    ticks, start = time.monotonic(), settings.today or datetime.now(UTC)
    configure(settings)
    app = create_app(settings, clock=clock)
    app.state.recorder.clock = clock
    Server(uvicorn.Config(app, port=settings.port, log_config=None, access_log=False, lifespan="on")).run()


if __name__ == "__main__":
    main()
