"""Would deleting a draft stop a drug abruptly that the patient is used to? (CLINICAL.md section 7, "Types".)"""

from collections.abc import Sequence

from cds.case import Case
from cds.chart import MedicationOrder
from cds.exposure import continuous_days, span
from cds.schedules import SCHEDULES
from cds.scope import depressant_class, is_opioid, opioids_of


def continues_taken(case: Case, draft: MedicationOrder, days: int | None = None) -> bool:
    """Whether this draft goes on with a drug that was taken for so many days (14) up to now: the same ingredient, an
    order that it replaces, or a drug of its kind that ran out by today. To delete it would be an abrupt stop.

    A drug on the list whose dates are not known counts as taken that long.
    """
    if draft.drug is None:
        return False
    least = SCHEDULES.whole("taken_days") if days is None else days
    names = opioids_of(draft) or tuple(part.name for part in draft.drug.ingredients)
    replaced = {id(replacement.old) for replacement in case.replaced_by(draft)}
    same = [
        record
        for record in (*case.listed, *case.chart.medications)
        if id(record) in replaced or (record.drug is not None and any(record.drug.has(name) for name in names))
    ]
    listed = {id(order) for order in case.listed}
    if any(id(record) in listed and span(record, case.today) is None for record in same):
        return True
    if _days_up_to_now(case, same) >= least:
        return True
    kind = _kind(draft)
    alike = [record for record in case.chart.medications if kind is not None and _kind(record) == kind]
    spans = [taken for record in alike if (taken := span(record, case.today)) is not None]
    runs_on = any(taken.end_known if taken.end is None else taken.end > case.today for taken in spans)
    return not runs_on and _days_up_to_now(case, alike) >= least


def taken_before(case: Case, draft: MedicationOrder) -> MedicationOrder:
    """What the patient is used to: this draft's own drug where it is on record, else the latest of its kind."""
    names = set(opioids_of(draft))
    alike = [record for record in (*case.listed, *case.chart.medications) if is_opioid(record)]
    if not names or not alike or any(not names.isdisjoint(opioids_of(record)) for record in alike):
        return draft
    dated = [(taken.start, record.ref, record) for record in alike if (taken := span(record, case.today)) is not None]
    return max(dated, key=lambda entry: entry[:2])[2] if dated else alike[0]


def _days_up_to_now(case: Case, records: Sequence[MedicationOrder]) -> int:
    spans = [taken for record in records if (taken := span(record, case.today)) is not None]
    return continuous_days(spans, case.today, SCHEDULES.whole("joined_gap_days"))


def _kind(order: MedicationOrder) -> str | None:
    return "opioid" if is_opioid(order) else depressant_class(order)
