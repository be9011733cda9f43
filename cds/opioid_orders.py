"""Plain orders of opioids: tramadol in place of a strong one, the same opioid in another product, a taper."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from msgspec.structs import replace

from cds.case import Case, number
from cds.chart import Dosage, MedicationOrder
from cds.dose import daily_dose
from cds.orders import RXNORM, TIMES, PlainOrder, Step, plural, quantity_of, step_of
from cds.products import Product, products_of
from cds.schedules import SCHEDULES
from cds.scope import opioids_of

MOST_UNITS = 6
"""Units of one dose that a taper may ask for."""
DAY_HOURS = 24
HUNDRED = Decimal(100)


def tramadol_order(case: Case, reason: str | None) -> PlainOrder:
    """Tramadol of immediate release, 50 mg once and then twice a day, 14 days, no repeats (NP-04)."""
    severe = case.renal.below(SCHEDULES.limits["tramadol_crcl_ml_per_min"])
    schedule = SCHEDULES.tramadol["crcl_below_30" if severe is True else "usual"]
    days = SCHEDULES.whole("supply_days")
    steps = tuple(step_of(schedule, course, at) for at, course in enumerate(schedule.courses))
    order = _opioid(case, schedule.product, steps, days, SCHEDULES.words["tramadol_caution"], reason)
    return replace(order, quantity=quantity_of(schedule.courses, days))


def immediate_release_orders(case: Case, ingredient: str, reason: str | None) -> Iterable[PlainOrder]:
    """The opioid at its lowest labelled first dose, as needed, 7 days; then at half of it where tablets allow."""
    first = SCHEDULES.first_doses.get(ingredient)
    if first is None:
        return
    days, every = SCHEDULES.whole("cautious_supply_days"), first.every_hours
    for units in dict.fromkeys((Decimal(1), first.product.smallest)):
        step = _step(first.product, units, 1, every, "pain")
        yield _opioid(case, first.product, (step,), days, SCHEDULES.words["first_dose_caution"], reason)


def opioid_only_order(case: Case, draft: MedicationOrder) -> PlainOrder | None:
    """The draft with a product of the same opioid strength and nothing else; None where there is none, or where the
    dosage is not in numbers. A range of intervals becomes the longest one; repeats are left out."""
    product = opioid_only_product(draft)
    timing = _timing(draft)
    if product is None or timing is None:
        return None
    dosage, times, hours = timing
    if dosage.dose_high is None or dosage.dose_low is None or not _counted(dosage.dose_high.unit):
        return None
    step = _step(product, dosage.dose_high.value, times, hours, "pain" if dosage.as_needed else None)
    if dosage.dose_low.value < dosage.dose_high.value:
        fewest, mg = dosage.dose_low.value, number(dosage.dose_low.value * (product.mg or 0))
        text = f"{number(fewest)} to {step.text.replace('(', f'({mg} to ', 1)}"
        step = replace(step, fewest=fewest, text=text)
    days = int(draft.supply_days or 0) or SCHEDULES.whole("cautious_supply_days")
    reason = draft.reasons[0].name if draft.reasons else None
    return _opioid(case, product, (step,), days, None, reason)


def opioid_only_product(draft: MedicationOrder) -> Product | None:
    """The product that holds the same amount of the draft's opioid, and nothing else."""
    names = opioids_of(draft)
    if draft.drug is None or len(names) != 1:
        return None
    part = next(part for part in draft.drug.ingredients if part.name == names[0])
    if part.unit != "MG" or draft.drug.release not in ("IR", None):
        return None
    return next((product for product in products_of(part.name, "IR") if product.mg == part.amount), None)


def taper_order(case: Case, old: MedicationOrder) -> PlainOrder | None:
    """The first four weeks of a taper of an opioid that is taken: each two weeks lower by 10 % of the dose at the
    start (no less than 5 %), in whole units or halves of tablets. None where the strengths do not allow it."""
    names, timing = opioids_of(old), _timing(old)
    if old.drug is None or len(old.drug.ingredients) != 1 or timing is None:
        return None
    dosage, times, hours = timing
    dose = daily_dose(old, names[0])
    if (
        dose.maximum is None
        or dose.unit != "mg"
        or dose.single is None
        or dose.maximum != dose.single * times * (DAY_HOURS // hours)
    ):
        return None
    ways = [
        (product, amounts)
        for product in products_of(names[0], old.drug.release or "IR", old.drug.form)
        if (amounts := _falling(product, dose.single))
    ]
    if not ways:
        return None
    product, amounts = max(ways, key=lambda way: (len(way[1]), way[0].mg or 0))
    whole = 2 * SCHEDULES.whole("taper_step_days")
    days = whole // len(amounts)
    needed = "pain" if dosage.as_needed else None
    steps = tuple(
        replace(_step(product, units, times, hours, needed, at), days=days) for at, units in enumerate(amounts)
    )
    order = _opioid(case, product, steps, whole, SCHEDULES.words["taper_caution"], None)
    a_day = times * (DAY_HOURS // hours)
    return replace(order, quantity=whole_units(sum(amounts, Decimal(0)) * a_day * days), prior=old.ref)


def taper_cut(old: MedicationOrder) -> Decimal | None:
    """10 % of the daily dose in mg; None where the dose is not known in mg."""
    names = opioids_of(old)
    dose = daily_dose(old, names[0]) if names else None
    if dose is None or dose.maximum is None or dose.unit != "mg":
        return None
    return dose.maximum * SCHEDULES.limits["taper_percent"] / HUNDRED


def _falling(product: Product, single_mg: Decimal) -> list[Decimal]:
    """Units of the one or two next doses, each lower by 5 to 10 % of the dose at the start."""
    most, least = (single_mg * SCHEDULES.limits[name] / HUNDRED for name in ("taper_percent", "taper_least_percent"))
    found: list[Decimal] = []
    mg, unit = single_mg, (product.mg or Decimal(1)) * product.smallest
    while len(found) < 2:
        lowest = ((mg - most) / unit).to_integral_value(ROUND_CEILING) * unit
        if lowest > mg - least or lowest / unit * product.smallest > MOST_UNITS:
            break
        found.append(lowest / unit * product.smallest)
        mg = lowest
    return found


def whole_units(amount: Decimal) -> Decimal:
    """The amount that is dispensed for so many doses: no part of a unit."""
    return amount.to_integral_value(ROUND_CEILING)


def _timing(order: MedicationOrder) -> tuple[Dosage, int, int] | None:
    """The one dosage of an order with its times in so many hours; None where it has several or is not in numbers.

    The longest interval of a range counts.
    """
    if len(order.dosages) != 1:
        return None
    dosage = order.dosages[0]
    if dosage.max_dose is not None or dosage.max_single is not None or dosage.days_of_week or dosage.rate is not None:
        return None
    times = dosage.frequency or Decimal(dosage.times_of_day or dosage.when or 0)
    period = dosage.period_max or dosage.period or Decimal(1 if times else 0)
    hours = period * DAY_HOURS
    if not times or times % 1 or not hours or hours % 1 or DAY_HOURS % hours or (times > 1 and hours < DAY_HOURS):
        return None
    return dosage, int(times), int(hours)


def _counted(unit: str | None) -> bool:
    return (unit or "tablet").strip("{}[] ").lower().rstrip("s") in ("tablet", "tab", "capsule", "cap")


def _step(product: Product, units: Decimal, times: int, hours: int, as_needed: str | None, at: int = 0) -> Step:
    mg = None if product.mg is None else product.mg * units
    counted = f"{number(units)} {plural(product.unit, units)}{f' ({number(mg)} mg)' if mg else ''}"
    when = f"every {hours} hours" if hours < DAY_HOURS else f"{TIMES.get(times, f'{times} times')} a day"
    needed = f" as needed for {as_needed}" if as_needed else ""
    text = f"{'then ' if at else ''}{counted} by mouth {when}{needed}"
    return Step(units, product.unit, mg, times, text, period_hours=hours, as_needed=as_needed)


def _opioid(
    case: Case, product: Product, steps: tuple[Step, ...], days: int, caution: str | None, reason: str | None
) -> PlainOrder:
    """An order of so many days without repeats, with a review before it ends; its amount is that of its first step."""
    first = steps[0]
    review = case.today + timedelta(days=days)
    notes = (caution, f"Review pain, function and side effects by {review.isoformat()}.")
    return PlainOrder(
        kind="medication",
        text=product.name,
        code=product.rxcui,
        system=RXNORM,
        display=product.name,
        ingredient=product.ingredient,
        steps=steps,
        quantity=whole_units(first.amount * first.times * (DAY_HOURS // first.period_hours) * days),
        quantity_unit=product.unit,
        days=days,
        reason=reason,
        note=" ".join(filter(None, notes)),
        route="oral",
    )
