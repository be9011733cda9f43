"""Orders beside an opioid or a first-line drug: naloxone, a laxative, an ECG, a urine test, a referral, capsaicin."""

from decimal import Decimal
from functools import cache

from msgspec.structs import replace

from cds.case import Case
from cds.offer import needs_ecg
from cds.orders import RXNORM, PlainOrder, Step
from cds.schedule_parts import Laxative
from cds.schedules import SCHEDULES
from cds.service_codes import SERVICE_CODES


@cache
def rescue_order() -> PlainOrder:
    """Naloxone 4 mg nasal spray, two units, as needed (SAF-01)."""
    rescue = SCHEDULES.rescue
    dose = Step(Decimal(1), "spray", rescue.mg, 0, rescue.text, as_needed=rescue.as_needed)
    return PlainOrder(
        kind="medication",
        text=rescue.name,
        code=rescue.code,
        system=RXNORM,
        display=rescue.display,
        ingredient=rescue.ingredient,
        steps=(dose,),
        quantity=rescue.units,
        quantity_unit="spray",
        note=rescue.caution,
        route=rescue.route,
        fixed=True,
    )


def capsaicin_order(reason: str | None, other_than_diabetic_feet: bool) -> PlainOrder:
    """Capsaicin 8 % as the request for a procedure: it is applied by trained staff."""
    words = SCHEDULES.words
    note = f"{words['capsaicin_caution']}{' ' + words['capsaicin_feet_caution'] if other_than_diabetic_feet else ''}"
    return replace(service_order("capsaicin", note), ingredient="capsaicin", reason=reason)


def ecg_order(note: str) -> PlainOrder:
    """An ECG before the first dose of a drug that acts on the heart's conduction."""
    return service_order("ecg", note)


def service_order(meaning: str, note: str | None = None) -> PlainOrder:
    """An order other than a drug: an ECG, a urine drug test, a referral, an application of capsaicin."""
    coding, words = SERVICE_CODES.get(meaning), SCHEDULES.words
    return PlainOrder(
        kind="service",
        text=words[f"{meaning}_text"],
        code=None if coding is None else coding.code,
        system=None if coding is None else coding.system,
        display=None if coding is None else coding.display,
        note=note or words[f"{meaning}_caution"],
    )


@cache
def laxative_order(laxative: Laxative) -> PlainOrder:
    """A laxative for as long as the opioid is taken, 30 days at first."""
    days = SCHEDULES.whole("order_days")
    units = laxative.units
    dose = Step(units, laxative.unit, units * laxative.mg, 1, laxative.text, at_night=laxative.at_night)
    return PlainOrder(
        kind="medication",
        text=laxative.name,
        code=laxative.code,
        system=RXNORM,
        display=laxative.display,
        ingredient=laxative.ingredient,
        steps=(dose,),
        quantity=units * days,
        quantity_unit=laxative.unit,
        days=days,
        note=laxative.caution,
        route=laxative.route,
        fixed=True,
    )


def ecg_before(case: Case, agent: str) -> PlainOrder | None:
    """The ECG that a tricyclic above 40 years needs in the same suggestion; None where none is needed."""
    return ecg_order(SCHEDULES.words["ecg_caution"]) if needs_ecg(case, agent) else None
