"""Remedies that change the drafts of the signing: delete one, lower its dose, limit its supply."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias, TypeVar

from cds.abrupt_stop import continues_taken, taken_before
from cds.case import Case
from cds.changes import longer_interval, lower_dose, lowered_to, shorter_supply
from cds.chart import MedicationOrder
from cds.findings import Finding
from cds.orders import Proposal
from cds.schedules import SCHEDULES
from cds.scope import is_opioid, opioids_of, stops
from cds.second_review import SecondReview

Made = tuple[Sequence[Proposal], Sequence[str]]
NOTHING: Made = ((), ())
LENGTHENED = frozenset({"DD-16", "DD-17"})
"""Rules with a shortest interval of tramadol."""
Kind = TypeVar("Kind")
Makers: TypeAlias = Mapping[str, Callable[[Kind, Finding], Made]]


class Remedies:
    """Makes these remedies for one case."""

    def __init__(self, case: Case, second: SecondReview) -> None:
        self.case = case
        self.second = second

    def deletion(self, finding: Finding) -> Made:
        """Deletes the drafts concerned; a draft that continues what was taken is not stopped here."""
        made: list[Proposal] = []
        said: list[str] = []
        for draft in drafts_of(self.case, finding):
            if not stops(draft) and continues_taken(self.case, draft):
                said.append(taper_words(self.case, draft))
            else:
                deletions, against = deletion_of(self.case, self.second, finding, draft)
                made.extend(deletions)
                said.extend(against)
        return made, said

    def deletion_of_partner(self, finding: Finding) -> Made:
        """Deletes the partner drug that was drafted beside, where it is new."""
        named = {word for value in finding.facts.values() for word in _names(value)}
        concerned = drafts_of(self.case, finding)
        made: list[Proposal] = []
        said: list[str] = []
        for draft in self.case.starting:
            if any(draft is one for one in concerned) or draft.drug is None:
                continue
            if named.isdisjoint(part.name for part in draft.drug.ingredients) and draft.drug.name not in named:
                continue
            if continues_taken(self.case, draft):
                said.append(taper_words(self.case, draft))
                continue
            deletions, against = deletion_of(self.case, self.second, finding, draft, "delete_partner")
            made.extend(deletions)
            said.extend(against)
        return made, said

    def limited_supply(self, finding: Finding) -> Made:
        """14 days without repeats; 7 where a safety rule asks."""
        days = SCHEDULES.whole("cautious_supply_days" if finding.group == "safety" else "supply_days")
        return self._shorter("limit_supply", finding, days, "lowest effective dose; review before the supply ends.")

    def acute_supply(self, finding: Finding) -> Made:
        """Acute pain: 3 days, which is often enough, or 7, without repeats."""
        lengths = (SCHEDULES.whole("few_supply_days"), SCHEDULES.whole("cautious_supply_days"))
        note = "for acute pain; review if pain lasts longer."
        made = [self._shorter("limit_acute", finding, days, note)[0] for days in lengths]
        return [proposal for proposals in made for proposal in proposals], ()

    def _shorter(self, ask: str, finding: Finding, days: int, note: str) -> Made:
        made = []
        for draft in drafts_of(self.case, finding):
            change = None if stops(draft) else shorter_supply(draft, days, note)
            if change is not None:
                label = f"Limit {name_of(draft)} to {days} days, no repeats"
                made.append(Proposal(ask, finding.group, finding.rule, label, update=change))
        return made, ()

    def lower_dose(self, ask: str, finding: Finding) -> Made:
        """The highest dose that can be taken and settles the finding; where none does, not to start, if it is new and
        critical."""
        made: list[Proposal] = []
        for draft in drafts_of(self.case, finding)[:1]:
            lowered = longer = None
            if not stops(draft) and is_opioid(draft):
                lowered = lower_dose(finding, draft, ask, self.second)
                if lowered is None and finding.rule in LENGTHENED:
                    longer = longer_interval(finding, draft, self.second)
            if lowered is not None:
                change, factor = lowered
                label = f"Lower {name_of(draft)} to {lowered_to(draft, factor)}"
                made.append(Proposal(ask, finding.group, finding.rule, label, update=change))
            elif longer is not None:
                label = (
                    f"Lengthen {name_of(draft)} to every {longer.every_hours} hours, {lowered_to(draft, Decimal(1))}"
                )
                made.append(Proposal(ask, finding.group, finding.rule, label, update=longer))
            elif finding.indicator == "critical" and not stops(draft) and not continues_taken(self.case, draft):
                return deletion_of(self.case, self.second, finding, draft)
        return made, ()


MAKERS: Makers[Remedies] = {
    "delete": Remedies.deletion,
    "delete_partner": Remedies.deletion_of_partner,
    "limit_supply": Remedies.limited_supply,
    "limit_acute": Remedies.acute_supply,
    "half_dose": lambda remedies, finding: remedies.lower_dose("half_dose", finding),
    "below_50": lambda remedies, finding: remedies.lower_dose("below_50", finding),
    "to_limit": lambda remedies, finding: remedies.lower_dose("to_limit", finding),
    "start_dose": lambda remedies, finding: remedies.lower_dose("start_dose", finding),
}
"""What makes each of these remedies."""


def deletion_of(
    case: Case, second: SecondReview, finding: Finding, draft: MedicationOrder, ask: str = "delete"
) -> Made:
    """The bare delete of a draft that continues nothing, unless what is left of the signing is then objected to."""
    name = name_of(draft)
    against = second.objections_to_leaving_out(draft)
    if against:
        return (), (f"Not proposed: to leave out {name} alone ({'; '.join(second.in_words(against))}).",)
    if stops(draft):
        label = f"Remove the order that stops {name}"
    else:
        label = f"Do not start {name}{'' if case.medications_known else ', if it is new for this patient'}"
    return (Proposal(ask, finding.group, finding.rule, label, delete=draft.ref),), ()


def drafts_of(case: Case, finding: Finding) -> list[MedicationOrder]:
    """The drafts that a finding concerns."""
    refs = (finding.order, *finding.others)
    return [draft for ref in refs for draft in case.drafts if draft.ref == ref]


def name_of(draft: MedicationOrder) -> str:
    """The opioid by its ingredient, another drug by all of them; a draft that was not recognised by no words of the
    record."""
    if draft.drug is None:
        return "this drug"
    return " / ".join(opioids_of(draft)) or draft.drug.name


def taper_words(case: Case, draft: MedicationOrder) -> str:
    days = SCHEDULES.whole("taken_days")
    name = name_of(taken_before(case, draft))
    return f"{name[0].upper()}{name[1:]} has been taken for {days} days or more: do not stop it abruptly, taper it."


def _names(value: str) -> set[str]:
    parts = value.replace(" and ", ",").replace(";", ",").replace("+", ",").split(",")
    return {part.strip().lower() for part in parts} | {value.strip().lower()}
