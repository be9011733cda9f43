"""Whether the tramadol step suits this patient (NP-04, NP-14)."""

from collections.abc import Iterable

from msgspec import Struct

from cds.breathing import SLEEP_APNOEA
from cds.case import Case
from cds.chart import MedicationOrder
from cds.drugs import ingredient_roles
from cds.knowledge import load_group
from cds.partners import partners
from cds.seizures import treated

KNOWLEDGE = load_group("ladder")["NP-04"]
ANTIDEPRESSANT_DAYS = KNOWLEDGE.days("antidepressant_days")
INTERACTION_DAYS = KNOWLEDGE.days("interaction_days")
SEIZURE_DAYS = KNOWLEDGE.days("seizure_days")
PACO2 = KNOWLEDGE.number("paco2_mmhg")

MAO_INHIBITORS = frozenset({"maoi", "linezolid_like"})
SEROTONERGIC = frozenset({"serotonergic", "ssri", "snri", "tca", "triptan"})
CYP = frozenset(
    {
        "cyp2d6_strong_inhibitor", "cyp2d6_moderate_inhibitor", "cyp3a4_strong_inhibitor", "cyp3a4_moderate_inhibitor",
        "cyp3a4_inducer", "cyp3a4_strong_inducer", "cyp3a4_moderate_inducer",
    }
)  # fmt: skip
INTERACTING = MAO_INHIBITORS | SEROTONERGIC | CYP
SEIZURES = ("seizure_disorder", "status_epilepticus")
WITHDRAWAL = ("alcohol_withdrawal", "drug_withdrawal")
METABOLIZERS = ("poor", "ultra")
ASKED = ("medications", "conditions", "allergies")


class Suitability(Struct, frozen=True):
    """``reasons`` against tramadol, in short printable phrases; ``missing`` holds ``notAssessed`` entries of what could
    not be checked."""

    reasons: tuple[str, ...]
    missing: tuple[str, ...]


def suitability(case: Case, draft: MedicationOrder) -> Suitability:
    """What speaks against tramadol in the place of this draft."""
    reasons = (*_drugs(case, draft), *_diseases(case))
    known = {"medications": case.medications_known}
    missing = tuple(case.missing(key) for key in ASKED if not known.get(key, case.chart.answers(key)))
    return Suitability(tuple(dict.fromkeys(reasons)), missing)


def _drugs(case: Case, draft: MedicationOrder) -> Iterable[str]:
    def interacting(order: MedicationOrder) -> str | None:
        if order.drug is None or "opioid" in order.drug.roles:
            return None
        names = (part.name for part in order.drug.ingredients)
        return next((name for name in names if not INTERACTING.isdisjoint(ingredient_roles(name))), None)

    for partner in partners(case, draft, interacting, _window):
        if partner.taken or partner.lately or partner.last is not None:
            yield f"{partner.name} ({_why(partner.name)})"
    for name in ("methadone", "buprenorphine"):
        if case.taking_ingredient(name, besides=draft):
            yield f"{name} is taken"


def _window(name: str) -> int:
    """Days for which a drug still counts after its end."""
    if name == "fluoxetine":
        return ANTIDEPRESSANT_DAYS
    return 0 if (MAO_INHIBITORS | CYP).isdisjoint(ingredient_roles(name)) else INTERACTION_DAYS


def _why(name: str) -> str:
    roles = ingredient_roles(name)
    if not MAO_INHIBITORS.isdisjoint(roles):
        return "MAO inhibitor"
    return "serotonergic" if not SEROTONERGIC.isdisjoint(roles) else "changes its metabolism"


def _diseases(case: Case) -> Iterable[str]:
    seizures = case.events(*SEIZURES)
    recent = (event.since is not None and 0 <= (case.today - event.since).days <= SEIZURE_DAYS for event in seizures)
    if seizures and (any(recent) or case.has(*SEIZURES) or treated(case)):
        yield "seizures"
    if case.has(*WITHDRAWAL):
        yield "withdrawal of alcohol or a drug (seizures)"
    for allergy in case.chart.allergies:
        if "tramadol" in allergy.ingredients or ("opioid_allergy" in allergy.meanings and not allergy.ingredients):
            yield "allergy on record"
    if case.has(*SLEEP_APNOEA):
        yield "sleep apnoea"
    gas = case.latest("paco2")
    if case.has("respiratory_failure_hypercapnic") or (gas is not None and gas.value is not None and gas.value > PACO2):
        yield "carbon dioxide retention"
    phenotype = case.latest("cyp2d6_phenotype")
    if phenotype is not None and any(word in (phenotype.text or "").casefold() for word in METABOLIZERS):
        yield "CYP2D6 phenotype"
