"""Dose, labelled daily limits: acetaminophen (DD-22), tramadol, tapentadol and codeine (DD-25)."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from cds.breathing import age_missing, listing, opioid_name, starts_opioid
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import dose_change, established
from cds.dose import daily_dose
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Indicator, Outcome
from cds.rules.sedation_risks import alcohol_use
from cds.substances import Risks, dated
from cds.totals import Total, daily_total, doubtful, shown, without

KNOWLEDGE = load_group("dose")

ACETAMINOPHEN = "acetaminophen"
ACETAMINOPHEN_MAX = KNOWLEDGE["DD-22"].number("limit_mg_per_day")
ACETAMINOPHEN_AT_RISK = KNOWLEDGE["DD-22"].number("limit_at_risk_mg_per_day")
ACETAMINOPHEN_LIVER = KNOWLEDGE["DD-22"].number("limit_liver_mg_per_day")
UNIT_LIMIT = KNOWLEDGE["DD-22"].number("unit_limit_mg")
LIVER_AGE = KNOWLEDGE["DD-22"].days("age_years")
LOW_WEIGHT = KNOWLEDGE["DD-22"].number("weight_below_kg")
WEIGHT_DAYS = KNOWLEDGE["DD-22"].days("weight_within_days")
TRAMADOL_MAX = KNOWLEDGE["DD-25"].number("tramadol_mg_per_day")
TRAMADOL_ER_MAX = KNOWLEDGE["DD-25"].number("tramadol_er_mg_per_day")
TRAMADOL_OLD_MAX = KNOWLEDGE["DD-25"].number("tramadol_old_mg_per_day")
TRAMADOL_OLD_AGE = KNOWLEDGE["DD-25"].days("tramadol_old_from_years")
TAPENTADOL_MAX = KNOWLEDGE["DD-25"].number("tapentadol_mg_per_day")
TAPENTADOL_DAY_ONE = KNOWLEDGE["DD-25"].number("tapentadol_day_one_mg_per_day")
TAPENTADOL_ER_MAX = KNOWLEDGE["DD-25"].number("tapentadol_er_mg_per_day")
CODEINE_MAX = KNOWLEDGE["DD-25"].number("codeine_mg_per_day")

SEVERE_LIVER_DISEASE = ("cirrhosis", "hepatic_disease_severe")
NOT_AN_OPIOID = DoesNotApply("no opioid is started")


def acetaminophen_above_limit(case: Case, draft: MedicationOrder) -> Outcome:
    """Keep acetaminophen from all drugs together within the daily limit that applies to this patient."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if ACETAMINOPHEN not in case.names_on_record and case.medications_known:
        return DoesNotApply("no drug with acetaminophen")
    total = daily_total(case.counted, ACETAMINOPHEN)
    amount = total.at_least
    if not total.parts and case.medications_known:
        return DoesNotApply("no drug with acetaminophen")
    liver = _liver_risks(case) if amount > ACETAMINOPHEN_LIVER else Risks()
    other = _other_risks(case) if amount > ACETAMINOPHEN_AT_RISK else Risks()
    missing = [*total.unknown, *liver.missing, *other.missing]
    if not case.medications_known:
        missing.append(case.missing("medications"))
    above = amount > ACETAMINOPHEN_MAX
    at_risk = liver.named or (amount > ACETAMINOPHEN_AT_RISK and other.named)
    if not above and not at_risk and not missing:
        return DoesNotApply("acetaminophen within the limit")
    facts = {
        "ingredient": ACETAMINOPHEN,
        "mg_per_day": number(amount),
        "amount": _amount(case, amount, total),
        "products": listing(_product(order, mg) for order, mg in total.parts) if total.parts else "none that is known",
        "unit_limit_mg": number(UNIT_LIMIT),
    }
    if above:
        facts["limit_mg_per_day"] = number(ACETAMINOPHEN_MAX)
        return _acetaminophen_maximum(case, draft, facts)
    if at_risk:
        limit = ACETAMINOPHEN_LIVER if liver.named else ACETAMINOPHEN_AT_RISK
        risks = (*liver.named, *other.named)
        facts |= {"limit_mg_per_day": number(limit), "risk": risks[0], "risks": "; ".join(risks)}
        return Fires("warning", facts, "at_risk", _acetaminophen_asks(case, draft))
    facts["acetaminophen_not_known"] = facts["products"] + (f"; known part {number(amount)} mg" if amount else "")
    return CannotTell(tuple(dict.fromkeys(missing)), said=bool(total.unknown), facts=facts)


def _acetaminophen_maximum(case: Case, draft: MedicationOrder, facts: dict[str, str]) -> Fires:
    asks = _acetaminophen_asks(case, draft)
    orders = [order for order in case.counted if order.drug is not None and order.drug.has(ACETAMINOPHEN)]
    if all(established(case, order) for order in orders):
        return Fires("warning", facts, "established", asks)
    sure = without(orders, doubtful(case))
    if daily_total(sure, ACETAMINOPHEN).at_least <= ACETAMINOPHEN_MAX:
        return Fires("warning", facts, "both_taken", asks)
    return Fires("critical", facts, "default", asks)


def _acetaminophen_asks(case: Case, draft: MedicationOrder) -> tuple[str, ...]:
    others = [order for order in case.starting if order is not draft and order.drug and order.drug.has(ACETAMINOPHEN)]
    own = draft.drug is not None and draft.drug.has(ACETAMINOPHEN)
    asks = ("to_limit", "opioid_only") if own else ()
    return (*asks, *(("delete_partner",) if others else ()), *(("delete",) if own else ()))


def _liver_risks(case: Case) -> Risks:
    named = []
    liver = case.condition(*SEVERE_LIVER_DISEASE)
    if liver is not None:
        named.append(dated("severe liver disease", liver.since))
    disorder = alcohol_use(case).disorder
    if disorder is not None:
        named.append(disorder)
    return Risks(tuple(named), () if "conditions" in case.answered else (case.missing("conditions"),))


def _other_risks(case: Case) -> Risks:
    named, missing = [], []
    old = case.aged(LIVER_AGE)
    if old:
        named.append(f"age {case.age}" if case.age is not None else f"age {LIVER_AGE} or more")
    elif old is None:
        missing.append(age_missing(case))
    weight = case.latest("weight", within_days=WEIGHT_DAYS)
    if weight is None or weight.value is None:
        missing.append(_weight_missing(case))
    elif weight.value < LOW_WEIGHT:
        named.append(f"weight {shown(weight.value)} kg")
    liver = case.condition("hepatic_disease")
    if liver is not None:
        named.append(dated("liver disease", liver.since))
    alcohol = alcohol_use(case).risks
    return Risks((*named, *alcohol.named), (*missing, *alcohol.missing))


def _amount(case: Case, mg: Decimal, total: Total) -> str:
    whole = not total.unknown and case.medications_known
    return f"{number(mg)} mg a day" if whole else f"at least {number(mg)} mg a day"


def _weight_missing(case: Case) -> str:
    if case.latest("weight") is not None:
        return f"weight: older than {WEIGHT_DAYS} days"
    return "weight: not recorded" if "weight" in case.answered else case.missing("weight")


def _product(order: MedicationOrder, mg: Decimal | None) -> str:
    name = order.drug.name if order.drug is not None else order.name
    return f"{name} (dose not known)" if mg is None else f"{name} ({number(mg)} mg)"


# Labelled maximum


class Sum(Struct, frozen=True):
    """A daily sum of one ingredient beside the labelled maximum that it is held against."""

    mg: Decimal
    limit: Decimal
    what: str
    indicator: Indicator = "critical"


def above_labelled_maximum(case: Case, draft: MedicationOrder) -> Outcome:
    """Keep tramadol, tapentadol and codeine within the daily maximum of their labels, all orders together."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    missing: list[str] = []
    unknown_dose = False
    ordered = draft.drug.names if draft.drug is not None else ()
    for ingredient in ("tramadol", "tapentadol", "codeine"):
        if ingredient not in ordered:
            continue
        total = daily_total(case.counted, ingredient)
        over = [one for one in _sums(case, draft, ingredient, case.counted) if one.mg > one.limit]
        if over:
            return _above_maximum(case, draft, ingredient, over[0])
        missing += total.unknown
        unknown_dose = unknown_dose or bool(total.unknown)
        if ingredient == "tramadol" and total.at_least > TRAMADOL_OLD_MAX and case.aged(TRAMADOL_OLD_AGE) is None:
            missing.append(age_missing(case))
        if not case.medications_known:
            missing.append(case.missing("medications"))
    if missing:
        return CannotTell(tuple(dict.fromkeys(missing)), said=unknown_dose, facts={"drug": opioid_name(draft)})
    return DoesNotApply("within the labelled maximum")


def _above_maximum(case: Case, draft: MedicationOrder, ingredient: str, over: Sum) -> Fires:
    total = daily_total(case.counted, ingredient)
    facts = {
        "drug": ingredient,
        "ingredient": ingredient,
        "mg_per_day": number(over.mg),
        "amount": _amount(case, over.mg, total),
        "limit_mg_per_day": number(over.limit),
        "limit_of": over.what,
    }
    sure = without(case.counted, doubtful(case))
    if over.indicator == "warning":
        return Fires("warning", facts | {"age_years": str(case.age or TRAMADOL_OLD_AGE)}, "older", ("to_limit",))
    if established(case, draft):
        return Fires("warning", facts, "established", ("to_limit",))
    if dose_change(case, draft) == "unknown":
        return Fires("warning", facts, "change_not_known", ("to_limit",))
    if not any(one.mg > one.limit for one in _sums(case, draft, ingredient, sure)):
        return Fires("warning", facts, "both_taken", ("to_limit",))
    return Fires("critical", facts, "default", ("to_limit",))


def _sums(case: Case, draft: MedicationOrder, ingredient: str, orders: Sequence[MedicationOrder]) -> list[Sum]:
    """The sums of this ingredient that a label limits, the gravest first."""
    total = daily_total(orders, ingredient).at_least
    er = daily_total([o for o in orders if o.drug is not None and o.drug.release == "ER"], ingredient).at_least
    if ingredient == "codeine":
        return [Sum(total, CODEINE_MAX, "codeine")]
    if ingredient == "tapentadol":
        first_day, later = _tapentadol_days(draft, orders, total)
        return [
            Sum(later, TAPENTADOL_MAX, "tapentadol"),
            Sum(first_day, TAPENTADOL_DAY_ONE, "tapentadol on the first day"),
            Sum(er, TAPENTADOL_ER_MAX, "extended-release tapentadol"),
        ]
    sums = [Sum(total, TRAMADOL_MAX, "tramadol"), Sum(er, TRAMADOL_ER_MAX, "extended-release tramadol")]
    if case.aged(TRAMADOL_OLD_AGE):
        sums.append(Sum(total, TRAMADOL_OLD_MAX, "tramadol above age 75", "warning"))
    return sums


def _tapentadol_days(
    draft: MedicationOrder, orders: Sequence[MedicationOrder], total: Decimal
) -> tuple[Decimal, Decimal]:
    """Milligrams on the first day of a first order, and on the days after it."""
    if any(order is not draft and order.drug is not None and order.drug.has("tapentadol") for order in orders):
        return Decimal(0), total
    first, later = [Decimal(0)], [Decimal(0)]
    for step in draft.dosages:
        amount = daily_dose(replace(draft, dosages=(step,)), "tapentadol").maximum
        if amount is not None:
            dated = step.bounds_start is not None and step.bounds_start == step.bounds_end
            one_day = dated or step.bounds_days == 1 or draft.supply_days == 1
            (first if one_day else later).append(amount)
    return max(first), max(later)
