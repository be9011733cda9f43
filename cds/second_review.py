"""A candidate is put on the chart in place of what it would change, and the review runs again."""

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from cds.breathing import one_off
from cds.case import Case
from cds.chart import MedicationOrder, Quantity
from cds.dose import DailyDose, daily_dose
from cds.findings import Finding
from cds.knowledge import GROUPS, load_group
from cds.ladder_view import JUDGED
from cds.offer import AGENT_CLASSES, unknown_for
from cds.outcome import GRAVITY
from cds.supply import supply_days

Assess = Callable[[Case, Collection[str]], Sequence[Finding]]
"""What the rules of these groups, or of these ids, find in a case."""

MILDEST = GRAVITY["info"]
SAME_MATTER = {"DD-23": "DD-24"}
"""A rule that is what another one becomes when the danger gets less: 50 MME a day after 90."""
DOSE_READERS = (
    "dose", "DD-09", "DD-13", "DD-16", "DD-17", "SAF-01", "SAF-12", "SAF-13", "SAF-14", "SAF-16",
)  # fmt: skip
"""What reads how much of a drug is ordered: the dose group, and rules of other groups with a limit on the dose."""
NO_GRAVER = frozenset({"SAF-01"})
"""Of these, those that warn and never more: where one was found, a lower dose brings nothing new of it."""
TITLES = {rule: knowledge.title for group in GROUPS for rule, knowledge in load_group(group).items()}
LADDER = "ladder"
GABAPENTINOID_READERS = (LADDER, "DD-02", "DD-03", "DD-05", "SAF-01")
"""What reads which gabapentinoid is taken, and how much of it."""
OF_THE_CHART = (
    "chart_answers", "listed", "renal", "by_meaning", "by_name", "observed", "medications_known", "history_known",
    "roles_on_chart", "allergens",
)  # fmt: skip
"""What a case knows from the chart alone: it holds for a case with other drafts as well."""
OF_THE_DRUGS = ("kept", "reverse", "names_on_record", "roles_on_record")
"""What a case knows from its drugs, whatever their doses."""
WITH_THE_DRAFTS = ("judged", "starting", "regimen", "opioids")
"""Orders that a case picks by their drugs: another dose stands where the drafted one stood."""


class SecondReview:
    """The review of this case with one draft gone, come or changed."""

    def __init__(self, case: Case, findings: Sequence[Finding], assess: Assess) -> None:
        self.case = case
        self.assess = assess
        self.known: dict[str, int] = {}
        self._remembered: dict[tuple[int, Decimal], Sequence[Finding]] = {}
        self._left_out: dict[str, tuple[str, ...]] = {}
        for finding in findings:
            gravity = GRAVITY[finding.indicator]
            self.known[finding.rule] = min(gravity, self.known.get(finding.rule, MILDEST))

    def findings(
        self,
        gone: MedicationOrder | None,
        come: MedicationOrder | None,
        beside: MedicationOrder | None = None,
        readers: Collection[str] = GROUPS,
    ) -> Sequence[Finding]:
        """What the rules find when one draft is deleted and another order signed in its place, with a second one
        ``beside`` it: all rules, or those of these groups and ids."""
        other = self._other_case(gone, come, beside)
        if any(other.indication(draft).grade in JUDGED for draft in other.judged):
            return self.assess(other, readers)
        # The ladder warns only of an opioid that is surely or probably for neuropathic pain.
        return self.assess(other, [reader for reader in readers if reader != LADDER])

    def findings_at(self, draft: MedicationOrder, factor: Decimal) -> Sequence[Finding]:
        """What the rules find with this share of the drafted dose. Asked for by several findings, reviewed once."""
        key = id(draft), factor
        if key not in self._remembered:
            self._remembered[key] = self.findings_of(draft, with_dose(draft, factor))
        return self._remembered[key]

    def findings_of(self, draft: MedicationOrder, changed: MedicationOrder) -> Sequence[Finding]:
        """What the rules find with another dosage of the same draft."""
        readers = [rule for rule in DOSE_READERS if rule not in NO_GRAVER or rule not in self.known]
        return self.assess(self._at_dose(draft, changed), readers)

    def is_milder_at(self, draft: MedicationOrder, factor: Decimal) -> bool:
        """Whether no rule can find more with this share of a dose than it did: of a new order of one instruction whose
        words add nothing to its numbers, every rule that reads a dose warns the more the higher it is."""
        if self.case.replacements or len(draft.dosages) != 1 or draft.drug is None:
            return False
        changed = with_dose(draft, factor)
        for part in draft.drug.ingredients:
            if not _is_lower(daily_dose(changed, part.name), daily_dose(draft, part.name)):
                return False
        return one_off(changed) == one_off(draft) and supply_days(changed) == supply_days(draft)

    def _other_case(
        self, gone: MedicationOrder | None, come: MedicationOrder | None, beside: MedicationOrder | None = None
    ) -> Case:
        """This case with one draft gone and others come; what the chart alone tells need not be worked out again."""
        case = self.case
        drafts = [draft for draft in case.drafts if draft is not gone]
        asked = {draft.ref for draft in case.asked if draft is not gone}
        for order in (come, beside):
            if order is not None:
                drafts.append(order)
                asked.add(order.ref)
        other = Case(drafts, case.chart, case.today, case.hook, frozenset(asked), case.settings)
        known, told = vars(case), vars(other)
        for name in OF_THE_CHART:
            if name in known:
                told[name] = known[name]
        return other

    def _at_dose(self, draft: MedicationOrder, changed: MedicationOrder) -> Case:
        """This case with another dose of the same draft: only what reads doses has to be worked out again."""
        case, other = self.case, self._other_case(draft, changed)
        known, told = vars(case), vars(other)
        for name in OF_THE_DRUGS:
            if name in known:
                told[name] = known[name]
        for name in WITH_THE_DRAFTS:
            if name in known:
                told[name] = tuple([changed if order is draft else order for order in known[name]])
        told["replacements"] = tuple([(changed if new is draft else new, old) for new, old in case.replacements])
        if case.parts == (case,):
            told["parts"] = (other,)
        return other

    def objections(
        self,
        gone: MedicationOrder | None,
        come: MedicationOrder | None,
        beside: MedicationOrder | None = None,
        readers: Collection[str] = GROUPS,
    ) -> tuple[str, ...]:
        """Rules with a warning or critical finding that was not there, or was milder. Empty: it may be proposed."""
        return self.new_among(self.findings(gone, come, beside, readers))

    def objections_to_leaving_out(self, draft: MedicationOrder) -> tuple[str, ...]:
        """The same where this draft is only deleted: what it leaves of the signing may then come to light."""
        if len(self.case.drafts) == 1:
            return ()
        if draft.ref not in self._left_out:
            self._left_out[draft.ref] = self.objections(draft, None)
        return self._left_out[draft.ref]

    def warnings_of(
        self, gone: MedicationOrder, come: MedicationOrder | None, beside: MedicationOrder | None = None
    ) -> tuple[str, ...]:
        """Rules that warn of the order that has come, known before or not, and those with a new warning elsewhere."""
        found = self.findings(gone, come, beside)
        own = {f.rule for f in found if come is not None and f.indicator != "info" and come.ref in (f.order, *f.others)}
        return tuple(sorted(own.union(self.new_among(found))))

    @staticmethod
    def in_words(rules: Iterable[str]) -> list[str]:
        """Rules with their titles, for a note."""
        return [f"{rule}, {title[:1].lower()}{title[1:]}" if (title := TITLES.get(rule)) else rule for rule in rules]

    def new_among(self, findings: Sequence[Finding]) -> tuple[str, ...]:
        return tuple(sorted({finding.rule for finding in findings if self._is_new(finding)}))

    def nothing_unknown(self, findings: Sequence[Finding]) -> bool:
        """Whether no fact was missing for what was found, nor for choosing among the agents."""
        case = self.case
        return (
            not any(finding.unknown for finding in findings)
            and not case.unrecognised
            and not case.chart.unreadable
            and not any(unknown_for(case, agent) for agent in AGENT_CLASSES)
        )

    def _is_new(self, finding: Finding) -> bool:
        before = min(self.known.get(finding.rule, MILDEST), self.known.get(SAME_MATTER.get(finding.rule, ""), MILDEST))
        return GRAVITY[finding.indicator] < before


def with_dose(draft: MedicationOrder, factor: Decimal) -> MedicationOrder:
    """The draft at this share of its dose, as a review reads it."""
    dosages = [
        replace(
            dosage,
            text=None,
            dose_low=_share(dosage.dose_low, factor),
            dose_high=_share(dosage.dose_high, factor),
            max_dose=_share(dosage.max_dose, factor),
            max_single=_share(dosage.max_single, factor),
        )
        for dosage in draft.dosages
    ]
    return replace(draft, dosages=tuple(dosages), quantity=_share(draft.quantity, factor))


def at_interval(draft: MedicationOrder, hours: int) -> MedicationOrder:
    """The draft with each of its doses at this interval, as a review reads it."""
    dosages = tuple(
        replace(
            dosage, text=None, frequency=Decimal(1), frequency_max=None, period=Decimal(hours) / 24, period_max=None,
            times_of_day=0, when=0, timing_code=None, timing_text=None, max_dose=None, max_dose_days=None, shared=False,
        )
        for dosage in draft.dosages
    )  # fmt: skip
    return replace(draft, dosages=dosages)


def _is_lower(dose: DailyDose, before: DailyDose) -> bool:
    """Both can be told, and the one is in every respect no higher than the other."""
    if dose.reason is not None or before.reason is not None or dose.unit != before.unit:
        return False
    if dose.interval_hours != before.interval_hours:
        return False
    amounts = (
        (dose.maximum, before.maximum), (dose.mean, before.mean), (dose.scheduled, before.scheduled),
        (dose.single, before.single),
    )  # fmt: skip
    return all(one is not None and other is not None and one <= other for one, other in amounts)


def _share(amount: Quantity | None, factor: Decimal) -> Quantity | None:
    return None if amount is None else Quantity(amount.value * factor, amount.unit)
