"""Methadone and the QT interval (DD-13)."""

from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.dose import daily_dose
from cds.exposure import span
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.partners import partners, with_role
from cds.scope import stops
from cds.substances import dated

KNOWLEDGE = load_group("interaction")["DD-13"]

QTC_MS = KNOWLEDGE.number("qtc_ms")
QTC_CRITICAL_MS = KNOWLEDGE.number("qtc_critical_ms")
DOSE_MG = KNOWLEDGE.number("dose_mg_per_day")
ECG_DAYS = KNOWLEDGE.days("ecg_days")
ELECTROLYTE_DAYS = KNOWLEDGE.days("electrolyte_days")
POTASSIUM = KNOWLEDGE.number("potassium_mmol_per_l")
MAGNESIUM = KNOWLEDGE.number("magnesium_mg_per_dl")

QT_DRUG = with_role("qt_known")
RISK_CONDITIONS = ("long_qt", "hypokalaemia", "hypomagnesaemia", "heart_failure", "bradycardia")


def methadone_and_qt(case: Case, draft: MedicationOrder) -> Outcome:
    """Before methadone do an ECG where anything prolongs QT, and do not start it at a QTc above 500 ms."""
    if draft.drug is None or not draft.drug.has("methadone") or stops(draft):
        return DoesNotApply("no methadone is ordered")
    risks = _risks(case, draft)
    qtc = case.latest("qtc", within_days=ECG_DAYS)
    facts = {"drug": "methadone", "risk": risks[0] if risks else "", "risks": "; ".join(risks)}
    if qtc is not None and qtc.value is not None and qtc.taken is not None:
        facts |= {"qtc_ms": number(qtc.value), "qtc_date": qtc.taken.isoformat()}
        if qtc.value > QTC_CRITICAL_MS:
            return Fires("critical", facts, "critical", ("delete",))
    missing = _missing(case)
    if risks:
        return Fires("warning", facts, asks=("ecg",), unknown=missing)
    if missing:
        return CannotTell(missing)
    if qtc is None and case.latest("ecg_study", within_days=ECG_DAYS) is None and not _taken_before(case):
        return Fires("info", facts, "no_ecg", ("ecg",))
    return DoesNotApply("no QT risk on record")


def _risks(case: Case, draft: MedicationOrder) -> list[str]:
    risks = []
    qtc = case.latest("qtc", within_days=ECG_DAYS)
    if qtc is not None and qtc.value is not None and qtc.taken is not None and qtc.value > QTC_MS:
        risks.append(f"QTc {number(qtc.value)} ms on {qtc.taken.isoformat()}")
    risks += [partner.name for partner in partners(case, draft, QT_DRUG) if partner.taken]
    for meaning, name, limit, unit in (
        ("potassium", "potassium", POTASSIUM, "mmol/L"),
        ("magnesium", "magnesium", MAGNESIUM, "mg/dL"),
    ):
        value = case.latest(meaning, within_days=ELECTROLYTE_DAYS)
        if value is not None and value.value is not None and value.taken is not None and value.value < limit:
            risks.append(f"{name} {number(value.value)} {unit} on {value.taken.isoformat()}")
    for meaning in RISK_CONDITIONS:
        condition = case.condition(meaning)
        if condition is not None and not _measured_since(case, meaning):
            risks.append(dated(condition.name, condition.since))
    dose = daily_dose(draft, "methadone").maximum
    if dose is not None and dose > DOSE_MG:
        risks.append(f"methadone {number(dose)} mg a day")
    return risks


def _measured_since(case: Case, meaning: str) -> bool:
    """Whether a laboratory value of the window speaks in place of the listed condition."""
    measured = {"hypokalaemia": "potassium", "hypomagnesaemia": "magnesium"}.get(meaning)
    value = case.latest(measured, within_days=ELECTROLYTE_DAYS) if measured else None
    return value is not None and value.value is not None


def _missing(case: Case) -> tuple[str, ...]:
    missing = [] if case.medications_known else [case.missing("medications")]
    missing += [case.missing(question) for question in ("conditions", "labs") if not case.chart.answers(question)]
    return tuple(missing)


def _taken_before(case: Case) -> bool:
    """Methadone is taken already: this order starts nothing."""
    return any(
        (days := span(record, case.today)) is not None and days.start < case.today
        for record in case.records_of("methadone")
        if any(record is listed for listed in case.listed)
    )
