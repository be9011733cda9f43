"""Which orders concern Firstline at all (G01), and what kind of opioid or sedative an order is."""

from cds.chart import MedicationOrder

STOPPING_STATUSES = frozenset({"stopped", "cancelled", "ended", "revoked", "discontinued"})
REGULAR_ANTAGONISTS = frozenset({"naltrexone", "samidorphan"})

RESCUE_ROUTES = frozenset({"nasal", "injection"})
WEAK_OPIOIDS = frozenset({"tramadol", "codeine", "dihydrocodeine"})
PARTNER_ROLES = frozenset({"gabapentinoid", "maoi", "linezolid_like", "cyp3a4_strong_inhibitor"})


def in_scope(draft: MedicationOrder) -> bool:
    """The draft is a systemic opioid, a partial agonist or an antagonist for regular use; stopping one counts too."""
    return is_opioid(draft) or is_regular_antagonist(draft)


def reverse_scope(draft: MedicationOrder) -> bool:
    """The draft is a partner drug that is dangerous where an opioid is active: benzodiazepine, Z-drug, gabapentinoid,
    other CNS depressant of DD-04, MAO inhibitor or strong CYP3A4 inhibitor."""
    drug = draft.drug
    if drug is None or not drug.systemic or stops(draft):
        return False
    return not PARTNER_ROLES.isdisjoint(drug.roles) or drug.depressant_class is not None


def stops(draft: MedicationOrder) -> bool:
    """The draft ends a drug rather than ordering it."""
    return draft.status in STOPPING_STATUSES


def is_systemic(order: MedicationOrder) -> bool:
    """The drug reaches the circulation: not on skin, eye or ear. A route that is not said counts as systemic."""
    return order.drug is None or order.drug.systemic


def is_opioid(order: MedicationOrder) -> bool:
    """A systemic opioid agonist, partial or mixed agonist included; not an antagonist, not one of the gut."""
    return order.drug is not None and order.drug.is_opioid


def is_regular_antagonist(order: MedicationOrder) -> bool:
    """Naltrexone, samidorphan, or nalmefene that is no rescue product. An antagonist inside an opioid product does not
    count. Nalmefene of a route that is not said counts: the dangerous reading."""
    drug = order.drug
    if drug is None or "opioid" in drug.roles:
        return False
    return not REGULAR_ANTAGONISTS.isdisjoint(drug.names) or (drug.has("nalmefene") and not is_rescue(order))


def is_rescue(order: MedicationOrder) -> bool:
    """A nasal or injectable product of naloxone or nalmefene alone.

    Naloxone alone whose route is not said counts: it is sold for nothing else. Nalmefene needs its route.
    """
    drug = order.drug
    if drug is None or len(drug.ingredients) != 1:
        return False
    if drug.has("naloxone"):
        return drug.route is None or drug.route in RESCUE_ROUTES
    return drug.has("nalmefene") and drug.route in RESCUE_ROUTES


def strength(order: MedicationOrder) -> str | None:
    """ "weak" (tramadol, codeine, dihydrocodeine), "strong" (every other opioid), None for what is no opioid."""
    if not is_opioid(order):
        return None
    return "weak" if WEAK_OPIOIDS.issuperset(opioids_of(order)) else "strong"


def opioids_of(order: MedicationOrder) -> tuple[str, ...]:
    """The opioid ingredients of this order, in the product's order; empty where it is no systemic opioid."""
    return () if order.drug is None else order.drug.opioids


def depressant_class(order: MedicationOrder) -> str | None:
    """The class of DD-01 or DD-04 that a systemic drug belongs to, else None.

    One of "benzodiazepine", "z_drug", "barbiturate", "muscle_relaxant", "sedating_antihistamine",
    "sedating_antipsychotic" (four of them, CLINICAL.md section 13), "sodium_oxybate", "sedative_other".
    """
    return None if order.drug is None else order.drug.depressant_class
