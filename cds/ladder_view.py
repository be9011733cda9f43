"""What every ladder rule asks first: is this a new opioid for neuropathic pain, and where does the patient stand."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from msgspec import Struct

from cds.breathing import opioid_name
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import continuation
from cds.first_line import CLASS_NAMES, CLASSES, SYSTEMIC_CLASSES
from cds.indication import Indication
from cds.knowledge import load_group
from cds.once import once_an_order
from cds.outcome import CannotTell, DoesNotApply, Outcome
from cds.scope import is_opioid, stops, strength
from cds.tramadol import Suitability, suitability
from cds.trials import NEVER, TRIAL_DAYS, Ladder, Trial, ladder_of

KNOWLEDGE = load_group("ladder")
SOURCES = {"order": "order", "encounter": "encounter", "problem list": "list", "first-line drug": "first_line_drug"}
BASIS = {source: KNOWLEDGE["G03"].words[words].line for source, words in SOURCES.items()}
JUDGED = frozenset({"definite", "probable"})
STATES = ("S0", "S1", "S2", "S3", "S4")
COUGH_OPIOIDS = frozenset({"codeine", "hydrocodone", "dihydrocodeine"})
COUGH_PARTNERS = frozenset(
    {
        "guaifenesin", "promethazine", "chlorpheniramine", "brompheniramine", "triprolidine", "homatropine",
        "pseudoephedrine", "phenylephrine", "pyrilamine", "dexchlorpheniramine", "dexbrompheniramine",
    }
)  # fmt: skip
NOT_ON_RECORD = "not on record"
NEVER_TRIED = {name: {f"{name}_trial": NEVER.grade, f"{name}_history": NOT_ON_RECORD} for name in CLASSES}
OTHER_CLASSES = tuple(name for name in CLASSES if name not in SYSTEMIC_CLASSES)
"""The classes that only some kinds of pain have."""
ENDINGS = {
    "failure": "failed",
    "intolerance": "not tolerated",
    "allergy": "allergy on record",
    "contraindication": "contraindicated today",
}
"""How a trial came out, in words."""
CONTINUATION = DoesNotApply("continuation")


class View(Struct, frozen=True):
    """One draft as the ladder sees it. Each of ``barred``, ``pain``, ``adult`` and ``history`` is the answer of a rule
    that may go no further, or None: the draft is no opioid to judge or excluded (G02); it is not for neuropathic pain
    (G03) or continues an opioid; the age is not known; the history is not known. Each holds those before it."""

    indication: Indication
    barred: Outcome | None
    continued: bool
    pain: Outcome | None
    adult: Outcome | None
    history: Outcome | None
    ladder: Ladder
    strength: str | None


_NO_LADDER = Ladder("unknown")


@once_an_order
def fit_of(case: Case, draft: MedicationOrder) -> Suitability:
    """Whether tramadol suits in the place of this draft, worked out once for each case."""
    return suitability(case, draft)


@once_an_order
def view(case: Case, draft: MedicationOrder) -> View:
    """The view of this draft, worked out once for each case."""
    kind = strength(draft)
    indication, ladder, continued = Indication("no"), _NO_LADDER, False
    barred = _barred(case, draft)
    pain = barred
    if barred is None:
        indication = case.indication(draft)
        pain = _not_for_pain(indication)
        if indication.grade in JUDGED or indication.grade == "possible":
            continued = continuation(case, draft)
            pain = CONTINUATION if continued else pain
    unknown_age = () if barred is not None else case.exclusion(draft).unknown
    adult = pain or (CannotTell(unknown_age) if unknown_age else None)
    history = adult
    if barred is None and not continued and indication.grade != "no":
        ladder = ladder_of(case, draft)
        history = adult or (CannotTell(ladder.not_seen) if ladder.state == "unknown" else None)
    return View(indication, barred, continued, pain, adult, history, ladder, kind)


def _barred(case: Case, draft: MedicationOrder) -> Outcome | None:
    if stops(draft):
        return DoesNotApply("stops a drug")
    if not is_opioid(draft):
        return DoesNotApply("no opioid")
    if _for_cough(draft):
        return DoesNotApply("for cough")
    because = case.exclusion(draft).because
    return None if because is None else DoesNotApply(because)


def _for_cough(draft: MedicationOrder) -> bool:
    """A product made for cough: a weak opioid with an expectorant, a decongestant or an antihistamine."""
    if draft.drug is None or COUGH_OPIOIDS.isdisjoint(draft.drug.names):
        return False
    return any(part.name in COUGH_PARTNERS for part in draft.drug.ingredients)


def _not_for_pain(indication: Indication) -> Outcome | None:
    if indication.grade in JUDGED:
        return None
    if indication.grade == "possible":
        return DoesNotApply("neuropathic pain only possible")
    return CannotTell(indication.unknown) if indication.unknown else DoesNotApply("not for neuropathic pain")


def other_state(ladder: Ladder, *states: str) -> Outcome:
    """The answer of a rule of other states. What was not seen could only raise the state, so a rule of a higher one
    cannot tell."""
    lower = STATES.index(ladder.state) < min(STATES.index(state) for state in states)
    return CannotTell(ladder.unknown) if lower and ladder.unknown else DoesNotApply(f"ladder state {ladder.state}")


def going_well(trial: Trial) -> bool:
    """Taken today, for long enough at a working dose, and not recorded as failed or not tolerated."""
    return trial.grade == "ADEQUATE" and trial.active and trial.outcome is None


def last_day_of(case: Case, trial: Trial) -> date:
    """The day on which a trial that runs today will have taken long enough."""
    return case.today + timedelta(days=TRIAL_DAYS - (trial.days or 0))


# Facts


def facts_of(case: Case, draft: MedicationOrder, seen: View) -> dict[str, str]:
    """What every finding of the ladder tells: drug, indication, state, and the best trial of each class."""
    drug = opioid_name(draft)
    facts = {"drug": drug, **indication_facts(seen.indication)}
    if seen.ladder.state != "unknown":
        facts["ladder_state"] = seen.ladder.state
        for name in CLASSES:
            if name in seen.ladder.classes:
                facts.update(trial_facts(name, seen.ladder.classes[name]))
        facts["tricyclic_and_other_history"] = _tricyclic_and_others(seen.ladder)
    return facts


def _tricyclic_and_others(ladder: Ladder) -> str:
    """The trial of a tricyclic, and those of the classes that only some kinds of pain have, where one was tried."""
    said = history_of(ladder.classes["tca"])
    for name in OTHER_CLASSES:
        trial = ladder.classes.get(name, NEVER)
        if trial is not NEVER:
            said += f"; {CLASS_NAMES[name]}: {history_of(trial)}"
    return said


def indication_facts(indication: Indication) -> dict[str, str]:
    short_name, source = indication.short_name, indication.source or "order"
    facts = {
        "indication": short_name,
        "indication_name": indication.name or short_name,
        "indication_grade": indication.grade,
        "indication_source": source,
        "basis": BASIS[source],
    }
    if indication.since is not None:
        facts["indication_since"] = indication.since.isoformat()
    if indication.localized is not None:
        facts["localization"] = "localized" if indication.localized else "diffuse"
    return facts


def trial_facts(name: str, trial: Trial) -> Mapping[str, str]:
    """The best trial of one class, each fact named after the class."""
    if trial is NEVER:
        return NEVER_TRIED[name]
    facts = {f"{name}_trial": str(trial.grade)}
    if trial.agent is not None:
        facts[f"{name}_agent"] = trial.agent
    if trial.days is not None:
        facts[f"{name}_days"] = str(trial.days)
    if trial.highest_mg is not None:
        facts[f"{name}_mg_per_day"] = number(trial.highest_mg)
    if trial.minimum_mg is not None:
        facts[f"{name}_minimum_mg_per_day"] = number(trial.minimum_mg)
    if trial.outcome is not None:
        facts[f"{name}_outcome"] = trial.outcome
    if trial.shortfall is not None:
        facts[f"{name}_shortfall"] = trial.shortfall
    if trial.start is not None:
        facts[f"{name}_start"] = trial.start.isoformat()
    if trial.end is not None and not trial.active:
        facts[f"{name}_end"] = trial.end.isoformat()
    facts[f"{name}_history"] = history_of(trial)
    return facts


def history_of(trial: Trial) -> str:
    """One trial in words, short enough for a line."""
    if trial.agent is None:
        return "contraindicated today" if trial.outcome == "contraindication" else NOT_ON_RECORD
    if trial.grade == "NONE":
        return f"{trial.agent}, more than 5 years ago (not counted)"
    words = [trial.agent]
    if trial.highest_mg is not None:
        words.append(f"{number(trial.highest_mg)} mg a day")
    elif trial.shortfall == "dose not known":
        words.append("dose not known")
    if trial.shortfall == "duration not known":
        words.append("duration not known")
    elif trial.taken_days is not None:
        words.append(_days_of(trial, trial.taken_days))
    if trial.start is not None:
        end = "today" if trial.active else _iso(trial.end)
        words.append(f"({_iso(trial.start)} to {end})" if end else f"(from {_iso(trial.start)})")
    text = " ".join(words)
    return f"{text}, {ENDINGS[trial.outcome]}" if trial.outcome else text


def _days_of(trial: Trial, taken: int) -> str:
    """The days taken; beside a dose that reaches the minimum those at it, and all of them where these are more."""
    at_least = "at least " if trial.at_least else ""
    reached = trial.highest_mg is not None and trial.minimum_mg is not None and trial.highest_mg >= trial.minimum_mg
    if reached and trial.days != taken:
        return f"for {at_least}{trial.days} days ({taken} days in all)"
    return f"for {at_least}{taken} days"


def name_of(name: str, trial: Trial) -> str:
    """The agent of a class, else the class."""
    return trial.agent or CLASS_NAMES[name]


def unknown_of(*entries: Iterable[str]) -> tuple[str, ...]:
    """``notAssessed`` entries, each once."""
    return tuple(dict.fromkeys(entry for group in entries for entry in group))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
