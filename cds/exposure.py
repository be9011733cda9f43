"""When a drug was and is taken: what is active today, what was taken on a day, what replaces what.

One record by itself is read in ``cds.supply``, days are counted in ``cds.spans``; both are offered here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from cds.chart import MedicationOrder
from cds.duplicates import RENEWAL_DAYS, different_drugs, in_rank, names_of, one_of_each
from cds.likeness import Names, alike, same_drug
from cds.scope import stops
from cds.spans import Span, before, continuous_days, days_taken, joined
from cds.supply import (
    COMPLETED,
    NEVER_COUNTED,
    ON_HOLD,
    PLANS,
    STOPPED,
    counts,
    first_day,
    is_order,
    last_day,
    last_day_from,
    recorded_supply_days,
    span,
    supply_days,
    written_lately,
)

__all__ = [
    "Replacement",
    "Span",
    "active_medications",
    "continuous_days",
    "counts",
    "days_taken",
    "joined",
    "recorded_spans",
    "replacements",
    "replaces",
    "span",
    "supply_days",
    "supply_still_runs",
    "taken_on",
]

GRACE_DAYS = 14
"""A drug counts as active for so many days after its end (CLINICAL.md section 13, "Active drug")."""
ENDED = frozenset({COMPLETED, ON_HOLD})
NEVER_ACTIVE = STOPPED | NEVER_COUNTED
NOT_HANDED_OVER = STOPPED | {ON_HOLD}
Dispenses = Mapping[Names | None, Sequence[MedicationOrder]]


class Replacement(Struct, frozen=True):
    """``how``: "same order", "linked" or "assumed"."""

    old: MedicationOrder
    how: Literal["same order", "linked", "assumed"]


def active_medications(medications: Sequence[MedicationOrder], today: date) -> tuple[MedicationOrder, ...]:
    """What is active today, one entry for one order: the same ingredient from two sources is one drug at the higher
    dose, unless both are orders that run side by side (CLINICAL.md section 13, "Active drug")."""
    records = in_rank(medications)
    dispenses: Dispenses | None = None
    stopped = [record for record in records if record.status in STOPPED and is_order(record)]
    active = []
    for record in records:
        if record.status in NEVER_ACTIVE or (record.intent in PLANS and not counts(record)):
            continue
        is_active = _is_active(record, today)
        if is_active is None:
            dispenses = _dispenses(records) if dispenses is None else dispenses
            is_active = _is_active_by_dispenses(record, dispenses, today)
        if is_active:
            if stopped and record.kind == "dispense" and any(_stopped_with(record, order) for order in stopped):
                continue
            active.append(record)
    return one_of_each(active)


def supply_still_runs(order: MedicationOrder, medications: Sequence[MedicationOrder], today: date) -> bool:
    """Whether a dispensed or recorded supply of this drug reaches to today though the order is completed or on hold.

    On hold, only what was dispensed counts (CLINICAL.md section 5): the rest is held back.
    """
    return _supply_runs(order, _dispenses(medications), today)


def taken_on(spans: Iterable[tuple[MedicationOrder, Span]], day: date) -> tuple[MedicationOrder, ...]:
    """What was taken on that day, of records with their spans (``recorded_spans``), one entry for one order."""
    return one_of_each([record for record, days in spans if days.start <= day <= days.last])


def recorded_spans(medications: Iterable[MedicationOrder], today: date) -> tuple[tuple[MedicationOrder, Span], ...]:
    """Each record that counts, with its days. From its first dispense of known length on, an order's days are those of
    its dispenses (CLINICAL.md section 5). A dispense without a dosage has that of its order."""
    records = [record for record in medications if counts(record)]
    if len(records) == 1:
        only = span(records[0], today)
        return () if only is None else ((records[0], only),)
    records = in_rank(records)
    dispenses = _dispenses(records)
    found: list[tuple[MedicationOrder, Span]] = []
    dosed: dict[int, MedicationOrder] = {}
    for record in records:
        days = span(record, today) if record.kind != "dispense" else None
        if days is None:
            continue
        fills = _fills(record, dispenses) if dispenses and is_order(record) else []
        if not fills:
            found.append((record, days))
            continue
        fills = [fill for fill in fills if last_day(fill) is not None]
        for fill in fills:
            if not fill.dosages and record.dosages and record.drug is not None:
                dosed[id(fill)] = replace(fill, drug=record.drug, dosages=record.dosages)
        filled = min((first for first in map(first_day, fills) if first is not None), default=None)
        if filled is None or filled > days.last:
            found.append((record, days))
        elif filled > days.start:
            found.append((record, Span(days.start, before(filled))))
    for record in records:
        days = span(record, today) if record.kind == "dispense" else None
        if days is not None:
            found.append((dosed.get(id(record), record), days))
    return tuple(found)


def replacements(
    drafts: Iterable[MedicationOrder], listed: Sequence[MedicationOrder], today: date
) -> tuple[tuple[MedicationOrder, Replacement], ...]:
    """Each draft with the listed orders that it renews, changes or stops. A draft that names an order by its reference,
    a link or an identifier replaces that one alone: nothing is assumed beside it."""
    found: list[tuple[MedicationOrder, Replacement]] = []
    for draft in drafts:
        mine = []
        for old in listed:
            one = replaces(draft, old, today)
            if one is not None:
                mine.append(one)
        if mine:
            named = [one for one in mine if one.how != "assumed"]
            found.extend((draft, one) for one in named or mine)
    return tuple(found)


def replaces(new: MedicationOrder, old: MedicationOrder, today: date) -> Replacement | None:
    """Whether ``new`` is the renewal or change of ``old`` (CLINICAL.md section 13, "Replaces"), or stops it.

    A report or a dispense has no requester of its own: the same drug is then one drug, whoever orders it.
    A draft that stops a drug stops it however long the old order would run.
    """
    if new.ref == old.ref:
        return None if different_drugs(new, old) else Replacement(old, "same order")
    follows = new.follows
    if follows and (old.ref in follows or not old.identifiers.isdisjoint(follows)):
        return Replacement(old, "linked")
    if old.follows and not is_order(old) and (new.ref in old.follows or not follows.isdisjoint(old.follows)):
        return Replacement(old, "linked")
    if not new.identifiers.isdisjoint(old.identifiers) and not different_drugs(new, old):
        return Replacement(old, "same order")
    if new.drug is None or old.drug is None or new.drug.names != old.drug.names or not alike(new.drug, old.drug):
        return None
    if new.requester != old.requester and (is_order(old) or old.requester is not None):
        return None
    end = None if stops(new) else last_day(old)
    if end is None or end <= (first_day(new) or today) + timedelta(days=RENEWAL_DAYS):
        return Replacement(old, "assumed")
    return None


def _dispenses(records: Iterable[MedicationOrder]) -> Dispenses:
    """Dispenses that were handed over, by what they hold."""
    found: dict[Names | None, list[MedicationOrder]] = {}
    for record in records:
        if record.kind == "dispense" and record.status not in NOT_HANDED_OVER and counts(record):
            found.setdefault(None if record.drug is None else record.drug.names, []).append(record)
    return found


def _fills(order: MedicationOrder, dispenses: Dispenses) -> list[MedicationOrder]:
    return [fill for fill in dispenses.get(names_of(order), ()) if fill is not order and _belongs(fill, order)]


def _belongs(fill: MedicationOrder, order: MedicationOrder) -> bool:
    """A dispense of this order: by its link; without any link, of the same drug and not from before the order."""
    if fill.follows:
        return order.ref in fill.follows
    if fill.drug is None or order.drug is None or not same_drug(fill.drug, order.drug):
        return False
    handed_over, ordered = first_day(fill), first_day(order)
    if handed_over is None or ordered is None or handed_over < ordered:
        return False
    ended = order.end if order.status in STOPPED else None
    return ended is None or handed_over <= ended


def _stopped_with(fill: MedicationOrder, order: MedicationOrder) -> bool:
    """A dispense ends with its stopped order: by its link, else where the day of the stop is known."""
    return order.ref in fill.follows or (order.end is not None and _belongs(fill, order))


def _is_active(record: MedicationOrder, today: date) -> bool | None:
    """Whether this record, which counts and was not stopped, is active; None where that hangs on its dispenses."""
    first = record.start or first_day(record)
    taken = 0 if first is None else (today - first).days
    if taken < 0 and not _written_today(record, today):
        return False
    if record.status in ENDED:
        if record.kind != "dispense":
            return None
        if record.status == ON_HOLD:
            return False
    if first is not None and record.end is None:
        if taken <= GRACE_DAYS:
            return True
        days = recorded_supply_days(record) if record.valid_to is None else None
        if days is not None:
            return days > taken - GRACE_DAYS
    last = last_day_from(record, first)
    if last is not None:
        return (today - last).days <= GRACE_DAYS
    return None if is_order(record) else written_lately(record, first, today)


def _is_active_by_dispenses(record: MedicationOrder, dispenses: Dispenses, today: date) -> bool:
    if record.status in ENDED:
        return _supply_runs(record, dispenses, today)
    ends = [last_day(fill) for fill in _fills(record, dispenses)]
    if ends and None not in ends:
        return (today - max(end for end in ends if end is not None)).days <= GRACE_DAYS
    return written_lately(record, first_day(record), today)


def _written_today(record: MedicationOrder, today: date) -> bool:
    """Whether a record that was written on "tomorrow" was written now: east of us it is tomorrow already."""
    written = record.authored
    return written is not None and first_day(record) == written and (written - today).days == 1 and record.start is None


def _supply_runs(order: MedicationOrder, dispenses: Dispenses, today: date) -> bool:
    for fill in _fills(order, dispenses):
        days = span(fill, today)
        if days is not None and days.end is not None and days.start <= today <= days.end:
            return True
    if order.status == ON_HOLD or order.kind != "request":
        return False
    last = last_day(order)
    return last is not None and last >= today and recorded_supply_days(order) is not None
