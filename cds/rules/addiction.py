"""A use disorder or an overdose on the record (DD-21). Alcohol is a matter of DD-06."""

from collections.abc import Iterable
from datetime import date

from cds.breathing import opioid_name, starts_opioid
from cds.case import Case
from cds.chart import Condition, MedicationOrder
from cds.conversion import FOR_OUD
from cds.course import dose_change, established
from cds.days import months_before
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.purpose import palliative, treats_use_disorder
from cds.substances import OVERDOSES, USE_DISORDERS, dated, overdoses

KNOWLEDGE = load_group("organ")["DD-21"]

RECENT_OVERDOSE_DAYS = KNOWLEDGE.days("recent_overdose_days")
REMISSION_MONTHS = KNOWLEDGE.days("remission_months")

DISORDERS = tuple(meaning for meaning in USE_DISORDERS if meaning != "alcohol_use_disorder")
REMISSION = "opioid_use_disorder_remission"
ASKS = ("naloxone", "delete", "referral")


def use_disorder_or_overdose(case: Case, draft: MedicationOrder) -> Outcome:
    """After an overdose or with a use disorder, weigh whether any opioid is needed, and give naloxone."""
    if not starts_opioid(draft):
        return DoesNotApply("no opioid is started")
    past = overdoses(case).named
    active = []
    if not case.by_meaning.keys().isdisjoint(DISORDERS):
        active = [(USE_DISORDERS[name], found) for name in DISORDERS if (found := case.condition(name))]
    remissions = case.events("opioid_use_disorder", REMISSION)
    unspecified = case.condition("opioid_use_unspecified")
    if not (past or active or remissions or unspecified):
        known = "conditions" in case.answered
        return DoesNotApply("nothing on record") if known else CannotTell((case.missing("conditions"),))
    if treats_use_disorder(case, draft):
        return DoesNotApply("the order treats the use disorder")
    if palliative(case, draft):
        return DoesNotApply("palliative care")
    facts = {"drug": opioid_name(draft)}
    if past or active:
        facts["histories"] = "; ".join([*past, *[dated(_called(name, found), found.since) for name, found in active]])
    if past:
        return _after_overdose(case, draft, facts)
    if active:
        return Fires("warning", facts | {"history": _called(*active[0])}, asks=ASKS)
    if remissions:
        return _in_remission(case, remissions, facts)
    return CannotTell(("substance use: not specified",), True, "unspecified", facts)


def _called(name: str, condition: Condition) -> str:
    return f"possible {name}" if condition.provisional else name


def _after_overdose(case: Case, draft: MedicationOrder, facts: dict[str, str]) -> Outcome:
    days = [event.since for event in case.events(*OVERDOSES)]
    known = [day for day in days if day is not None]
    facts["history"] = f"overdose on {max(known).isoformat()}" if known else "overdose, date not recorded"
    if known:
        facts["overdose_date"] = max(known).isoformat()
    # An overdose without a date may have been yesterday's.
    recent = len(known) < len(days) or (case.today - max(known)).days <= RECENT_OVERDOSE_DAYS
    if recent and dose_change(case, draft) != "unknown" and not established(case, draft):
        return Fires("critical", facts, "recent_overdose", ("delete", "naloxone", "referral"))
    return Fires("warning", facts, asks=ASKS)


def _in_remission(case: Case, found: Iterable[Condition], facts: dict[str, str]) -> Outcome:
    """A line after twelve months without treatment; before, under treatment, or where it is not known: a warning."""
    days = [(condition, _remission_day(condition)) for condition in found]
    unknown = tuple(f"date of {condition.ref}: not recorded" for condition, day in days if day is None)
    latest = max((day for _, day in days if day is not None), default=None)
    facts |= {"history": "opioid use disorder", "histories": "opioid use disorder in remission"}
    if latest is not None:
        facts |= {"remission_date": latest.isoformat(), "histories": f"{facts['histories']} since {latest.isoformat()}"}
    if _treated(case) or unknown or latest is None or latest > months_before(case.today, REMISSION_MONTHS):
        return Fires("warning", facts, "early_remission", ASKS, unknown)
    untold = () if case.medications_known else (case.missing("medications"),)
    return Fires("info", facts, "remission", unknown=untold)


def _remission_day(condition: Condition) -> date | None:
    """When the remission began; the onset of a disorder tells nothing of it."""
    if REMISSION in condition.meanings:
        return condition.ended or condition.since or condition.recorded
    return condition.ended


def _treated(case: Case) -> bool:
    """A drug against opioid use disorder is on the list, by its reason or by its product."""
    if any(part.reason == FOR_OUD for part in case.mme_before.not_counted):
        return True
    return any("opioid_use_disorder" in reason.meanings for order in case.listed for reason in order.reasons)
