"""Plain orders: what is proposed, complete, and in no version of FHIR; and each as the order that a review reads.

Doses, products and texts are those of ``rules/alternatives.toml``. ``hooks.fhir_write`` turns them into resources.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from cds.case import Case, number
from cds.chart import Dosage, MedicationOrder, Quantity, Reason
from cds.drugs import ingredient_drug, recognise
from cds.products import ORDER_UNITS
from cds.schedule_parts import RENAL_SITUATIONS
from cds.schedules import SCHEDULES, Agent, Course, Schedule
from cds.scope import depressant_class, is_opioid
from cds.terminology import Coding, Concept

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PROPOSED = "MedicationRequest/proposed"
"""The reference of an order that is proposed and not yet drafted."""
PROPOSED_RESCUE = f"{PROPOSED}-rescue"

TIMES = {1: "once", 2: "twice", 3: "three times", 4: "four times"}


class Step(Struct, frozen=True):
    """One dosage instruction: ``amount`` units of ``unit`` ("capsule", "tablet", "patch", "spray"), taken ``times`` in
    ``period_hours`` (0: only when needed); ``at_night`` replaces the clock; ``days`` bounds it (None: goes on).
    ``fewest`` is the low end where ``amount`` is the high end of a range; ``mg`` is what one dose holds.
    ``text`` is the whole sig; ``as_needed`` what for."""

    amount: Decimal
    unit: str
    mg: Decimal | None
    times: int
    text: str
    period_hours: int = 24
    at_night: bool = False
    days: int | None = None
    as_needed: str | None = None
    fewest: Decimal | None = None


class PlainOrder(Struct, frozen=True):
    """A complete order in no version of FHIR: what ``hooks.fhir_write`` turns into a resource.

    ``kind`` is "medication" or "service". ``code`` is an RxCUI (medication) or a code of ``system``. ``text`` names
    drug, strength and form. ``prior`` is the reference of the order that this one takes the place of. ``route`` is that
    of ``cds.drugs``; ``days`` the supply. ``fixed``: it is the same for every patient, so it may be remembered.
    """

    kind: str
    text: str
    code: str | None
    system: str | None
    display: str | None = None
    ingredient: str | None = None
    steps: tuple[Step, ...] = ()
    quantity: Decimal | None = None
    quantity_unit: str | None = None
    days: int | None = None
    repeats: int = 0
    reason: str | None = None
    note: str | None = None
    prior: str | None = None
    route: str | None = None
    fixed: bool = False


class Update(Struct, frozen=True):
    """Named changes to the client's own draft. Each is None where it stays as it is.

    ``dose_factor`` multiplies every dose; ``every_hours`` gives each as it is at this interval; ``supply_days`` sets
    the supply, ``quantity`` its amount in the unit that the draft has (None: scaled with the supply and the dose) and
    ``repeats`` the fills; ``note`` is appended.
    """

    ref: str
    dose_factor: Decimal | None = None
    every_hours: int | None = None
    supply_days: int | None = None
    repeats: int | None = None
    note: str | None = None
    quantity: Decimal | None = None


class Proposal(Struct, frozen=True):
    """One suggestion. ``create``/``update`` come first, ``delete`` (the reference of a draft of this signing) last.

    ``label`` says drug and dose. ``recommended`` at most once in a review. ``also`` is a second order without which the
    first must not be offered: the ECG before a tricyclic.
    """

    ask: str
    group: str
    rule: str
    label: str
    create: PlainOrder | None = None
    update: Update | None = None
    delete: str | None = None
    recommended: bool = False
    also: PlainOrder | None = None


class Proposals(Struct, frozen=True):
    """Proposals by card group, best first, and what is said where none could be made (sentences, by group)."""

    by_group: Mapping[str, tuple[Proposal, ...]] = {}
    notes: Mapping[str, tuple[str, ...]] = {}


def schedule_for(case: Case, agent: Agent, regimen: tuple[MedicationOrder, ...]) -> Schedule:
    """The schedule for this patient's kidneys, age and other drugs. What is not known is taken as the careful case."""
    renal = case.renal.value
    for situation, limit in RENAL_SITUATIONS.items():
        if renal is not None and renal < limit and situation in agent.schedules:
            return agent.schedules[situation]
    careful = (
        renal is None
        or renal < 60
        or case.aged(SCHEDULES.whole("older_years")) is not False
        or any(depressant_class(order) is not None or is_opioid(order) for order in regimen)
    )
    return agent.schedules.get("careful" if careful else "usual", agent.schedules["usual"])


def start_order(
    case: Case,
    agent: Agent,
    regimen: tuple[MedicationOrder, ...],
    reason: str | None = None,
    note: str | None = None,
) -> PlainOrder:
    """The order that starts this agent, with its titration. ``regimen`` is what else is taken."""
    schedule = schedule_for(case, agent, regimen)
    return _order(case, agent, schedule, schedule.courses, reason, note, prior=None)


def next_step_order(
    case: Case,
    agent: Agent,
    running: MedicationOrder,
    daily_mg: Decimal,
    regimen: tuple[MedicationOrder, ...],
    reason: str | None = None,
) -> PlainOrder | None:
    """The titration from a running daily dose onwards; None where the schedule has no higher step."""
    schedule = schedule_for(case, agent, regimen)
    doses = ((course, schedule.mg_per_day(course)) for course in schedule.courses)
    higher = tuple(course for course, mg in doses if mg is not None and mg > daily_mg)
    if not higher:
        return None
    ordered = running.kind == "request"
    note = "Replaces the order that is running: stop that one." if ordered else "Takes the place of the present dose."
    return _order(case, agent, schedule, higher, reason, note, prior=running.ref)


def _order(
    case: Case,
    agent: Agent,
    schedule: Schedule,
    courses: tuple[Course, ...],
    reason: str | None,
    note: str | None,
    prior: str | None,
) -> PlainOrder:
    days, product = SCHEDULES.whole("order_days"), schedule.product
    review = case.today + timedelta(days=SCHEDULES.whole("review_days"))
    notes = (note, agent.caution, f"Review effect, side effects and dose by {review.isoformat()}.")
    return PlainOrder(
        kind="medication",
        text=agent.text or product.name,
        code=product.rxcui,
        system=RXNORM,
        display=product.name,
        ingredient=agent.ingredient,
        steps=tuple(step_of(schedule, course, at) for at, course in enumerate(courses)),
        quantity=quantity_of(courses, days),
        quantity_unit=product.unit,
        days=days,
        reason=reason,
        note=" ".join(filter(None, notes)),
        prior=prior,
        route=agent.route,
    )


def quantity_of(courses: tuple[Course, ...], days: int) -> Decimal:
    """Units for all stages in so many days."""
    left = days - sum(course.days or 0 for course in courses)
    return sum((course.units * course.times * (course.days or left) for course in courses), Decimal(0))


def step_of(schedule: Schedule, course: Course, at: int) -> Step:
    """A stage as a dosage instruction; ``at`` counts from 0."""
    unit, mg = schedule.product.unit, schedule.product.mg
    dose = None if mg is None else course.units * mg
    if course.text is None:
        counted = f"{number(course.units)} {plural(unit, course.units)}"
        when = "at night" if course.at_night else f"{TIMES[course.times]} a day"
        text = f"{counted}{f' ({number(dose)} mg)' if dose else ''} by mouth {when}"
        text = f"{'then ' if at else ''}{text}{f' for {course.days} days' if course.days else ''}"
    else:
        text = course.text
    return Step(
        amount=course.units,
        unit=unit,
        mg=dose,
        times=course.times,
        text=text,
        at_night=course.at_night,
        days=course.days,
        fewest=course.fewest,
    )


def dose_in_words(order: PlainOrder) -> str:
    """First and last dose of an order, for a label: "300 mg at night, up to 900 mg a day"."""
    first, last = order.steps[0], order.steps[-1]
    if first.mg is None:
        return f"up to {number(first.amount)} {plural(first.unit, first.amount)}"
    times = "at night" if first.at_night else "a day" if first.times == 1 else f"{TIMES[first.times]} a day"
    start = f"{number(first.mg)} mg {times}"
    if last is first or last.mg is None:
        return start
    return f"{start}, up to {number(last.mg * last.times)} mg a day"


def plural(unit: str, count: Decimal) -> str:
    """The unit of an order for so many: "2 patches"; other units ("mg") stay as they are."""
    if unit not in ORDER_UNITS:
        return unit
    return unit if count == 1 else f"{unit}es" if unit.endswith("ch") else f"{unit}s"


def as_medication(order: PlainOrder, today: date, reasons: tuple[Reason, ...] = ()) -> MedicationOrder | None:
    """The order as a draft that a review reads; None for a procedure. The dosages are those of its FHIR resource."""
    if order.kind != "medication" or order.ingredient is None:
        return None
    concept = Concept((Coding(order.system, order.code, order.display),), order.text)
    return MedicationOrder(
        ref=PROPOSED_RESCUE if order.ingredient == SCHEDULES.rescue.ingredient else PROPOSED,
        kind="request",
        drug=recognise(concept, route=order.route) or ingredient_drug(order.ingredient),
        name=order.text,
        status="draft",
        intent="order",
        authored=today,
        dosages=tuple(_dosage(step, at, order) for at, step in enumerate(order.steps, 1)),
        supply_days=None if order.days is None else Decimal(order.days),
        quantity=None if order.quantity is None else Quantity(order.quantity, order.quantity_unit),
        repeats=order.repeats,
        follows=frozenset() if order.prior is None else frozenset({order.prior}),
        reasons=reasons,
    )


def _dosage(step: Step, at: int, order: PlainOrder) -> Dosage:
    timed = step.times > 0
    return Dosage(
        sequence=at,
        text=step.text,
        dose_low=Quantity(step.fewest or step.amount, step.unit),
        dose_high=Quantity(step.amount, step.unit),
        as_needed=True if step.as_needed else None,
        frequency=Decimal(step.times) if timed else None,
        period=Decimal(step.period_hours) / 24 if timed else None,
        when=1 if step.at_night else 0,
        bounds_days=None if step.days is None else Decimal(step.days),
        route=order.route,
    )
