"""Treatment history -> ADEQUATE, PARTIAL, UNSUITABLE or NONE per first-line class, and the state of the ladder."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Literal

from msgspec import Struct

from cds.case import Case
from cds.chart import MedicationOrder
from cds.exposures import Exposure, Run, exposures_of
from cds.first_line import CLASSES, FIRST_LINE, SYSTEMIC_CLASSES, Agent
from cds.knowledge import load_group
from cds.offer import not_offered
from cds.once import once_an_order
from cds.spans import days_taken, joined, shared
from cds.supply import span

KNOWLEDGE = load_group("ladder")
TRIAL_DAYS = KNOWLEDGE["NP-01"].days("trial_days")
FAILED_TRIAL_DAYS = KNOWLEDGE["NP-01"].days("failed_trial_days")
INFARCTION_DAYS = KNOWLEDGE["NP-01"].days("infarction_days")
MAO_INHIBITOR_DAYS = KNOWLEDGE["NP-01"].days("mao_inhibitor_days")
OVERLAP_DAYS = KNOWLEDGE["NP-03"].days("overlap_days")
FAILED_OVERLAP_DAYS = KNOWLEDGE["NP-03"].days("failed_overlap_days")
OVERLAP_GAP_DAYS = KNOWLEDGE["NP-03"].days("gap_days")
TRAMADOL_DAYS = KNOWLEDGE["NP-04"].days("tramadol_trial_days")
FAILED_TRAMADOL_DAYS = KNOWLEDGE["NP-04"].days("failed_tramadol_trial_days")
TRAMADOL = Agent("tramadol", "tramadol", True, minimum_mg_per_day=KNOWLEDGE["NP-04"].number("tramadol_mg_per_day"))

Grade = Literal["ADEQUATE", "PARTIAL", "UNSUITABLE", "NONE"]
State = Literal["S0", "S1", "S2", "S3", "S4", "unknown"]
BEST_FIRST: tuple[Grade, ...] = ("ADEQUATE", "UNSUITABLE", "PARTIAL", "NONE")
SATISFYING = frozenset({"ADEQUATE", "UNSUITABLE"})
NOT_TOLERATED = frozenset({"intolerance", "allergy", "contraindication"})
COMBINABLE = (("gabapentinoid", "tca"), ("gabapentinoid", "snri"))
"""The pairs that may be offered; an SNRI with a tricyclic is never proposed (two serotonergic drugs)."""
COUNTED = {**FIRST_LINE, TRAMADOL.ingredient: TRAMADOL}
"""Every agent whose trials are counted, by its ingredient."""
AGENTS_OF = {name: {a.ingredient: a for a in FIRST_LINE.values() if a.drug_class == name} for name in CLASSES}
CLASS_ROLES = {"gabapentinoid": "gabapentinoid", "snri": "snri", "tca": "tca", "topical": "local_anesthetic"}


class Trial(Struct, frozen=True):
    """The best trial of one class. ``days`` at or above the therapeutic minimum (by duration alone where the dose is
    not known), ``taken_days`` at any dose; ``highest_mg`` the highest daily dose held for at least 14 days;
    ``minimum_mg`` the therapeutic minimum for this patient; ``shortfall`` is "duration", "dose", "dose not known",
    "duration not known", "older than 5 years" or None; ``active`` whether the agent is active today."""

    grade: Grade
    agent: str | None = None
    days: int | None = None
    highest_mg: Decimal | None = None
    minimum_mg: Decimal | None = None
    shortfall: str | None = None
    at_least: bool = False
    outcome: str | None = None
    """"failure", "intolerance", "allergy", "contraindication" or None."""
    active: bool = False
    start: date | None = None
    end: date | None = None
    ref: str | None = None
    taken_days: int | None = None

    @property
    def satisfied(self) -> bool:
        return self.grade in SATISFYING


NEVER = Trial("NONE")


class Ladder(Struct, frozen=True):
    """Where this patient stands (CLINICAL.md section 3). ``classes`` maps "gabapentinoid", "snri", "tca", "topical"
    (localized pain only) and "sodium_channel_blocker" (trigeminal neuralgia only) to the best trial of each.

    ``state`` is "unknown" where no history could be had. ``pair`` names the two classes taken together adequately;
    ``overlap_days`` the longest time that two systemic classes were taken together; ``possible_pairs`` the pairs, and
    ``untried`` the systemic classes, that could still be offered (asked from S2 on only); ``taken`` the classes of
    which a drug is taken today, be it in the best trial or not; ``tramadol`` the trial of it (minimum 200 mg a day).
    ``not_seen`` names sources of the history that were not available; ``unknown`` these and whatever else, if known,
    could only raise the state.
    """

    state: State
    classes: Mapping[str, Trial] = {}
    pair: tuple[str, str] | None = None
    tramadol: Trial = NEVER
    not_seen: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    overlap_days: int = 0
    possible_pairs: tuple[tuple[str, str], ...] = ()
    untried: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


@once_an_order
def ladder_of(case: Case, draft: MedicationOrder) -> Ladder:
    """The state of the ladder for this draft."""
    not_seen = case.history_not_seen
    if not case.history_known:
        return Ladder("unknown", not_seen=not_seen, unknown=not_seen)
    exposures = exposures_of(case, COUNTED)
    indication = case.indication(draft)
    counted = list(SYSTEMIC_CLASSES)
    if "trigeminal_neuralgia" in indication.meanings:
        counted.append("sodium_channel_blocker")
    systemic = tuple(counted)
    if indication.localized:
        counted.append("topical")
    classes = _class_trials(case, counted, exposures, not_seen)
    satisfied = sum([trial.grade in SATISFYING for trial in classes.values()])
    tramadol = trial_of(case, TRAMADOL, exposures.get(TRAMADOL.ingredient), not_seen)
    pair, overlap = _combination(systemic, exposures)
    active = [COUNTED[name].drug_class for name, found in exposures.items() if found.active]
    taken = tuple([name for name in counted if name in active])
    possible: tuple[tuple[str, str], ...] = ()
    untried: tuple[str, ...] = ()
    if satisfied > 1:
        available = {name for name in systemic if _available(case, draft, name, classes[name], taken)}
        possible = tuple([pair for pair in COMBINABLE if available.issuperset(pair)])
        untried = tuple([name for name in systemic if name in available and not classes[name].satisfied])
    unknown = not_seen + case.not_answered("allergies", "conditions")
    if case.renal.value is None and True in map(_hangs_on_kidneys, classes.values()):
        unknown += case.renal.unknown
    return Ladder(
        state=_state(satisfied, pair is not None or not (possible or untried), tramadol),
        classes=classes,
        pair=pair,
        tramadol=tramadol,
        not_seen=not_seen,
        unknown=tuple(dict.fromkeys(unknown)) if unknown else (),
        overlap_days=overlap,
        possible_pairs=possible,
        untried=untried,
        taken=taken,
    )


def _state(satisfied: int, combined: bool, tramadol: Trial) -> State:
    if satisfied == 0:
        return "S0"
    if satisfied == 1:
        return "S1"
    if not combined:
        return "S2"
    return "S4" if tramadol.grade == "ADEQUATE" or tramadol.outcome == "intolerance" else "S3"


def trial_of(case: Case, agent: Agent, exposure: Exposure | None, not_seen: Sequence[str] = ()) -> Trial:
    """The best trial of one agent, of all its runs."""
    allergens, roles_only = case.allergens
    outcome = not_tolerated(case, agent) if roles_only or agent.ingredient in allergens else None
    if exposure is None:
        return Trial("UNSUITABLE", agent.ingredient, outcome=outcome) if outcome else NEVER
    active = exposure.active
    if outcome is None and not active and any(record.stopped_for == "intolerance" for record in exposure.records):
        outcome = "intolerance"
    trials = [_run_trial(agent, exposure, run, outcome, bool(not_seen)) for run in exposure.runs]
    if active and trials and trials[-1].grade == "PARTIAL":
        # Taken again and tolerated: an intolerance of a course before does not hide the one that runs.
        trials = [trial for trial in trials if trial.grade != "UNSUITABLE"]
    if trials:
        return trials[0] if len(trials) == 1 else min(trials, key=_preference)
    if outcome is not None:
        return Trial("UNSUITABLE", agent.ingredient, outcome=outcome, active=active)
    if exposure.undated:
        failed = any(record.stopped_for == "failure" for record in exposure.undated)
        return Trial(
            "PARTIAL",
            agent.ingredient,
            shortfall="duration not known",
            outcome="failure" if failed else None,
            active=active,
            ref=exposure.undated[0].ref,
        )
    return Trial("NONE", agent.ingredient, shortfall="older than 5 years") if exposure.older else NEVER


def _run_trial(agent: Agent, exposure: Exposure, run: Run, outcome: str | None, at_least: bool) -> Trial:
    outcome = outcome or run.outcome
    needed, with_outcome = (
        (TRAMADOL_DAYS, FAILED_TRAMADOL_DAYS) if agent is TRAMADOL else (TRIAL_DAYS, FAILED_TRIAL_DAYS)
    )
    shortfall: str | None = None
    if run.days >= needed or (run.days >= with_outcome and outcome is not None):
        grade: Grade = "ADEQUATE"
        shortfall = "dose not known" if run.dose_unknown else None
    elif outcome in NOT_TOLERATED:
        grade = "UNSUITABLE"
    else:
        grade = "PARTIAL"
        if _too_low(run, exposure.minimum_mg):
            shortfall = "dose"
        elif run.duration_unknown:
            shortfall = "duration not known"
        else:
            shortfall = "duration"
    return Trial(
        grade=grade,
        agent=agent.ingredient,
        days=run.days,
        highest_mg=run.held_mg,
        minimum_mg=exposure.minimum_mg,
        shortfall=shortfall,
        at_least=at_least or run.duration_unknown,
        outcome=outcome,
        active=exposure.active and run.last,
        start=run.start,
        end=run.end,
        ref=run.ref,
        taken_days=run.taken_days,
    )


def _too_low(run: Run, minimum: Decimal | None) -> bool:
    """Whether the dose fell short: none of 14 days reached the minimum, and it is not being reached now."""
    if minimum is None or run.held_mg is None or run.held_mg >= minimum:
        return False
    return run.days == 0 or (run.latest_mg is not None and run.latest_mg < minimum)


def _preference(trial: Trial) -> tuple[int, bool, int, int, str, str]:
    """The best first: by grade, what is active, what ran longest."""
    return (
        BEST_FIRST.index(trial.grade),
        not trial.active,
        -(trial.days or 0),
        -(trial.taken_days or 0),
        trial.agent or "~",
        str(trial.start),
    )


def _class_trials(
    case: Case, counted: Iterable[str], exposures: Mapping[str, Exposure], not_seen: Sequence[str]
) -> dict[str, Trial]:
    """The best trial of each of these classes."""
    allergens, roles_only = case.allergens
    recorded = allergens.union(exposures)
    classes = {}
    for name in counted:
        agents, best = AGENTS_OF[name], NEVER
        for ingredient in agents if roles_only else agents.keys() & recorded:
            trial = trial_of(case, agents[ingredient], exposures.get(ingredient), not_seen)
            best = trial if best is NEVER else min(best, trial, key=_preference)
        if best.grade not in SATISFYING and _contraindicated(case, name):
            best = Trial(
                "UNSUITABLE", best.agent, outcome="contraindication", active=best.active, start=best.start, end=best.end
            )
        classes[name] = best
    return classes


def not_tolerated(case: Case, agent: Agent) -> str | None:
    """A recorded allergy or intolerance of this agent, or of its whole class where no substance is named."""
    found = {
        "intolerance" if allergy.intolerance else "allergy"
        for allergy in case.chart.allergies
        if agent.ingredient in allergy.ingredients
        or (not allergy.ingredients and CLASS_ROLES.get(agent.drug_class) in allergy.roles)
    }
    return min(found, default=None)


def _contraindicated(case: Case, name: str) -> bool:
    """Label contraindications that the chart can show: an MAO inhibitor within 14 days (SNRI, tricyclics), infarction
    within 42 days (tricyclics), uncontrolled or acute narrow-angle glaucoma (SNRI). Everything else of section 4 is a
    caution: not offered, but not unsuitable."""
    if name == "tca":
        for event in case.by_meaning.get("myocardial_infarction_recent", ()):
            if _within(event.since, case.today, INFARCTION_DAYS):
                return True
    elif name == "snri":
        for entry in case.by_meaning.get("glaucoma_narrow", ()):
            said = entry.name.casefold()
            if entry.status == "present" and ("uncontrolled" in said or "acute" in said):
                return True
    else:
        return False
    return "maoi" in case.roles_on_record and _mao_inhibitor(case)


def _mao_inhibitor(case: Case) -> bool:
    """An MAO inhibitor taken, or ended at most 14 days ago. Linezolid and methylene blue are short: a caution."""
    for order in case.regimen:
        if order.drug is not None and _is_mao_inhibitor(order.drug.roles):
            return True
    ended = [
        order for order in case.chart.medications if order.drug is not None and _is_mao_inhibitor(order.drug.roles)
    ]
    return any(
        run.start <= case.today and _within(min(run.last, case.today), case.today, MAO_INHIBITOR_DAYS)
        for order in ended
        if (run := span(order, case.today)) is not None
    )


def _is_mao_inhibitor(roles: frozenset[str]) -> bool:
    return "maoi" in roles and "linezolid_like" not in roles


def _within(day: date | None, today: date, days: int) -> bool:
    return day is not None and 0 <= (today - day).days <= days


def _combination(systemic: Iterable[str], exposures: Mapping[str, Exposure]) -> tuple[tuple[str, str] | None, int]:
    """The two systemic classes that were taken together adequately, and the longest overlap of any two."""
    if len(exposures) < 2:
        return None, 0
    of_class: dict[str, list[Exposure]] = {}
    for name, exposure in exposures.items():
        if name in FIRST_LINE:
            of_class.setdefault(FIRST_LINE[name].drug_class, []).append(exposure)
    pair: tuple[str, str] | None = None
    longest = 0
    for one, other in combinations([name for name in systemic if name in of_class], 2):
        for some in of_class[one]:
            for others in of_class[other]:
                both = shared(some.at_minimum, others.at_minimum)
                for run in joined(both, OVERLAP_GAP_DAYS):
                    days = days_taken(both, run.start, run.last)
                    longest = max(longest, days)
                    ended = some.outcome_in(run) or others.outcome_in(run)
                    if pair is None and (days >= OVERLAP_DAYS or (days >= FAILED_OVERLAP_DAYS and ended)):
                        pair = (one, other)
    return pair, longest


def _available(case: Case, draft: MedicationOrder, name: str, trial: Trial, taken: Sequence[str]) -> bool:
    """Whether a drug of this class could be offered to this patient, or is taken."""
    if trial.outcome in NOT_TOLERATED:
        return False
    if name in taken or name == "sodium_channel_blocker":
        return True
    agents = AGENTS_OF[name].values()
    return any(not not_offered(case, agent.ingredient, draft) for agent in agents if not agent.counted_only)


def _hangs_on_kidneys(trial: Trial) -> bool:
    """Whether this dose would be enough with weak kidneys."""
    if trial.shortfall != "dose" or trial.agent is None or trial.highest_mg is None:
        return False
    return any(trial.highest_mg >= step.minimum_mg_per_day for step in FIRST_LINE[trial.agent].kidney)
