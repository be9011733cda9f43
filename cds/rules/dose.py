"""Dose: daily sums and single doses above what is safe (DD-22 to DD-26). Here the MME a day; what labels limit and what
a first dose may be stand in ``daily_maximum`` and ``start_dose``."""

from decimal import Decimal
from functools import lru_cache

from cds.breathing import listing, opioid_name, rescue_at_hand, starts_opioid
from cds.case import Case
from cds.chart import MedicationOrder
from cds.conversion import NO_FACTOR
from cds.course import dose_change, naive
from cds.dose import mme_sum
from cds.findings import RuleFunction
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.rules.daily_maximum import above_labelled_maximum, acetaminophen_above_limit
from cds.rules.sedation import RESCUE_MONTHS
from cds.rules.start_dose import dose_too_high_to_start
from cds.scope import is_opioid, stops
from cds.totals import doubtful, mme_missing, shown, without

KNOWLEDGE = load_group("dose")

PAUSE = KNOWLEDGE["DD-23"]
NINETY = KNOWLEDGE["DD-24"].number("mme_per_day")
CANCER = "cancer pain"
NOT_AN_OPIOID = DoesNotApply("no opioid is started")


def dose_from_50_mme(case: Case, draft: MedicationOrder) -> Outcome:
    """Pause before 50 MME a day: weigh the benefit, offer naloxone, and keep an opioid-naive patient below."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if case.mme_after.at_least >= NINETY:
        return DoesNotApply("90 MME a day or more (DD-24)")
    pause = case.number_of(PAUSE, "mme_per_day")
    if case.mme_after.at_least >= pause:
        return _mme_finding(case, draft, pause)
    missing = mme_missing(case)
    if not missing:
        return _below(pause)
    known = f"; known part {shown(case.mme_after.at_least)} MME" if case.mme_after.at_least else ""
    facts = _mme_facts(case, pause) | {"drug": opioid_name(draft), "mme_not_known": _not_known(case) + known}
    return CannotTell(missing, said=True, facts=facts)


@lru_cache(maxsize=8)
def _below(pause: Decimal) -> DoesNotApply:
    return DoesNotApply(f"below {shown(pause)} MME a day")


def dose_from_90_mme(case: Case, draft: MedicationOrder) -> Outcome:
    """Do not start or raise to 90 MME a day without a specialist; do not force a taper where it is long taken."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if case.mme_after.at_least >= NINETY:
        return _mme_finding(case, draft, NINETY)
    missing = mme_missing(case)
    return CannotTell(missing) if missing else DoesNotApply("below 90 MME a day")


def _mme_finding(case: Case, draft: MedicationOrder, threshold: Decimal) -> Outcome:
    if case.has("palliative"):
        return DoesNotApply("palliative care")
    changes = {dose_change(case, order) for order in case.starting if is_opioid(order)}
    if not changes & {"rises", "unknown", "unchanged"}:
        return DoesNotApply("the dose falls")
    facts = _mme_facts(case, threshold)
    unknown = mme_missing(case)
    if case.exclusion(draft).because == CANCER:
        return Fires("info", facts, "cancer", unknown=unknown)
    critical = threshold == NINETY
    if not changes & {"rises", "unknown"}:
        asks = (*_naloxone(case), "referral") if critical else ()
        return Fires("warning" if critical else "info", facts, "renewal", asks, unknown)
    asks = (*_naloxone(case), *(("below_50",) if naive(case) else ()), *(("referral",) if critical else ()))
    words = _milder(case, threshold) if "rises" in changes else "change_not_known"
    return Fires("critical" if critical and words == "default" else "warning", facts, words, asks, unknown)


def _milder(case: Case, threshold: Decimal) -> str:
    """The wording of a sum that reaches the threshold only in part, else the usual one."""
    unsure = doubtful(case)
    if unsure:
        once = mme_sum([o for o in without(case.counted, unsure) if is_opioid(o)]).at_least
        if once < threshold or once <= case.mme_before.at_least:
            return "both_taken"
    if case.mme_after.scheduled_at_least < threshold and not case.mme_after.unknown:
        return "as_needed"
    return "default"


def _mme_facts(case: Case, threshold: Decimal) -> dict[str, str]:
    after = case.mme_after
    active = mme_sum([order for order in case.kept if is_opioid(order)]).at_least
    exact = after.total is not None and case.medications_known
    return {
        "mme": f"{'' if exact else 'at least '}{shown(after.at_least)} MME",
        "mme_per_day" if exact else "mme_at_least": shown(after.at_least),
        "active_mme_per_day": shown(active),
        "new_mme_per_day": shown(after.at_least - active),
        "before_mme_per_day": shown(case.mme_before.at_least),
        "scheduled_mme_per_day": shown(after.scheduled_at_least),
        "scheduled": shown(after.scheduled_at_least) if after.scheduled_at_least else "none",
        "threshold_mme_per_day": shown(threshold),
        "made_of": _made_of(case, active, exact),
        "counting": _counting(case),
    }


def _made_of(case: Case, active: Decimal, exact: bool) -> str:
    """What the sum is made of; where an opioid is renewed, changed or stopped in this signing, what it was before."""
    if any(is_opioid(replacement.old) for _, replacement in case.replacements):
        before = case.mme_before
        known = before.total is not None and case.medications_known
        return f"{'' if known else 'at least '}{shown(before.at_least)} before"
    added = case.mme_after.at_least - active
    started = {draft.ref for draft in case.starting}
    untold = any(part.ref in started for part in case.mme_after.unknown)
    new = "new: not known" if untold and not added else f"{shown(added)} new"
    # Where a part is not known, "0 active" would say too much.
    return f"{shown(active)} active, {new}" if active or exact else new


def _counting(case: Case) -> str:
    """How the sum was made, in sentences."""
    after = case.mme_after
    said = []
    if any(part.up_to for part in after.parts):
        said.append("As-needed doses count at their maximum.")
    if any(part.older_factor for part in after.parts):
        said.append("One factor is older than the 2022 table.")
    for draft, replacement in case.replacements:
        if replacement.how == "assumed" and is_opioid(draft) and not stops(draft):
            since = case.taken_since(replacement.old)
            of = f"order of {since.isoformat()}" if since else "earlier order"
            said.append(f"Counted as a renewal of the {of}.")
    if after.not_counted:
        said.append(f"Not counted: {listing(part.ingredient for part in after.not_counted)}.")
    if after.unknown or not case.medications_known:
        said.append(f"Not known: {_not_known(case)}.")
    return " ".join(dict.fromkeys(said)) or "The list and this signing together."


def _not_known(case: Case) -> str:
    parts = [f"dose of {part.ingredient} ({_why(part.reason)})" for part in case.mme_after.unknown]
    return ", ".join([*parts, *([] if case.medications_known else ["the medication list"])])


def _why(reason: str | None) -> str:
    """Why a dose is not known, as a card says it: "no strength given"."""
    if reason is None or reason == NO_FACTOR:
        return reason or "not told"
    return f"{reason} given" if reason.startswith("no ") else reason


def _naloxone(case: Case) -> tuple[str, ...]:
    return () if rescue_at_hand(case, RESCUE_MONTHS) else ("naloxone",)


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("DD-22", acetaminophen_above_limit),
    ("DD-23", dose_from_50_mme),
    ("DD-24", dose_from_90_mme),
    ("DD-25", above_labelled_maximum),
    ("DD-26", dose_too_high_to_start),
)
