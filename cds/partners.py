"""Drugs that interact with the ordered opioid: on the list, in this signing, or ended not long ago."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache

from msgspec import Struct

from cds.breathing import listing, one_off, standing
from cds.case import Case, once_a_case, once_a_chart
from cds.chart import MedicationOrder
from cds.drugs import Drug, ingredient_drug
from cds.exposure import counts, span
from cds.scope import is_systemic, stops


class Named(Struct, frozen=True):
    """Tells the ingredient of a systemic order that matters to a rule: one of these, or one with one of these roles."""

    ingredients: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def __call__(self, order: MedicationOrder) -> str | None:
        drug = order.drug
        if drug is None or not self._concerns(drug.roles, drug.names) or not is_systemic(order):
            return None
        return _part(drug, self.ingredients, self.roles)

    def recorded(self, case: Case) -> bool:
        """Whether any drug of the chart or of the signing may be one of these."""
        return self._concerns(*_on_record(case))

    def _concerns(self, roles: frozenset[str], names: frozenset[str]) -> bool:
        return not self.roles.isdisjoint(roles) or not self.ingredients.isdisjoint(names)


class Partner(Struct, frozen=True):
    """A partner drug. ``name`` is the ingredient that interacts; ``taken`` whether it is taken after this signing;
    ``last`` its last day where it ended; ``standing`` is how a card says all this."""

    order: MedicationOrder
    name: str
    standing: str
    taken: bool
    last: date | None = None


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
    for part in drug.ingredients:
        if part.name in ingredients or not roles.isdisjoint(_roles(part.name)):
            return part.name
    return None


def _roles(ingredient: str) -> frozenset[str]:
    try:
        return ingredient_drug(ingredient).roles
    except KeyError:
        return frozenset()


@once_a_case
def _on_record(case: Case) -> tuple[frozenset[str], frozenset[str]]:
    """The roles and the ingredients of every drug of the chart and of the signing."""
    drugs = [order.drug for order in (*case.chart.medications, *case.drafts) if order.drug is not None]
    return frozenset().union(*[d.roles for d in drugs]), frozenset().union(*[d.names for d in drugs])


def partners(
    case: Case,
    draft: MedicationOrder,
    named: Callable[[MedicationOrder], str | None],
    ended_within: Callable[[str], int] = lambda name: 0,
) -> tuple[Partner, ...]:
    """The drugs for which ``named`` tells an ingredient, besides the draft itself: those of the regimen, then those
    that ended at most ``ended_within(ingredient)`` days ago, or whose end is not recorded (``last`` None).

    Each ingredient once, in alphabetical order; a single dose around a procedure does not interact.
    """
    if isinstance(named, Named) and not named.recorded(case):
        return ()
    found: dict[str, Partner] = {}
    for order in case.regimen:
        name = named(order)
        if name is not None and name not in found and order is not draft and not one_off(order):
            found[name] = Partner(order, name, standing(case, order), taken=True)
    for order in earlier(case):
        name = named(order)
        if name is None or name in found:
            continue
        ended = _ended(case, order)
        if ended is None:
            found[name] = Partner(order, name, "its end is not recorded", taken=False)
        elif 0 <= (case.today - ended).days <= ended_within(name):
            found[name] = Partner(order, name, f"ended {ended.isoformat()}", taken=False, last=ended)
    return tuple(found[name] for name in sorted(found))


@once_a_chart
def earlier(case: Case) -> tuple[MedicationOrder, ...]:
    """What counts on the chart and is not active today."""
    listed = {id(order) for order in case.listed}
    return tuple(order for order in case.chart.medications if counts(order) and id(order) not in listed)


def _ended(case: Case, order: MedicationOrder) -> date | None:
    days = span(order, case.today)
    if days is None or days.end is None:
        return None
    return min(days.end, case.today)


def named_together(found: Iterable[Partner]) -> str:
    """The partners as a sentence lists them."""
    return listing(partner.name for partner in found)


def opioid_and_partner(case: Case, draft: MedicationOrder, opioid: Named) -> tuple[tuple[MedicationOrder, str], ...]:
    """The opioids that this draft brings to a partner: the draft itself, or, in the reverse scope, those listed."""
    if stops(draft):
        return ()
    orders = case.regimen if case.reverse else (draft,)
    return tuple((order, name) for order in orders if (name := opioid(order)) is not None and not one_off(order))
