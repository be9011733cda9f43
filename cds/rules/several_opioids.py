"""Several opioids at once (SAF-14)."""

from datetime import timedelta

from cds.breathing import listing, one_off, opioid_name, starts_opioid, tapers_off
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import established
from cds.exposure import span
from cds.knowledge import load_group
from cds.once import once_a_case
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.purpose import treats_use_disorder
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
    others = _beside(case, draft)
    if not others:
        if not case.medications_known:
            return CannotTell((case.missing("medications"),))
        return DoesNotApply("no other opioid")
    taken = [draft, *others]
    unknown = () if case.medications_known else (case.missing("medications"),)
    kinds = _kinds(taken)
    treated = [order for order in taken if treats_use_disorder(case, order)]
    if kinds == "breakthrough" and case.mme_after.at_least < BREAKTHROUGH_MME and not treated:
        missing = mme_missing(case)
        return CannotTell(missing) if missing else DoesNotApply("one for breakthrough pain, in a low dose")
    facts = {
        "drugs": _named(sorted(opioid_name(order) for order in taken)),
        "kinds": KINDS[kinds],
        "mme": f"{number(case.mme_after.at_least)} MME a day",
    }
    if case.mme_after.total is None or case.mme_after.not_counted or not case.medications_known:
        facts["mme"] = f"at least {facts['mme']}"
    if treated:
        facts["treatment"] = listing(sorted(opioid_name(order) for order in treated))
        return Fires("warning", facts, "use_disorder", unknown=unknown)
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
    "several": "of long and short action",
}
"""Why two opioids are too many, as a card says it."""


def _named(names: list[str]) -> str:
    """The drugs; of one alone, how many orders of it there are."""
    if len(set(names)) > 1:
        return listing(names)
    return f"{'two' if len(names) == 2 else len(names)} orders of {names[0]}"


def _kinds(taken: list[MedicationOrder]) -> str:
    if len({order.requester for order in taken} - {None}) > 1:
        return "prescribers"
    slow = [order for order in taken if long_acting(order)]
    if len(taken) == 2 and len(slow) == 1:
        return "breakthrough"
    names = [name for order in taken for name in opioids_of(order)]
    if len(set(names)) < len(names):
        return "same"
    return "several" if 0 < len(slow) < len(taken) else "long" if slow else "short"


def _beside(case: Case, draft: MedicationOrder) -> list[MedicationOrder]:
    """The other opioids that are taken beside this one. An agonist with a partial agonist is a matter of its own
    (DD-14)."""
    if tapers_off(case, draft, TAPER_DAYS):
        return []
    partial = _is_partial(draft)
    return [other for other, is_partial in _lasting(case) if other is not draft and is_partial == partial]


@once_a_case
def _lasting(case: Case) -> list[tuple[MedicationOrder, bool]]:
    """The opioids that are taken for longer than a conversion takes, each with whether it is a partial agonist."""
    drafts = {id(draft) for draft in case.drafts}
    return [(order, _is_partial(order)) for order in case.opioids if _lasts(case, order, id(order) in drafts)]


def _is_partial(order: MedicationOrder) -> bool:
    return not PARTIAL.isdisjoint(opioids_of(order))


def _lasts(case: Case, order: MedicationOrder, drafted: bool) -> bool:
    if one_off(order) or tapers_off(case, order, TAPER_DAYS):
        return False
    days = None if drafted else span(order, case.today)
    return days is None or days.end is None or days.end >= case.today + timedelta(days=CONVERSION_DAYS)
