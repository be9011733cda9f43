"""Opioids that block each other (DD-14)."""

from cds.breathing import listing, one_off, standing
from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import dose_change
from cds.exposure import counts, days_taken, span
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.partners import (
    END_NOT_KNOWN,
    Partner,
    begun_lately,
    begun_within,
    holds,
    long_together,
    named_together,
    partners,
    with_role,
)
from cds.purpose import acute_pain, treats_use_disorder
from cds.scope import is_opioid, is_regular_antagonist, opioids_of, stops

KNOWLEDGE = load_group("interaction")["DD-14"]

ORAL_DAYS = KNOWLEDGE.days("naltrexone_oral_days")
DEPOT_DAYS = KNOWLEDGE.days("naltrexone_depot_days")
FREE_DAYS = KNOWLEDGE.days("opioid_free_days")
FREE_DAYS_LONG_ACTING = KNOWLEDGE.days("opioid_free_after_long_acting_days")

OPIOID = with_role("opioid")
PARTIAL = frozenset({"buprenorphine", "butorphanol", "nalbuphine", "pentazocine"})
LONG_ACTING = frozenset({"methadone", "buprenorphine"})
KINDS = {"buprenorphine": "a partial agonist"} | dict.fromkeys(
    PARTIAL - {"buprenorphine"}, "a mixed agonist-antagonist"
)


def opioid_with_antagonist(case: Case, draft: MedicationOrder) -> Outcome:
    """Do not combine a full agonist with an antagonist, a partial agonist or a mixed agonist-antagonist; naltrexone
    needs an opioid-free interval."""
    if stops(draft) or case.reverse:
        return DoesNotApply("no opioid or antagonist is started")
    if is_regular_antagonist(draft):
        return _antagonist_started(case, draft)
    if not is_opioid(draft) or one_off(draft):
        return DoesNotApply("no opioid or antagonist is started")
    blocking = _is_partial(draft)
    found = [
        partner
        for partner in _partners(case, draft)
        if blocking != _is_partial(partner.order) or _blocks(partner.order)
    ]
    if not found:
        if case.medications_known:
            return DoesNotApply("nothing that blocks it")
        return CannotTell((case.missing("medications"),))
    facts = _facts(draft, found)
    unknown = tuple(f"end of {p.order.ref}: not recorded" for p in found if not p.taken and p.last is None)
    if _treatment_goes_on(case, draft, found):
        if blocking:
            facts |= {"drug": facts["partner"], "partner": facts["drug"], "partner_standing": standing(case, draft)}
        return Fires("warning", facts, "buprenorphine_for_oud", ("referral",), unknown=unknown)
    old = all(partner.taken and long_together(case, draft, partner.order) for partner in found)
    return Fires("warning" if old else "critical", facts, asks=("delete",), unknown=unknown)


def _antagonist_started(case: Case, draft: MedicationOrder) -> Outcome:
    found: list[tuple[MedicationOrder, str]] = []
    unknown: list[str] = []
    waits = _naltrexone_like(draft) == "naltrexone"
    for record in (*case.regimen, *case.chart.medications):
        if record is draft or not is_opioid(record):
            continue
        stands = _lately_taken(case, record, waits)
        if stands == END_NOT_KNOWN:
            unknown.append(f"end of {record.ref}: not recorded")
        elif stands is not None:
            found.append((record, stands))
    if not found:
        missing = (*unknown, *(() if case.medications_known else (case.missing("medications"),)))
        return CannotTell(missing) if missing else DoesNotApply("no opioid within the interval")
    opioid, stands = found[0]
    name = opioids_of(opioid)[0]
    facts = {
        "drug": _antagonist_name(draft), "partner": name, "partner_standing": stands, "agonist": name,
        "kind": "an opioid antagonist",
    }  # fmt: skip
    old = all(long_together(case, draft, record) for record, _ in found)
    return Fires("warning" if old else "critical", facts, "antagonist_started", ("delete", "naloxone"))


def _lately_taken(case: Case, record: MedicationOrder, waits: bool) -> str | None:
    """How this opioid stands where it is taken or was within the opioid-free interval, for which naltrexone ``waits``;
    None where it was not."""
    if any(record is order for order in (*case.regimen, *case.listed)):
        return standing(case, record)
    days = span(record, case.today) if waits and counts(record) else None
    if days is None:
        return None
    interval = FREE_DAYS_LONG_ACTING if not LONG_ACTING.isdisjoint(opioids_of(record)) else FREE_DAYS
    if days.end is None:
        return begun_lately(record) if begun_within(record, case.today, interval) else END_NOT_KNOWN
    first = case.today.fromordinal(case.today.toordinal() - interval)
    if days_taken([days], first, case.today) == 0:
        return None
    return f"taken until {min(days.end, case.today).isoformat()}"


def _partners(case: Case, draft: MedicationOrder) -> list[Partner]:
    """Opioids of the other kind that are taken, and antagonists taken or ended within their window."""
    others = [order for order in case.opioids if order is not draft]
    found = list(partners(case, draft, OPIOID)) if others else []
    if _naltrexone_like.recorded(case):
        # A depot is given once and blocks for weeks.
        antagonists = partners(case, draft, _blocking_name, lambda name: DEPOT_DAYS, even_once=True)
        found += [partner for partner in antagonists if _within(case, partner)]
    return found


def _within(case: Case, partner: Partner) -> bool:
    """Taken, or naltrexone that still blocks; the others block only while they are taken."""
    if partner.taken:
        return True
    if partner.name != "naltrexone":
        return False
    if partner.last is None:
        return True
    oral = partner.order.drug is not None and partner.order.drug.route == "oral"
    return (case.today - partner.last).days <= (ORAL_DAYS if oral else DEPOT_DAYS)


_naltrexone_like = holds("naltrexone", "samidorphan", "nalmefene")


def _blocking_name(order: MedicationOrder) -> str | None:
    return _naltrexone_like(order) if is_regular_antagonist(order) else None


def _antagonist_name(order: MedicationOrder) -> str:
    return _naltrexone_like(order) or order.name


def _blocks(order: MedicationOrder) -> bool:
    return is_regular_antagonist(order)


def _is_partial(order: MedicationOrder) -> bool:
    return not PARTIAL.isdisjoint(opioids_of(order))


def _treats_oud(case: Case, order: MedicationOrder) -> bool:
    """Buprenorphine for opioid use disorder, by its reason or its product."""
    return order.drug is not None and order.drug.has("buprenorphine") and treats_use_disorder(case, order)


def _treatment_goes_on(case: Case, draft: MedicationOrder, found: list[Partner]) -> bool:
    """Buprenorphine for opioid use disorder that is taken, and full agonists for acute pain."""
    if not _is_partial(draft):
        return acute_pain(case, draft) and all(_treats_oud(case, partner.order) for partner in found)
    if not _treats_oud(case, draft) or dose_change(case, draft) not in ("unchanged", "falls"):
        return False
    return all(is_opioid(partner.order) and acute_pain(case, partner.order) for partner in found)


def _facts(draft: MedicationOrder, found: list[Partner]) -> dict[str, str]:
    opioid, partner = opioids_of(draft)[0], found[0]
    blocker = opioid if opioid in PARTIAL and not _blocks(partner.order) else partner.name
    return {
        "drug": opioid,
        "partner": named_together(found),
        "partner_standing": listing(one.standing for one in found),
        "agonist": partner.name if blocker == opioid else opioid,
        "kind": KINDS.get(blocker, "an opioid antagonist"),
    }
