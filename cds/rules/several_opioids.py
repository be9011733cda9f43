"""Several opioids at once (SAF-14)."""

from datetime import timedelta

from cds.breathing import listing, one_off, opioid_name, starts_opioid, tapers_off
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import established
from cds.exposure import span
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.rules.antagonist import PARTIAL
from cds.scope import opioids_of
from cds.totals import doubtful, mme_missing

KNOWLEDGE = load_group("safety")["SAF-14"]

BREAKTHROUGH_MME = KNOWLEDGE.number("breakthrough_mme_per_day")
CONVERSION_DAYS = KNOWLEDGE.days("conversion_days")
TAPER_DAYS = KNOWLEDGE.days("taper_days")
LONG_RELEASES = frozenset({"ER", "TD"})


def long_acting(order: MedicationOrder) -> bool:
    """Extended release, a patch, or a drug of a long half-life."""
    drug = order.drug
    return drug is not None and (drug.release in LONG_RELEASES or "long_half_life" in drug.roles)


def concurrent_opioids(case: Case, draft: MedicationOrder) -> Outcome:
    """Have one opioid, or one long-acting with one short-acting in a low dose, from one prescriber."""
    if not starts_opioid(draft) or one_off(draft):
        return DoesNotApply("no opioid is started")
    others = [other for other in case.opioids if other is not draft and _beside(case, draft, other)]
    if not others:
        if not case.medications_known:
            return CannotTell((case.missing("medications"),))
        return DoesNotApply("no other opioid")
    taken = [draft, *others]
    unknown = () if case.medications_known else (case.missing("medications"),)
    kinds = _kinds(taken)
    if kinds == "breakthrough" and case.mme_after.at_least < BREAKTHROUGH_MME:
        missing = mme_missing(case)
        return CannotTell(missing) if missing else DoesNotApply("one for breakthrough pain, in a low dose")
    facts = {
        "drugs": listing(sorted(opioid_name(order) for order in taken)),
        "kinds": KINDS[kinds],
        "mme": f"{number(case.mme_after.at_least)} MME a day",
    }
    if case.mme_after.total is None or not case.medications_known:
        facts["mme"] = f"at least {facts['mme']}"
    if all(established(case, draft, other) for other in others):
        return Fires("info", facts, unknown=unknown)
    if any(other is old for other in others for old in doubtful(case)):
        return Fires("warning", facts, "both_taken", ("delete",), unknown)
    return Fires("warning", facts, asks=("delete",), unknown=unknown)


KINDS = {
    "prescribers": "from more than one prescriber",
    "same": "the same drug twice",
    "short": "both short-acting",
    "long": "both long-acting",
    "breakthrough": "a long-acting and a short-acting one",
}
"""Why two opioids are too many, as a card says it."""


def _kinds(taken: list[MedicationOrder]) -> str:
    if len({order.requester for order in taken} - {None}) > 1:
        return "prescribers"
    slow = [order for order in taken if long_acting(order)]
    if len(taken) == 2 and len(slow) == 1:
        return "breakthrough"
    names = [name for order in taken for name in opioids_of(order)]
    if len(set(names)) < len(names):
        return "same"
    return "long" if len(slow) > 1 else "short"


def _beside(case: Case, draft: MedicationOrder, other: MedicationOrder) -> bool:
    """Another opioid that is taken beside this one for longer than a conversion takes. An agonist with a partial
    agonist is a matter of its own (DD-14)."""
    if one_off(other):
        return False
    if PARTIAL.isdisjoint(opioids_of(draft)) != PARTIAL.isdisjoint(opioids_of(other)):
        return False
    if tapers_off(case, other, TAPER_DAYS) or tapers_off(case, draft, TAPER_DAYS):
        return False
    if any(other is one for one in case.drafts):
        return True
    days = span(other, case.today)
    return days is None or days.end is None or days.end >= case.today + timedelta(days=CONVERSION_DAYS)
