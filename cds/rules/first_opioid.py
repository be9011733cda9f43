"""A first opioid: no slow release, no fentanyl for who is not used to opioids, a short supply in acute pain (SAF-12,
SAF-13, SAF-15); and, with the rules beside it, all of SAF-10 to SAF-16."""

from decimal import Decimal

from cds.breathing import one_off, opioid_name, starts_opioid
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import naive, tolerant, tolerant_until
from cds.dose import daily_dose
from cds.exposure import supply_days
from cds.findings import RuleFunction
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.purpose import acute_pain, monitored, palliative, treats_use_disorder
from cds.rules.several_opioids import concurrent_opioids, long_acting
from cds.rules.taper import abrupt_stop_or_cut
from cds.rules.young_and_pregnant import pregnancy_or_breastfeeding, tramadol_or_codeine_under_18
from cds.trials import ladder_of

KNOWLEDGE = load_group("safety")

LOW_PATCH = KNOWLEDGE["SAF-12"].number("buprenorphine_patch_mcg_per_hour") / 1000
LOW_TRAMADOL = KNOWLEDGE["SAF-12"].number("tramadol_mg_per_day")
SHORT_PAIN_DAYS = KNOWLEDGE["SAF-12"].number("short_pain_days")
LAPSED_DAYS = KNOWLEDGE["SAF-13"].days("lapsed_days")
ACUTE_DAYS = KNOWLEDGE["SAF-15"].number("supply_days")

THROUGH_MUCOSA = frozenset({"buccal", "sublingual", "transmucosal", "nasal"})
TOLERANCE_UNKNOWN = "opioid tolerance: not recorded"
NOT_AN_OPIOID = DoesNotApply("no opioid is started")


def _is_fentanyl_of_saf_13(draft: MedicationOrder) -> bool | None:
    """Transdermal or transmucosal fentanyl; None where no form and no route is said."""
    drug = draft.drug
    if drug is None or not drug.has("fentanyl") or drug.route == "injection":
        return False
    if drug.release == "TD" or drug.route in THROUGH_MUCOSA or drug.route == "transdermal":
        return True
    return None if drug.route is None else False


def long_acting_first(case: Case, draft: MedicationOrder) -> Outcome:
    """Start an opioid as immediate release; extended release and long-acting ones are for who is used to opioids."""
    if not starts_opioid(draft) or draft.drug is None:
        return NOT_AN_OPIOID
    if not long_acting(draft) or _is_fentanyl_of_saf_13(draft):
        return DoesNotApply("immediate release, or fentanyl (SAF-13)")
    if treats_use_disorder(case, draft):
        return DoesNotApply("treatment of a use disorder")
    is_tolerant, is_naive = tolerant(case), naive(case)
    if is_tolerant:
        return DoesNotApply("opioid-tolerant")
    facts = {"drug": opioid_name(draft)}
    unknown = () if is_naive is not None else _history_missing(case)
    if draft.drug.has("hydromorphone"):
        words = "hydromorphone_not_known" if is_tolerant is None else "hydromorphone"
        unknown = _history_missing(case) if is_tolerant is None else ()
        return Fires("critical", facts, words, ("ir_instead", "delete"), unknown)
    if any(dosage.as_needed for dosage in draft.dosages):
        return Fires("warning", facts, "as_needed", ("ir_instead", "delete"), unknown)
    days = supply_days(draft)
    if one_off(draft) or (days is not None and days <= SHORT_PAIN_DAYS):
        return Fires("warning", facts, "short_pain", ("ir_instead", "delete"), unknown)
    if is_naive is False:
        return DoesNotApply("not opioid-naive")
    if _is_low_patch(draft):
        return DoesNotApply("buprenorphine patch of the lowest strength")
    if _is_tramadol_step(case, draft):
        return Fires("info", facts, "tramadol", unknown=unknown)
    if is_naive is None:
        if case.history_known and case.replaced_by(draft):
            return CannotTell(unknown, said=True, words="renewal_not_known", facts=facts)
        return Fires("warning", facts, "not_known", ("ir_instead", "delete"), unknown)
    return Fires("warning", facts, asks=("ir_instead", "delete"))


def _history_missing(case: Case) -> tuple[str, ...]:
    return (TOLERANCE_UNKNOWN,) if case.history_known else (case.missing("medications"),)


def _is_low_patch(draft: MedicationOrder) -> bool:
    if draft.drug is None or not draft.drug.has("buprenorphine") or draft.drug.release != "TD":
        return False
    dose = daily_dose(draft, "buprenorphine")
    rate = dose.maximum if dose.maximum is not None and dose.unit == "mg/h" else draft.drug.ingredients[0].amount
    return rate is not None and rate <= LOW_PATCH


def _is_tramadol_step(case: Case, draft: MedicationOrder) -> bool:
    """Tramadol ER at its lowest dose, where the ladder has come to tramadol."""
    if draft.drug is None or not draft.drug.has("tramadol"):
        return False
    dose = daily_dose(draft, "tramadol").maximum
    if dose is None or dose > LOW_TRAMADOL or case.exclusion(draft).because is not None:
        return False
    return case.indication(draft).grade in ("definite", "probable") and ladder_of(case, draft).state == "S3"


def fentanyl_not_tolerant(case: Case, draft: MedicationOrder) -> Outcome:
    """Give fentanyl by patch or mucosa only to who is used to opioids, and never for acute or intermittent pain."""
    if not starts_opioid(draft) or draft.drug is None or not draft.drug.has("fentanyl"):
        return DoesNotApply("no fentanyl is started")
    concerned = _is_fentanyl_of_saf_13(draft)
    if concerned is False or (one_off(draft) and monitored(case)):
        return DoesNotApply("another way of giving it, or one dose in hospital")
    is_tolerant = tolerant(case)
    patch = draft.drug.release == "TD" or draft.drug.route == "transdermal"
    acute = acute_pain(case, draft)
    intermittent = patch and any(dosage.as_needed for dosage in draft.dosages)
    if is_tolerant and not acute and not intermittent:
        return DoesNotApply("opioid-tolerant")
    facts = {"drug": "fentanyl", "form": "fentanyl patch" if patch else "fentanyl through the mucosa"}
    if concerned is None:
        missing = (f"form of {draft.ref}: not recorded",)
        return CannotTell(missing, said=True, words="form_not_known", facts=facts)
    words = "acute" if acute else "intermittent" if intermittent else "default"
    unknown: tuple[str, ...] = ()
    if is_tolerant is None:
        words, unknown = words if words != "default" else "not_known", _history_missing(case)
    elif words == "default" and (last := tolerant_until(case, LAPSED_DAYS)) is not None:
        words, facts["last"] = "lapsed", last.isoformat()
    if palliative(case, draft):
        return Fires("warning", facts, words, ("delete",), unknown)
    asks = ("delete", "ir_instead") if _at_last_step(case, draft) else ("delete",)
    return Fires("critical", facts, words, asks, unknown)


def _at_last_step(case: Case, draft: MedicationOrder) -> bool:
    neuropathic = case.indication(draft).grade in ("definite", "probable")
    return neuropathic and case.exclusion(draft).because is None and ladder_of(case, draft).state == "S4"


def supply_too_long_in_acute_pain(case: Case, draft: MedicationOrder) -> Outcome:
    """In acute pain give an opioid for three to seven days and without refills."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if not acute_pain(case, draft):
        return DoesNotApply("not for acute pain")
    days = supply_days(draft)
    if days is None:
        return CannotTell((f"supply of {draft.ref}: not recorded",))
    if days <= ACUTE_DAYS:
        return DoesNotApply("a week or less")
    facts = {"drug": opioid_name(draft), "supply_days": number(days.quantize(Decimal("0.1")))}
    return Fires("info", facts, asks=("limit_acute",))


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("SAF-10", tramadol_or_codeine_under_18),
    ("SAF-11", pregnancy_or_breastfeeding),
    ("SAF-12", long_acting_first),
    ("SAF-13", fentanyl_not_tolerant),
    ("SAF-14", concurrent_opioids),
    ("SAF-15", supply_too_long_in_acute_pain),
    ("SAF-16", abrupt_stop_or_cut),
)
