"""Who must not get an opioid, or not this one: children, pregnancy, breastfeeding (SAF-10, SAF-11)."""

from cds.breathing import CHRONIC_LUNG_DISEASE, SLEEP_APNOEA, age_missing, opioid_name, starts_opioid
from cds.case import Case
from cds.chart import MedicationOrder
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.pregnancy import Status, Windows, breastfeeding, pregnancy
from cds.purpose import monitored, treats_use_disorder
from cds.scope import opioids_of
from cds.substances import dated

KNOWLEDGE = load_group("safety")

CHILD = KNOWLEDGE["SAF-10"].days("child_years")
ADULT = KNOWLEDGE["SAF-10"].days("adult_years")
TONSIL_DAYS = KNOWLEDGE["SAF-10"].days("tonsillectomy_days")
FIRST_YEAR = KNOWLEDGE["SAF-11"].days("fertile_from_years")
LAST_YEAR = KNOWLEDGE["SAF-11"].days("fertile_to_years")
WINDOWS = Windows(
    *(
        KNOWLEDGE["SAF-11"].days(name)
        for name in ("status_days", "positive_test_days", "negative_test_days", "due_days")
    )
)

PRODRUGS = frozenset({"tramadol", "codeine"})
LUNGS = (*CHRONIC_LUNG_DISEASE, "asthma_unspecified", "asthma_mild_moderate")
RISKS = (("obesity", ("obesity", "obesity_severe")), ("sleep apnoea", SLEEP_APNOEA), ("lung disease", LUNGS))
AT_HOME = frozenset({"discharge", "outpatient", "community"})


def tramadol_or_codeine_under_18(case: Case, draft: MedicationOrder) -> Outcome:
    """Give no tramadol or codeine under 12, nor under 18 after tonsillectomy, and avoid both in every adolescent."""
    names = [name for name in opioids_of(draft) if name in PRODRUGS]
    if not starts_opioid(draft) or not names:
        return DoesNotApply("neither tramadol nor codeine is started")
    if case.aged(ADULT):
        return DoesNotApply("adult")
    facts = {"drug": names[0], "age": f"age {case.age}" if case.age is not None else f"under {ADULT}"}
    if case.age is not None:
        facts["age_years"] = str(case.age)
    if case.aged(CHILD) is False:
        return Fires("critical", facts, "child", ("delete",))
    unknown_age = () if case.age is not None else (age_missing(case),)
    if case.aged(ADULT) is None:
        return Fires("info", facts, "age_not_known", unknown=unknown_age)
    operated = _tonsillectomy(case, draft)
    if operated is not None:
        return Fires("critical", facts | {"operation": operated}, "tonsillectomy", ("delete",), unknown_age)
    unknown = case.not_answered("procedures", "conditions")
    named = _risks(case)
    if named:
        facts |= {"risk": named[0], "risks": "; ".join(named)}
        return Fires("warning", facts, "at_risk", ("delete",), unknown_age + unknown)
    return Fires("warning", facts, asks=("delete",), unknown=unknown_age + unknown)


def _tonsillectomy(case: Case, draft: MedicationOrder) -> str | None:
    """A tonsillectomy or adenoidectomy in the window; one without a date lies within it."""
    if any("tonsillectomy" in reason.meanings for reason in draft.reasons):
        return "tonsillectomy or adenoidectomy"
    days = [procedure.done for procedure in case.chart.procedures if "tonsillectomy" in procedure.meanings]
    days += [event.since for event in case.events("tonsillectomy")]
    recent = [day for day in days if day is None or 0 <= (case.today - day).days <= TONSIL_DAYS]
    if not recent:
        return None
    last = max((day for day in recent if day is not None), default=None)
    return "tonsillectomy or adenoidectomy" + (f" on {last.isoformat()}" if last else ", date not recorded")


def _risks(case: Case) -> list[str]:
    named = []
    for name, meanings in RISKS:
        condition = case.condition(*meanings)
        if condition is not None:
            named.append(dated(name, condition.since))
    return named


def pregnancy_or_breastfeeding(case: Case, draft: MedicationOrder) -> Outcome:
    """Avoid opioids in pregnancy and while breastfeeding; an opioid for a use disorder goes on."""
    if not starts_opioid(draft):
        return DoesNotApply("no opioid is started")
    pregnant, feeding = pregnancy(case, WINDOWS), breastfeeding(case, WINDOWS)
    if case.chart.patient.sex == "male" and pregnant.answer not in ("yes", "stale"):
        return DoesNotApply("a man")
    facts = {"drug": opioid_name(draft)}
    if pregnant.answer == "yes":
        if _at_delivery(case, draft):
            return DoesNotApply("delivery in hospital")
        return _fires(case, draft, facts, pregnant, "default")
    if feeding.answer == "yes":
        passes = any(name in PRODRUGS for name in opioids_of(draft))
        return _fires(case, draft, facts, feeding, "breastfeeding_prodrug" if passes else "breastfeeding")
    for status in (pregnant, feeding):
        if status.answer == "stale":
            old = f"pregnancy status: older than {WINDOWS.status_days} days"
            return CannotTell((old,), said=True, words="stale", facts=facts | {"evidence": status.evidence})
    if pregnant.answer == "no":
        return DoesNotApply("not pregnant")
    if case.aged(FIRST_YEAR) is False or case.aged(LAST_YEAR + 1):
        return DoesNotApply("outside 12 to 55 years")
    missing = case.not_answered("patient", "conditions", "labs")
    return CannotTell(missing or ("pregnancy status: not recorded",))


def _fires(case: Case, draft: MedicationOrder, facts: dict[str, str], status: Status, words: str) -> Fires:
    facts = facts | {"evidence": status.evidence}
    if treats_use_disorder(case, draft):
        return Fires("info", facts, "use_disorder")
    return Fires("warning", facts, words, ("delete",))


def _at_delivery(case: Case, draft: MedicationOrder) -> bool:
    """Analgesia on the ward of an encounter for the pregnancy, rather than a prescription to take home."""
    encounter = case.chart.encounter
    if encounter is None or not monitored(case) or not AT_HOME.isdisjoint(draft.category):
        return False
    return any("pregnancy" in reason.meanings for reason in encounter.reasons)
