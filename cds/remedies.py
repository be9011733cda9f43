"""Remedies of the danger cards: delete a draft, lower its dose, limit its supply, order naloxone."""

from collections.abc import Callable, Sequence

from cds.abrupt_stop import continues_taken
from cds.breathing import rescue_at_hand
from cds.case import Case
from cds.changes import lower_dose, lowered_to, shorter_supply
from cds.chart import MedicationOrder
from cds.findings import Finding
from cds.orders import Proposal, ecg_order, rescue_order
from cds.schedules import SCHEDULES
from cds.scope import is_opioid, stops
from cds.second_review import SecondReview

Made = tuple[Sequence[Proposal], Sequence[str]]
NOTHING: Made = ((), ())
MONTHS_OF_RESCUE = 24


class Remedies:
    """Makes these remedies for one case."""

    def __init__(self, case: Case, second: SecondReview) -> None:
        self.case = case
        self.second = second
        self.makers: dict[str, Callable[[Finding], Made]] = {
            "delete": self.deletion,
            "delete_partner": self.deletion_of_partner,
            "naloxone": self.naloxone,
            "ecg": self.ecg,
            "limit_supply": self.limited_supply,
            "half_dose": lambda finding: self.lower_dose("half_dose", finding),
            "below_50": lambda finding: self.lower_dose("below_50", finding),
            "to_limit": lambda finding: self.lower_dose("to_limit", finding),
            "start_dose": lambda finding: self.lower_dose("start_dose", finding),
        }

    def deletion(self, finding: Finding) -> Made:
        """Deletes the drafts concerned; a draft that continues what was taken is not stopped here."""
        made, said = [], []
        for draft in drafts_of(self.case, finding):
            name = name_of(draft)
            if stops(draft):
                label = f"Remove the order that stops {name}"
            elif continues_taken(self.case, draft):
                said.append(taper_words(draft))
                continue
            elif self.case.medications_known:
                label = f"Do not start {name}"
            else:
                label = f"Do not start {name}, if it is new for this patient"
            made.append(Proposal("delete", finding.group, finding.rule, label, delete=draft.ref))
        return made, said

    def deletion_of_partner(self, finding: Finding) -> Made:
        """Deletes the partner drug that was drafted beside, where it is new."""
        named = {word for value in finding.facts.values() for word in _names(value)}
        concerned = drafts_of(self.case, finding)
        made, said = [], []
        for draft in self.case.starting:
            if any(draft is one for one in concerned) or draft.drug is None:
                continue
            if named.isdisjoint(part.name for part in draft.drug.ingredients) and draft.drug.name not in named:
                continue
            if continues_taken(self.case, draft):
                said.append(taper_words(draft))
                continue
            label = f"Do not start {name_of(draft)}"
            made.append(Proposal("delete_partner", finding.group, finding.rule, label, delete=draft.ref))
        return made, said

    def naloxone(self, finding: Finding) -> Made:
        """Naloxone, where no rescue product is at hand."""
        ingredient = SCHEDULES.rescue.ingredient
        if rescue_at_hand(self.case, MONTHS_OF_RESCUE):
            return NOTHING
        if any(ingredient in allergy.ingredients for allergy in self.case.chart.allergies):
            return (), (f"{ingredient.capitalize()} is on the allergy list: it is not proposed.",)
        label = "Order naloxone 4 mg nasal spray, 2 units, for an emergency"
        return (Proposal("naloxone", finding.group, finding.rule, label, create=rescue_order()),), ()

    def ecg(self, finding: Finding) -> Made:
        """An ECG before the drafted drug."""
        draft = next(iter(drafts_of(self.case, finding)), None)
        if draft is None:
            return NOTHING
        order = ecg_order(f"Before the next dose of {name_of(draft)}.")
        return (Proposal("ecg", finding.group, finding.rule, "Order an ECG", create=order),), ()

    def limited_supply(self, finding: Finding) -> Made:
        """14 days without repeats; 7 where a safety rule asks."""
        made = []
        for draft in drafts_of(self.case, finding):
            change = None if stops(draft) else shorter_supply(finding, draft)
            if change is not None:
                label = f"Limit {name_of(draft)} to {change.supply_days} days, no repeats"
                made.append(Proposal("limit_supply", finding.group, finding.rule, label, update=change))
        return made, ()

    def lower_dose(self, ask: str, finding: Finding) -> Made:
        """The highest dose that can be taken and settles the finding."""
        made = []
        for draft in drafts_of(self.case, finding)[:1]:
            lowered = None
            if not stops(draft) and is_opioid(draft):
                lowered = lower_dose(finding, draft, ask, self.second)
            if lowered is not None:
                change, factor = lowered
                label = f"Lower {name_of(draft)} to {lowered_to(draft, factor)}"
                made.append(Proposal(ask, finding.group, finding.rule, label, update=change))
        return made, ()


def drafts_of(case: Case, finding: Finding) -> list[MedicationOrder]:
    """The drafts that a finding concerns."""
    refs = (finding.order, *finding.others)
    return [draft for ref in refs for draft in case.drafts if draft.ref == ref]


def name_of(draft: MedicationOrder) -> str:
    """The drug by its ingredients; a draft that was not recognised by no words of the record."""
    return "this drug" if draft.drug is None else draft.drug.name


def taper_words(draft: MedicationOrder) -> str:
    days = SCHEDULES.whole("taken_days")
    name = name_of(draft)
    return f"{name[0].upper()}{name[1:]} has been taken for {days} days or more: do not stop it abruptly, taper it."


def _names(value: str) -> set[str]:
    parts = value.replace(" and ", ",").replace(";", ",").replace("+", ",").split(",")
    return {part.strip().lower() for part in parts} | {value.strip().lower()}
