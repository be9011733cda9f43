"""What a prescriber has seen, or overridden with a reason: neither is shown again, but critical findings always are.

As the site asks (``repeat_shown``, ``override_days``); in open mode off unless it does. The memory is this process's
own, filled from the database, where other processes' answers and feedback come from. Where it lacks something a card
is shown again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from cds.case import ORDER_SELECT, ORDER_SIGN
from cds.findings import Finding
from cds.review import Review
from hooks.card_choice import choose
from hooks.records.keyed import Keyed, Subject
from hooks.records.schema import answers, feedback, findings

SHOWN_BEFORE, OVERRIDDEN = "shown before", "overridden"
SHOWN_HOURS = 8
"""How long the card of an order-select counts as seen: as long as the same prescriber may take to sign."""
MOST_REMEMBERED = 200_000
"""Findings of each kind, a bound on memory (about 40 MB); past it the oldest are forgotten, that is shown again."""
OVERLAP = 100
"""Rows that are read anew each time: another process may commit a lower id after a higher one was seen."""

ContentOf = Callable[[str], bytes | None]
"""The canonical content of the draft of a reference; None where it cannot be told which draft that is."""
Withheld = Mapping[int, str]
"""Why a finding (by its ``id()``) may not make a card: ``SHOWN_BEFORE`` or ``OVERRIDDEN``."""
NOTHING_WITHHELD: Withheld = {}


class Seen(Struct, frozen=True):
    """One finding's names in the memory; None: it cannot be remembered, or the site does not ask for it."""

    shown: str | None = None
    finding: str | None = None


class ShownBefore:
    """The memory of one process."""

    def __init__(self, repeat_shown: bool, override_days: int) -> None:
        self.shown_asked = not repeat_shown
        self.override_days = override_days
        self.keyed: Keyed | None = None
        """None until the database has told the key: nothing is remembered, so everything is shown."""
        self.shown: dict[str, datetime] = {}
        self.overridden: dict[str, datetime] = {}
        self._last_finding = 0
        self._last_feedback = 0

    @property
    def on(self) -> bool:
        """Whether the site asks for any of it."""
        return self.shown_asked or self.override_days > 0

    def names(self, subject: Subject, finding: Finding, content_of: ContentOf) -> Seen:
        """The finding's names."""
        if self.keyed is None or finding.indicator == "critical":
            return Seen()
        shown = None
        if self.shown_asked:
            drafts = [content_of(ref) for ref in (finding.order, *finding.others)]
            known = [content for content in drafts if content is not None]
            if len(known) == len(drafts):
                shown = self.keyed.shown(subject, finding, sorted(known))
        return Seen(shown, self.keyed.finding(subject, finding) if self.override_days else None)

    def withheld(
        self, review: Review, hook: str, seen: Mapping[int, Seen], info_cards: bool, now: datetime
    ) -> Withheld:
        """The findings that make no card this time.

        A card is left out where each of its warnings was seen; one that is shown for a new warning stays whole.
        ``seen``: names by ``id()`` of the finding.
        """
        known: dict[int, str] = {}
        for finding in review.findings:
            reason = self._reason(seen[id(finding)], hook, now)
            if reason is not None:
                known[id(finding)] = reason
        withheld: dict[int, str] = {}
        while len(withheld) < len(known):
            left = [finding for finding in review.findings if id(finding) not in withheld]
            plans = choose(replace(review, findings=tuple(left)), hook, info_cards)
            gone: dict[int, str] = {}
            for plan in plans:
                deciding = [plan.lead] if plan.informing else [f for f in plan.findings if f.indicator != "info"]
                if all(id(finding) in known for finding in deciding):
                    gone.update({id(f): known[id(f)] for f in plan.findings if id(f) in known})
            if not gone:
                break
            withheld |= gone
        return withheld

    def show(self, names: Seen, now: datetime) -> None:
        """Remembers that order-select showed this finding."""
        if names.shown is not None:
            _remember(self.shown, names.shown, now + timedelta(hours=SHOWN_HOURS))

    def _reason(self, names: Seen, hook: str, now: datetime) -> str | None:
        if names.finding is not None and self.overridden.get(names.finding, now) > now:
            return OVERRIDDEN
        if hook == ORDER_SIGN and names.shown is not None and self.shown.get(names.shown, now) > now:
            return SHOWN_BEFORE
        return None

    async def fill(self, engine: AsyncEngine, now: datetime) -> None:
        """Reads what is new in the database since the last time."""
        if self.shown_asked:
            await self._fill_shown(engine, now)
        if self.override_days:
            await self._fill_overridden(engine, now)
        for memory in (self.shown, self.overridden):
            for name in [name for name, until in memory.items() if until <= now]:
                del memory[name]

    async def _fill_shown(self, engine: AsyncEngine, now: datetime) -> None:
        lasting = timedelta(hours=SHOWN_HOURS)
        query = (
            select(findings.c.shown_key, answers.c.at)
            .join(answers, answers.c.id == findings.c.answer_id)
            .where(
                findings.c.id > self._last_finding - OVERLAP,
                findings.c.shown_key.is_not(None),
                answers.c.hook == ORDER_SELECT,
                answers.c.at > now - lasting,
            )
            .order_by(findings.c.id.desc())
            .limit(MOST_REMEMBERED)
        )
        async with engine.connect() as connection:
            newest = (await connection.execute(select(func.max(findings.c.id)))).scalar()
            rows = (await connection.execute(query)).all()
        for name, at in reversed(rows):
            _remember(self.shown, name, at + lasting)
        self._last_finding = newest or 0

    async def _fill_overridden(self, engine: AsyncEngine, now: datetime) -> None:
        lasting = timedelta(days=self.override_days)
        query = (
            select(feedback.c.id, findings.c.finding_key, answers.c.patient, feedback.c.at)
            .join(findings, findings.c.card == feedback.c.card)
            .join(answers, (answers.c.id == findings.c.answer_id) & (answers.c.tenant == feedback.c.tenant))
            .where(
                feedback.c.id > self._last_feedback - OVERLAP,
                feedback.c.outcome == OVERRIDDEN,
                feedback.c.has_reason.is_(True),
                feedback.c.at > now - lasting,
                findings.c.finding_key.is_not(None),
            )
            .order_by(feedback.c.id.desc())
            .limit(MOST_REMEMBERED)
        )
        async with engine.connect() as connection:
            newest = (await connection.execute(select(func.max(feedback.c.id)))).scalar()
            rows = (await connection.execute(query)).all()
        # A client that uses one hookInstance for several patients names their cards alike: whose was overridden?
        patients: dict[int, set[str]] = {}
        for id_, _, patient, _ in rows:
            patients.setdefault(id_, set()).add(patient)
        for id_, name, _, at in reversed(rows):
            if len(patients[id_]) == 1:
                _remember(self.overridden, name, at + lasting)
        self._last_feedback = newest or 0


def _remember(memory: dict[str, datetime], name: str, until: datetime) -> None:
    memory[name] = max(until, memory.pop(name, until))
    if len(memory) > MOST_REMEMBERED:
        del memory[next(iter(memory))]
