"""A lower order of a gabapentinoid that is taken, beside an opioid (DD-02)."""

from datetime import timedelta
from decimal import Decimal

from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.dose import daily_dose
from cds.first_line import FIRST_LINE
from cds.orders import RXNORM, TIMES, PlainOrder, Step, plural
from cds.products import Product
from cds.schedule_parts import RENAL_SITUATIONS
from cds.schedules import SCHEDULES

MOST_UNITS = 6
"""Units of one dose that may be asked for."""


def lowered_order(case: Case, running: MedicationOrder, ingredient: str) -> PlainOrder | None:
    """Half of what is taken, not below the therapeutic minimum nor above the maximum for the renal function, with a
    week half-way where the strengths allow one. None: it is at its minimum, or its dose or product leaves no lower one.
    """
    daily = daily_dose(running, ingredient).maximum
    if daily is None or running.drug is None or running.drug.release == "ER":
        return None
    agent, renal, lowering = FIRST_LINE[ingredient], case.renal.value, SCHEDULES.lowering[ingredient]
    least, most = agent.minimum_mg(renal) or daily, agent.maximum_mg(renal) or daily
    times = lowering.times[next((name for name, limit in RENAL_SITUATIONS.items() if case.renal.below(limit)), "usual")]
    target = max(least, min(daily / 2, most))
    ways = []
    for product in lowering.products:
        each = (product.mg or daily) * times
        units, half_way = target // each, (target + daily) / 2 // each
        if units and units <= MOST_UNITS and least <= units * each < daily:
            between = units < half_way <= MOST_UNITS and half_way * each < daily and half_way * each <= most
            ways.append((units * each, between, -units, product, half_way))
    if not ways:
        return None
    _, between, fewest, product, half_way = max(ways, key=lambda way: way[:3])
    return _order(case, running, product, times, (half_way, -fewest) if between else (-fewest,))


def _order(
    case: Case, running: MedicationOrder, product: Product, times: int, amounts: tuple[Decimal, ...]
) -> PlainOrder:
    days, first = SCHEDULES.whole("order_days"), SCHEDULES.whole("lower_step_days")
    review = case.today + timedelta(days=SCHEDULES.whole("review_days"))
    note = (
        f"{SCHEDULES.words['lower_caution']} Replaces the order that is running: stop that one. "
        f"Review by {review.isoformat()}."
    )
    last = len(amounts) - 1
    steps = tuple(_step(product, times, units, at, None if at == last else first) for at, units in enumerate(amounts))
    return PlainOrder(
        kind="medication",
        text=product.name,
        code=product.rxcui,
        system=RXNORM,
        display=product.name,
        ingredient=product.ingredient,
        steps=steps,
        quantity=sum((step.amount * times * (step.days or days - first * last) for step in steps), Decimal(0)),
        quantity_unit=product.unit,
        days=days,
        note=note,
        prior=running.ref,
        route="oral",
    )


def _step(product: Product, times: int, units: Decimal, at: int, days: int | None) -> Step:
    mg = None if product.mg is None else product.mg * units
    counted = f"{number(units)} {plural(product.unit, units)}{f' ({number(mg)} mg)' if mg else ''}"
    text = f"{'then ' if at else ''}{counted} by mouth {TIMES[times]} a day{f' for {days} days' if days else ''}"
    return Step(units, product.unit, mg, times, text, days=days)
