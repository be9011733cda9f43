"""Signs of a malfunction: where a number of this week, or of the last whole one, is unlike those of the weeks before.

Plain arithmetic, for each client and service on its own (docs/INSIGHT.md):

- **a rate outside its band**: the band is the rate of the weeks before, four standard errors either way, widened by as
  much as those weeks differ among themselves more than chance lets them (Laney's p' chart, Qual Eng 2002;14:531);
- **silent**: none at all, where the rate of the weeks before makes that less likely than 1 in 10,000;
- **unknowns**: a cause of "could not tell" above its band;
- **calls**: less than half as many answers as in the leanest of the weeks before.

A week outside its band does not join the weeks that later ones are compared with: a fault does not become the measure
by lasting. After ``SETTLED`` weeks in a row outside its band the new level is the measure; silence and a lack of calls
stay signs as long as earlier weeks are read.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

from msgspec import Struct

from hooks.insight.bands import ABOVE, BELOW, band, chance_of_none, outside, pooled
from hooks.insight.queries import Tallies
from hooks.insight.rates import Rate
from hooks.insight.tally import ACCEPTED, OVERRIDDEN, Place, Tally
from hooks.insight.weeks import Week

FEWEST, MOST = 3, 8
"""Weeks that a week is compared with."""
SETTLED = 8
LOOK_BACK = MOST + SETTLED + 1
"""Weeks that have to be read."""
UNLIKELY = 1 / 10_000
LEAN = 0.5
BUSY = 20
"""Answers in every week before, from which on a lack of them is told."""
SILENT, UNKNOWN, CALLS = "silent", "unknown", "calls"
SCOPE, INCOMPLETE, FEEDBACK = "scope", "incomplete", "feedback"
"""What a rate may be of, besides a rule's and a cause's."""
UNREAD = "unread: "
"""Before a cause in answers that had no order in scope."""


class Sign(Struct, frozen=True):
    """``subject`` is a rule, a cause or one of the words above; ``now`` is out of line with ``before``, the ``weeks``
    before taken together. ``low`` and ``high`` bound the band, as shares; for ``CALLS`` ``before`` is None and ``low``
    the fewest answers that would not be told. ``history`` are the rates that led there, oldest first; ``since``: the
    first of the weeks in a row that are out of line."""

    kind: str
    place: Place
    subject: str
    week: date
    whole: bool
    since: date
    now: Rate
    before: Rate | None
    weeks: int
    low: float
    high: float
    history: tuple[tuple[date, Rate], ...]
    chance: float | None = None
    versions: bool = False
    """Whether the knowledge changed between the weeks before and now."""


def signs(counted: Sequence[tuple[Week, Tallies]]) -> list[Sign]:
    """Those of the running week and of the last whole one, gravest first; each matter once, as it stands last."""
    places = sorted({place for _, tallies in counted for place in tallies})
    return sorted((sign for place in places for sign in _at(place, counted)), key=_order)


def _order(sign: Sign) -> tuple[int, str, Place]:
    return (CALLS, SILENT, UNKNOWN, BELOW, ABOVE).index(sign.kind), sign.subject, sign.place


Measure = Callable[[Tally], Rate]


def _at(place: Place, counted: Sequence[tuple[Week, Tallies]]) -> list[Sign]:
    weeks = [(week, tallies.get(place, Tally())) for week, tallies in counted]
    while weeks and weeks[0][1].answers == 0:  # before its first answer
        weeks.pop(0)
    found: list[Sign] = []
    calls = _calls(place, weeks)
    if calls is not None:
        found.append(calls)
    for subject, measure, told in _measures([tally for _, tally in weeks]):
        follower = _Follower(place, subject, measure, told)
        for week, tally in weeks:
            follower.follow(week, tally)
        if follower.standing is not None:
            found.append(follower.standing)
    return found


def _measures(tallies: Sequence[Tally]) -> list[tuple[str, Measure, Mapping[str, str]]]:
    """What is watched: its name, its rate, and as which kind of sign each way out of line counts."""
    both, rise = {ABOVE: ABOVE, BELOW: BELOW, SILENT: SILENT}, {ABOVE: UNKNOWN}
    found: list[tuple[str, Measure, Mapping[str, str]]] = [
        (SCOPE, lambda tally: Rate(tally.reviewed, tally.answers), both),
        (INCOMPLETE, lambda tally: Rate(tally.incomplete, tally.reviewed), rise),
        (FEEDBACK, _answered, {BELOW: BELOW, SILENT: SILENT}),
    ]
    found += [(rule, partial(_fires, rule), both) for rule in sorted({one for tally in tallies for one in tally.fires})]
    causes = {kind for tally in tallies for kind in tally.causes}
    found += [(kind, partial(_caused, kind), rise) for kind in sorted(causes)]
    unread = {kind for tally in tallies for kind in tally.unread}
    return found + [(f"{UNREAD}{kind}", partial(_unread, kind), rise) for kind in sorted(unread)]


def _answered(tally: Tally) -> Rate:
    return Rate(tally.became(ACCEPTED) + tally.became(OVERRIDDEN), tally.shown)


def _fires(rule: str, tally: Tally) -> Rate:
    return Rate(tally.fires[rule], tally.orders)


def _caused(kind: str, tally: Tally) -> Rate:
    return Rate(tally.causes[kind], tally.reviewed)


def _unread(kind: str, tally: Tally) -> Rate:
    return Rate(tally.unread[kind], tally.answers - tally.reviewed)


class _Follower:
    """Goes through the weeks of one subject at one place, in their order, and holds the sign that stands."""

    def __init__(self, place: Place, subject: str, measure: Measure, told: Mapping[str, str]) -> None:
        self.place = place
        self.subject = subject
        self.measure = measure
        self.told = told
        self.usual: list[Rate] = []
        self.quiet: list[tuple[Week, Rate]] = []
        """Weeks without a case, since the last one."""
        self.out: list[tuple[Week, Rate]] = []
        """Weeks in a row outside the band."""
        self.history: list[tuple[date, Rate]] = []
        self.known: set[str] = set()
        self.standing: Sign | None = None

    def follow(self, week: Week, tally: Tally) -> None:
        rate = self.measure(tally)
        self.history.append((week.monday, rate))
        if rate.of:
            self._judge(week, rate, not self.known.issuperset(tally.knowledge))
        if week.whole:
            self.known.update(tally.knowledge)

    def _judge(self, week: Week, rate: Rate, versions: bool) -> None:
        before = self.usual[-MOST:]
        if rate.count == 0:
            self._judge_silence(week, rate, before, versions)
            return
        if week.whole:
            self._end_silence()
        if self.standing is not None and self.standing.kind == SILENT:
            self.standing = None
        kind = outside(rate, before) if len(before) >= FEWEST else None
        if kind is not None and kind in self.told:
            self._stand(self.told[kind], week, rate, before, versions)
        elif week.whole:
            self.usual.append(rate)
            self.out, self.standing = [], None

    def _judge_silence(self, week: Week, rate: Rate, before: Sequence[Rate], versions: bool) -> None:
        """All weeks since the last case are judged together: a rare rule needs several to be missed."""
        run = [*self.quiet, (week, rate)]
        if week.whole:
            self.quiet = run
        if SILENT not in self.told or len(before) < FEWEST or pooled(before).count == 0:
            if week.whole:
                self._end_silence()
                self.out, self.standing = [], None
            return
        together = pooled([one for _, one in run])
        chance = chance_of_none(together, before)
        if chance <= UNLIKELY:
            self.standing = self._sign(SILENT, week, run[0][0].monday, together, before, versions, chance)

    def _end_silence(self) -> None:
        """What was quiet within reason is part of what is usual; what was a silence is not."""
        if self.standing is None or self.standing.kind != SILENT:
            self.usual += [rate for _, rate in self.quiet]
        self.quiet = []

    def _stand(self, kind: str, week: Week, rate: Rate, before: Sequence[Rate], versions: bool) -> None:
        if week.whole:
            self.out.append((week, rate))
        since = self.out[0][0].monday if self.out else week.monday
        self.standing = self._sign(kind, week, since, rate, before, versions)
        if len(self.out) >= SETTLED:
            self.usual, self.out, self.standing = [one for _, one in self.out], [], None

    def _sign(
        self,
        kind: str,
        week: Week,
        since: date,
        now: Rate,
        before: Sequence[Rate],
        versions: bool,
        chance: float | None = None,
    ) -> Sign:
        limits = band(before, now.of)
        return Sign(
            kind=kind,
            place=self.place,
            subject=self.subject,
            week=week.monday,
            whole=week.whole,
            since=since,
            now=now,
            before=pooled(before),
            weeks=len(before),
            low=limits.low,
            high=limits.high,
            history=tuple(self.history),
            chance=chance,
            versions=versions,
        )


def _calls(place: Place, weeks: Sequence[tuple[Week, Tally]]) -> Sign | None:
    """Whole weeks alone: half a week has half as many."""
    usual: list[int] = []
    out: list[Week] = []
    history: list[tuple[date, Rate]] = []
    standing: Sign | None = None
    for week, tally in weeks:
        if not week.whole:
            continue
        before = usual[-MOST:]
        history.append((week.monday, Rate(tally.answers, 0)))
        if len(before) < FEWEST or min(before) < BUSY or tally.answers >= LEAN * min(before):
            usual.append(tally.answers)
            out, standing = [], None
            continue
        out.append(week)
        standing = Sign(
            kind=CALLS,
            place=place,
            subject=CALLS,
            week=week.monday,
            whole=True,
            since=out[0].monday,
            now=Rate(tally.answers, min(before)),
            before=None,
            weeks=len(before),
            low=LEAN * min(before),
            high=math.inf,
            history=tuple(history),
        )
    return standing
