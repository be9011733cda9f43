"""The course of opioid and partner drugs over time: naive or tolerant, established or new, rising or unchanged."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from cds.case import Case
from cds.chart import MedicationOrder
from cds.dose import daily_dose, mme_sum
from cds.exposure import continuous_days, days_taken, recorded_spans, span, taken_on
from cds.likeness import Amount, daily, same_product_and_dosage
from cds.once import once_a_case, once_a_chart, once_for
from cds.outcome import any_of
from cds.scope import is_opioid, is_systemic, opioids_of, stops, strength
from cds.spans import Span, before, shared
from cds.supply import STOPPED, is_order, last_day

DoseChange = Literal["rises", "unchanged", "falls", "unknown"]
Records = Sequence[tuple[MedicationOrder, Span]]

NAIVE_DAYS, NAIVE_WINDOW_DAYS = 7, 30
TOLERANT_DAYS = 7
TOLERANT_MME = Decimal(60)
TOLERANT_DOSES: dict[tuple[str, str], Decimal] = {
    ("morphine", "mg"): Decimal(60),
    ("oxycodone", "mg"): Decimal(30),
    ("hydromorphone", "mg"): Decimal(8),
    ("oxymorphone", "mg"): Decimal(25),
    ("fentanyl", "mg/h"): Decimal("0.025"),
}
"""Daily doses of SAF-12, by ingredient and unit; every other opioid by ``TOLERANT_MME``."""
ESTABLISHED_DAYS = 90
GAP_DAYS = 14
CONTINUED_RISE = Decimal("1.25")
"""A continuation raises the daily dose by no more than a quarter."""

ZERO = Decimal(0)


@once_a_chart
def naive(case: Case) -> bool | None:
    """Opioid-naive: no opioid supply covering >= 7 of the last 30 days; None where the history is not known."""
    spans = opioid_records(case)
    first = case.today - timedelta(days=NAIVE_WINDOW_DAYS - 1)
    if spans and days_taken([days for _, days in spans], first, case.today) >= NAIVE_DAYS:
        return False
    return True if case.history_known and not undated(case) else None


@once_a_chart
def tolerant(case: Case) -> bool | None:
    """Opioid-tolerant: the SAF-12 dose on each of the last 7 days; None where the history is not known.

    A supply that ended yesterday may have covered them: the seven days end today or yesterday. A dose that is reached
    only by what is taken as needed, or that cannot be told, leaves the answer open.
    """
    at_dose = _at_dose(case)
    today = [at_dose(case.today - timedelta(days=ago)) for ago in range(TOLERANT_DAYS + 1)]
    found = any_of(_each(days) for days in (today[:-1], today[1:]))
    if found is False and (not case.history_known or undated(case)):
        return None
    return found


def tolerant_until(case: Case, within_days: int) -> date | None:
    """The last of so many days before today at whose end the patient was opioid-tolerant."""
    at_dose = _at_dose(case)
    days = [case.today - timedelta(days=ago) for ago in range(1, within_days + TOLERANT_DAYS)]
    runs = ((days[start], days[start : start + TOLERANT_DAYS]) for start in range(within_days))
    return next((last for last, run in runs if all(map(at_dose, run))), None)


def _at_dose(case: Case) -> Callable[[date], bool | None]:
    """Tells of a day whether the dose of SAF-12 was taken."""
    spans = opioid_records(case)
    answers: dict[tuple[int, ...], bool | None] = {}

    def at_dose(day: date) -> bool | None:
        covering = [(record, days) for record, days in spans if days.start <= day <= days.last]
        key = tuple(id(record) for record, _ in covering)
        if key not in answers:
            answers[key] = _at_tolerant_dose(taken_on(covering, day))
        return answers[key]

    return at_dose


def dose_change(case: Case, draft: MedicationOrder) -> DoseChange:
    """What this signing does to the daily dose of the draft's drug (CLINICAL.md section 13, "Raises").

    A first order rises; "unknown" is treated as a rise, warning at most, by the rules that read it. Of a product the
    opioid counts, of any other combination every ingredient.
    """
    if draft.drug is None:
        replaced = [one.old for one in case.replaced_by(draft)]
        return "unchanged" if _repeats([draft], replaced) else "unknown"
    systemic = is_systemic(draft)
    changes = {_change(case, name, systemic) for name in _names(draft)}
    for change in ("rises", "unknown", "falls"):
        if change in changes:
            return change
    return "unchanged"


def established(case: Case, draft: MedicationOrder, partner: MedicationOrder | None = None) -> bool:
    """Established exposure: this drug (and its partner, together) on >= 90 days up to today, gaps <= 14 d joined,
    nothing rising. Everything else, and unknown start dates, is new. Without a partner, only days at this dose count.
    """
    if not _settled(case, draft):
        return False
    mine = _names(draft), is_systemic(draft)
    if partner is None:
        spans = [days for record, days in _records_of(case, *mine) if _at_dose_of(draft, record)]
        return continuous_days(spans, case.today, GAP_DAYS) >= ESTABLISHED_DAYS
    if any(partner is other for other in case.drafts) and not _settled(case, partner):
        return False
    theirs = _names(partner), is_systemic(partner)
    return _days_together(case, *mine, *theirs) >= ESTABLISHED_DAYS


def continuation(case: Case, draft: MedicationOrder) -> bool:
    """CLINICAL.md section 1, "Continuation": no NP rule then. A step from weak to strong is new."""
    class_ = strength(draft)
    if class_ is None or stops(draft):
        return False
    records = opioid_records(case)
    same = [(record, days) for record, days in records if strength(record) == class_]
    if _long_supplied(same, case.today):
        old = [order for order in case.listed if strength(order) == class_] or _last_taken(same, case.today)
        new = [order for order in _continued(case) if strength(order) == class_]
        doses = _compared(old, new)
        if doses is None:
            return _repeats(new, old)
        if doses[1] <= doses[0] * CONTINUED_RISE:
            return True
    if class_ == "strong" or not _long_supplied(records, case.today):
        return False
    old = [order for order in case.listed if is_opioid(order)] or _last_taken(records, case.today)
    doses = _compared(old, _continued(case))
    return doses is not None and doses[1] <= doses[0]


@once_a_chart
def opioid_records(case: Case) -> Records:
    """Every opioid record that counts, with its days."""
    found = [record for record in case.chart.medications if record.drug is not None and record.drug.is_opioid]
    if not found:
        return ()
    spans = recorded_spans(found, case.today)
    if any(_cut_short(record, case.today) for record in found):
        spans = tuple([(record, _until_next(record, days, spans, case.today)) for record, days in spans])
    return spans


def _cut_short(record: MedicationOrder, today: date) -> bool:
    """A stopped order whose supply would reach to today: it ended before that, and R4 has no element for the day."""
    if record.status not in STOPPED or record.end is not None or not is_order(record):
        return False
    last = last_day(record)
    return last is not None and last >= today


def _until_next(record: MedicationOrder, days: Span, spans: Records, today: date) -> Span:
    """Of what was cut short, the days until another order of the same drug began; without one nobody knows."""
    if not _cut_short(record, today):
        return days
    begun = [
        other.start
        for one, other in spans
        if days.start < other.start <= today and not set(opioids_of(one)).isdisjoint(opioids_of(record))
    ]
    return Span(days.start, before(min(begun))) if begun else Span(days.start, None, end_known=False)


@once_a_chart
def undated(case: Case) -> bool:
    """An opioid has no dates, or nobody knows how long it has been or will be taken."""
    for order in case.listed:
        if order.drug is not None and order.drug.is_opioid:
            days = span(order, case.today)
            if days is None or not days.end_known:
                return True
    return any(not days.end_known and _cut_short(record, case.today) for record, days in opioid_records(case))


def _each(days: Iterable[bool | None]) -> bool | None:
    answers = list(days)
    if False in answers:
        return False
    return None if None in answers else True


def _at_tolerant_dose(taken: Sequence[MedicationOrder]) -> bool | None:
    """Whether what is taken by the clock makes tolerant; None where only as-needed or unknown doses could."""
    if not taken:
        return False
    scheduled: dict[tuple[str, str], Decimal] = {}
    highest: dict[tuple[str, str], Decimal] = {}
    unknown = False
    for order in taken:
        for name in opioids_of(order):
            dose = daily_dose(order, name)
            key = (name, dose.unit)
            unknown = unknown or dose.maximum is None
            scheduled[key] = scheduled.get(key, ZERO) + (dose.scheduled or ZERO)
            highest[key] = highest.get(key, ZERO) + (dose.maximum or ZERO)
    mme = mme_sum(taken)
    if mme.scheduled_at_least >= TOLERANT_MME or _reaches(scheduled):
        return True
    return None if unknown or mme.at_least >= TOLERANT_MME or mme.unknown or _reaches(highest) else False


def _reaches(doses: dict[tuple[str, str], Decimal]) -> bool:
    return any(dose >= TOLERANT_DOSES[key] for key, dose in doses.items() if key in TOLERANT_DOSES)


def _names(order: MedicationOrder) -> tuple[str, ...]:
    """The ingredients whose course matters: the opioids of a product, else all."""
    if order.drug is None:
        return ()
    return opioids_of(order) or tuple(part.name for part in order.drug.ingredients)


@once_for
def _change(case: Case, name: str, systemic: bool) -> DoseChange:
    old, new = _holding(name, systemic, _gone(case)), _holding(name, systemic, case.starting)
    if not new:
        return "falls"
    if not old:
        return "rises"
    dose, dose_before = _total(new, name), _total(old, name)
    if dose is None or dose_before is None or dose[1] != dose_before[1]:
        if not _repeats(new, old):
            return "unknown"
        return "unchanged" if len(new) == len(old) else "falls"
    if dose[0] == dose_before[0]:
        return "unchanged"
    return "rises" if dose[0] > dose_before[0] else "falls"


def _holding(name: str, systemic: bool, orders: Iterable[MedicationOrder]) -> list[MedicationOrder]:
    """The orders of drugs with this ingredient that take this way into the body."""
    return [
        order
        for order in orders
        if order.drug is not None and name in order.drug.names and order.drug.systemic == systemic
    ]


def _total(orders: Iterable[MedicationOrder], name: str) -> Amount | None:
    """The daily dose of all orders with its unit; None where one is not known or the units differ."""
    amounts = [daily(order, name) for order in orders]
    known = [amount for amount in amounts if amount is not None]
    if not known or len(known) < len(amounts) or len({unit for _, unit in known}) > 1:
        return None
    return sum((dose for dose, _ in known), ZERO), known[0][1]


def _repeats(new: Sequence[MedicationOrder], old: Iterable[MedicationOrder]) -> bool:
    """Every new order is an old one again, product and dosage identical."""
    left = list(old)
    for order in new:
        match = next((place for place, one in enumerate(left) if same_product_and_dosage(order, one)), None)
        if match is None:
            return False
        del left[match]
    return bool(new)


def _settled(case: Case, draft: MedicationOrder) -> bool:
    return draft.drug is not None and dose_change(case, draft) in ("unchanged", "falls")


@once_a_case
def _gone(case: Case) -> tuple[MedicationOrder, ...]:
    """Active on the list, and replaced or stopped in this signing."""
    if not case.replacements:
        return ()
    kept = {id(order) for order in case.kept}
    return tuple(order for order in case.listed if id(order) not in kept)


@once_for
def _records_of(case: Case, names: tuple[str, ...], systemic: bool) -> Records:
    """Every record that holds all these ingredients and takes this way into the body, with its days."""
    if not names:
        return ()
    records = [
        record
        for record in case.records_of(names[0])
        if is_systemic(record) == systemic
        and all(record.drug is not None and record.drug.has(name) for name in names[1:])
    ]
    return recorded_spans(records, case.today)


@once_for
def _days_together(
    case: Case, names: tuple[str, ...], systemic: bool, their_names: tuple[str, ...], their_systemic: bool
) -> int:
    """Days up to today on which both drugs were taken."""
    mine, theirs = _records_of(case, names, systemic), _records_of(case, their_names, their_systemic)
    together = shared([days for _, days in mine], [days for _, days in theirs])
    return continuous_days(together, case.today, GAP_DAYS)


def _at_dose_of(draft: MedicationOrder, record: MedicationOrder) -> bool:
    """Whether this record was no lower than the draft."""
    if same_product_and_dosage(draft, record):
        return True
    for name in _names(draft):
        dose, recorded = daily(draft, name), daily(record, name)
        if dose is None or recorded is None or dose[1] != recorded[1] or recorded[0] < dose[0]:
            return False
    return True


def _long_supplied(records: Records, today: date) -> bool:
    return continuous_days([days for _, days in records], today, GAP_DAYS) >= ESTABLISHED_DAYS


def _continued(case: Case) -> list[MedicationOrder]:
    """The opioids of the regimen but those listed whose supply is over: the draft may be what follows them."""
    ends = ((order, last_day(order)) for order in case.kept if is_opioid(order))
    kept = [order for order, last in ends if last is None or last >= case.today]
    return kept + [order for order in case.starting if is_opioid(order)]


def _last_taken(records: Records, today: date) -> list[MedicationOrder]:
    """What was taken on the last day on which anything was."""
    day = max((min(days.last, today) for _, days in records if days.start <= today), default=before(today))
    return list(taken_on(records, day))


def _compared(old: Sequence[MedicationOrder], new: Sequence[MedicationOrder]) -> tuple[Decimal, Decimal] | None:
    """Daily doses before and after: of one ingredient as they are, of several in MME; None where one is not known."""
    names = {name for order in (*old, *new) for name in opioids_of(order)}
    if len(names) == 1:
        name = names.pop()
        dose_before, dose = _total(old, name), _total(new, name)
        if dose_before is None or dose is None or dose_before[1] != dose[1]:
            return None
        return dose_before[0], dose[0]
    mme_before, mme = mme_sum(old), mme_sum(new)
    if mme_before.not_counted or mme.not_counted or mme_before.total is None or mme.total is None:
        return None
    return mme_before.total, mme.total
