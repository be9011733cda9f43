"""What Firstline understood of a chart, for a person to read: the facts that its rules see, and what was not known."""

from datetime import date
from decimal import Decimal

from msgspec import Struct

from cds.case import Case
from cds.chart import MedicationOrder
from cds.exposures import Exposure, exposures_of
from cds.first_line import CLASS_NAMES, CLASSES, FIRST_LINE, SYSTEMIC_CLASSES
from cds.ladder_view import history_of
from cds.renal import RenalFunction
from cds.trials import BEST_FIRST, TRAMADOL, TRIAL_DAYS, Trial, trial_of
from hooks.signing import Signing

COUNTED = ("tablet", "capsule", "spray", "film", "lozenge", "drop")
PLURALS = {"patch": "patches", **{unit: unit + "s" for unit in COUNTED}}
OTHER_CLASSES = {**CLASS_NAMES, "tramadol": "tramadol (second step)"}


class Problem(Struct, frozen=True, omit_defaults=True):
    """``status`` is "present", "history" or "refuted"."""

    name: str
    status: str
    since: date | None = None
    provisional: bool = False


class Taken(Struct, frozen=True, omit_defaults=True):
    """A drug that is active today. ``recognised`` is the drug that was understood, None where none was."""

    name: str
    recognised: str | None
    dosing: str | None = None
    since: date | None = None


class Renal(Struct, frozen=True, omit_defaults=True):
    """``value`` in mL/min or mL/min/1.73 m2; ``unknown`` says why there is none."""

    said: str
    value: Decimal | None = None
    kind: str | None = None
    taken: date | None = None
    unknown: tuple[str, ...] = ()


class Stretch(Struct, frozen=True):
    """Days at one daily dose, both ends included; ``mg`` None: the dose is not known, or has no minimum to reach."""

    start: date
    end: date
    mg: Decimal | None


class Tried(Struct, frozen=True, rename="camel"):
    """One first-line agent that is on record, and how its best trial is judged (``grade``, ``shortfall``, ``outcome``
    in the words of ``Trial``). ``history`` says it in words."""

    agent: str
    drug_class: str
    grade: str
    history: str
    minimum_mg: Decimal | None
    highest_mg: Decimal | None
    days: int | None
    taken_days: int | None
    at_least: bool
    shortfall: str | None
    outcome: str | None
    active: bool
    stretches: tuple[Stretch, ...]


class ChartView(Struct, frozen=True, rename="camel"):
    """``age`` in years, None where the record does not settle it. ``untried``: systemic first-line classes without any
    record. ``unknown``: questions that were not answered, in the words of ``notAssessed``; and what was unreadable."""

    today: date
    age: int | None
    born: date | None
    sex: str | None
    problems: tuple[Problem, ...]
    taken: tuple[Taken, ...]
    medications_known: bool
    problems_known: bool
    history_known: bool
    allergies: tuple[str, ...]
    allergies_known: bool
    weight: str | None
    renal: Renal
    tried: tuple[Tried, ...]
    untried: tuple[str, ...]
    trial_days: int
    unknown: tuple[str, ...]


def chart_view(signing: Signing) -> ChartView:
    """The chart of this request, as the review reads it."""
    case, chart = signing.case, signing.chart
    tried = _tried(case)
    weight = case.latest("weight")
    unanswered = tuple(case.missing(key) for key in sorted(chart.questions) if not chart.answers(key))
    unreadable = tuple(f"{ref}: unreadable" for ref in chart.unreadable)
    recorded = {trial.drug_class for trial in tried}
    return ChartView(
        today=case.today,
        age=case.age,
        born=chart.patient.born_from if chart.patient.born_from == chart.patient.born_to else None,
        sex=chart.patient.sex,
        problems=tuple(
            Problem(entry.name, entry.status, entry.since, entry.provisional)
            for entry in chart.conditions
            if entry.status != "refuted"
        ),
        taken=tuple(_taken(case, order) for order in case.listed),
        medications_known=case.medications_known,
        problems_known=chart.answers("conditions"),
        history_known=case.history_known,
        allergies=tuple(dict.fromkeys(allergy.name for allergy in chart.allergies)),
        allergies_known=chart.answers("allergies"),
        weight=f"{_plain(weight.value)} kg on {weight.taken}" if weight is not None and weight.value else None,
        renal=_renal(case.renal),
        tried=tried,
        untried=tuple(CLASS_NAMES[name] for name in SYSTEMIC_CLASSES if CLASS_NAMES[name] not in recorded),
        trial_days=TRIAL_DAYS,
        unknown=unanswered + unreadable,
    )


def _taken(case: Case, order: MedicationOrder) -> Taken:
    texts = [dosage.text for dosage in order.dosages if dosage.text]
    return Taken(
        name=order.name or (order.drug.name if order.drug else ""),
        recognised=order.drug.name if order.drug else None,
        dosing="; ".join(texts) or _dosing(order),
        since=case.taken_since(order),
    )


def _dosing(order: MedicationOrder) -> str | None:
    """The first coded instruction in words, as "2 capsules 3 times a day"; None where there is too little."""
    if not order.dosages:
        return None
    first = order.dosages[0]
    words = []
    if first.dose_high is not None:
        low = first.dose_low.value if first.dose_low is not None else first.dose_high.value
        amounts = dict.fromkeys((_plain(low), _plain(first.dose_high.value)))
        unit = (first.dose_high.unit or "").strip("{}")
        many = PLURALS.get(unit, unit) if first.dose_high.value > 1 else unit
        words.append(f"{' to '.join(amounts)} {many}".strip())
    if first.frequency and first.period:
        words.append(_rhythm(first.frequency, first.period))
    elif first.when:
        words.append("once a day" if first.when == 1 else f"{first.when} times a day")
    if first.as_needed:
        words.append("as needed")
    return " ".join(words) or None


def _rhythm(frequency: Decimal, period: Decimal) -> str:
    """``period`` in days: 1 in a quarter of a day is "every 6 hours"."""
    if period == 1:
        return {Decimal(1): "once a day", Decimal(2): "twice a day"}.get(frequency, f"{_plain(frequency)} times a day")
    between = period / frequency
    return f"every {_plain(between * 24)} hours" if between < 4 else f"every {_plain(between)} days"


def _renal(renal: RenalFunction) -> Renal:
    return Renal(renal.said, renal.value, renal.kind, renal.taken or renal.stale, renal.unknown)


def _tried(case: Case) -> tuple[Tried, ...]:
    agents = {**FIRST_LINE, TRAMADOL.ingredient: TRAMADOL}
    exposures = exposures_of(case, agents)
    found = []
    for name, agent in agents.items():
        trial = trial_of(case, agent, exposures.get(name))
        if trial.agent is not None:
            found.append(_row(trial, agent.drug_class, exposures.get(name)))
    places = [*(CLASS_NAMES[name] for name in CLASSES), OTHER_CLASSES["tramadol"]]
    return tuple(sorted(found, key=lambda row: (places.index(row.drug_class), BEST_FIRST.index(row.grade), row.agent)))


def _row(trial: Trial, drug_class: str, exposure: Exposure | None) -> Tried:
    return Tried(
        agent=trial.agent or "",
        drug_class=OTHER_CLASSES[drug_class],
        grade=trial.grade,
        history=history_of(trial),
        minimum_mg=trial.minimum_mg if exposure is None else exposure.minimum_mg,
        highest_mg=trial.highest_mg,
        days=trial.days,
        taken_days=trial.taken_days,
        at_least=trial.at_least,
        shortfall=trial.shortfall,
        outcome=trial.outcome,
        active=trial.active,
        stretches=() if exposure is None else tuple(Stretch(p.start, p.end, p.mg) for p in exposure.pieces),
    )


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"
