"""Keeps answers and feedback: off the hot path, in batches, by one task; and goes on when the database does not.

Answers wait in a bounded queue; those that find it full are lost and counted. Feedback is acknowledged when it is
committed, or refused.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from hooks.addresses import NO_DATABASE
from hooks.records.database import error_name, file_of, is_refusal, migrate, open_engine
from hooks.records.keyed import Keyed
from hooks.records.record import AnswerRecord, FeedbackRecord
from hooks.records.shown_before import ShownBefore
from hooks.records.upkeep import fill_on, forget_on, pause
from hooks.records.writing import key_of_site, remember_token, write
from hooks.settings import Settings

BATCH = 500
GATHERING_SECONDS = 0.2
"""How long an answer may wait for others to be written with; feedback does not wait."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 5.0
"""Seconds until the database is tried again; doubled each time."""
PATIENCE_SECONDS = 15
"""The longest that one batch may take."""
START_SECONDS = 5
"""How long the service waits for its database before it answers without."""
FEEDBACK_SECONDS = 5
"""How long a client waits for its feedback to be kept."""
STOPPING_SECONDS = 5
RETRY_AFTER = int(LONGEST_WAIT)
NOT_STARTED = "not started"

log = logging.getLogger("firstline.records")


class NotRecordedError(Exception):
    """The database is down or behind: what was sent is not kept. It may be sent again in ``RETRY_AFTER`` seconds."""


class RecorderState(Struct, frozen=True):
    """``ready``: the database answers (or none is asked for); ``why`` not. ``queued`` records wait to be written,
    ``lost`` could not be kept, ``recorded`` were written, all since this process started."""

    ready: bool
    why: str | None
    queued: int
    lost: int
    recorded: int


class _Waiting(Struct, eq=False):
    """Feedback that somebody waits for."""

    entries: Sequence[FeedbackRecord]
    done: asyncio.Future[None]


class Recorder:
    """One process's way to the database. Without ``database_url`` it keeps nothing."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings = settings
        self.clock = clock
        self.url = None if settings.database_url == NO_DATABASE else settings.database_url
        self.on = self.url is not None
        self.shared = self.url is not None and (settings.workers > 1 or not self.url.startswith("sqlite"))
        """Whether several processes may write to this database, so that it has to remember the clients' tokens."""
        self.memory = ShownBefore(settings.shows_again, settings.override_days)
        self.limit = settings.record_queue
        self._answers: deque[AnswerRecord] = deque()
        self._waiting: deque[_Waiting] = deque()
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        self._filling = asyncio.Event()
        self._ending = asyncio.Event()
        self._engine: AsyncEngine | None = None
        self._file: tuple[int, int] | None = None
        self._keyed: Keyed | None = None
        self._why: str | None = NOT_STARTED
        self._lost = 0
        self._losing = False
        self._recorded = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._asking: set[asyncio.Task[bool]] = set()

    # What the service asks

    def answered(self, record: AnswerRecord) -> None:
        """Has it written soon. Never waits; where the queue is full the record is lost and counted."""
        if not self.on:
            return
        if len(self._answers) >= self.limit:
            if not self._losing:
                log.error("the queue of records is full: answers are not recorded")
            self._losing = True
            self._lost += 1
            return
        self._losing = False
        self._answers.append(record)
        self._work.set()

    def not_recordable(self) -> None:
        """Counts an answer whose record could not even be made."""
        self._lost += 1

    async def feedback(self, entries: Sequence[FeedbackRecord]) -> None:
        """Returns when all of it is committed. Raises ``NotRecordedError`` where it is not, or not yet."""
        if not self.on:
            return
        if self._why is not None or len(self._waiting) >= self.limit:
            raise NotRecordedError
        waiting = _Waiting(entries, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._work.set()
        self._urgent.set()
        try:
            await asyncio.wait_for(waiting.done, FEEDBACK_SECONDS)
        except TimeoutError:
            raise NotRecordedError from None

    async def flush(self) -> None:
        """Returns when everything that waits now is written. Raises ``NotRecordedError`` where the database is down."""
        while self._answers:
            await self.feedback(())

    async def first_use(self, jti_hash: str, expires: datetime) -> bool:
        """Remembers a client's token until it expires; false where any process knew it. Raises where the database
        cannot be asked."""
        if self._engine is None or self._why is not None:
            raise NotRecordedError
        # A question that is cut off would hold its caller up until SQLite has let go: it goes on by itself.
        asking = asyncio.create_task(remember_token(self._engine, jti_hash, expires))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        answered, _ = await asyncio.wait({asking}, timeout=FEEDBACK_SECONDS)
        if not answered:
            raise NotRecordedError
        return asking.result()

    def _asked(self, asking: asyncio.Task[bool]) -> None:
        self._asking.discard(asking)
        error = None if asking.cancelled() else asking.exception()
        if error is not None:
            log.error("a token could not be remembered: %s", error_name(error))

    def state(self) -> RecorderState:
        """How it stands."""
        return RecorderState(
            ready=not self.on or self._why is None,
            why=self._why if self.on else None,
            queued=len(self._answers) + len(self._waiting),
            lost=self._lost,
            recorded=self._recorded,
        )

    # From start to stop

    async def start(self) -> None:
        """Opens the database, in the background: a database that is down delays the service by seconds, and no more."""
        if self.url is None:
            log.warning("database_url: none: answers and feedback are not recorded")
            return
        self._work, self._urgent, self._filling, self._ending, tried = (asyncio.Event() for _ in range(5))
        self._work.set()
        self._why = NOT_STARTED
        self._engine = open_engine(self.url)
        self._tasks = [
            asyncio.create_task(self._write_on(self._engine, tried)),
            asyncio.create_task(forget_on(self._engine, self.clock, self.settings.retention_days, self._ending)),
        ]
        if self.memory.on:
            filling = fill_on(self._engine, self.clock, self.memory, self._filling, self._ending)
            self._tasks.append(asyncio.create_task(filling))
        await pause(tried, START_SECONDS)

    async def stop(self) -> None:
        """Writes what waits, for a few seconds at most, and closes the database."""
        if self._engine is None:
            return
        with contextlib.suppress(NotRecordedError, TimeoutError):
            async with asyncio.timeout(STOPPING_SECONDS):
                await self.flush()
        self._why = "stopped"
        for event in (self._ending, self._work, self._urgent, self._filling):
            event.set()
        # A task that is cut off would leave its connection behind: only one that hangs is.
        _, hanging = await asyncio.wait({*self._tasks, *self._asking}, timeout=STOPPING_SECONDS)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        self._refuse_waiting()
        if self._answers:
            self._lost += len(self._answers)
            log.error("%d answers could not be recorded before the end", len(self._answers))
            self._answers.clear()
        await self._engine.dispose()
        self._engine = None

    # Writing

    async def _write_on(self, engine: AsyncEngine, tried: asyncio.Event) -> None:
        """Writes batch after batch until cancelled, whatever happens to the database."""
        wait = FIRST_WAIT
        while not self._ending.is_set():
            try:
                keyed = await self._open(engine)
                tried.set()
                while not self._ending.is_set():
                    await self._gather()
                    await self._write_batch(engine, keyed)
                    wait = FIRST_WAIT
                return
            except Exception as error:  # the driver, the system, Alembic: each has errors of its own
                self._is_down(error)
                await engine.dispose()  # a file that was replaced is opened anew
            tried.set()
            self._refuse_waiting()
            await pause(self._ending, wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _is_down(self, error: Exception) -> None:
        if self._ending.is_set():
            return
        if self._why in (None, NOT_STARTED):
            log.error("the database does not answer: %s", error_name(error))
        self._why = f"the database does not answer: {error_name(error)}"

    async def _open(self, engine: AsyncEngine) -> Keyed:
        """Brings the tables up to date, learns the key, fills the memory."""
        await migrate(engine)
        self._file = file_of(self.url or "")
        keyed = Keyed(await key_of_site(engine, self.settings.patient_key))
        self.memory.keyed = keyed
        if self.memory.on:
            await self.memory.fill(engine, self.clock())
        if not self._ending.is_set():
            if self._why not in (None, NOT_STARTED):
                log.warning("the database answers again")
            self._why = None
        return keyed

    async def _gather(self) -> None:
        """Waits for something to write, and a moment for more of it."""
        await self._work.wait()
        if len(self._answers) < BATCH:
            await pause(self._urgent, GATHERING_SECONDS)

    async def _write_batch(self, engine: AsyncEngine, keyed: Keyed) -> None:
        """Writes a batch of what waits. It leaves the queue when it is written, or when the database refuses it."""
        answers = list(islice(self._answers, BATCH))
        waiting = list(islice(self._waiting, BATCH))
        # What nobody waits for any more was refused, and will be sent again.
        entries = [entry for one in waiting if not one.done.done() for entry in one.entries]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await write(engine, keyed, answers, entries)
        except Exception as error:
            if not is_refusal(error):
                raise
            await self._write_singly(engine, keyed, answers, waiting)
        else:
            if file_of(self.url or "") != self._file:
                raise FileNotFoundError
            self._recorded += len(answers) + len(entries)
            for one in waiting:
                _settle(one)
        for _ in answers:
            self._answers.popleft()
        for _ in waiting:
            self._waiting.popleft()
        if not self._waiting:
            self._urgent.clear()
            if not self._answers:
                self._work.clear()
        if any(entry.has_reason for entry in entries):
            self._filling.set()

    async def _write_singly(
        self, engine: AsyncEngine, keyed: Keyed, answers: Sequence[AnswerRecord], waiting: Sequence[_Waiting]
    ) -> None:
        """The database refused something in the batch: everything else is kept all the same."""
        for answer in answers:
            try:
                await write(engine, keyed, [answer], ())
                self._recorded += 1
            except Exception as error:
                self._lost += 1
                log.error("an answer could not be recorded: %s", error_name(error))
        for one in waiting:
            if one.done.done():
                continue
            try:
                await write(engine, keyed, (), one.entries)
                self._recorded += len(one.entries)
                _settle(one)
            except Exception as error:
                log.error("feedback could not be recorded: %s", error_name(error))
                _settle(one, NotRecordedError())

    def _refuse_waiting(self) -> None:
        while self._waiting:
            _settle(self._waiting.popleft(), NotRecordedError())


def _settle(one: _Waiting, error: Exception | None = None) -> None:
    """Tells whoever waits, if anybody still does."""
    if one.done.done():
        return
    if error is None:
        one.done.set_result(None)
    else:
        one.done.set_exception(error)
