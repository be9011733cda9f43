"""Why each agent of CLINICAL.md section 4 is withheld from a patient (the column "Not offered when").

Each reason is a short printable phrase of our own words and the names of recognised drugs.
"""

from collections.abc import Callable, Iterator
from datetime import date

from msgspec import Struct

from cds.case import Case
from cds.chart import MedicationOrder
from cds.exposure import span
from cds.indication import Indication
from cds.schedules import SCHEDULES
from cds.scope import depressant_class, is_opioid, is_systemic

SLEEP_APNOEA = (
    "sleep_apnea", "obstructive_sleep_apnea", "central_sleep_apnea", "obesity_hypoventilation", "sleep_hypoventilation",
)  # fmt: skip
CHRONIC_LUNG = ("copd", "chronic_lung_disease", "interstitial_lung_disease", "asthma_severe")
RESPIRATORY_FAILURE = ("respiratory_failure", "respiratory_failure_hypercapnic", "respiratory_failure_acute")
HEPATIC = ("hepatic_disease", "hepatic_disease_severe", "cirrhosis")
MAO_INHIBITORS = ("maoi", "linezolid_like")
CONDUCTION = ("conduction_disease", "qt_or_conduction", "long_qt")
SODIUM_CHANNEL_BLOCKERS = ("carbamazepine", "oxcarbazepine")
ENDED = frozenset({"stopped", "completed", "ended", "discontinued", "on-hold"})
LIMITS, DAYS = SCHEDULES.limits, SCHEDULES.whole


class Setting(Struct, frozen=True):
    """One patient after this signing, less the draft that an agent would take the place of."""

    case: Case
    taken: tuple[MedicationOrder, ...]
    indication: "Indication | None"

    def takes(self, *roles: str) -> tuple[str, ...]:
        """Names of the systemic drugs with one of these roles."""
        wanted = frozenset(roles)
        return tuple(
            order.drug.name
            for order in self.taken
            if order.drug is not None and is_systemic(order) and not wanted.isdisjoint(order.drug.roles)
        )

    def has(self, words: str, *meanings: str) -> Iterator[str]:
        """The words, where a condition with one of these meanings is present."""
        if self.case.condition(*meanings) is not None:
            yield words


# Gabapentinoids


def _gabapentinoid(setting: Setting) -> Iterator[str]:
    yield from _trigeminal(setting)
    yield from setting.has("respiratory failure", *RESPIRATORY_FAILURE)
    remaining = next((order.drug.name for order in setting.taken if order.drug is not None and is_opioid(order)), None)
    if remaining is not None:
        yield from (f"{remaining} remains, with {risk}" for risk in breathing_risks(setting))


def breathing_risks(setting: Setting) -> Iterator[str]:
    """The risk factors of DD-02 for a start dose. An age that is not known counts as one: an opioid remains."""
    case = setting.case
    older = case.aged(DAYS("older_years"))
    if older is not False:
        yield "age 65 or more" if older else "age not known"
    asthma = case.condition("asthma_unspecified")
    if asthma is not None and asthma.severe:
        yield "severe asthma"
    yield from setting.has("chronic lung disease", *CHRONIC_LUNG)
    yield from setting.has("sleep apnoea", *SLEEP_APNOEA)
    yield from setting.has("neuromuscular disease", "neuromuscular_respiratory", "myasthenia")
    if case.renal.below(LIMITS["gabapentinoid_egfr_ml_per_min"]):
        yield "reduced renal function"
    yield from (o.drug.name for o in setting.taken if o.drug is not None and depressant_class(o) is not None)


def _pregabalin(setting: Setting) -> Iterator[str]:
    yield from _gabapentinoid(setting)
    failure, nyha = setting.case.condition("heart_failure"), setting.case.latest("nyha_class")
    if nyha is None:
        if failure is not None:
            yield "severe heart failure" if failure.severe else "heart failure, class not known"
    elif nyha.value is not None:
        if nyha.value >= LIMITS["nyha_count"]:
            yield "heart failure class III or IV"
    elif not nyha.text:
        yield "heart failure, class not known"
    elif not {"iii", "iv", "3", "4"}.isdisjoint(nyha.text.replace("-", " ").split()):
        yield "heart failure class III or IV"


# Antidepressants


def _duloxetine(setting: Setting) -> Iterator[str]:
    case = setting.case
    yield from _trigeminal(setting)
    yield from _antidepressant(setting)
    yield from setting.has("liver disease", *HEPATIC)
    if _heavy_alcohol(case):
        yield "heavy alcohol use"
    if case.renal.below(LIMITS["duloxetine_crcl_ml_per_min"]):
        yield "renal function below 30 mL/min"
    if _uncontrolled_hypertension(case):
        yield "uncontrolled hypertension"
    yield from (f"takes {name}" for name in setting.takes("cyp2d6_strong_inhibitor", "cyp1a2_strong_inhibitor"))


def _tricyclic(setting: Setting) -> Iterator[str]:
    case = setting.case
    yield from _trigeminal(setting)
    yield from _antidepressant(setting)
    if case.aged(DAYS("older_years")):
        yield "age 65 or more"
    yield from setting.has("conduction disease or long QT", *CONDUCTION)
    if any(_in_window(event.since, case.today) for event in case.events("myocardial_infarction_recent")):
        yield "myocardial infarction in the last 42 days"
    qtc = case.latest("qtc", within_days=DAYS("ecg_days"))
    longest = LIMITS["qtc_woman_ms" if case.chart.patient.sex == "female" else "qtc_man_ms"]
    if qtc is not None and qtc.value is not None and qtc.value > longest:
        yield "QTc prolonged"
    yield from (f"takes {name}" for name in setting.takes("qt_known"))
    yield from setting.has("urinary retention", "urinary_retention")
    yield from setting.has("bipolar disorder", "bipolar")
    yield from setting.has("bowel obstruction or ileus", "gi_obstruction", "paralytic_ileus", "toxic_megacolon")


def _antidepressant(setting: Setting) -> Iterator[str]:
    """What withholds both duloxetine and the tricyclics."""
    yield from setting.has("narrow-angle glaucoma", "glaucoma_narrow")
    yield from (f"takes {name}" for name in setting.takes("serotonergic", *MAO_INHIBITORS))
    yield from (f"took {name} recently" for name in _washing_out(setting.case))


def _washing_out(case: Case) -> Iterator[str]:
    """MAO inhibitors that ended in the last 14 days, fluoxetine in the last 35. An end that is not known counts, where
    the order is of the last year or of no known day."""
    active = {order.drug.name for order in case.regimen if order.drug is not None}
    for order in case.chart.medications:
        drug = order.drug
        if drug is None or drug.name in active:
            continue
        if not drug.roles.isdisjoint(MAO_INHIBITORS):
            window = DAYS("maoi_days")
        elif drug.has("fluoxetine"):
            window = DAYS("fluoxetine_days")
        else:
            continue
        taken = span(order, case.today)
        if taken is None:
            if order.status in ENDED and not (order.start or order.end or order.authored):
                yield drug.name
        else:
            last, longest = (taken.start, DAYS("open_order_days")) if taken.end is None else (taken.end, window)
            if (case.today - last).days <= longest:
                yield drug.name


def _in_window(since: date | None, today: date) -> bool:
    """A date that is not known is inside the window of a danger."""
    return since is None or 0 <= (today - since).days <= DAYS("infarction_days")


def _heavy_alcohol(case: Case) -> bool:
    if case.condition("alcohol_use_disorder") is not None:
        return True
    score = case.latest("audit_c", within_days=DAYS("audit_days"))
    limit = LIMITS["audit_c_man_points" if case.chart.patient.sex == "male" else "audit_c_woman_points"]
    return score is not None and score.value is not None and score.value >= limit


def _uncontrolled_hypertension(case: Case) -> bool:
    if case.condition("uncontrolled_hypertension") is not None:
        return True
    for meaning, limit in (("systolic_bp", "systolic_mmhg"), ("diastolic_bp", "diastolic_mmhg")):
        pressure = case.latest(meaning, within_days=DAYS("pressure_days"))
        if pressure is not None and pressure.value is not None and pressure.value >= LIMITS[limit]:
            return True
    return False


def _trigeminal(setting: Setting) -> Iterator[str]:
    """In trigeminal neuralgia carbamazepine or oxcarbazepine comes first; it is named in text only."""
    if setting.indication is None or "trigeminal_neuralgia" not in setting.indication.meanings:
        return
    tried = any(setting.case.records_of(name) for name in SODIUM_CHANNEL_BLOCKERS)
    if not tried and all(a.ingredients.isdisjoint(SODIUM_CHANNEL_BLOCKERS) for a in setting.case.chart.allergies):
        yield "trigeminal neuralgia: carbamazepine or oxcarbazepine comes first"


# Topical agents


def _lidocaine(setting: Setting) -> Iterator[str]:
    yield from _site(setting, feet_count=False)
    if any("local_anesthetic" in allergy.roles for allergy in setting.case.chart.allergies):
        yield "allergy to a local anaesthetic"
    yield from (f"takes {name}" for name in setting.takes("antiarrhythmic_class_1"))


def _capsaicin(setting: Setting) -> Iterator[str]:
    yield from _site(setting, feet_count=True)
    if _uncontrolled_hypertension(setting.case):
        yield "uncontrolled hypertension"


def _site(setting: Setting, feet_count: bool) -> Iterator[str]:
    where = setting.indication
    if where is not None and (where.face_or_scalp or "trigeminal_neuralgia" in where.meanings):
        yield "pain of the face or scalp"
    elif where is None or not (where.localized or (feet_count and where.feet_only)):
        yield "pain is not localized"
    yield from setting.has("broken skin", "broken_skin")


# Tramadol


def _tramadol(setting: Setting) -> Iterator[str]:
    """Section 4, "Never offered", as far as the chart tells it without the rules of the second review."""
    case = setting.case
    adult = case.aged(18)
    if not adult:
        yield "age not known" if adult is None else "under 18"
    yield from (
        f"takes {name}"
        for name in setting.takes(
            "serotonergic", *MAO_INHIBITORS, "cyp2d6_strong_inhibitor", "cyp2d6_moderate_inhibitor",
            "cyp3a4_strong_inhibitor", "cyp3a4_moderate_inhibitor", "cyp3a4_inducer", "partial_agonist",
            "mixed_agonist_antagonist", "antagonist",
        )
    )  # fmt: skip
    yield from (f"took {name} recently" for name in _washing_out(case))
    yield from (f"{order.drug.name} remains" for order in setting.taken if order.drug is not None and is_opioid(order))
    yield from (f"takes {order.drug.name}" for order in setting.taken if order.drug and depressant_class(order))
    for name in setting.takes("gabapentinoid"):
        yield from (f"takes {name}, with {risk}" for risk in breathing_risks(setting))
    if _heavy_alcohol(case):
        yield "heavy alcohol use"
    yield from setting.has("seizure disorder", "seizure_disorder", "status_epilepticus")
    if any("opioid_allergy" in a.meanings or "opioid" in a.roles for a in case.chart.allergies if not a.intolerance):
        yield "allergy to an opioid"
    yield from setting.has("sleep apnoea", *SLEEP_APNOEA)
    yield from setting.has("chronic lung disease", *CHRONIC_LUNG)
    yield from setting.has("respiratory failure", *RESPIRATORY_FAILURE)
    yield from setting.has("liver disease", *HEPATIC)


REASONS: dict[str, Callable[[Setting], Iterator[str]]] = {
    "gabapentin": _gabapentinoid,
    "pregabalin": _pregabalin,
    "duloxetine": _duloxetine,
    "nortriptyline": _tricyclic,
    "desipramine": _tricyclic,
    "lidocaine_patch": _lidocaine,
    "capsaicin_patch": _capsaicin,
    "tramadol": _tramadol,
}
"""What withholds each agent, beside what concerns them all (``cds.offer``)."""
