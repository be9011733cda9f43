"""Daily totals of one ingredient over several orders."""

from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

from msgspec import Struct
from msgspec.structs import replace

from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.dose import daily_dose
from cds.exposure import replaces
from cds.once import once_a_case


class Total(Struct, frozen=True):
    """Milligrams a day of one ingredient on the highest day. ``at_least`` sums what is known; ``parts`` holds each
    order with its own amount (None: cannot be told); ``unknown`` the ``notAssessed`` entries of those."""

    at_least: Decimal
    parts: tuple[tuple[MedicationOrder, Decimal | None], ...] = ()
    unknown: tuple[str, ...] = ()


def daily_total(orders: Iterable[MedicationOrder], ingredient: str) -> Total:
    """The total of this ingredient. Patches and infusions, which are not taken in mg a day, are unknown parts."""
    parts, unknown, at_least = [], [], Decimal(0)
    for order in orders:
        if order.drug is None or ingredient not in order.drug.names:
            continue
        dose = daily_dose(order, ingredient)
        amount = dose.maximum if dose.unit == "mg" else None
        parts.append((order, amount))
        if amount is None:
            unknown.append(f"dose of {order.ref}: {dose.reason or 'no unit'}")
        else:
            at_least += amount
    return Total(at_least, tuple(parts), tuple(unknown))


HUNDREDTH = Decimal("0.01")
EXACT_DIGITS = 20


def shown(value: Decimal) -> str:
    """A sum as a card says it: at most two decimals, cut rather than rounded, so that no threshold seems reached."""
    return number(value.quantize(HUNDREDTH, ROUND_DOWN) if value.adjusted() < EXACT_DIGITS else value)


def mme_missing(case: Case) -> tuple[str, ...]:
    """The ``notAssessed`` entries that keep the MME a day of this signing a lower bound; empty: it is the whole sum."""
    missing = [f"dose of {part.ref}: {part.reason}" for part in case.mme_after.unknown]
    return (*missing, *(() if case.medications_known else (case.missing("medications"),)))


@once_a_case
def doubtful(case: Case) -> tuple[MedicationOrder, ...]:
    """Listed orders that this signing would renew, had the same prescriber written them: they add up only if both are
    taken, so what rests on them is a warning at most (CLINICAL.md section 13, "Replaces")."""
    return tuple(
        old
        for old in case.kept
        if any(
            draft.requester != old.requester and replaces(replace(draft, requester=old.requester), old, case.today)
            for draft in case.starting
        )
    )


def without(orders: Iterable[MedicationOrder], left_out: Iterable[MedicationOrder]) -> tuple[MedicationOrder, ...]:
    """The orders but those left out, each by itself."""
    gone = {id(order) for order in left_out}
    return tuple(order for order in orders if id(order) not in gone)
