"""Dosage -> daily dose (exact, the maximum where it is as needed, or None with the reason); daily dose -> MME."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct

from cds.amount import Measure
from cds.chart import Dosage, MedicationOrder
from cds.conversion import conversion, opioids
from cds.daily import Day, order_day
from cds.drugs import Drug
from cds.units import decimal

OUD_MEANING = "opioid_use_disorder"
_NOTHING = Fraction(0)


class DailyDose(Struct, frozen=True):
    """The daily dose of one ingredient of an order, in ``unit`` ("mg", or "mg/h" worn at once for a patch).

    ``maximum`` is the highest day (as-needed maxima, highest dose, shortest interval); ``mean`` (what MME uses) is less
    only where days of the week or a period above a day spread the doses; ``scheduled`` is the part of the mean that is
    not as needed. ``single`` is the highest single dose. ``up_to``: a range or an as-needed maximum.
    ``units_per_day`` counts tablets, patches or millilitres a day at the highest dose and the shortest interval, spread
    over the interval (a patch every 72 h is a third); None where it cannot be told.
    The first three are None where the dose cannot be told; ``reason`` then says why, in the fixed vocabulary:
    "no dose", "no unit", "no strength", "no frequency", "as needed without a limit", "no concentration",
    "text not understood", "infusion or injection". ``at_least`` is then the mean of what
    can be told. ``minimum`` is the least that is taken in a day: lowest dose, longest interval, nothing of what is as
    needed. ``disagrees``: text and fields tell another dose, and the larger is told here.
    """

    maximum: Decimal | None = None
    mean: Decimal | None = None
    scheduled: Decimal | None = None
    single: Decimal | None = None
    unit: str = "mg"
    units_per_day: Decimal | None = None
    interval_hours: Decimal | None = None
    up_to: bool = False
    reason: str | None = None
    at_least: Decimal | None = None
    minimum: Decimal | None = None
    disagrees: bool = False


class MmePart(Struct, frozen=True):
    """What one order adds to the sum. ``mme`` None: cannot be told (``reason``); ``counted`` False: has no factor or is
    for opioid use disorder, left out by rule and named. ``reason``: one of ``DailyDose``'s, "for opioid use disorder",
    "no conversion factor", or "no form" (fentanyl of which it is not said how it is taken)."""

    ref: str
    ingredient: str
    mme: Decimal | None
    scheduled: Decimal | None
    counted: bool = True
    up_to: bool = False
    reason: str | None = None
    factor: Decimal | None = None
    older_factor: bool = False
    disagrees: bool = False
    """Text and fields of the order tell another dose; the larger is counted."""


class MmeSum(Struct, frozen=True):
    """The sum over orders, MME a day. ``at_least`` is the known sum; ``total`` is None while a counted part is not."""

    at_least: Decimal
    total: Decimal | None
    scheduled_at_least: Decimal
    parts: tuple[MmePart, ...]
    unknown: tuple[MmePart, ...] = ()
    """The counted parts that are not told."""
    not_counted: tuple[MmePart, ...] = ()


NO_OPIOID = MmeSum(Decimal(0), Decimal(0), Decimal(0), ())


def daily_dose(order: MedicationOrder, ingredient: str) -> DailyDose:
    """The daily dose of one ingredient of this order. The drug must be recognised. Raises nothing."""
    if order.drug is None:
        return DailyDose(reason="no dose")
    try:
        return _daily_dose(order.drug, order.dosages, ingredient)
    except TypeError:
        # What cannot be hashed (a signalling NaN) cannot be remembered.
        return _daily_dose.__wrapped__(order.drug, order.dosages, ingredient)


@lru_cache(maxsize=4096)
def _daily_dose(drug: Drug, dosages: tuple[Dosage, ...], ingredient: str) -> DailyDose:
    measure = Measure(drug, ingredient)
    day = order_day(dosages, measure)
    return DailyDose(
        maximum=_shown(day.maximum),
        mean=_shown(day.mean),
        scheduled=_shown(day.scheduled),
        single=_shown(day.single),
        unit="mg/h" if _worn(day, dosages, measure) else "mg",
        units_per_day=_shown(day.pieces),
        interval_hours=_shown(day.interval_hours),
        up_to=day.up_to,
        reason=day.reason,
        at_least=decimal(day.known) if day.reason is not None and day.known else None,
        minimum=_shown(day.minimum),
        disagrees=day.disagrees,
    )


def _worn(day: Day, dosages: Sequence[Dosage], measure: Measure) -> bool:
    """Whether the dose is a patch's hourly rate; an order has one kind of dose."""
    return day.worn or measure.hourly(None) or any(measure.hourly(dosage.route) for dosage in dosages)


def _shown(value: Fraction | None) -> Decimal | None:
    return None if value is None else decimal(value)


class _Part(Struct, frozen=True):
    """An ``MmePart`` without its order, and its exact amounts (what is known of it, where not all is)."""

    part: MmePart
    known: Fraction
    known_scheduled: Fraction
    at_least: Decimal
    scheduled_at_least: Decimal
    """The same two as decimals."""


def mme_sum(orders: Sequence[MedicationOrder]) -> MmeSum:
    """MME a day of all opioids in these orders, each counted (the caller has left out what is replaced)."""
    found = [(each, order.ref) for order in orders for each in _parts(order)]
    if not found:
        return NO_OPIOID
    parts = [_of(each.part, ref) for each, ref in found]
    if len(found) == 1:
        at_least, scheduled_at_least = found[0][0].at_least, found[0][0].scheduled_at_least
    else:
        parts.sort(key=_place)
        at_least = decimal(sum([each.known for each, _ in found], _NOTHING))
        scheduled_at_least = decimal(sum([each.known_scheduled for each, _ in found], _NOTHING))
    unknown = tuple([part for part in parts if part.counted and part.mme is None])
    return MmeSum(
        at_least=at_least,
        total=None if unknown else at_least,
        scheduled_at_least=scheduled_at_least,
        parts=tuple(parts),
        unknown=unknown,
        not_counted=tuple([part for part in parts if not part.counted]),
    )


def _place(part: MmePart) -> tuple[object, ...]:
    """Where a part stands in a sum, whatever the order of the orders."""
    return part.ref, part.ingredient, part.mme or 0, part.scheduled or 0, part.up_to, part.reason or ""


def _of(part: MmePart, ref: str) -> MmePart:
    return MmePart(
        ref,
        part.ingredient,
        part.mme,
        part.scheduled,
        part.counted,
        part.up_to,
        part.reason,
        part.factor,
        part.older_factor,
        part.disagrees,
    )


def _parts(order: MedicationOrder) -> Iterable[_Part]:
    if order.drug is None:
        return ()
    for_oud = any(OUD_MEANING in reason.meanings for reason in order.reasons)
    try:
        return _drug_parts(order.drug, order.dosages, for_oud)
    except TypeError:
        return _drug_parts.__wrapped__(order.drug, order.dosages, for_oud)


@lru_cache(maxsize=4096)
def _drug_parts(drug: Drug, dosages: tuple[Dosage, ...], for_oud: bool) -> tuple[_Part, ...]:
    parts = []
    for ingredient in opioids(drug):
        measure = Measure(drug, ingredient.name)
        day = order_day(dosages, measure)
        injected = all(measure.injected(dosage.route) for dosage in dosages) if dosages else measure.injected(None)
        found = conversion(drug, ingredient, for_oud, injected, _worn(day, dosages, measure))
        factor = _NOTHING if found.factor is None else found.factor.value
        if found.factor is None:
            # Without a factor nothing is known of the sum, however well the dose is known.
            injection = found.counted and day.reason == "infusion or injection"
            day = Day(reason=day.reason if injection else found.reason, up_to=day.up_to)
        part = MmePart(
            ref="",
            ingredient=ingredient.name,
            mme=decimal(day.mean * factor) if day.mean is not None else None,
            scheduled=decimal(day.scheduled * factor) if day.scheduled is not None else None,
            counted=found.counted,
            up_to=day.up_to,
            reason=day.reason,
            factor=found.shown,
            older_factor=found.factor is not None and found.factor.older,
            disagrees=day.disagrees,
        )
        known, scheduled = day.known * factor, day.known_scheduled * factor
        parts.append(_Part(part, known, scheduled, decimal(known), decimal(scheduled)))
    return tuple(parts)
