"""Sedation: what makes an opioid slow the breathing further (DD-01 to DD-06)."""

from cds.breathing import (
    CLASS_NAMES,
    Wanted,
    age_missing,
    class_name,
    is_benzodiazepine,
    is_gabapentinoid,
    is_other_depressant,
    listing,
    one_off,
    opioid_name,
    pairs,
    partner_of,
    rescue_at_hand,
    sedative_name,
    standing,
)
from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import established
from cds.drugs import Drug, ingredient_roles
from cds.findings import RuleFunction
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.rules.sedation_risks import alcohol_use, gabapentinoid_pairs, gabapentinoid_risks, risk_facts
from cds.rules.sedative_exposure import ESTABLISHED_DAYS, Exposure, benzodiazepine_exposures, depressant_exposures
from cds.scope import depressant_class, is_opioid, stops

KNOWLEDGE = load_group("sedation")

RESCUE_MONTHS = KNOWLEDGE["DD-01"].days("rescue_dispensed_within_months")
CNS_DRUGS = KNOWLEDGE["DD-05"].days("cns_active_drugs_count")
CNS_AGE = KNOWLEDGE["DD-05"].days("age_years")
CNS_CLASSES = {
    "benzodiazepine": "benzodiazepine",
    "z_drug": "Z-drug",
    "gabapentinoid": "gabapentinoid",
    "tca": "tricyclic antidepressant",
    "ssri": "SSRI",
    "snri": "SNRI",
    "antipsychotic": "antipsychotic",
    "anticonvulsant": "antiepileptic",
    "muscle_relaxant": "muscle relaxant",
}
"""DD-05's classes by role, in the order in which a drug of several is counted."""
CNS_ROLES = frozenset(CNS_CLASSES)

DOSE_DUMPING = frozenset({"morphine", "hydromorphone", "hydrocodone", "tapentadol"})
"""Opioids whose extended-release forms may release their dose at once with alcohol; oxymorphone in every form."""

NOT_KNOWN = {
    "patient": "age",
    "conditions": "the problem list",
    "medications": "the medication list",
    "egfr": "renal function",
    "creatinine": "renal function",
    "weight": "renal function",
}
"""What a missing answer leaves unknown of the risks of DD-02."""

LONG_TOGETHER = frozenset({"established", "oxybate_established", "change_not_known"})
"""Wordings that say for how many days both have been taken at least."""

NOT_AN_OPIOID = DoesNotApply("no opioid is started")


def opioid_with_benzodiazepine(case: Case, draft: MedicationOrder) -> Outcome:
    """Do not start an opioid with a benzodiazepine; where both are long taken, taper one and have naloxone at hand."""
    exposures = benzodiazepine_exposures(case, draft)
    if exposures:
        return _fires(case, draft, exposures)
    stopped = _stopped_now(case, draft)
    if stopped:
        facts = {"drug": opioid_name(draft), "partner": stopped, "partner_class": "benzodiazepine"}
        return Fires("info", facts, "stopped_now")
    return _absent(case, draft, is_benzodiazepine, "no benzodiazepine with an opioid")


def _stopped_now(case: Case, draft: MedicationOrder) -> str | None:
    if not case.replacements or case.reverse or stops(draft) or not is_opioid(draft):
        return None
    stopped = [
        sedative_name(replacement.old)
        for other, replacement in case.replacements
        if stops(other) and is_benzodiazepine(replacement.old)
    ]
    return listing(stopped) if stopped else None


def opioid_with_gabapentinoid_at_risk(case: Case, draft: MedicationOrder) -> Outcome:
    """Where age, lungs, kidneys, sleep apnoea or another sedative add risk, halve the opioid's start dose beside a
    gabapentinoid, or lower the gabapentinoid."""
    found = gabapentinoid_pairs(case, draft)
    if not found:
        return _absent(case, draft, is_gabapentinoid, "no gabapentinoid with an opioid")
    risks = gabapentinoid_risks(case, draft)
    if risks.named:
        facts = _pair_facts(case, draft, found) | risk_facts(case, risks)
        words = "gabapentinoid_drafted" if case.reverse else "default"
        asks = ("naloxone",) if case.reverse else ("half_dose", "lower_gabapentinoid", "naloxone")
        return Fires("warning", facts, words, _unless_at_hand(case, asks))
    return CannotTell(risks.missing) if risks.missing else DoesNotApply("no respiratory risk factor")


def opioid_with_gabapentinoid(case: Case, draft: MedicationOrder) -> Outcome:
    """Beside a gabapentinoid an opioid needs lower doses of each, and a word on sleepiness."""
    if case.reverse:
        return DoesNotApply("the draft is the partner drug")
    found = gabapentinoid_pairs(case, draft)
    if not found:
        return _absent(case, draft, is_gabapentinoid, "no gabapentinoid with an opioid")
    risks = gabapentinoid_risks(case, draft)
    if risks.named:
        return DoesNotApply("a risk factor is known (DD-02)")
    drafted = {id(order) for order in case.drafts}
    sure = [pair for pair in found if id(pair[1]) in drafted or pair[1].status not in (None, "unknown")]
    if not sure:
        missing = tuple(f"status of {order.ref}: not recorded" for _, order in found)
        return CannotTell(missing, said=True, words="status_unknown", facts=_pair_facts(case, draft, found))
    if all(established(case, draft, partner_of(draft, pair)) for pair in found):
        return DoesNotApply("both taken unchanged for long")
    words = "risk_not_known" if risks.missing else "default"
    facts = _pair_facts(case, draft, found)
    if risks.missing:
        facts["not_known"] = listing(_in_words(entry) for entry in risks.missing)
    return Fires("info", facts, words, unknown=risks.missing)


def _in_words(entry: str) -> str:
    fact = entry.partition(": ")[0]
    return NOT_KNOWN.get(fact, "a dose" if fact.startswith("dose of ") else fact)


def opioid_with_other_depressant(case: Case, draft: MedicationOrder) -> Outcome:
    """Do not add an opioid to another sedating drug; leave out the sedative, or lower the dose and have naloxone."""
    exposures = depressant_exposures(case, draft)
    if exposures:
        return _fires(case, draft, exposures)
    return _absent(case, draft, is_other_depressant, "no other CNS depressant with an opioid")


def three_cns_active_drugs(case: Case, draft: MedicationOrder) -> Outcome:
    """Three or more drugs that act on the brain make older people fall and slow anyone's breathing: taper one."""
    if stops(draft) or one_off(draft) or not (case.reverse or is_opioid(draft)):
        return NOT_AN_OPIOID
    opioid = draft
    if case.reverse:
        new = pairs(case, draft, _acts_on_the_brain)
        if not new:
            return DoesNotApply("no new CNS-active drug with an opioid")
        opioid = new[0][0]
    classes, sedatives = _cns_active(case)
    old = case.aged(CNS_AGE)
    needed = CNS_DRUGS - 1
    if len(sedatives) >= needed or (old and len(classes) >= needed):
        drugs = {name: CNS_CLASSES[kind] for kind, names in classes.items() for name in names}
        for kind, orders in sedatives.items():
            named = [
                order
                for order in orders
                if order.drug and (len(order.drug.names) == 1 or drugs.keys().isdisjoint(order.drug.names))
            ]
            drugs |= {sedative_name(order): CLASS_NAMES[kind] for order in named}
        facts = {
            "drug": opioid_name(opioid),
            "cns_active_drugs": ", ".join(f"{name} ({kind})" for name, kind in sorted(drugs.items())),
            "cns_active_count": str(len(drugs) + 1),
        }
        if case.age is not None:
            facts["age_years"] = str(case.age)
        exposures = benzodiazepine_exposures(case, draft)
        critical = bool(exposures) and exposures[0].indicator == "critical"
        return Fires("info" if critical else "warning", facts, "older" if old else "default")
    missing = [] if case.medications_known else [case.missing("medications")]
    if old is None and (len(classes) >= needed or missing):
        missing.append(age_missing(case))
    return CannotTell(tuple(missing)) if missing else DoesNotApply("fewer than three CNS-active drugs")


def _cns_active(case: Case) -> tuple[dict[str, list[str]], dict[str, list[MedicationOrder]]]:
    """Of the regimen: ingredients by class of DD-05, and the orders that sedate by class of DD-01 and DD-04."""
    classes: dict[str, list[str]] = {}
    sedatives: dict[str, list[MedicationOrder]] = {}
    for order in case.regimen:
        drug = order.drug
        if drug is None or (CNS_ROLES.isdisjoint(drug.roles) and drug.depressant_class is None) or one_off(order):
            continue
        for ingredient, kind in _cns_classes(drug):
            classes.setdefault(kind, []).append(ingredient)
        if drug.depressant_class is not None:
            sedatives.setdefault(drug.depressant_class, []).append(order)
    return classes, sedatives


def _acts_on_the_brain(order: MedicationOrder) -> bool:
    return order.drug is not None and (depressant_class(order) is not None or bool(_cns_classes(order.drug)))


def _cns_classes(drug: Drug) -> tuple[tuple[str, str], ...]:
    """Each ingredient that is of a class of DD-05, with that class."""
    if CNS_ROLES.isdisjoint(drug.roles) or not drug.systemic:
        return ()
    roles = [(part.name, ingredient_roles(part.name)) for part in drug.ingredients]
    return tuple([(name, next(kind for kind in CNS_CLASSES if kind in own)) for name, own in roles if own & CNS_ROLES])


def opioid_with_hazardous_alcohol(case: Case, draft: MedicationOrder) -> Outcome:
    """With hazardous alcohol use, start no opioid, least of all an extended-release one; have naloxone at hand."""
    if case.reverse or stops(draft) or not is_opioid(draft) or draft.drug is None:
        return NOT_AN_OPIOID
    alcohol = alcohol_use(case)
    drug = opioid_name(draft)
    if alcohol.risks.named:
        facts = {"drug": drug, "alcohol": alcohol.risks.named[0], "alcohol_evidence": "; ".join(alcohol.risks.named)}
        words = "dose_dumping" if _dumps_dose(draft) else "default"
        if draft.drug.has("acetaminophen"):
            words = "acetaminophen"
        return Fires("warning", facts | dict(alcohol.facts), words, _unless_at_hand(case, ("delete", "naloxone")))
    if alcohol.unspecified is not None:
        missing = alcohol.risks.missing or ("alcohol use: not specified",)
        return CannotTell(missing, said=True, words="unspecified", facts={"drug": drug, "alcohol": alcohol.unspecified})
    return CannotTell(alcohol.risks.missing) if alcohol.risks.missing else DoesNotApply("no hazardous alcohol use")


def _dumps_dose(draft: MedicationOrder) -> bool:
    drug = draft.drug
    if drug is None or drug.has("oxymorphone"):
        return drug is not None
    return drug.release == "ER" and any(drug.has(name) for name in DOSE_DUMPING)


# What the rules share


def _fires(case: Case, draft: MedicationOrder, exposures: tuple[Exposure, ...]) -> Fires:
    gravest = exposures[0]
    facts = _pair_facts(case, draft, tuple((exposure.opioid, exposure.partner) for exposure in exposures))
    if gravest.words in LONG_TOGETHER:
        facts["established_days"] = str(ESTABLISHED_DAYS)
    if gravest.indicator == "info":
        return Fires("info", facts, gravest.words)
    asks = ["delete"]
    if not case.reverse:
        asks.append("half_dose")
        if any(e.partner is other for e in exposures for other in case.starting if other is not draft):
            asks.append("delete_partner")
    return Fires(
        gravest.indicator,
        facts,
        gravest.words,
        tuple(asks) if gravest.words == "palliative" else _unless_at_hand(case, (*asks, "naloxone")),
    )


def _pair_facts(
    case: Case, draft: MedicationOrder, found: tuple[tuple[MedicationOrder, MedicationOrder], ...]
) -> dict[str, str]:
    opioid, partner = found[0]
    other = opioid if case.reverse else partner
    facts = {
        "drug": listing([opioid_name(opioid) for opioid, _ in found]),
        "partner": listing([sedative_name(partner) for _, partner in found]),
        "partner_class": listing([class_name(partner) for _, partner in found]),
        "partner_standing": standing(case, other),
        "both": "Both" if len({sedative_name(other) for _, other in found}) == 1 else "All",
    }
    since = None if any(other is one for one in case.drafts) else case.taken_since(other)
    if since is not None:
        facts["opioid_since" if case.reverse else "partner_since"] = since.isoformat()
    return facts


def _unless_at_hand(case: Case, asks: tuple[str, ...]) -> tuple[str, ...]:
    """The remedies, without naloxone where a rescue product is there already."""
    return tuple([ask for ask in asks if ask != "naloxone" or not rescue_at_hand(case, RESCUE_MONTHS)])


def _absent(case: Case, draft: MedicationOrder, wanted: Wanted, because: str) -> Outcome:
    """No such pair: certain where the medication list is known, or where this draft is no part of one."""
    if case.medications_known or stops(draft) or one_off(draft):
        return DoesNotApply(because)
    concerned = wanted(draft) if case.reverse else is_opioid(draft)
    return CannotTell((case.missing("medications"),)) if concerned else DoesNotApply(because)


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("DD-01", opioid_with_benzodiazepine),
    ("DD-02", opioid_with_gabapentinoid_at_risk),
    ("DD-03", opioid_with_gabapentinoid),
    ("DD-04", opioid_with_other_depressant),
    ("DD-05", three_cns_active_drugs),
    ("DD-06", opioid_with_hazardous_alcohol),
)
