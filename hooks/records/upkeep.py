"""What is done beside writing, now and then: old records are deleted, the memory hears of other processes."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from hooks.records.database import error_name
from hooks.records.shown_before import ShownBefore
from hooks.records.writing import forget

FIRST_FORGETTING_SECONDS, FORGETTING_SECONDS = 60, 3600
FILLING_SECONDS = 1
MOST_DRIFT_SECONDS = 86_400
"""A clock that gains or loses more than this on the machine's own ticks was set anew: nobody knows which is right."""

log = logging.getLogger("firstline.records")


async def forget_on(
    engine: AsyncEngine,
    clock: Callable[[], datetime],
    days: int,
    ending: asyncio.Event,
    ticks: Callable[[], float] = time.monotonic,
) -> None:
    """Deletes what is past its retention (``days``; 0: nothing is) and tokens that have ended, every hour. Where the
    clock jumps it deletes nothing more until the next start: a year ahead, and every record would seem old."""
    wait: float = FIRST_FORGETTING_SECONDS
    began, began_ticks = clock(), ticks()
    while not await pause(ending, wait):
        wait = FORGETTING_SECONDS
        now = clock()
        if abs((now - began).total_seconds() - (ticks() - began_ticks)) > MOST_DRIFT_SECONDS:
            log.error("the clock has jumped: old records are not deleted before the next start")
            return
        try:
            gone = await forget(engine, now - timedelta(days=days) if days else None, now)
            log.info("%d records have reached the end of their retention", gone)
        except Exception as error:
            log.error("old records could not be deleted: %s", error_name(error))


async def fill_on(
    engine: AsyncEngine,
    clock: Callable[[], datetime],
    memory: ShownBefore,
    wanted: asyncio.Event,
    ending: asyncio.Event,
) -> None:
    """Fills the memory every second, and when it is wanted; once the database has told the key."""
    while not ending.is_set():
        await pause(wanted, FILLING_SECONDS)
        wanted.clear()
        if memory.keyed is not None:
            try:
                await memory.fill(engine, clock())
            except Exception as error:
                log.error("what was shown before could not be read: %s", error_name(error))


async def pause(event: asyncio.Event, seconds: float) -> bool:
    """Waits for the event, so long at most. Whether it came."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
