"""Drugs that interact with the ordered opioid: on the list, in this signing, or ended not long ago."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache

from msgspec import Struct

from cds.breathing import days_running, listing, one_off, standing
from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import ESTABLISHED_DAYS, GAP_DAYS, dose_change, established
from cds.drugs import Drug, ingredient_roles
from cds.exposure import counts, recorded_spans, span
from cds.once import once_a_chart
from cds.scope import stops
from cds.supply import first_day

END_NOT_KNOWN = "its end is not recorded"

BOOSTERS = frozenset({"ritonavir", "cobicistat"})
"""Given to inhibit CYP3A4: of a combination these are named, whatever else of it does so too."""


class Named(Struct, frozen=True):
    """Tells the ingredient of a systemic order that matters to a rule: one of these, or one with one of these roles."""

    ingredients: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def __call__(self, order: MedicationOrder) -> str | None:
        drug = order.drug
        if drug is None or (self.roles.isdisjoint(drug.roles) and self.ingredients.isdisjoint(drug.names)):
            return None
        return _part(drug, self.ingredients, self.roles) if drug.systemic else None

    def recorded(self, case: Case) -> bool:
        """Whether any drug of the chart or of the signing may be one of these."""
        return not self.roles.isdisjoint(case.roles_on_record) or not self.ingredients.isdisjoint(case.names_on_record)


class Partner(Struct, frozen=True):
    """A partner drug. ``name`` is the ingredient that interacts; ``taken`` whether it is taken after this signing;
    ``last`` its last day where it ended; ``lately``: it began, so that it ended too, within the days asked for, though
    its last day is not recorded; ``standing`` is how a card says all this."""

    order: MedicationOrder
    name: str
    standing: str
    taken: bool
    last: date | None = None
    lately: bool = False


def holds(*ingredients: str) -> Named:
    """These ingredients."""
    return Named(ingredients=frozenset(ingredients))


def with_role(*roles: str) -> Named:
    """The ingredients that have one of these roles (drugs.csv)."""
    return Named(roles=frozenset(roles))


def either(some: Named, other: Named) -> Named:
    """What either of the two tells."""
    return Named(some.ingredients | other.ingredients, some.roles | other.roles)


@lru_cache(maxsize=4096)
def _part(drug: Drug, ingredients: frozenset[str], roles: frozenset[str]) -> str | None:
    found = [
        part.name
        for part in drug.ingredients
        if part.name in ingredients or not roles.isdisjoint(ingredient_roles(part.name))
    ]
    boosting = [name for name in found if name in BOOSTERS]
    return next(iter(boosting or found), None)


def partners(
    case: Case,
    draft: MedicationOrder,
    named: Callable[[MedicationOrder], str | None],
    ended_within: Callable[[str], int] | None = None,
    even_once: bool = False,
) -> tuple[Partner, ...]:
    """The drugs for which ``named`` tells an ingredient, besides the draft itself: those of the regimen, then those
    that ended at most ``ended_within(ingredient)`` days ago, or whose end is not recorded (``last`` None); without
    ``ended_within`` none of these.

    Each ingredient once, in alphabetical order. What is stopped in this signing ends today. A single dose around a
    procedure does not interact, unless ``even_once``.
    """
    if isinstance(named, Named) and not named.recorded(case):
        return ()
    found: dict[str, Partner] = {}
    over: dict[str, list[MedicationOrder]] = {}
    for order in case.regimen:
        name = named(order) if order is not draft else None
        if name is None or name in found:
            continue
        if not one_off(order):
            found[name] = Partner(order, name, standing(case, order), taken=True)
        elif even_once:
            over.setdefault(name, []).append(order)
    for order in () if ended_within is None else (*_stopped_now(case), *earlier(case)):
        name = named(order)
        if name is not None and (even_once or not one_off(order)):
            over.setdefault(name, []).append(order)
    for name, orders in over.items():
        within = 0 if name in found or ended_within is None else ended_within(name)
        if within > 0:
            past = _past_partner(case, name, orders, within)
            if past is not None:
                found[name] = past
    return tuple(found[name] for name in sorted(found))


@once_a_chart
def earlier(case: Case) -> tuple[MedicationOrder, ...]:
    """What counts on the chart and is not active today."""
    listed = {id(order) for order in case.listed}
    return tuple([order for order in case.chart.medications if id(order) not in listed and counts(order)])


def _stopped_now(case: Case) -> tuple[MedicationOrder, ...]:
    """What is on the list and is stopped in this signing."""
    return tuple([replacement.old for draft, replacement in case.replacements if stops(draft)])


def _past_partner(case: Case, name: str, orders: list[MedicationOrder], within_days: int) -> Partner | None:
    """The drug as it stood last: by the latest end that is known, else, where one is not, with its end unknown."""
    ends: list[tuple[date, MedicationOrder]] = []
    endless: list[MedicationOrder] = []
    stopped = {id(order) for order in _stopped_now(case)}
    spans = {record.ref: days for record, days in recorded_spans(case.records_of(name), case.today)}
    for order in orders:
        days = spans.get(order.ref)
        if any(order is drafted for drafted in case.drafts):
            return Partner(order, name, standing(case, order), taken=True)
        if id(order) in stopped:
            ends.append((case.today, order))
        elif days is None:
            # Without any date; with one, its dispenses tell its days, or it begins later.
            if span(order, case.today) is None:
                endless.append(order)
        elif one_off(order):
            ends.append((days.start, order))
        elif days.end is None:
            endless.append(order)
        elif days.start <= case.today:
            ends.append((min(days.end, case.today), order))
    for last, order in sorted(ends, key=lambda end: (end[0], end[1].ref))[-1:]:
        if (case.today - last).days <= within_days:
            said = "stopped in this signing" if id(order) in stopped else f"ended {last.isoformat()}"
            return Partner(order, name, said, taken=False, last=last)
    if not endless:
        return None
    lately = [order for order in endless if begun_within(order, case.today, within_days)]
    order = min(lately or endless, key=lambda one: one.ref)
    if not lately:
        return Partner(order, name, END_NOT_KNOWN, taken=False)
    return Partner(order, name, begun_lately(order), taken=False, lately=True)


def begun_within(order: MedicationOrder, today: date, days: int) -> bool:
    """Whether it began so few days ago that, whenever it ended, that was no longer ago."""
    first = first_day(order)
    return first is not None and 0 <= (today - first).days <= days


def begun_lately(order: MedicationOrder) -> str:
    """How such a drug stands, for a card."""
    return f"begun {first_day(order)}, {END_NOT_KNOWN}"


def long_together(case: Case, draft: MedicationOrder, partner: MedicationOrder) -> bool:
    """No new exposure: established; or both taken for long, and only what this signing does to a dose is not known: a
    warning at most (CLINICAL.md section 13, "Raises")."""
    if established(case, draft, partner):
        return True
    pair = (draft, partner)
    drafted = [order for order in pair if any(order is one for one in case.drafts)]
    if "unknown" not in {dose_change(case, order) for order in drafted}:
        return False
    return all(days_running(case, order, GAP_DAYS) >= ESTABLISHED_DAYS for order in pair)


def named_together(found: Iterable[Partner]) -> str:
    """The partners as a sentence lists them."""
    return listing(partner.name for partner in found)


def opioid_and_partner(case: Case, draft: MedicationOrder, opioid: Named) -> tuple[tuple[MedicationOrder, str], ...]:
    """The opioids that this draft brings to a partner: the draft itself, or, in the reverse scope, those listed."""
    if not case.reverse:
        own = opioid(draft)
        return () if own is None or stops(draft) or one_off(draft) else ((draft, own),)
    return tuple(
        [(order, name) for order in case.regimen if (name := opioid(order)) is not None and not one_off(order)]
    )
