"""Interactions: what poisons, blocks, raises or lowers the ordered opioid (DD-07 to DD-14, DD-27)."""

from collections.abc import Callable, Sequence
from datetime import date

from cds.breathing import listing
from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import established
from cds.dose import daily_dose
from cds.findings import RuleFunction
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Indicator, Outcome
from cds.partners import (
    Named,
    Partner,
    either,
    holds,
    long_together,
    named_together,
    opioid_and_partner,
    partners,
    with_role,
)
from cds.rules.allergy import allergy_to_the_opioid
from cds.rules.antagonist import opioid_with_antagonist
from cds.rules.methadone import methadone_and_qt
from cds.seizures import SeizureLimits, seizure_risks

KNOWLEDGE = load_group("interaction")

MAOI_DAYS = KNOWLEDGE["DD-07"].days("after_maoi_days")
FLUOXETINE_DAYS = KNOWLEDGE["DD-08"].days("fluoxetine_days")
LOW_TCA_MG = KNOWLEDGE["DD-08"].number("low_tca_mg_per_day")
SEIZURE_LIMITS = SeizureLimits(
    seizure_days=KNOWLEDGE["DD-09"].days("seizure_days"),
    recent_days=KNOWLEDGE["DD-09"].days("recent_seizure_days"),
    tramadol_mg=KNOWLEDGE["DD-09"].number("tramadol_with_antidepressant_mg_per_day"),
    tca_mg=KNOWLEDGE["DD-09"].number("high_tca_mg_per_day"),
)
CYP3A4_INHIBITOR_DAYS = KNOWLEDGE["DD-10"].days("after_inhibitor_days")
INDUCER_DAYS = KNOWLEDGE["DD-11"].days("after_inducer_days")
CYP2D6_DAYS = KNOWLEDGE["DD-12"].days("after_inhibitor_days")
CYP2D6_FLUOXETINE_DAYS = KNOWLEDGE["DD-12"].days("fluoxetine_days")

MAOI = with_role("maoi", "linezolid_like")
MAOI_CONTRAINDICATED = frozenset({"tramadol", "tapentadol", "meperidine", "morphine", "codeine"})
MAOI_DANGEROUS = frozenset({"methadone", "fentanyl"})
OPIOID = with_role("opioid")
SEROTONERGIC_OPIOID = holds("tramadol", "tapentadol", "meperidine", "methadone", "fentanyl")
SEROTONERGIC = either(
    with_role("ssri", "snri", "tca", "triptan"),
    holds(
        "mirtazapine", "trazodone", "buspirone", "lithium", "linezolid", "st. john's wort extract", "dextromethorphan",
        "cyclobenzaprine", "metaxalone",
    ),
)  # fmt: skip
TRICYCLIC = with_role("tca")
SEIZURE_OPIOID = holds("tramadol", "tapentadol", "meperidine")
CYP3A4_OPIOID = holds("fentanyl", "oxycodone", "methadone", "hydrocodone", "tramadol", "buprenorphine")
CYP3A4_STRONG = with_role("cyp3a4_strong_inhibitor")
CYP3A4_MODERATE = with_role("cyp3a4_moderate_inhibitor")
CYP3A4_INHIBITOR = either(CYP3A4_STRONG, CYP3A4_MODERATE)
CYP3A4_INHIBITORS = ((CYP3A4_STRONG, "strong"), (CYP3A4_MODERATE, "moderate"))
CYP3A4_INDUCER = with_role("cyp3a4_inducer", "cyp3a4_strong_inducer", "cyp3a4_moderate_inducer")
CYP2D6_PRODRUG = with_role("cyp2d6_prodrug")
CYP2D6_SUBSTRATE = holds("hydrocodone", "oxycodone")
CYP2D6_OPIOID = either(CYP2D6_PRODRUG, CYP2D6_SUBSTRATE)
CYP2D6_STRONG = with_role("cyp2d6_strong_inhibitor")
CYP2D6_MODERATE = with_role("cyp2d6_moderate_inhibitor")

METABOLIZERS = {
    "poor": "poor", "ultrarapid": "ultra-rapid", "ultra-rapid": "ultra-rapid", "ultra rapid": "ultra-rapid",
}  # fmt: skip
"""What the recorded phenotype says, and how a card calls it."""

OpioidOrders = tuple[tuple[MedicationOrder, str], ...]

NOT_CONCERNED = DoesNotApply("no opioid that this concerns")
PARTNER_DRAFTED = DoesNotApply("the draft is the partner drug")


def opioid_with_mao_inhibitor(case: Case, draft: MedicationOrder) -> Outcome:
    """Give no opioid with an MAO inhibitor, nor within 14 days of one."""
    opioids = opioid_and_partner(case, draft, OPIOID)
    if not opioids:
        return NOT_CONCERNED
    opioids = _newly_exposed(case, draft, opioids)
    # A single dose of methylene blue in theatre is what the rule is about.
    found = _beside(case, draft, MAOI, lambda name: MAOI_DAYS, even_once=True) if opioids else []
    if not found:
        return _absent(case, "no MAO inhibitor within the window")
    order, opioid = min(opioids, key=lambda pair: (pair[1] not in MAOI_CONTRAINDICATED, pair[1] not in MAOI_DANGEROUS))
    if opioid in MAOI_CONTRAINDICATED:
        basis, indicator = "its label forbids the combination", _unless_established(case, order, found)
    elif opioid in MAOI_DANGEROUS:
        basis, indicator = "deaths have been reported", _unless_established(case, order, found)
    else:
        basis, indicator = "its label warns of the combination", "warning"
    facts = _facts(case, opioid, found) | {"basis": basis}
    return Fires(indicator, facts, asks=_delete(case, found), unknown=_ends_not_known(found))


def serotonergic_drug(case: Case, draft: MedicationOrder) -> Outcome:
    """Beside a serotonergic drug choose no opioid that raises serotonin."""
    opioids = opioid_and_partner(case, draft, SEROTONERGIC_OPIOID)
    if case.reverse or not opioids:
        return PARTNER_DRAFTED if case.reverse else NOT_CONCERNED
    every = _beside(case, draft, SEROTONERGIC, lambda name: FLUOXETINE_DAYS if name == "fluoxetine" else 0)
    found = _known(every)
    if not found:
        # Every other drug of the list no longer matters on the day after it was stopped, whichever day that was.
        return _absent(case, "no serotonergic drug", [one for one in every if one.name == "fluoxetine"])
    grave = [partner for partner in found if not _low_or_old(case, draft, partner)]
    if grave:
        return Fires("warning", _facts(case, opioids[0][1], grave), asks=_delete(case, grave))
    return Fires("info", _facts(case, opioids[0][1], found), "mild")


def _low_or_old(case: Case, draft: MedicationOrder, partner: Partner) -> bool:
    if TRICYCLIC(partner.order) == partner.name:
        dose = daily_dose(partner.order, partner.name).maximum
        if dose is not None and dose <= LOW_TCA_MG:
            return True
    return partner.taken and established(case, draft, partner.order)


def lowered_seizure_threshold(case: Case, draft: MedicationOrder) -> Outcome:
    """With epilepsy, a recent seizure, withdrawal or drugs that lower the threshold, do not give tramadol, tapentadol
    or meperidine."""
    opioids = opioid_and_partner(case, draft, SEIZURE_OPIOID)
    if case.reverse or not opioids:
        return PARTNER_DRAFTED if case.reverse else NOT_CONCERNED
    risks = seizure_risks(case, draft, SEIZURE_LIMITS)
    if not risks.named:
        return CannotTell(risks.missing) if risks.missing else DoesNotApply("no seizure risk on record")
    facts = {"drug": opioids[0][1], "risk": risks.named[0], "risks": "; ".join(risks.named)}
    return Fires("critical" if risks.recent else "warning", facts, asks=("delete",), unknown=risks.missing)


def cyp3a4_inhibitor(case: Case, draft: MedicationOrder) -> Outcome:
    """Beside a CYP3A4 inhibitor halve the opioid, or choose one that CYP3A4 does not clear."""
    opioids = opioid_and_partner(case, draft, CYP3A4_OPIOID)
    if not opioids:
        return NOT_CONCERNED
    if not CYP3A4_INHIBITOR.recorded(case):
        return _absent(case, "no CYP3A4 inhibitor that is new")
    opioids = _newly_exposed(case, draft, opioids)
    if not opioids:
        return DoesNotApply("no CYP3A4 inhibitor that is new")
    order, opioid = min(opioids, key=lambda pair: pair[1] != "fentanyl")
    open_ended: list[Partner] = []
    lasting: list[Partner] = []
    for named, strength in CYP3A4_INHIBITORS[:1] if case.reverse else CYP3A4_INHIBITORS:
        every = _beside(case, draft, named, lambda name: CYP3A4_INHIBITOR_DAYS)
        found = [one for one in _known(every) if case.reverse or not established(case, draft, one.order)]
        open_ended += [one for one in every if _end_not_known(one)]
        if found:
            dangerous = opioid == "fentanyl" and strength == "strong"
            facts = _facts(case, opioid, found) | {"strength": strength}
            asks = ("delete", "naloxone") if case.reverse else ("half_dose", *_delete(case, found), "naloxone")
            indicator = _unless_established(case, order, found) if dangerous else "warning"
            return Fires(indicator, facts, asks=asks, unknown=_ends_not_known(open_ended))
        if opioid == "fentanyl" and strength == "strong" and _known(every):
            lasting = _known(every)
    unknown = _ends_not_known(open_ended)
    if lasting:
        facts = _facts(case, opioid, lasting) | {"strength": "strong"}
        return Fires("warning", facts, "established", ("naloxone",), unknown)
    if open_ended:
        return CannotTell(unknown, said=True, words="end_not_known", facts=_facts(case, opioid, open_ended))
    return _absent(case, "no CYP3A4 inhibitor that is new")


def cyp3a4_inducer(case: Case, draft: MedicationOrder) -> Outcome:
    """Beside a CYP3A4 inducer choose an opioid outside CYP3A4; when an inducer stops, start low."""
    opioids = opioid_and_partner(case, draft, CYP3A4_OPIOID)
    if case.reverse or not opioids:
        return PARTNER_DRAFTED if case.reverse else NOT_CONCERNED
    every = _beside(case, draft, CYP3A4_INDUCER, lambda name: INDUCER_DAYS)
    found = [one for one in _known(every) if not one.taken or not established(case, draft, one.order)]
    if not found:
        return _absent(case, "no CYP3A4 inducer that is new", every)
    taken = [partner for partner in found if partner.taken]
    words = "default" if taken else "stopped"
    return Fires("warning", _facts(case, opioids[0][1], taken or found), words, asks=_delete(case, found))


def cyp2d6_inhibitor(case: Case, draft: MedicationOrder) -> Outcome:
    """Beside a CYP2D6 inhibitor, or in a poor or ultra-rapid metabolizer, give neither tramadol nor codeine."""
    opioids = opioid_and_partner(case, draft, CYP2D6_OPIOID)
    if case.reverse or not opioids:
        return PARTNER_DRAFTED if case.reverse else NOT_CONCERNED
    opioid = opioids[0][1]
    prodrug = CYP2D6_PRODRUG(draft) is not None
    metabolizer = _metabolizer(case) if prodrug else None
    if metabolizer is not None:
        effect = "little relief" if metabolizer == "poor" else "danger to breathing"
        return Fires("warning", {"drug": opioid, "metabolizer": metabolizer, "effect": effect}, "genotype", ("delete",))
    open_ended: list[Partner] = []
    for named, strength in ((CYP2D6_STRONG, "strong"), (CYP2D6_MODERATE, "moderate")):
        every = _beside(case, draft, named, _cyp2d6_days if prodrug else None)
        found = _known(every)
        open_ended += every
        if found:
            facts = _facts(case, opioid, found) | {"strength": strength}
            if not prodrug:
                return Fires("info", facts, "mild")
            return Fires("warning", facts, asks=_delete(case, found), unknown=_ends_not_known(open_ended))
    untold = (case.missing("labs"),) if prodrug and "labs" not in case.answered else ()
    return _absent(case, "no CYP2D6 inhibitor", open_ended, untold)


def _cyp2d6_days(name: str) -> int:
    return CYP2D6_FLUOXETINE_DAYS if name == "fluoxetine" else CYP2D6_DAYS


def _metabolizer(case: Case) -> str | None:
    """What the latest phenotype on record says; nobody outgrows it, so that one without a date counts too."""
    found = [one for one in case.chart.observations if one.meaning == "cyp2d6_phenotype" and one.text]
    latest = max(found, key=lambda one: (one.taken or date.min, one.ref), default=None)
    text = (latest.text or "") if latest is not None else ""
    return next((kind for word, kind in METABOLIZERS.items() if word in text), None)


# What the rules share


def _beside(
    case: Case, draft: MedicationOrder, named: Named, ended_within: Callable[[str], int] | None, even_once: bool = False
) -> list[Partner]:
    """The partner drugs of this draft; in the reverse scope the draft itself is the partner."""
    if not case.reverse:
        return list(partners(case, draft, named, ended_within, even_once))
    name = named(draft)
    return [] if name is None else [Partner(draft, name, "ordered in this signing", taken=True)]


def _end_not_known(partner: Partner) -> bool:
    return not partner.taken and partner.last is None and not partner.lately


def _known(found: Sequence[Partner]) -> list[Partner]:
    return [partner for partner in found if not _end_not_known(partner)]


def _ends_not_known(found: Sequence[Partner]) -> tuple[str, ...]:
    return tuple(f"end of {partner.order.ref}: not recorded" for partner in found if _end_not_known(partner))


def _newly_exposed(case: Case, draft: MedicationOrder, opioids: OpioidOrders) -> OpioidOrders:
    """In the reverse scope, the opioids beside which the drafted partner is new (G01); else all."""
    if not case.reverse:
        return opioids
    return tuple((order, name) for order, name in opioids if not established(case, draft, order))


def _unless_established(case: Case, opioid: MedicationOrder, found: Sequence[Partner]) -> Indicator:
    old = all(partner.taken and long_together(case, opioid, partner.order) for partner in found)
    return "warning" if old else "critical"


def _facts(case: Case, opioid: str, found: Sequence[Partner]) -> dict[str, str]:
    facts = {
        "drug": opioid,
        "partner": named_together(found),
        "partner_standing": listing(partner.standing for partner in found),
    }
    last = max((partner.last for partner in found if partner.last is not None), default=None)
    if last is not None:
        facts["partner_ended"] = last.isoformat()
        facts["partner_ended_days"] = str((case.today - last).days)
    return facts


def _delete(case: Case, found: Sequence[Partner]) -> tuple[str, ...]:
    drafted = any(partner.order is draft for partner in found for draft in case.drafts)
    return ("delete", "delete_partner") if drafted and not case.reverse else ("delete",)


def _absent(case: Case, because: str, every: Sequence[Partner] = (), untold: tuple[str, ...] = ()) -> Outcome:
    """No partner drug is known to matter; one of ``every`` whose end is not recorded might, or one not listed, or what
    else is ``untold``."""
    missing = (*(_ends_not_known(every) if every else ()), *untold)
    if not (case.medications_known or case.reverse):
        missing = (*missing, case.missing("medications"))
    return CannotTell(missing) if missing else DoesNotApply(because)


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("DD-07", opioid_with_mao_inhibitor),
    ("DD-08", serotonergic_drug),
    ("DD-09", lowered_seizure_threshold),
    ("DD-10", cyp3a4_inhibitor),
    ("DD-11", cyp3a4_inducer),
    ("DD-12", cyp2d6_inhibitor),
    ("DD-13", methadone_and_qt),
    ("DD-14", opioid_with_antagonist),
    ("DD-27", allergy_to_the_opioid),
)
