"""Records made by hand for the dashboard's tests, and weeks counted by hand."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hooks.insight.queries import Tallies, tallies_of
from hooks.insight.tally import Place, Tally
from hooks.insight.weeks import Week, weeks_until
from hooks.records.database import migrate, open_engine
from hooks.records.keyed import Keyed
from hooks.records.record import AnswerRecord, CardRecord, FeedbackRecord
from hooks.records.writing import write

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""A Wednesday: the week runs from Monday, 2 March."""
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
SIGN, SELECT = "firstline-order-sign", "firstline-order-select"
HERE = Place("open", SIGN)


def uuid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def answer(at: datetime = MONDAY, **told: Any) -> AnswerRecord:
    chosen = {
        "tenant": "open", "service": SIGN, "hook": "order-sign", "knowledge": "1", "status": 200, "ms": 2.0, **told,
    }  # fmt: skip
    return AnswerRecord(at=at, **chosen)


def card(name: str, group: str = "ladder", rule: str = "NP-01", indicator: str = "warning") -> CardRecord:
    return CardRecord(uuid(name), group, rule, indicator)


def fed(name: str, outcome: str = "accepted", seconds: float = 5, **told: Any) -> FeedbackRecord:
    at = MONDAY + timedelta(seconds=seconds)
    return FeedbackRecord(
        at=at, card=uuid(name), outcome=outcome, outcome_at=at, **{"tenant": "open", "service": SIGN, **told}
    )


def fill(url: str, answers: Sequence[AnswerRecord], feedback: Sequence[FeedbackRecord] = ()) -> str:
    """Writes these records; returns the address."""

    async def written() -> None:
        engine = open_engine(url)
        await migrate(engine)
        await write(engine, Keyed(b"key"), answers, feedback)
        await engine.dispose()

    asyncio.run(written())
    return url


def counted_in(url: str, week: Week) -> Tallies:
    async def counted() -> Tallies:
        engine = open_engine(url)
        async with engine.connect() as connection:
            found = await tallies_of(connection, week)
        await engine.dispose()
        return found

    return asyncio.run(counted())


def this_week() -> Week:
    return weeks_until(NOW, UTC, 1)[0]


def weeks_of(*tallies: Tally, running: bool = True, place: Place = HERE) -> list[tuple[Week, Mapping[Place, Tally]]]:
    """One week for each tally, oldest first; the last is the running one."""
    weeks = weeks_until(NOW, UTC, len(tallies) + (not running))[: len(tallies)]
    return [(week, {place: tally} if tally.answers else {}) for week, tally in zip(weeks, tallies, strict=True)]


def monday(back: int) -> date:
    return (MONDAY - timedelta(weeks=back)).date()
