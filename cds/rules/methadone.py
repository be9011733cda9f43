"""Methadone and the QT interval (DD-13)."""

from datetime import date
from decimal import Decimal

from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import dose_change
from cds.exposure import span
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.partners import partners, with_role
from cds.scope import stops
from cds.substances import dated
from cds.totals import daily_total, shown

KNOWLEDGE = load_group("interaction")["DD-13"]

QTC_MS = KNOWLEDGE.number("qtc_ms")
QTC_CRITICAL_MS = KNOWLEDGE.number("qtc_critical_ms")
DOSE_MG = KNOWLEDGE.number("dose_mg_per_day")
ECG_DAYS = KNOWLEDGE.days("ecg_days")
ELECTROLYTE_DAYS = KNOWLEDGE.days("electrolyte_days")
POTASSIUM = KNOWLEDGE.number("potassium_mmol_per_l")
MAGNESIUM = KNOWLEDGE.number("magnesium_mg_per_dl")

QT_DRUG = with_role("qt_known")
RISK_CONDITIONS = {
    "long_qt": "long QT",
    "hypokalaemia": "hypokalaemia",
    "hypomagnesaemia": "hypomagnesaemia",
    "heart_failure": "heart failure",
    "bradycardia": "bradycardia",
}


def methadone_and_qt(case: Case, draft: MedicationOrder) -> Outcome:
    """Before methadone do an ECG where anything prolongs QT, and do not start it at a QTc above 500 ms."""
    if draft.drug is None or not draft.drug.has("methadone") or stops(draft):
        return DoesNotApply("no methadone is ordered")
    risks = _risks(case, draft)
    measured = _in_window(case, "qtc", ECG_DAYS)
    facts = {"drug": "methadone", "risk": next(iter(risks), ""), "risks": "; ".join(risks)}
    if measured is not None:
        qtc, day = measured
        facts |= {"qtc_ms": number(qtc), "qtc_date": day.isoformat()}
        if qtc > QTC_CRITICAL_MS:
            return Fires("critical", facts, "critical", ("delete",))
    goes_on = _goes_on(case, draft)
    if goes_on and _cleared(case, draft):
        return DoesNotApply("methadone goes on at a normal QTc")
    missing = _missing(case, draft)
    if risks:
        return Fires("warning", facts, asks=("ecg",), unknown=missing)
    if not missing:
        return DoesNotApply("no QT risk on record")
    if goes_on or measured is not None or case.latest("ecg_study", within_days=ECG_DAYS) is not None:
        return CannotTell(missing)
    return CannotTell(missing, said=True, words="no_ecg", facts={"drug": "methadone"})


def _in_window(case: Case, meaning: str, days: int) -> tuple[Decimal, date] | None:
    """The latest value of so many days, and its day."""
    found = case.latest(meaning, within_days=days)
    return None if found is None or found.value is None or found.taken is None else (found.value, found.taken)


def _low_electrolytes(case: Case) -> list[tuple[str, date]]:
    """Low potassium and magnesium as a card names them, and the day."""
    found = []
    for name, limit, unit in (("potassium", POTASSIUM, "mmol/L"), ("magnesium", MAGNESIUM, "mg/dL")):
        measured = _in_window(case, name, ELECTROLYTE_DAYS)
        if measured is not None and measured[0] < limit:
            value, day = measured
            found.append((f"{name} {number(value)} {unit} on {day.isoformat()}", day))
    return found


def _risks(case: Case, draft: MedicationOrder) -> list[str]:
    risks = []
    measured = _in_window(case, "qtc", ECG_DAYS)
    if measured is not None and measured[0] > QTC_MS:
        risks.append(f"QTc {number(measured[0])} ms on {measured[1].isoformat()}")
    risks += _qt_drugs(case, draft)
    risks += [low for low, _ in _low_electrolytes(case)]
    for meaning, name in RISK_CONDITIONS.items():
        condition = case.condition(meaning)
        if condition is not None and not _measured_since(case, meaning, condition.since):
            risks.append(dated(name, condition.since))
    dose = daily_total(case.regimen, "methadone").at_least
    if dose > DOSE_MG:
        risks.append(f"methadone {shown(dose)} mg a day")
    return risks


def _qt_drugs(case: Case, draft: MedicationOrder) -> list[str]:
    """Drugs of known QT risk beside methadone."""
    return [one.name for one in partners(case, draft, QT_DRUG) if one.taken and one.name != "methadone"]


def _measured_since(case: Case, meaning: str, since: date | None) -> bool:
    """Whether a laboratory value of the window, not older than the listed condition, speaks in its place."""
    measured = {"hypokalaemia": "potassium", "hypomagnesaemia": "magnesium"}.get(meaning)
    value = None if measured is None else _in_window(case, measured, ELECTROLYTE_DAYS)
    return value is not None and (since is None or since <= value[1])


def _cleared(case: Case, draft: MedicationOrder) -> bool:
    """A normal QTc of the window, no other QT drug, no low electrolyte since."""
    measured = _in_window(case, "qtc", ECG_DAYS)
    if measured is None or measured[0] > QTC_MS or not case.medications_known:
        return False
    if _qt_drugs(case, draft):
        return False
    return all(day <= measured[1] for _, day in _low_electrolytes(case))


def _missing(case: Case, draft: MedicationOrder) -> tuple[str, ...]:
    missing = [] if case.medications_known else [case.missing("medications")]
    missing += case.not_answered("conditions", "labs")
    if _in_window(case, "qtc", ECG_DAYS) is None and "labs" in case.answered:
        older = case.latest("qtc") is not None and case.latest("qtc", within_days=ECG_DAYS) is None
        missing.append(f"QTc: older than {ECG_DAYS} days" if older else "QTc: not recorded")
    return (*missing, *daily_total(case.regimen, "methadone").unknown)


def _goes_on(case: Case, draft: MedicationOrder) -> bool:
    """Methadone is taken already, and this order raises nothing."""
    return _taken_before(case) and dose_change(case, draft) in ("unchanged", "falls")


def _taken_before(case: Case) -> bool:
    """Methadone is taken already: this order starts nothing."""
    return any(
        (days := span(record, case.today)) is not None and days.start < case.today
        for record in case.records_of("methadone")
        if any(record is listed for listed in case.listed)
    )
