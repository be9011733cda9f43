"""Ladder rules about a trial that was begun: too short, too low, or helping in part (NP-05 to NP-07)."""

from decimal import Decimal

from cds.case import Case, number
from cds.chart import MedicationOrder, Observation
from cds.first_line import CLASSES
from cds.knowledge import load_group
from cds.ladder_view import View, facts_of, going_well, last_day_of, other_state, view
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.trials import Trial

KNOWLEDGE = load_group("ladder")
TRIAL_DAYS = KNOWLEDGE["NP-05"].days("trial_days")
RESPONSE_PERCENT = KNOWLEDGE["NP-07"].number("response_percent")
GOOD_RESPONSE_PERCENT = KNOWLEDGE["NP-07"].number("good_response_percent")
EARLY_STATES = ("S0", "S1", "S2")
UNKNOWN_DURATION = "duration not known"


def first_line_trial_too_short(case: Case, draft: MedicationOrder) -> Outcome:
    """Complete 28 days of a first-line drug at its working dose before judging it."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.ladder.state not in EARLY_STATES:
        return other_state(seen.ladder, *EARLY_STATES)
    partial = [trial for trial in _partial(seen) if trial.shortfall != "dose" or (trial.taken_days or 0) < TRIAL_DAYS]
    trial = next((trial for trial in partial if trial.days is not None and trial.shortfall != UNKNOWN_DURATION), None)
    if trial is None:
        if not partial:
            return _not_seen(seen, "no trial cut short")
        agent = str(partial[0].agent)
        return CannotTell((f"duration of {agent}: no dates",), said=True, facts={"agent": agent})
    days = trial.days or trial.taken_days or 0
    facts = _agent_facts(case, draft, seen, trial) | {
        "days": str(days),
        "days_said": f"at least {days}" if trial.at_least else str(days),
        "days_needed": str(TRIAL_DAYS),
    }
    if not trial.active:
        words = "failed" if trial.outcome == "failure" else "stopped"
        return Fires("warning", facts, words, unknown=seen.ladder.not_seen)
    facts["until"] = last_day_of(case, trial).isoformat()
    return Fires("warning", facts, "default", ("keep_first_line",), seen.ladder.not_seen)


def first_line_dose_too_low(case: Case, draft: MedicationOrder) -> Outcome:
    """Raise a first-line drug to its working dose before judging it."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.ladder.state not in EARLY_STATES:
        return other_state(seen.ladder, *EARLY_STATES)
    trial = next((trial for trial in _partial(seen) if trial.shortfall == "dose"), None)
    if trial is None or trial.highest_mg is None or trial.minimum_mg is None:
        return _not_seen(seen, "no dose below its minimum")
    facts = _agent_facts(case, draft, seen, trial) | {
        "mg_per_day": number(trial.highest_mg),
        "minimum_mg_per_day": number(trial.minimum_mg),
    }
    if trial.active:
        return Fires("warning", facts, "default", ("titrate",), seen.ladder.unknown)
    return Fires("warning", facts, "stopped", unknown=seen.ladder.unknown)


def partial_response(case: Case, draft: MedicationOrder) -> Outcome:
    """Keep a first-line drug that helped in part and add a second class."""
    seen = view(case, draft)
    if seen.history is not None:
        return seen.history
    if seen.ladder.state != "S1":
        return other_state(seen.ladder, "S1")
    trial = next((trial for trial in seen.ladder.classes.values() if going_well(trial)), None)
    if trial is None:
        return _not_seen(seen, "no first-line drug taken at a working dose")
    facts = _agent_facts(case, draft, seen, trial)
    before, now = _scores(case, trial)
    if before is None or now is None or not before.value or now.value is None:
        return Fires("info", facts, "default", ("second_class",), seen.ladder.not_seen)
    fall = (before.value - now.value) * 100 / before.value
    facts |= {
        "score_before": number(before.value),
        "score_now": number(now.value),
        "fall_percent": number(max(fall, Decimal(0)).quantize(Decimal(1))),
    }
    if fall < RESPONSE_PERCENT:
        return Fires("info", facts, "no_response", ("second_class",), seen.ladder.not_seen)
    words = "good_response" if fall >= GOOD_RESPONSE_PERCENT else "response"
    return Fires("info", facts, words, ("second_class",), seen.ladder.not_seen)


def _partial(seen: View) -> list[Trial]:
    """Trials that fell short, what is taken today first, then the longest."""
    order = {name: place for place, name in enumerate(CLASSES)}
    named = [(name, trial) for name, trial in seen.ladder.classes.items() if trial.grade == "PARTIAL"]
    named.sort(key=lambda entry: (not entry[1].active, -(entry[1].taken_days or 0), order[entry[0]]))
    return [trial for _, trial in named]


def _not_seen(seen: View, because: str) -> Outcome:
    """Nothing of the kind on record; cannot tell while part of the record is missing."""
    return CannotTell(seen.ladder.not_seen) if seen.ladder.not_seen else DoesNotApply(because)


def _agent_facts(case: Case, draft: MedicationOrder, seen: View, trial: Trial) -> dict[str, str]:
    agent = str(trial.agent)
    days = {"start": trial.start, "end": trial.end}
    return (
        facts_of(case, draft, seen)
        | {"agent": agent}
        | {name: day.isoformat() for name, day in days.items() if day is not None}
    )


def _scores(case: Case, trial: Trial) -> tuple[Observation | None, Observation | None]:
    """The latest pain score before the trial began, and the latest since."""
    start = trial.start or case.today
    scores = [score for score in case.chart.observations if score.meaning == "pain_score" and score.value is not None]
    before = [score for score in scores if score.taken is not None and score.taken <= start]
    since = [score for score in scores if score.taken is not None and start < score.taken <= case.today]
    return max(before, key=_taken, default=None), max(since, key=_taken, default=None)


def _taken(score: Observation) -> tuple[str, str, str]:
    return str(score.taken), score.taken_at, score.ref
