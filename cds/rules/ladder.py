"""The ladder of neuropathic pain: which first-line steps come before this opioid (NP-01 to NP-15)."""

from collections.abc import Mapping
from datetime import timedelta

from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.exposure import supply_days
from cds.exposures import HISTORY_YEARS, is_agent
from cds.findings import RuleFunction
from cds.first_line import CLASS_NAMES, FIRST_LINE, SYSTEMIC_CLASSES
from cds.knowledge import load_group
from cds.ladder_view import (
    JUDGED,
    View,
    facts_of,
    fit_of,
    going_well,
    history_of,
    last_day_of,
    name_of,
    other_state,
    unknown_of,
    view,
)
from cds.offer import AGENT_CLASSES, not_offered, unknown_for
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.rules.ladder_notes import hiv_neuropathy, localized_pain_without_topical, mild_pain, radiculopathy
from cds.rules.ladder_trials import first_line_dose_too_low, first_line_trial_too_short, partial_response
from cds.trials import Trial

KNOWLEDGE = load_group("ladder")
LIMIT_DAYS = KNOWLEDGE["NP-09"].number("supply_days")
REVIEW_DAYS = KNOWLEDGE["NP-09"].days("review_days")
TOPICAL_TRIED = frozenset({"ADEQUATE", "PARTIAL", "UNSUITABLE"})
EVIDENCE = KNOWLEDGE["NP-01"].words["evidence"].line
EVIDENCE_OXYCODONE = KNOWLEDGE["NP-01"].words["evidence_oxycodone"].line


def opioid_before_first_line(case: Case, draft: MedicationOrder) -> Outcome:
    """Try a first-line drug before any opioid for neuropathic pain."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.ladder.state != "S0":
        return other_state(seen.ladder, "S0")
    evidence = EVIDENCE_OXYCODONE if draft.drug is not None and draft.drug.has("oxycodone") else EVIDENCE
    begun = any(trial.grade == "PARTIAL" for trial in seen.ladder.classes.values())
    words = _trigeminal(seen) or ("partial" if begun else "default")
    facts = {"evidence": evidence, "how_tried": _nothing_tried(seen)}
    return _step(case, draft, seen, words, ("first_line",), facts, running=True)


def _nothing_tried(seen: View) -> str:
    """How sure it is that nothing was tried: not at all where a source of the history was not seen."""
    if seen.ladder.not_seen:
        return "seen"
    older = any(trial.grade == "NONE" and trial.agent for trial in seen.ladder.classes.values())
    return f"tried in {HISTORY_YEARS} years" if older else "tried"


def opioid_after_one_class(case: Case, draft: MedicationOrder) -> Outcome:
    """Try a second first-line class, added or instead, before an opioid for neuropathic pain."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.ladder.state != "S1":
        return other_state(seen.ladder, "S1")
    name, trial = next((name, trial) for name, trial in seen.ladder.classes.items() if trial.satisfied)
    tried = name_of(name, trial)
    words = _trigeminal(seen) or ("add_on" if going_well(trial) else "default")
    facts = {"tried": tried, "tried_class": name}
    return _step(case, draft, seen, words, ("second_class",), facts, running=True)


def opioid_before_combination(case: Case, draft: MedicationOrder) -> Outcome:
    """Combine two first-line classes, or try the one that is left, before an opioid for neuropathic pain."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.ladder.state != "S2":
        return other_state(seen.ladder, "S2")
    days = seen.ladder.overlap_days
    overlap = f"Longest time together on record: {days} days." if days else "They were not taken together on record."
    facts = {"overlap": overlap, "overlap_days": str(days)}
    words = _trigeminal(seen) or "default"
    if words == "default":
        words, more = _combination(seen)
        facts |= more
    return _step(case, draft, seen, words, ("partner",), facts)


def _combination(seen: View) -> tuple[str, dict[str, str]]:
    """The wording of NP-03: the partner of what is taken, a pair to be begun, or a class that is still untried."""
    classes, pairs = seen.ladder.classes, seen.ladder.possible_pairs
    taken = frozenset(seen.ladder.taken)
    together = next((pair for pair in pairs if taken.issuperset(pair)), None)
    if together is not None:
        return "together", {"pair": _names(together, classes)}
    begun = next((pair for pair in pairs if not taken.isdisjoint(pair)), None)
    if begun is not None:
        return "default", {"evidence": _evidence(begun)}
    tried = [pair for pair in pairs if all(classes[name].satisfied for name in pair)]
    if tried:
        return "begin", {"pair": _names(tried[0], classes), "evidence": _evidence(tried[0])}
    left = " or ".join(CLASS_NAMES[name] for name in seen.ladder.untried)
    partly = any(classes[name].grade == "PARTIAL" for name in seen.ladder.untried)
    how = "not fully tried" if partly else "still untried"
    return "untried", {"untried": left, "how_tried": how}


def _evidence(pair: tuple[str, str]) -> str:
    return KNOWLEDGE["NP-03"].words["evidence_tca" if "tca" in pair else "evidence_snri"].line


def _names(pair: tuple[str, str], classes: Mapping[str, Trial]) -> str:
    return " and ".join(name_of(name, classes[name]) for name in pair)


def strong_opioid_before_tramadol(case: Case, draft: MedicationOrder) -> Outcome:
    """Where an opioid is tried in neuropathic pain, try tramadol before a strong one."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if draft.drug is not None and draft.drug.has("tramadol"):
        return DoesNotApply("tramadol is ordered")
    if seen.ladder.state != "S3":
        return other_state(seen.ladder, "S3")
    fit = fit_of(case, draft)
    if fit.reasons:
        return DoesNotApply("tramadol does not suit")
    facts = facts_of(case, draft, seen)
    unknown = unknown_of(seen.ladder.unknown, fit.missing)
    if seen.strength == "weak":
        return Fires("info", facts, "weak", unknown=unknown)
    facts["tramadol_trial"] = seen.ladder.tramadol.grade
    if fit.missing:
        facts["not_known"] = "; ".join(fit.missing)
        return Fires("warning", facts, "not_known", ("delete",), unknown)
    if seen.ladder.tramadol.grade == "PARTIAL":
        facts["tramadol_history"] = history_of(seen.ladder.tramadol)
        return Fires("warning", facts, "partial", ("tramadol",), unknown)
    return Fires("warning", facts, "default", ("tramadol",), unknown)


def strong_opioid_without_limit(case: Case, draft: MedicationOrder) -> Outcome:
    """Limit a strong opioid for neuropathic pain to a trial with an end and a review."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.strength != "strong":
        return DoesNotApply("no strong opioid")
    if seen.ladder.state not in ("S3", "S4"):
        return other_state(seen.ladder, "S3", "S4")
    if seen.ladder.state == "S3":
        fit = fit_of(case, draft)
        if not fit.reasons:
            return CannotTell(fit.missing) if fit.missing else DoesNotApply("tramadol comes first")
    days = supply_days(draft)
    if days is not None and days <= LIMIT_DAYS and not draft.repeats:
        return DoesNotApply("limited")
    if days is None and draft.end is not None and not draft.repeats:
        return DoesNotApply("limited")
    facts = facts_of(case, draft, seen)
    facts["review"] = (case.today + timedelta(days=REVIEW_DAYS)).isoformat()
    if draft.repeats:
        facts["repeats"] = str(draft.repeats)
    if days is None:
        return Fires("info", facts, "default", ("limit_supply", "referral"), seen.ladder.not_seen)
    facts["supply_days"] = number(days)
    return Fires("info", facts, "long", ("limit_supply", "referral"), seen.ladder.not_seen)


def neuropathic_pain_possible(case: Case, draft: MedicationOrder) -> Outcome:
    """Put the reason on an opioid order where it may be for neuropathic pain."""
    seen = view(case, draft)
    if seen.barred is not None:
        return seen.barred
    if seen.indication.grade in JUDGED:
        return DoesNotApply("neuropathic pain")
    if seen.indication.grade != "possible":
        return seen.pain or DoesNotApply("not for neuropathic pain")
    if seen.continued:
        return DoesNotApply("continuation")
    unknown_age = case.exclusion(draft).unknown
    if unknown_age:
        return CannotTell(unknown_age)
    if seen.ladder.state in ("S3", "S4"):
        return DoesNotApply(f"ladder state {seen.ladder.state}")
    words = "order" if seen.indication.source == "order" else "default"
    return Fires("info", facts_of(case, draft, seen), words, unknown=seen.indication.unknown)


def tramadol_unsuitable(case: Case, draft: MedicationOrder) -> Outcome:
    """Leave the tramadol step out where tramadol does not suit the patient."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.strength != "strong":
        return DoesNotApply("no strong opioid")
    if seen.ladder.state != "S3":
        return other_state(seen.ladder, "S3")
    fit = fit_of(case, draft)
    if not fit.reasons:
        return CannotTell(fit.missing) if fit.missing else DoesNotApply("tramadol suits")
    facts = facts_of(case, draft, seen) | {"reason": fit.reasons[0], "reasons": ", ".join(fit.reasons)}
    return Fires("info", facts, unknown=unknown_of(seen.ladder.unknown, fit.missing))


def history_not_available(case: Case, draft: MedicationOrder) -> Outcome:
    """Ask for the treatment history, or the age, where the ladder cannot be judged without it."""
    seen = view(case, draft)
    if seen.pain is not None:
        return seen.pain
    if seen.adult is None and seen.history is None:
        return DoesNotApply("history known")
    unknown = unknown_of(case.exclusion(draft).unknown, seen.ladder.not_seen if seen.ladder.state == "unknown" else ())
    facts = facts_of(case, draft, seen) | {"not_known": "; ".join(unknown)}
    return Fires("info", facts, "default" if seen.adult is None else "age", unknown=unknown)


# Shared by the steps


def _step(
    case: Case,
    draft: MedicationOrder,
    seen: View,
    words: str,
    asks: tuple[str, ...],
    facts: dict[str, str],
    running: bool = False,
) -> Fires:
    """A warning that a step was left out. No drug is proposed in trigeminal neuralgia; in localized pain a topical,
    where none was tried. With ``running`` a drug whose trial is under way, or that is taken below its working dose, or
    that is ordered in this signing, comes before a new one."""
    if words == "trigeminal":
        asks = ("delete",)
    elif seen.indication.localized and not seen.indication.face_or_scalp:
        asks = asks if seen.ladder.classes["topical"].grade in TOPICAL_TRIED else (*asks, "topical")
    if running and words != "trigeminal":
        raised, kept = _to_raise(case, draft, seen), _to_keep(seen)
        if raised is not None:
            words, facts = "raise", facts | {"raised": raised}
        elif kept is not None:
            words, facts = "keep", facts | {"kept": str(kept.agent), "until": last_day_of(case, kept).isoformat()}
        elif drafted := _drafted(case, seen):
            words, asks = "drafted", (*(ask for ask in asks if ask == "topical"), "delete")
            facts["drafted"] = drafted
    return Fires("warning", facts_of(case, draft, seen) | facts, words, asks, seen.ladder.unknown)


def _to_raise(case: Case, draft: MedicationOrder, seen: View) -> str | None:
    """The agent that is taken below its working dose and may be raised in this patient."""
    for trial in seen.ladder.classes.values():
        if not trial.active or trial.shortfall != "dose" or trial.agent not in AGENT_CLASSES:
            continue
        running = next((order for order in case.kept if order.drug is not None and order.drug.has(trial.agent)), None)
        if not not_offered(case, trial.agent, draft, running=running) and not unknown_for(case, trial.agent):
            return trial.agent
    return None


def _to_keep(seen: View) -> Trial | None:
    """The trial that is under way: taken today, for less than 28 days."""
    running = (trial for trial in seen.ladder.classes.values() if trial.active and trial.grade == "PARTIAL")
    return next((trial for trial in running if trial.shortfall == "duration" and trial.outcome is None), None)


def _drafted(case: Case, seen: View) -> str | None:
    """An agent of a class that is still open, ordered in this very signing."""
    trials = seen.ladder.classes
    open_classes = {name for name in SYSTEMIC_CLASSES if name in trials and not trials[name].satisfied}
    agents = [agent for agent in FIRST_LINE.values() if agent.drug_class in open_classes]
    return next((a.ingredient for a in agents for order in case.starting if is_agent(order, a)), None)


def _trigeminal(seen: View) -> str | None:
    """The wording for trigeminal neuralgia while its own first line was not tried."""
    trial = seen.ladder.classes.get("sodium_channel_blocker")
    return None if trial is None or trial.satisfied else "trigeminal"


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("NP-01", opioid_before_first_line),
    ("NP-02", opioid_after_one_class),
    ("NP-03", opioid_before_combination),
    ("NP-04", strong_opioid_before_tramadol),
    ("NP-05", first_line_trial_too_short),
    ("NP-06", first_line_dose_too_low),
    ("NP-07", partial_response),
    ("NP-08", localized_pain_without_topical),
    ("NP-09", strong_opioid_without_limit),
    ("NP-10", radiculopathy),
    ("NP-11", hiv_neuropathy),
    ("NP-12", neuropathic_pain_possible),
    ("NP-13", mild_pain),
    ("NP-14", tramadol_unsuitable),
    ("NP-15", history_not_available),
)
