"""Which sedatives stand beside this draft, and how grave each is here (DD-01, DD-04; read by DD-05 and SAF-01)."""

from collections.abc import Callable

from msgspec import Struct

from cds.breathing import (
    Wanted,
    days_running,
    is_benzodiazepine,
    is_other_depressant,
    only_supply_runs,
    pairs,
    partner_of,
    sedative_name,
    supply_ended,
    tapers_off,
)
from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import dose_change, established
from cds.knowledge import load_group
from cds.once import once_an_order
from cds.outcome import INDICATORS, Indicator
from cds.scope import depressant_class

KNOWLEDGE = load_group("sedation")

TAPER_DAYS = KNOWLEDGE["DD-01"].days("taper_ends_within_days")
ESTABLISHED_DAYS = KNOWLEDGE["DD-01"].days("established_days")
GAP_DAYS = KNOWLEDGE["DD-01"].days("gap_days")


class Exposure(Struct, frozen=True):
    """One partner drug of this draft: how grave it is here, and the wording that says why."""

    indicator: Indicator
    words: str
    opioid: MedicationOrder
    partner: MedicationOrder


Gravity = Callable[[Case, MedicationOrder, Exposure], tuple[Indicator, str]]


@once_an_order
def benzodiazepine_exposures(case: Case, draft: MedicationOrder) -> tuple[Exposure, ...]:
    """Benzodiazepines with this draft, the gravest first."""
    return _exposures(case, draft, is_benzodiazepine, _benzodiazepine_gravity)


def _benzodiazepine_gravity(case: Case, draft: MedicationOrder, exposure: Exposure) -> tuple[Indicator, str]:
    benzodiazepine = exposure.partner
    if tapers_off(case, benzodiazepine, TAPER_DAYS):
        return "info", "taper"
    if case.has("palliative"):
        return "warning", "palliative"
    if _established(case, draft, exposure):
        return "warning", "established"
    if _change_not_known(case, draft, exposure):
        return "warning", "change_not_known"
    if only_supply_runs(case, benzodiazepine):
        return "warning", "still_supplied"
    drafted = [any(order is other for other in case.drafts) for order in (exposure.opioid, benzodiazepine)]
    if all(drafted):
        return "critical", "co_signed"
    if case.reverse:
        return "critical", "benzodiazepine_drafted"
    return "critical", "supply_ended" if supply_ended(case, benzodiazepine) else "default"


@once_an_order
def depressant_exposures(case: Case, draft: MedicationOrder) -> tuple[Exposure, ...]:
    """CNS depressants other than benzodiazepines with this draft, the gravest first."""
    return _exposures(case, draft, is_other_depressant, _depressant_gravity)


def _depressant_gravity(case: Case, draft: MedicationOrder, exposure: Exposure) -> tuple[Indicator, str]:
    oxybate = depressant_class(exposure.partner) == "sodium_oxybate"
    if _established(case, draft, exposure):
        return ("warning", "oxybate_established") if oxybate else ("info", "established")
    if oxybate:
        return ("warning", "oxybate") if _change_not_known(case, draft, exposure) else ("critical", "oxybate")
    if exposure.partner is exposure.opioid:
        return "warning", "one_product"
    return "warning", "sedative_drafted" if case.reverse else "default"


def _exposures(case: Case, draft: MedicationOrder, wanted: Wanted, gravity: Gravity) -> tuple[Exposure, ...]:
    found = []
    for opioid, partner in pairs(case, draft, wanted):
        indicator, words = gravity(case, draft, Exposure("critical", "", opioid, partner))
        found.append(Exposure(indicator, words, opioid, partner))
    return tuple(sorted(found, key=lambda e: (INDICATORS.index(e.indicator), sedative_name(e.partner), e.partner.ref)))


def _established(case: Case, draft: MedicationOrder, exposure: Exposure) -> bool:
    return established(case, draft, partner_of(draft, (exposure.opioid, exposure.partner)))


def _change_not_known(case: Case, draft: MedicationOrder, exposure: Exposure) -> bool:
    """Both taken for long, and only what this signing does to the dose is not known: a warning at most."""
    drafted = [order for order in (exposure.opioid, exposure.partner) if any(order is d for d in case.drafts)]
    return "unknown" in {dose_change(case, order) for order in drafted} and all(
        days_running(case, order, GAP_DAYS) >= ESTABLISHED_DAYS for order in (exposure.opioid, exposure.partner)
    )
