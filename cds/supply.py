"""One medication record by itself: whether it counts, its first and last day, and how long its supply lasts."""

from datetime import date
from decimal import Decimal

from cds.chart import Dosage, MedicationOrder
from cds.dose import daily_dose
from cds.drugs import Ingredient
from cds.scope import STOPPING_STATUSES
from cds.spans import Span, before, end_of
from cds.units import read_unit

NEVER_COUNTED = frozenset({"entered-in-error", "cancelled", "not-taken", "draft", "declined"})
PLANS = frozenset({"proposal", "plan"})
STOPPED = STOPPING_STATUSES | {"inactive"}
ON_HOLD = "on-hold"
COMPLETED = "completed"
CLOSED = STOPPED | {COMPLETED}

OPEN_DAYS = 365
"""A record without any end counts for so many days after it was written (CLINICAL.md section 13)."""

ZERO = Decimal(0)
THOUSANDTH = Decimal("0.001")


def counts(order: MedicationOrder) -> bool:
    """Whether this record can be exposure at all (CLINICAL.md section 5). A plan counts only where it is reported."""
    if order.status in NEVER_COUNTED:
        return False
    return order.intent not in PLANS or (order.intent == "plan" and order.reported)


def is_order(order: MedicationOrder) -> bool:
    """An order, rather than a report or a dispense of one."""
    return order.kind == "request" and not order.reported


def first_day(order: MedicationOrder) -> date | None:
    """The first day of this record: as said, else of its dosage, else when it was written; None: no date at all."""
    if order.start is not None:
        return order.start
    begun: date | None = None
    for dosage in order.dosages:
        if dosage.bounds_start is not None:
            begun = dosage.bounds_start if begun is None else min(begun, dosage.bounds_start)
        elif order.authored is not None:
            return order.authored
    return begun or order.authored or order.valid_from


def last_day(order: MedicationOrder) -> date | None:
    """The last day by the record's end, supply, dosage bounds or validity; None where it has none of them."""
    return order.end if order.end is not None else last_day_from(order, first_day(order))


def last_day_from(order: MedicationOrder, first: date | None) -> date | None:
    """The same where the first day is known already. The day on which an order was closed may be long after its supply
    was used up: it shortens, and never lengthens."""
    if order.end is not None:
        if order.kind != "request" or order.status not in CLOSED:
            return order.end
        supplied = _supplied_until(order, first)
        return order.end if supplied is None else min(order.end, supplied)
    return _supplied_until(order, first)


def _supplied_until(order: MedicationOrder, first: date | None) -> date | None:
    """The last day by supply, dosage bounds or validity."""
    if first is None:
        ends = [dosage.bounds_end for dosage in order.dosages]
        bounded = [end for end in ends if end is not None]
        return max(bounded) if bounded and len(bounded) == len(ends) else order.valid_to
    days = supply_days(order)
    if days is None:
        return None
    end = end_of(first, days)
    return order.valid_to if order.valid_to is not None and first <= order.valid_to < end else end


def supply_days(order: MedicationOrder) -> Decimal | None:
    """Days that this order supplies with its repeats (CLINICAL.md section 13, "Supply"); None: not known."""
    days = recorded_supply_days(order)
    if days is None and order.dosages:
        days = _bounded_days(order)
    return _validity_days(order) if days is None else days


def recorded_supply_days(order: MedicationOrder) -> Decimal | None:
    """Days of the expected supply, else of the quantity at the maximum daily dose, with all repeats and no longer than
    the validity; None where neither is known. A dispense is one fill."""
    days = order.supply_days
    if days is None or not days.is_finite() or days <= ZERO:
        days = None if order.quantity is None else _quantity_days(order)
    if days is None:
        return None
    if order.repeats is not None and order.repeats > 0 and order.kind != "dispense":
        days *= 1 + order.repeats
    valid = None if order.valid_to is None else _validity_days(order)
    return days if valid is None else min(days, valid)


def span(order: MedicationOrder, today: date) -> Span | None:
    """The days of this one record; None where it has no date at all or never counts (draft, proposal, ...)."""
    first = first_day(order)
    if first is None or not counts(order):
        return None
    last = last_day_from(order, first)
    if order.status == ON_HOLD:
        yesterday = before(today)
        last = yesterday if last is None else min(last, yesterday)
        return Span(first, max(first, last))
    if last is None:
        return Span(first, None, end_known=_runs_on(order, first, today))
    if order.status in STOPPED:
        last = min(last, max(first, today))
    return Span(first, last) if first <= last else Span(first, None, end_known=False)


def written_lately(order: MedicationOrder, first: date | None, today: date) -> bool:
    """Whether a record without an end is young enough to count as running; no date does not make it old."""
    written = order.authored or first
    return written is None or (today - written).days <= OPEN_DAYS


def _runs_on(order: MedicationOrder, first: date, today: date) -> bool:
    if order.kind == "dispense" or order.status == COMPLETED or order.status in STOPPED:
        return False
    return written_lately(order, first, today)


def _positive(value: Decimal | None) -> Decimal | None:
    return value if value is not None and value.is_finite() and value > 0 else None


def _quantity_days(order: MedicationOrder) -> Decimal | None:
    """Quantity by the most that is used in a day."""
    if order.quantity is None or order.drug is None or not order.dosages:
        return None
    amount = _positive(order.quantity.value)
    written = order.quantity.unit
    unit = None if written is None else read_unit(written)
    if amount is None or (written and unit is None):
        return None
    ingredient = order.drug.ingredients[0]
    dose = daily_dose(order, ingredient.name)
    if unit is not None and unit.kind == "mass":
        amount *= Decimal(unit.scale.numerator) / unit.scale.denominator
        daily = dose.maximum if dose.unit == "mg" and len(order.drug.ingredients) == 1 else None
    elif unit is None or (unit.kind == "volume") == _is_liquid(order, ingredient):
        daily = dose.units_per_day
    else:
        daily = None
    return None if daily is None or daily <= 0 else _rounded(amount / daily)


def _is_liquid(order: MedicationOrder, ingredient: Ingredient) -> bool:
    """Whether its daily units are millilitres."""
    amounts = [dosage.dose_high.unit for dosage in order.dosages if dosage.dose_high is not None]
    units = [read_unit(unit) for unit in amounts if unit]
    return ingredient.unit == "MG/ML" or any(unit is not None and unit.kind == "volume" for unit in units)


def _rounded(days: Decimal) -> Decimal:
    # A third of a day is not exact: thirty days must not become thirty-one.
    return days if days.adjusted() > 9 else days.quantize(THOUSANDTH)


def _bounded_days(order: MedicationOrder) -> Decimal | None:
    """Days of the dosage's bounds: instructions of one sequence number run side by side, others after each other."""
    by_sequence: dict[int | None, Decimal] = {}
    ends: list[date] = []
    for dosage in order.dosages:
        if dosage.bounds_end is not None:
            ends.append(dosage.bounds_end)
        days = _dosage_days(dosage, order)
        if days is None:
            return None
        by_sequence[dosage.sequence] = max(days, by_sequence.get(dosage.sequence, days))
    first = first_day(order)
    if ends and len(ends) == len(order.dosages) and first is not None and first <= max(ends):
        return Decimal((max(ends) - first).days + 1)
    return sum(by_sequence.values(), Decimal(0)) if by_sequence else None


def _dosage_days(dosage: Dosage, order: MedicationOrder) -> Decimal | None:
    if dosage.bounds_end is not None:
        first = dosage.bounds_start or first_day(order)
        if first is not None and first <= dosage.bounds_end:
            return Decimal((dosage.bounds_end - first).days + 1)
    return _positive(dosage.bounds_days)


def _validity_days(order: MedicationOrder) -> Decimal | None:
    if order.valid_to is None:
        return None
    first = order.valid_from or first_day(order)
    if first is None or order.valid_to < first:
        return None
    return Decimal((order.valid_to - first).days + 1)
