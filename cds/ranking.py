"""Which first-line agent suits this patient best (CLINICAL.md section 4, "Order of alternatives")."""

from cds.case import Case
from cds.chart import MedicationOrder
from cds.offer import AGENT_CLASSES, regimen_without
from cds.schedules import SCHEDULES
from cds.scope import depressant_class
from cds.trials import Ladder
from cds.withheld import CONDUCTION, SLEEP_APNOEA

USUAL_ORDER = ("gabapentin", "pregabalin", "duloxetine", "nortriptyline")
SATISFIED = ("ADEQUATE", "UNSUITABLE")
HEART = ("cardiac_disease", "heart_failure", *CONDUCTION)
COMBINATIONS = (("gabapentinoid", "tca"), ("gabapentinoid", "snri"))
"""Gabapentin with nortriptyline is preferred; a gabapentinoid with duloxetine otherwise."""


def ranked(case: Case, draft: MedicationOrder, ladder: Ladder) -> tuple[str, ...]:
    """The agents that may take the place of this draft, best first. Classes that are satisfied are left out, those of a
    partial trial come last."""
    localized = case.indication(draft).localized is True
    first = ("lidocaine_patch",) if localized and _burdened(case, draft) else ()
    open_classes = [agent for agent in (*first, *_preferred(case, draft)) if not _satisfied(ladder, agent)]
    return tuple(first_tried_last(open_classes, ladder))


def first_tried_last(agents: list[str], ladder: Ladder) -> list[str]:
    """Lidocaine keeps its place; of the others, untried classes come before those that were tried in part."""
    return sorted(agents, key=lambda agent: agent != "lidocaine_patch" and grade(ladder, agent) != "NONE")


def partners(case: Case, draft: MedicationOrder, ladder: Ladder) -> tuple[str, ...]:
    """What is missing for a combination: the partner of what is taken; else what begins the pair of which both were
    tried; else an untried class; else what begins a pair. Nothing is missing where a pair is taken today."""
    usable = [agent for agent in _preferred(case, draft) if grade(ladder, agent) != "UNSUITABLE"]
    untried = first_tried_last([agent for agent in usable if not _satisfied(ladder, agent)], ladder)
    active = {*ladder.taken, *(name for name, trial in ladder.classes.items() if trial.active)}
    if any(active.issuperset(pair) for pair in COMBINATIONS):
        return ()
    missing: list[str] = []
    for pair in COMBINATIONS:
        for one, other in (pair, pair[::-1]):
            if one in active and other not in active:
                missing.extend(agent for agent in USUAL_ORDER if AGENT_CLASSES[agent] == other and agent in usable)
    begun = [agent for agent in ("gabapentin", "pregabalin", "nortriptyline", "duloxetine") if agent in usable]
    if active:
        begun = []
    both_tried = any(all(ladder.classes[name].grade == "ADEQUATE" for name in pair) for pair in ladder.possible_pairs)
    rest = (*begun, *untried) if both_tried else (*untried, *begun)
    return tuple(dict.fromkeys((*missing, *rest)))


def grade(ladder: Ladder, agent: str) -> str:
    """ADEQUATE, PARTIAL, UNSUITABLE or NONE of the agent's class."""
    trial = ladder.classes.get(AGENT_CLASSES[agent])
    return "NONE" if trial is None else trial.grade


def _satisfied(ladder: Ladder, agent: str) -> bool:
    return grade(ladder, agent) in SATISFIED


def _preferred(case: Case, draft: MedicationOrder) -> list[str]:
    """The systemic agents in the order that this patient's other conditions and drugs ask for."""
    pain = case.indication(draft).meanings
    sedated = any(depressant_class(order) is not None for order in regimen_without(case, draft))
    agents: list[str] = []
    if not pain.isdisjoint(("diabetic_neuropathy", "chemotherapy_or_drug_neuropathy")) or case.condition("depression"):
        agents.append("duloxetine")
    if sedated or case.condition("copd", *SLEEP_APNOEA) is not None:
        agents.append("duloxetine")
    young = case.aged(SCHEDULES.whole("older_years")) is False
    if young and case.condition("insomnia") is not None and case.has(*HEART) is False:
        agents.append("nortriptyline")
    return list(dict.fromkeys((*agents, *USUAL_ORDER)))


def _burdened(case: Case, draft: MedicationOrder) -> bool:
    """65 or more, a CNS depressant, or many drugs."""
    taken = regimen_without(case, draft)
    return (
        case.aged(SCHEDULES.whole("older_years")) is True
        or any(depressant_class(order) is not None for order in taken)
        or len(taken) >= SCHEDULES.whole("many_drugs_count")
    )
