"""When each agent was taken at which daily dose: the days of its records, cut at every change of dose."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from cds.case import Case
from cds.chart import MedicationOrder
from cds.dose import daily_dose
from cds.duplicates import one_of_each
from cds.exposure import recorded_spans
from cds.first_line import Agent
from cds.knowledge import load_group
from cds.spans import Span, before, joined
from cds.supply import counts, first_day
from cds.titration import Steps, steps_of

KNOWLEDGE = load_group("ladder")
GAP_DAYS = KNOWLEDGE["NP-01"].days("gap_days")
HELD_DAYS = KNOWLEDGE["NP-06"].days("held_days")
HISTORY_YEARS = KNOWLEDGE["NP-01"].days("history_years")


class Piece(Struct, frozen=True):
    """Days on which one daily dose was taken, both ends included. ``mg`` None: the dose is not known."""

    start: date
    end: date
    mg: Decimal | None


class Run(Struct, frozen=True):
    """One course of an agent, gaps of at most 14 days joined: ``days`` at or above the minimum, ``taken_days`` at any
    dose, ``held_mg`` the highest daily dose held for 14 days, ``latest_mg`` the dose at its end. ``last``: no later run
    follows."""

    start: date
    end: date
    days: int
    taken_days: int
    held_mg: Decimal | None
    dose_unknown: bool
    duration_unknown: bool
    outcome: str | None
    last: bool
    ref: str
    latest_mg: Decimal | None = None


class Exposure(Struct, frozen=True):
    """Everything on record of one agent. ``undated`` records have no date; ``older``: something lies before the years
    that count; ``at_minimum`` the days at or above the minimum (or at a dose that is not known); ``pieces`` all of them
    with their doses; ``ended`` the failures and intolerances of what was taken, each with its days."""

    agent: Agent
    minimum_mg: Decimal | None
    records: tuple[MedicationOrder, ...]
    dated: tuple[tuple[MedicationOrder, Span], ...]
    runs: tuple[Run, ...]
    at_minimum: tuple[Span, ...]
    undated: tuple[MedicationOrder, ...]
    older: bool
    active: bool
    ended: tuple[tuple[str, Span], ...] = ()
    pieces: tuple[Piece, ...] = ()

    def outcome_in(self, days: Span) -> str | None:
        """Failure or intolerance recorded on what was taken in these days."""
        return _outcome(self.ended, days.start, days.last)


def first_counted_day(today: date) -> date:
    """The first day of the history that counts: five years back."""
    try:
        return today.replace(year=today.year - HISTORY_YEARS)
    except ValueError:
        return today.replace(year=today.year - HISTORY_YEARS, day=28)


def exposures_of(case: Case, agents: Mapping[str, Agent]) -> dict[str, Exposure]:
    """The exposures by ingredient, of those agents (by ingredient too) that the chart records at all."""
    found = {}
    for name in sorted(agents.keys() & case.by_name.keys()):
        records = [one for one in case.by_name[name] if counts(one) and is_agent(one, agents[name])]
        if records:
            found[name] = _exposure(case, agents[name], records)
    return found


def is_agent(order: MedicationOrder, agent: Agent) -> bool:
    """Whether this product is the agent of section 4: by mouth, or as a patch of the right strength on the skin."""
    drug = order.drug
    if drug is None or agent.ingredient not in drug.names:
        return False
    return f"topical_{agent.ingredient}" in drug.roles if agent.drug_class == "topical" else drug.route != "topical"


def _exposure(case: Case, agent: Agent, records: Sequence[MedicationOrder]) -> Exposure:
    today, first = case.today, first_counted_day(case.today)
    minimum = agent.minimum_mg(case.renal.value) if agent.minimum_mg_per_day is not None else None
    dated, older = [], False
    for each in recorded_spans(records, today):
        days = each[1]
        if days.start <= today:
            if days.last >= first:
                dated.append(each)
            else:
                older = True
    pieces = _pieces(agent, dated, first, today)
    taken = [Span(piece.start, piece.end) for piece in pieces]
    enough, at_minimum = pieces, taken
    if minimum is not None:
        enough = [piece for piece in pieces if piece.mg is None or piece.mg >= minimum]
        if len(enough) < len(pieces):
            at_minimum = [Span(piece.start, piece.end) for piece in enough]
    runs = joined(taken, GAP_DAYS)
    active = _active(case, agent)
    ended = _ended(dated, enough)
    return Exposure(
        agent=agent,
        minimum_mg=minimum,
        records=tuple(records),
        dated=tuple(dated),
        runs=tuple([_run(run, pieces, enough, dated, ended, minimum, active, last=run is runs[-1]) for run in runs]),
        at_minimum=tuple(at_minimum),
        undated=() if len(dated) == len(records) else tuple([one for one in records if first_day(one) is None]),
        older=older,
        active=active,
        ended=ended,
        pieces=tuple(pieces),
    )


def _active(case: Case, agent: Agent) -> bool:
    """Taken today, and not ended by this signing."""
    return _is_among(case.listed, agent) and (case.kept is case.listed or _is_among(case.regimen, agent))


def _is_among(orders: Iterable[MedicationOrder], agent: Agent) -> bool:
    for order in orders:
        if order.drug is not None and agent.ingredient in order.drug.names and is_agent(order, agent):
            return True
    return False


def _run(
    run: Span,
    pieces: Sequence[Piece],
    enough: Sequence[Piece],
    dated: Sequence[tuple[MedicationOrder, Span]],
    ended: Iterable[tuple[str, Span]],
    minimum: Decimal | None,
    active: bool,
    *,
    last: bool,
) -> Run:
    first, end = run.start, run.last
    only = last and pieces[0].start == first
    own = pieces if only else [piece for piece in pieces if first <= piece.start <= end]
    own_enough = enough if only else [piece for piece in enough if first <= piece.start <= end]
    records = [each for each in dated if each[1].start <= end and each[1].last >= first]
    taken_days = _days(own)
    outcome = _outcome(ended if own_enough else _ended(records, own), first, end)
    if outcome == "failure" and active and last:  # it was that of a dose before: the drug is taken
        outcome = None
    return Run(
        start=first,
        end=end,
        days=taken_days if len(own_enough) == len(own) else _days(own_enough),
        taken_days=taken_days,
        held_mg=_held(own, taken_days),
        dose_unknown=minimum is not None and None in [piece.mg for piece in own_enough],
        duration_unknown=False in [days.end_known for _, days in records],
        outcome=outcome,
        last=last,
        ref=records[0][0].ref if len(records) == 1 else max([(days.start, record.ref) for record, days in records])[1],
        latest_mg=own[-1].mg,
    )


def _days(pieces: Iterable[Piece]) -> int:
    return sum([(piece.end - piece.start).days + 1 for piece in pieces])


def _held(pieces: Sequence[Piece], days: int) -> Decimal | None:
    """The highest daily dose at or above which the agent was taken for 14 days, of so many in all."""
    if days < HELD_DAYS:
        return None
    if len(pieces) == 1:
        return pieces[0].mg
    dosed = [(piece, piece.mg) for piece in pieces if piece.mg is not None]
    doses = {mg for _, mg in dosed}
    return max([dose for dose in doses if _days([one for one, mg in dosed if mg >= dose]) >= HELD_DAYS], default=None)


def _ended(dated: Iterable[tuple[MedicationOrder, Span]], enough: Sequence[Piece]) -> tuple[tuple[str, Span], ...]:
    """The failures and intolerances on record. A failure below the therapeutic minimum is none of the drug."""
    found = []
    for record, days in dated:
        why = record.stopped_for
        if why is not None and (why != "failure" or _at_minimum(days, enough)):
            found.append((why, days))
    return tuple(found)


def _at_minimum(days: Span, enough: Iterable[Piece]) -> bool:
    """Whether a record reached the minimum. On its last day the next one may have begun."""
    last = days.last if days.last == days.start else before(days.last)
    return any(piece.start <= last and piece.end >= days.start for piece in enough)


def _outcome(ended: Iterable[tuple[str, Span]], first: date, last: date) -> str | None:
    """Intolerance or failure recorded on what ran between these days; intolerance outweighs."""
    return max([why for why, days in ended if days.start <= last and days.last >= first], default=None)


def _pieces(agent: Agent, dated: Iterable[tuple[MedicationOrder, Span]], first: date, today: date) -> Sequence[Piece]:
    """The days taken, cut wherever the dose may change, each day once."""
    clipped = [
        (step, Span(max(days.start, first), min(days.last, today)))
        for record, whole, begun in _begun(dated)
        for step, days in _steps(agent, record, whole, begun)
        if days.start <= today and days.last >= first
    ]
    clipped.sort(key=_start)
    if _apart([days for _, days in clipped]):
        return [Piece(days.start, days.last, _daily_mg(agent, [record])) for record, days in clipped]
    cuts = sorted({days.start for _, days in clipped} | {days.last + timedelta(days=1) for _, days in clipped})
    pieces = []
    for start, after in pairwise(cuts):
        taken = [record for record, days in clipped if days.start <= start <= days.last]
        if taken:
            pieces.append(Piece(start, after - timedelta(days=1), _daily_mg(agent, one_of_each(taken))))
    return pieces


def _start(taken: tuple[MedicationOrder, Span]) -> date:
    return taken[1].start


def _apart(days: Sequence[Span]) -> bool:
    """Whether each of these spans, sorted, ends before the next begins."""
    return all(one.last < following.start for one, following in pairwise(days))


def _daily_mg(agent: Agent, orders: Iterable[MedicationOrder]) -> Decimal | None:
    """The daily dose of all these together, the mean of the days that a schedule spans; None where one is not known, or
    the agent has no dose to reach."""
    if agent.minimum_mg_per_day is None:
        return None
    total = Decimal(0)
    for order in orders:
        dose = daily_dose(order, agent.ingredient)
        if dose.mean is None or dose.unit != "mg":
            return None
        total += dose.mean
    return total


def _steps(agent: Agent, record: MedicationOrder, days: Span, begun: date) -> Steps:
    """A record as one entry for each step of its titration. Capsaicin once applied works until the next is due."""
    if agent.interval_days is not None:
        return [(record, Span(days.start, days.start + timedelta(days=int(agent.interval_days) - 1)))]
    return steps_of(record, days, begun)


def _begun(dated: Iterable[tuple[MedicationOrder, Span]]) -> Iterable[tuple[MedicationOrder, Span, date]]:
    """Each record with the day on which its instructions began: a fill goes on where the one before it ended."""
    found: list[tuple[MedicationOrder, Span, date]] = []
    for record, days in sorted(dated, key=_start):
        begun = days.start
        if record.kind == "dispense":
            for other, earlier, first in found:
                if other.dosages == record.dosages and (days.start - earlier.last).days - 1 <= GAP_DAYS:
                    begun = min(begun, first)
        found.append((record, days, begun))
    return found
