"""``firstline demo``: fills an empty database with a synthetic month, marked as such.

The stored requests of ``fixtures/`` are really answered, under names of patients and calls of their own; who does what
with a card is drawn from a seeded model (``feedback_model``). In the last whole week, from its Tuesday on, the requests
lose their medication list, as they would after a renamed prefetch key: the dashboard has to find that.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from hooks.answer import Answerer
from hooks.feedback import read_feedback
from hooks.insight.feedback_model import entry_for
from hooks.insight.queries import SYNTHETIC, is_empty
from hooks.insight.weeks import weeks_until
from hooks.pages.patients import DAY, FOLDER
from hooks.records.database import migrate, open_engine
from hooks.records.record import FeedbackRecord
from hooks.records.recorder import Recorder
from hooks.records.schema import marks
from hooks.services import SERVICES, Service
from hooks.settings import Settings
from hooks.tenants import Tenant

TOLD = datetime.combine(DAY, time(9), UTC)
"""When every story is told: charts and orders keep their dates, only the records are of other days."""
TENANT = Tenant(name=SYNTHETIC)
WEEKS = 5
A_DAY, ON_SUNDAY = 90, 27
SELECTED = 0.4
"""The part of orders that fires order-select before it is signed."""
OUT_OF_SCOPE = ("amoxicillin",)
"""Most orders are none of Firstline's business."""
SELDOM = ("nothing-sent", "history-not-sent", "conditions-not-sent", "drug-not-recognised")
"""Stories of what went wrong: drawn twenty times less often than others."""
LOST = "medications"
SEED = 20260301
PATIENCE = 200
"""Answers after which what waits is written."""


class NotEmptyError(Exception):
    """The database holds records already: made-up ones must not be mixed with them."""


class NoFixturesError(Exception):
    """The stored requests are not there: an installed package has none."""


class Filled(Struct, frozen=True):
    """What was recorded."""

    answers: int
    feedback: int
    since: datetime


class _Story(Struct, frozen=True):
    request: dict[str, Any]
    weight: float
    sign: bool


async def fill(url: str, now: datetime, a_day: int = A_DAY, folder: Path = FOLDER) -> Filled:
    """Fills the database up to this instant. ``a_day``: orders on a working day. Raises ``NotEmptyError``,
    ``NoFixturesError``, and what the database raises."""
    stories = _stories(folder)
    settings = Settings(database_url=url, record_queue=10 * PATIENCE)
    engine = open_engine(url)
    try:
        await migrate(engine)
        await _mark(engine, now)
    finally:
        await engine.dispose()
    clock = _Clock(now)
    recorder = Recorder(settings, clock)
    await recorder.start()
    try:
        return await _Month(settings, recorder, clock, stories, a_day).lived(now)
    finally:
        await recorder.stop()


async def _mark(engine: AsyncEngine, now: datetime) -> None:
    async with engine.begin() as connection:
        if not await is_empty(connection):
            raise NotEmptyError
        await connection.execute(marks.delete().where(marks.c.name == SYNTHETIC))
        await connection.execute(insert(marks).values(name=SYNTHETIC, value=now.astimezone(UTC).isoformat()))


class _Clock:
    """The instant that is being lived."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def _stories(folder: Path) -> list[_Story]:
    found = []
    for path in sorted(folder.glob("*.request.json")):
        name = path.name.split(".")[0]
        request = msgspec.json.decode(path.read_bytes())
        if f"firstline-{request['hook']}" in SERVICES and request["hook"] != "medication-prescribe":
            weight = 0.05 if name in SELDOM else 40.0 if name in OUT_OF_SCOPE else 1.0
            found.append(_Story(request, weight, request["hook"] == "order-sign"))
    if not found:
        raise NoFixturesError
    return found


class _Month:
    """One run of the model."""

    def __init__(
        self, settings: Settings, recorder: Recorder, clock: _Clock, stories: Sequence[_Story], a_day: int
    ) -> None:
        self.recorder = recorder
        self.clock = clock
        self.stories = stories
        self.weights = [story.weight for story in stories]
        self.a_day = a_day
        self.chance = random.Random(SEED)  # noqa: S311
        self.answerer = Answerer(settings, recorder=recorder)
        self.waiting: list[FeedbackRecord] = []
        self.answers = self.fed = 0

    async def lived(self, now: datetime) -> Filled:
        weeks = weeks_until(now, UTC, WEEKS)
        faulty = weeks[-2].begins + timedelta(days=1, hours=6)
        for at in self._instants(weeks[0].begins, now):
            [story] = self.chance.choices(self.stories, self.weights)
            self._ordered(story, at, at >= faulty)
            if len(self.waiting) > PATIENCE or self.recorder.state().queued > PATIENCE:
                await self._written()
        await self._written()
        return Filled(self.answers, self.fed, weeks[0].begins)

    async def _written(self) -> None:
        await self.recorder.flush()
        await self.recorder.feedback(self.waiting)
        self.fed += len(self.waiting)
        self.waiting = []

    def _instants(self, begins: datetime, ends: datetime) -> Iterator[datetime]:
        """When orders are written: in working hours above all, fewer at weekends, some at night."""
        day = begins
        while day < ends:
            expected = self.a_day if day.weekday() < 5 else self.a_day * ON_SUNDAY / A_DAY
            count = round(self.chance.gauss(expected, expected**0.5))
            hours = sorted(min(23.9, max(0.0, self.chance.gauss(12.5, 3.5))) for _ in range(max(0, count)))
            yield from (at for hour in hours if (at := day + timedelta(hours=hour)) < ends)
            day += timedelta(days=1)

    def _ordered(self, story: _Story, at: datetime, faulty: bool) -> None:
        patient = f"synthetic-{self.chance.randrange(10**6)}"
        if not story.sign:
            self._called("order-select", story, patient, at, faulty)
            return
        if self.chance.random() < SELECTED:
            self._called("order-select", story, patient, at - timedelta(seconds=20), faulty)
        self._called("order-sign", story, patient, at, faulty)

    def _called(self, hook: str, story: _Story, patient: str, at: datetime, faulty: bool) -> None:
        service = SERVICES[f"firstline-{hook}"]
        self.clock.now = at
        request = self._request(hook, story.request, patient, faulty)
        _, body = self.answerer.answer(service, msgspec.json.encode(request), TOLD, TENANT)
        self.answers += 1
        for card in msgspec.json.decode(body).get("cards", ()):
            self._decided(service, card, at)

    def _request(self, hook: str, told: dict[str, Any], patient: str, faulty: bool) -> dict[str, Any]:
        context = {**told["context"], "patientId": patient}
        if hook == "order-select" and told["hook"] != hook:
            drafts = told["context"]["draftOrders"]["entry"]
            context["selections"] = [
                f"{draft['resource']['resourceType']}/{draft['resource'].get('id', '')}" for draft in drafts
            ]
        prefetch = told.get("prefetch", {})
        if faulty:
            prefetch = {key: value for key, value in prefetch.items() if key != LOST}
        call = str(UUID(int=self.chance.getrandbits(128), version=4))
        return {**told, "hook": hook, "hookInstance": call, "context": context, "prefetch": prefetch}

    def _decided(self, service: Service, card: dict[str, Any], at: datetime) -> None:
        entry = entry_for(self.chance, service, card, at)
        if entry is not None:
            body = msgspec.json.encode({"feedback": [entry]})
            self.waiting += read_feedback(body, TENANT.name, service.id, at + timedelta(seconds=30))
