"""Reads the weeks for the dashboard, and remembers those that are over for a while: they hardly change any more."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from hooks.insight.queries import Tallies, is_empty, is_synthetic, tallies_of
from hooks.insight.stored import keep, kept
from hooks.insight.weeks import Week, weeks_until
from hooks.records.database import open_engine, open_reader

REMEMBERED_SECONDS = 600
"""How late feedback on an earlier week may show."""
SETTLED_DAYS = 28
"""Weeks that ended longer ago are counted once and kept: what comes later on them does not show."""

Counted = tuple[tuple[Week, Tallies], ...]
"""Weeks, oldest first, each with what was counted at each place."""


class Read(Struct, frozen=True):
    """What the records hold. ``empty``: no answer was ever recorded, or all are past their retention."""

    weeks: Counted
    synthetic: bool
    empty: bool


class Reader:
    """One process's way to read the records. It opens them when it is first asked."""

    def __init__(self, url: str, zone: tzinfo, clock: Callable[[], datetime]) -> None:
        self.url = url
        self.zone = zone
        self.clock = clock
        self._engine: AsyncEngine | None = None
        self._remembered: dict[Week, tuple[datetime, Tallies]] = {}
        self._one = asyncio.Lock()

    async def read(self, count: int) -> Read:
        """So many weeks, the running one included. Raises what the database raises."""
        async with self._one:
            now = self.clock()
            if self._engine is None:
                self._engine = open_reader(self.url)
            async with self._engine.connect() as connection:
                synthetic, empty = await is_synthetic(connection), await is_empty(connection)
            weeks = weeks_until(now, self.zone, count)
            if empty:
                return Read((), synthetic, empty)
            return Read(tuple([(week, await self._week(self._engine, week, now)) for week in weeks]), synthetic, empty)

    async def _week(self, engine: AsyncEngine, week: Week, now: datetime) -> Tallies:
        settled = now - week.ends > timedelta(days=SETTLED_DAYS)
        known = self._remembered.get(week)
        if known is not None and (settled or 0 <= (now - known[0]).total_seconds() < REMEMBERED_SECONDS):
            return known[1]
        async with engine.connect() as connection:
            tallies = await kept(connection, week) if settled else None
            counted = await tallies_of(connection, week) if tallies is None else tallies
        if settled and tallies is None and counted:
            await self._keep(week, counted)
        if week.whole:
            self._remembered[week] = (now, counted)
        return counted

    async def _keep(self, week: Week, tallies: Tallies) -> None:
        writing = open_engine(self.url)
        try:
            await keep(writing, week, tallies)
        finally:
            await writing.dispose()

    async def aclose(self) -> None:
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None


def of_places(counted: Counted, tenant: str | None, service: str | None) -> Counted:
    """The same weeks, with the places of this client and service alone; None: of all."""
    return tuple(
        (
            week,
            {
                place: tally
                for place, tally in tallies.items()
                if tenant in (None, place.tenant) and service in (None, place.service)
            },
        )
        for week, tallies in counted
    )


def newest(counted: Counted, count: int) -> Counted:
    """The last so many weeks, from the first on that has an answer."""
    weeks = counted[-count:]
    first = next((index for index, (_, tallies) in enumerate(weeks) if tallies), len(weeks) - 1)
    return weeks[first:]


def places_of(counted: Counted) -> Sequence[tuple[str, str]]:
    """Client and service of every place that answered anything, in their order."""
    return sorted({(place.tenant, place.service) for _, tallies in counted for place in tallies})
