"""Opioids that block each other (DD-14)."""

from cds.breathing import one_off
from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import established
from cds.exposure import counts, days_taken, span
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.partners import Partner, holds, named_together, partners
from cds.scope import is_opioid, is_regular_antagonist, opioids_of, stops

KNOWLEDGE = load_group("interaction")["DD-14"]

ORAL_DAYS = KNOWLEDGE.days("naltrexone_oral_days")
DEPOT_DAYS = KNOWLEDGE.days("naltrexone_depot_days")
FREE_DAYS = KNOWLEDGE.days("opioid_free_days")
FREE_DAYS_LONG_ACTING = KNOWLEDGE.days("opioid_free_after_long_acting_days")

PARTIAL = frozenset({"buprenorphine", "butorphanol", "nalbuphine", "pentazocine"})
LONG_ACTING = frozenset({"methadone", "buprenorphine"})
KINDS = {"buprenorphine": "a partial agonist"} | dict.fromkeys(
    PARTIAL - {"buprenorphine"}, "a mixed agonist-antagonist"
)


def opioid_with_antagonist(case: Case, draft: MedicationOrder) -> Outcome:
    """Do not combine a full agonist with an antagonist, a partial agonist or a mixed agonist-antagonist; naltrexone
    needs an opioid-free interval."""
    if stops(draft) or one_off(draft) or case.reverse:
        return DoesNotApply("no opioid or antagonist is started")
    if is_regular_antagonist(draft):
        return _antagonist_started(case, draft)
    if not is_opioid(draft):
        return DoesNotApply("no opioid or antagonist is started")
    blocking = _is_partial(draft)
    found = [
        partner
        for partner in _partners(case, draft)
        if blocking != _is_partial(partner.order) or _blocks(partner.order)
    ]
    if not found:
        return DoesNotApply("nothing that blocks it") if case.medications_known else _unknown(case)
    first = found[0]
    facts = _facts(draft, found)
    unknown = tuple(f"end of {p.order.ref}: not recorded" for p in found if not p.taken and p.last is None)
    if not blocking and _treats_oud(first.order) and _is_acute(draft):
        return Fires("warning", facts, "buprenorphine_for_oud", unknown=unknown)
    old = all(partner.taken and established(case, draft, partner.order) for partner in found)
    return Fires("warning" if old else "critical", facts, asks=("delete",), unknown=unknown)


def _antagonist_started(case: Case, draft: MedicationOrder) -> Outcome:
    found = []
    for record in (*case.regimen, *case.chart.medications):
        if record is draft or not is_opioid(record) or not _recently_taken(case, record):
            continue
        found.append(record)
    if not found:
        return DoesNotApply("no opioid within the interval") if case.history_known else _unknown(case)
    name = opioids_of(found[0])[0]
    standing = "ordered in this signing" if any(found[0] is d for d in case.drafts) else "taken within the interval"
    facts = {
        "drug": _antagonist_name(draft), "partner": name, "partner_standing": standing, "agonist": name,
        "kind": "an opioid antagonist",
    }  # fmt: skip
    return Fires("critical", facts, "antagonist_started", ("delete", "naloxone"))


def _recently_taken(case: Case, record: MedicationOrder) -> bool:
    if any(record is order for order in case.regimen):
        return True
    days = span(record, case.today) if counts(record) else None
    if days is None:
        return False
    interval = FREE_DAYS_LONG_ACTING if not LONG_ACTING.isdisjoint(opioids_of(record)) else FREE_DAYS
    first = case.today.fromordinal(case.today.toordinal() - interval)
    return days_taken([days], first, case.today) > 0


def _partners(case: Case, draft: MedicationOrder) -> list[Partner]:
    """Opioids of the other kind that are taken, and antagonists taken or ended within their window."""
    opioids = [partner for partner in partners(case, draft, _opioid_name) if partner.taken]
    antagonists = partners(case, draft, _blocking_name, lambda name: DEPOT_DAYS)
    return opioids + [partner for partner in antagonists if _within(case, partner)]


def _within(case: Case, partner: Partner) -> bool:
    if partner.taken or partner.last is None:
        return True
    drug = partner.order.drug
    depot = drug is not None and drug.route == "injection"
    return (case.today - partner.last).days <= (DEPOT_DAYS if depot else ORAL_DAYS)


def _opioid_name(order: MedicationOrder) -> str | None:
    names = opioids_of(order)
    return names[0] if names else None


_naltrexone_like = holds("naltrexone", "samidorphan", "nalmefene")


def _blocking_name(order: MedicationOrder) -> str | None:
    return _naltrexone_like(order) if is_regular_antagonist(order) else None


def _antagonist_name(order: MedicationOrder) -> str:
    return _naltrexone_like(order) or order.name


def _blocks(order: MedicationOrder) -> bool:
    return is_regular_antagonist(order)


def _is_partial(order: MedicationOrder) -> bool:
    return not PARTIAL.isdisjoint(opioids_of(order))


def _treats_oud(order: MedicationOrder) -> bool:
    """Buprenorphine for opioid use disorder: by its reason, or by a sublingual or depot product."""
    drug = order.drug
    if drug is None or not drug.has("buprenorphine"):
        return False
    by_reason = any("opioid_use_disorder" in reason.meanings for reason in order.reasons)
    return by_reason or drug.route == "sublingual" or drug.has("naloxone")


def _is_acute(draft: MedicationOrder) -> bool:
    acute = {"acute_or_surgical", "trauma_recent", "surgery_aftercare"}
    return any(not acute.isdisjoint(reason.meanings) for reason in draft.reasons)


def _facts(draft: MedicationOrder, found: list[Partner]) -> dict[str, str]:
    opioid, partner = opioids_of(draft)[0], found[0]
    blocker = opioid if opioid in PARTIAL and not _blocks(partner.order) else partner.name
    return {
        "drug": opioid,
        "partner": named_together(found),
        "partner_standing": partner.standing,
        "agonist": partner.name if blocker == opioid else opioid,
        "kind": KINDS.get(blocker, "an opioid antagonist"),
    }


def _unknown(case: Case) -> CannotTell:
    return CannotTell((case.missing("medications"),))
