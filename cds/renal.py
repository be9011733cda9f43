"""Renal function for this patient today: measured CrCl, eGFR, Cockcroft-Gault, CKD-EPI 2021 or a CKD stage."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from cds.chart import Chart, Observation

if TYPE_CHECKING:
    from cds.case import Case

WINDOW_DAYS = 365
SHORT_WINDOW_DAYS = 90
SHORT_WINDOW_AGE = 75
ADULT_AGE = 18
IMPLAUSIBLE_AGE = 130
WEIGHT_WINDOW_DAYS = 365

STAGE_BOUNDS = {
    "ckd_stage_5": Decimal(0),
    "ckd_stage_4": Decimal(15),
    "ckd_stage_3b": Decimal(30),
    "ckd_stage_3": Decimal(30),
    "ckd_stage_3a": Decimal(45),
    "ckd_stage_2": Decimal(60),
    "ckd_stage_1": Decimal(90),
}
"""Lower bound of each stage, mL/min/1.73 m2."""
DIALYSIS = frozenset({"dialysis", "ckd_stage_5d"})
DIALYSIS_VALUE = Decimal(14)
"""Stands for "below 15"."""
DIALYSIS_KIND, STAGE_KIND = "dialysis", "CKD stage"
KIDNEY_DISEASE = frozenset(STAGE_BOUNDS) | DIALYSIS | {"ckd_stage_unknown", "kidney_transplant"}

MEASURED = ("crcl", "egfr", "egfr_race_based")
POSITIVE = frozenset({"creatinine", "weight"})
SEXES = frozenset({"male", "female"})
TENTH = Decimal("0.1")
BOUND = re.compile(r"\s*(?P<sign>[<>])\s*=?\s*(?P<number>\d{1,3}(\.\d+)?)(?![\d.])", re.ASCII)


Values = Mapping[str, list[Observation]]
"""The dated observations up to today, by meaning."""


class Reading(Struct, frozen=True):
    """A value that was read, and its day."""

    value: Decimal
    taken: date


class RenalFunction(Struct, frozen=True):
    """``value`` in mL/min (CrCl, Cockcroft-Gault) or mL/min/1.73 m2 (eGFR, CKD-EPI, the lower bound of a CKD stage),
    None where not known: ``unknown`` then holds the ``notAssessed`` entries. ``kind`` is "CrCl", "eGFR",
    "CrCl (Cockcroft-Gault)", "eGFR (CKD-EPI 2021)", "CKD stage" or "dialysis"; ``race_based`` marks an old equation;
    ``stale`` the day of a value that is too old to count."""

    value: Decimal | None
    kind: str | None = None
    taken: date | None = None
    race_based: bool = False
    stale: date | None = None
    unknown: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """As a card says it: "eGFR 22 on 2026-02-10", "CKD stage 4", "dialysis"; empty where it is not known."""
        if self.value is None or self.kind is None:
            return ""
        if self.kind == DIALYSIS_KIND:
            return self.kind
        if self.kind == STAGE_KIND:
            stages = [stage.rpartition("_")[2] for stage, bound in STAGE_BOUNDS.items() if bound == self.value]
            return f"CKD stage {min(stages, key=len)}" if stages else "CKD"
        return f"{self.kind} {self.value.normalize():f}{f' on {self.taken.isoformat()}' if self.taken else ''}"

    def below(self, limit: Decimal | int) -> bool | None:
        """Whether renal function is below the limit; None where it is not known."""
        return None if self.value is None else self.value < limit


def renal_function(case: "Case") -> RenalFunction:
    """CLINICAL.md section 13, "Renal function"."""
    chart, values, today = case.chart, case.observed, case.today
    conditions = _kidney_conditions(case)
    window = _window_days(chart, conditions, today)
    first = today - timedelta(days=window)
    function = (
        _measured(values, first, today) or _computed(chart, values, first, today) or _race_based(values, first, today)
    )
    if conditions & DIALYSIS:
        below_15 = function is not None and function.value is not None and function.value < DIALYSIS_VALUE
        return function if function is not None and below_15 else RenalFunction(DIALYSIS_VALUE, DIALYSIS_KIND)
    if function is not None:
        return function
    stale = _latest(values, MEASURED, date.min, today)
    stale_creatinine = _latest(values, ("creatinine",), date.min, first - timedelta(days=1))
    stale_day = max((reading.taken for reading in (stale, stale_creatinine) if reading is not None), default=None)
    bounds = [STAGE_BOUNDS[stage] for stage in conditions if stage in STAGE_BOUNDS]
    if bounds:
        if stale is not None:
            bounds.append(stale.value)
        return RenalFunction(min(bounds), STAGE_KIND, stale=stale_day)
    return RenalFunction(None, stale=stale_day, unknown=_unknown(chart, values, first, window, today))


def cockcroft_gault(creatinine: Decimal, age: int, kg: Decimal, sex: str) -> Decimal:
    """Creatinine clearance in mL/min from creatinine in mg/dL and the actual weight, rounded down to a tenth."""
    clearance = (140 - age) * kg / (72 * creatinine)
    return _tenths(clearance * Decimal("0.85") if sex == "female" else clearance)


def ckd_epi_2021(creatinine: Decimal, age: int, sex: str) -> Decimal:
    """eGFR in mL/min/1.73 m2 from creatinine in mg/dL (the equation without race), rounded down to a tenth."""
    female = sex == "female"
    kappa, alpha = (Decimal("0.7"), Decimal("-0.241")) if female else (Decimal("0.9"), Decimal("-0.302"))
    ratio = creatinine / kappa
    egfr = 142 * min(ratio, Decimal(1)) ** alpha * max(ratio, Decimal(1)) ** Decimal("-1.200")
    egfr *= Decimal("0.9938") ** age
    return _tenths(egfr * Decimal("1.012") if female else egfr)


def _measured(values: Values, first: date, today: date) -> RenalFunction | None:
    for meaning, kind in (("crcl", "CrCl"), ("egfr", "eGFR")):
        reading = _latest(values, (meaning,), first, today)
        if reading is not None:
            return RenalFunction(reading.value, kind, reading.taken)
    return None


def _race_based(values: Values, first: date, today: date) -> RenalFunction | None:
    reading = _latest(values, ("egfr_race_based",), first, today)
    return None if reading is None else RenalFunction(reading.value, "eGFR", reading.taken, race_based=True)


def _computed(chart: Chart, values: Values, first: date, today: date) -> RenalFunction | None:
    """From creatinine: Cockcroft-Gault, without a weight CKD-EPI 2021. Adults only."""
    creatinine = _latest(values, ("creatinine",), first, today)
    age, sex = _oldest_age(chart, today), chart.patient.sex
    if creatinine is None or age is None or age < ADULT_AGE or sex not in SEXES:
        return None
    weight = _latest(values, ("weight",), today - timedelta(days=WEIGHT_WINDOW_DAYS), today)
    if weight is not None:
        clearance = cockcroft_gault(creatinine.value, age, weight.value, sex)
        return RenalFunction(clearance, "CrCl (Cockcroft-Gault)", creatinine.taken)
    return RenalFunction(ckd_epi_2021(creatinine.value, age, sex), "eGFR (CKD-EPI 2021)", creatinine.taken)


def _latest(values: Values, meanings: tuple[str, ...], first: date, last: date) -> Reading | None:
    """The latest readable value of the days from first to last; of several on one day the one that tells of less
    renal function."""
    readings: list[tuple[date, Decimal, Decimal]] = []
    for meaning in meanings:
        for seen in values.get(meaning, ()):
            if seen.taken is None or not first <= seen.taken <= last:
                continue
            value = _value(seen)
            if value is None or (value <= 0 and meaning in POSITIVE):
                continue
            readings.append((seen.taken, value if meaning == "creatinine" else -value, value))
    if not readings:
        return None
    taken, _, value = max(readings)
    return Reading(value, taken)


def _value(seen: Observation) -> Decimal | None:
    """The number, or the bound that a text such as ">60" gives; "<15" counts as one less than its number."""
    if seen.value is not None or seen.meaning in POSITIVE:
        return seen.value
    bound = BOUND.match(seen.text or "")
    if bound is None:
        return None
    number = Decimal(bound["number"])
    return number if bound["sign"] == ">" else max(number - 1, Decimal(0))


def _kidney_conditions(case: "Case") -> frozenset[str]:
    listed = KIDNEY_DISEASE.intersection(case.by_meaning)
    return frozenset([meaning for meaning in listed if case.condition(meaning) is not None]) if listed else listed


def _window_days(chart: Chart, conditions: frozenset[str], today: date) -> int:
    """Shorter with CKD or from age 75 on, as far as these are known."""
    born_to = chart.patient.born_to
    aged = born_to is not None and _age(born_to, today) >= SHORT_WINDOW_AGE
    return SHORT_WINDOW_DAYS if aged or conditions else WINDOW_DAYS


def _oldest_age(chart: Chart, today: date) -> int | None:
    """The highest age that the birth date allows: it gives the lowest clearance. None: not known, or not plausible."""
    born_from = chart.patient.born_from
    age = -1 if born_from is None else _age(born_from, today)
    return age if 0 <= age < IMPLAUSIBLE_AGE else None


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _tenths(value: Decimal) -> Decimal:
    # Down, so that a value just below a limit stays below it.
    return max(value, Decimal(0)).quantize(TENTH, ROUND_FLOOR)


def _unknown(chart: Chart, values: Values, first: date, window: int, today: date) -> tuple[str, ...]:
    """Why there is no value, in the words of ``notAssessed``."""
    egfr = _missing(chart, values, "egfr", MEASURED, first, window, today)
    creatinine = _missing(chart, values, "creatinine", ("creatinine",), first, window, today)
    if creatinine is None:
        return tuple(sorted({egfr or "egfr: none on record", _not_computed(chart, today)}))
    if creatinine == "creatinine: none on record":
        return (egfr or "egfr: none on record",)
    return tuple(sorted({egfr or "egfr: none on record", creatinine}))


def _missing(
    chart: Chart, values: Values, question: str, meanings: tuple[str, ...], first: date, window: int, today: date
) -> str | None:
    """Why this question gave no value of its window; None where it gave one."""
    if _latest(values, meanings, first, today) is not None:
        return None
    if _latest(values, meanings, date.min, today) is not None:
        return f"{question}: older than {window} days"
    if any(seen.meaning in meanings for seen in chart.observations):
        return f"{question}: unreadable"
    if not chart.answers(question):
        return f"{question}: {chart.questions.get(question, 'not provided')}"
    return f"{question}: none on record"


def _not_computed(chart: Chart, today: date) -> str:
    """Why a creatinine in its window gave no clearance."""
    if not chart.answers("patient") and chart.patient.born_from is None:
        return f"patient: {chart.questions.get('patient', 'not provided')}"
    age = _oldest_age(chart, today)
    if age is None:
        return "patient: birth date not recorded"
    if chart.patient.sex not in SEXES:
        return "patient: sex not recorded"
    return "patient: under 18"
