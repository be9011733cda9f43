"""One signing seen with its chart: what several rules ask of it, worked out once.

A ``Case`` is made for one review and thrown away. Everything it tells follows from the drafts, the chart and the day;
a question that the chart cannot answer is answered with None.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from msgspec import Struct

from cds import exclusion as exclusions
from cds import indication as indications
from cds.chart import ANSWERED, Chart, Condition, MedicationOrder, Observation
from cds.dose import MmeSum, mme_sum
from cds.exposure import Replacement, active_medications, replacements, span
from cds.knowledge import Knowledge
from cds.once import Fact, once_a_draft
from cds.renal import RenalFunction, renal_function
from cds.scope import in_scope, is_opioid, reverse_scope, stops

ORDER_SELECT = "order-select"
ORDER_SIGN = "order-sign"
HISTORY_QUESTIONS = ("medications", "statements", "dispenses")


class ReviewSettings(Struct, frozen=True):
    """What a site may set for the review. ``info_cards``: whether information alone may make a card (never G04's);
    ``numbers``: its own in place of a rule's, by rule id and name ("DD-23.mme_per_day", ``cds.local_numbers``)."""

    info_cards: bool = True
    numbers: Mapping[str, Decimal] = {}


class Case:
    """The drafts of one signing, the chart, the day, the hook; and what follows from them.

    ``drafts`` are all orders of the signing; ``judged`` those in scope that the hook asks about; ``reverse`` is true
    where these are only partner drugs of an opioid that is active (G01, reverse scope).
    """

    def __init__(
        self,
        drafts: Iterable[MedicationOrder],
        chart: Chart,
        today: date,
        hook: str = ORDER_SIGN,
        selected: frozenset[str] | None = None,
        settings: ReviewSettings | None = None,
    ) -> None:
        self.drafts = tuple(sorted(drafts, key=_reference))
        self.chart = chart
        self.today = today
        self.hook = hook
        self.settings = settings or ReviewSettings()
        chosen = [draft for draft in self.drafts if draft.ref in selected] if selected else []
        self.asked = chosen or list(self.drafts)
        self.answers: dict[object, Any] = {}
        self.chart_answers: dict[object, Any] = {}

    def number_of(self, rule: Knowledge, name: str) -> Decimal:
        """The threshold of this name: the site's own, else the rule's."""
        own = self.settings.numbers.get(f"{rule.id}.{name}") if self.settings.numbers else None
        return rule.number(name) if own is None else own

    def days_of(self, rule: Knowledge, name: str) -> int:
        """The same for a whole number of days."""
        return int(self.number_of(rule, name))

    @Fact
    def judged(self) -> tuple[MedicationOrder, ...]:
        judged = tuple([draft for draft in self.asked if in_scope(draft)])
        if judged or not any(is_opioid(order) for order in (*self.listed, *self.starting)):
            return judged
        return tuple(draft for draft in self.asked if reverse_scope(draft))

    @Fact
    def parts(self) -> tuple["Case", ...]:
        """This case; and, where its drafts only stop or block opioids while another one goes on, the same signing seen
        from its partner drugs (G01, reverse scope)."""
        partners = frozenset([draft.ref for draft in self.asked if reverse_scope(draft)])
        if not partners or self.reverse or any(is_opioid(draft) for draft in self.starting):
            return (self,)
        if not any(is_opioid(order) for order in self.kept):
            return (self,)
        return self, Case(self.drafts, self.chart, self.today, self.hook, partners, self.settings)

    @Fact
    def reverse(self) -> bool:
        return bool(self.judged) and not any(in_scope(draft) for draft in self.judged)

    @property
    def partner_of_unknown_list(self) -> bool:
        """A partner drug is drafted, and whether an opioid is active cannot be told (G01, reverse scope)."""
        return not self.medications_known and any(reverse_scope(draft) for draft in self.asked)

    # Drugs

    @Fact
    def listed(self) -> tuple[MedicationOrder, ...]:
        """Active on the list today, before this signing."""
        return active_medications(self.chart.medications, self.today)

    @Fact
    def replacements(self) -> tuple[tuple[MedicationOrder, Replacement], ...]:
        """Pairs of a draft and the listed order that it renews, changes or stops."""
        return replacements(self.drafts, self.listed, self.today)

    def replaced_by(self, draft: MedicationOrder) -> tuple[Replacement, ...]:
        """The listed orders that this draft renews, changes or stops."""
        return tuple([replacement for new, replacement in self.replacements if new is draft])

    @Fact
    def kept(self) -> tuple[MedicationOrder, ...]:
        """Active on the list, and neither replaced nor stopped in this signing."""
        if not self.replacements:
            return self.listed
        gone = {id(replacement.old) for _, replacement in self.replacements}
        return tuple(order for order in self.listed if id(order) not in gone)

    @Fact
    def starting(self) -> tuple[MedicationOrder, ...]:
        """The drafts that order a drug (rather than stop one)."""
        return tuple([draft for draft in self.drafts if not stops(draft)])

    @Fact
    def regimen(self) -> tuple[MedicationOrder, ...]:
        """What the patient takes after this signing: what is kept, and the drafts."""
        return self.kept + self.starting

    @Fact
    def opioids(self) -> tuple[MedicationOrder, ...]:
        """The opioids of the regimen."""
        return tuple([order for order in self.regimen if order.drug is not None and order.drug.is_opioid])

    @Fact
    def roles_on_record(self) -> frozenset[str]:
        """The roles of every drug of the chart and of the signing."""
        drafted = [draft.drug.roles for draft in self.drafts if draft.drug is not None]
        return self.roles_on_chart.union(*drafted)

    @Fact
    def names_on_record(self) -> frozenset[str]:
        """The ingredients of every drug of the chart and of the signing."""
        drafted = [draft.drug.names for draft in self.drafts if draft.drug is not None]
        return frozenset(self.by_name).union(*drafted)

    @Fact
    def roles_on_chart(self) -> frozenset[str]:
        """The roles of every drug of the chart."""
        return frozenset().union(*[one.drug.roles for one in self.chart.medications if one.drug is not None])

    @Fact
    def by_name(self) -> dict[str, list[MedicationOrder]]:
        """The records of the chart, active or not, by each of their ingredients."""
        by_name: dict[str, list[MedicationOrder]] = {}
        for record in self.chart.medications:
            if record.drug is not None:
                for name in record.drug.names:
                    if name in by_name:
                        by_name[name].append(record)
                    else:
                        by_name[name] = [record]
        return by_name

    def taking(self, *roles: str, besides: MedicationOrder | None = None) -> tuple[MedicationOrder, ...]:
        """Drugs of the regimen with one of these roles (drugs.csv)."""
        wanted = frozenset(roles)
        if wanted.isdisjoint(self.roles_on_record):
            return ()
        return tuple(
            order
            for order in self.regimen
            if order is not besides and order.drug is not None and not wanted.isdisjoint(order.drug.roles)
        )

    def taking_ingredient(self, *names: str, besides: MedicationOrder | None = None) -> tuple[MedicationOrder, ...]:
        """Drugs of the regimen that hold one of these ingredients."""
        wanted = frozenset(names)
        if wanted.isdisjoint(self.names_on_record):
            return ()
        return tuple(
            order
            for order in self.regimen
            if order is not besides and order.drug is not None and not wanted.isdisjoint(order.drug.names)
        )

    def records_of(self, ingredient: str) -> tuple[MedicationOrder, ...]:
        """Every record of this ingredient on the chart, active or not."""
        return tuple(self.by_name.get(ingredient, ()))

    @Fact
    def unrecognised(self) -> tuple[MedicationOrder, ...]:
        """Active on the list, but not recognised."""
        return tuple([order for order in self.listed if order.drug is None])

    @Fact
    def medications_known(self) -> bool:
        return self.chart.medication_list_known()

    @Fact
    def history_not_seen(self) -> tuple[str, ...]:
        """The ``notAssessed`` entries of the sources of the treatment history that were not answered."""
        return self.not_answered(*HISTORY_QUESTIONS)

    @Fact
    def history_known(self) -> bool:
        """Whether at least one source of the treatment history was answered."""
        return not self.answered.isdisjoint(HISTORY_QUESTIONS)

    # Doses

    @Fact
    def mme_before(self) -> MmeSum:
        """MME a day of what was listed before this signing."""
        return mme_sum([order for order in self.listed if is_opioid(order)])

    @Fact
    def mme_after(self) -> MmeSum:
        """MME a day of all opioids after this signing. An assumed replacement counts at the higher dose."""
        counted = self.counted
        return mme_sum(self.opioids if counted is self.regimen else [order for order in counted if is_opioid(order)])

    @Fact
    def counted(self) -> tuple[MedicationOrder, ...]:
        """The regimen for sums: where a replacement is only assumed and the old order is higher, the old one counts."""
        if not self.replacements:
            return self.regimen
        orders = list(self.regimen)
        for draft, replacement in self.replacements:
            if replacement.how == "assumed" and draft in orders and is_opioid(draft):
                old, new = mme_sum([replacement.old]), mme_sum([draft])
                if new.total is not None and old.at_least > new.at_least:
                    orders[orders.index(draft)] = replacement.old
        return tuple(orders)

    # Patient

    @Fact
    def allergy_marks(self) -> frozenset[str]:
        """The ingredients, roles and meanings of every entry of the allergy list."""
        marks: set[str] = set()
        for allergy in self.chart.allergies:
            marks.update(allergy.ingredients, allergy.roles, allergy.meanings)
        return frozenset(marks)

    @Fact
    def allergens(self) -> tuple[frozenset[str], bool]:
        """The ingredients on the allergy list, and whether an entry names no ingredient but the role of a class."""
        allergies = self.chart.allergies
        named = frozenset().union(*[allergy.ingredients for allergy in allergies])
        return named, any(allergy.roles and not allergy.ingredients for allergy in allergies)

    def aged(self, years: int) -> bool | None:
        """Whether the patient has reached this age today; None where the record does not settle it."""
        ages = self.ages
        if ages is None:
            return None
        if ages[0] >= years:
            return True
        return None if ages[1] >= years else False

    @Fact
    def ages(self) -> tuple[int, int] | None:
        """The least and the highest age in years that the record allows."""
        born_from, born_to = self.chart.patient.born_from, self.chart.patient.born_to
        if born_from is None or born_to is None:
            return None
        least = _age(born_to, self.today)
        return least, least if born_from == born_to else _age(born_from, self.today)

    @property
    def age(self) -> int | None:
        """The age in years; None where it is not known to the year."""
        return self.ages[0] if self.ages is not None and self.ages[0] == self.ages[1] else None

    # Conditions and observations

    @Fact
    def by_meaning(self) -> dict[str, list[Condition]]:
        """The conditions that are not refuted, by each of their meanings, in the order of the chart."""
        by_meaning: dict[str, list[Condition]] = {}
        for condition in self.chart.conditions:
            if condition.status != "refuted":
                for meaning in condition.meanings:
                    if meaning in by_meaning:
                        by_meaning[meaning].append(condition)
                    else:
                        by_meaning[meaning] = [condition]
        return by_meaning

    def lists_any(self, meanings: frozenset[str]) -> bool:
        """Whether any condition on record, present or not, has one of these meanings."""
        return not self.by_meaning.keys().isdisjoint(meanings)

    def condition(self, *meanings: str) -> Condition | None:
        """The first present condition with one of these meanings (conditions.csv), in the order asked."""
        by_meaning = self.by_meaning
        for meaning in meanings:
            if meaning in by_meaning:
                for condition in by_meaning[meaning]:
                    if condition.status == "present":
                        return condition
        return None

    def has(self, *meanings: str) -> bool | None:
        """Whether a condition with one of these meanings is present; None where conditions are not known."""
        if self.condition(*meanings) is not None:
            return True
        return False if "conditions" in self.answered else None

    def events(self, *meanings: str) -> tuple[Condition, ...]:
        """Conditions with one of these meanings whatever their status, but not the refuted (event conditions)."""
        by_meaning = self.by_meaning
        found = [condition for meaning in meanings if meaning in by_meaning for condition in by_meaning[meaning]]
        if not found:
            return ()
        return tuple(found if len(meanings) == 1 else _once(found, self.chart.conditions))

    @Fact
    def observed(self) -> dict[str, list[Observation]]:
        """The dated observations up to today by meaning; the latest of each stands first."""
        observed: dict[str, list[Observation]] = {}
        today = self.today
        for observation in self.chart.observations:
            taken = observation.taken
            if taken is not None and taken <= today:
                found = observed.get(observation.meaning)
                if found is None:
                    observed[observation.meaning] = [observation]
                elif taken < (first := found[0].taken or taken) or (
                    taken == first and when(observation) <= when(found[0])
                ):
                    found.append(observation)
                else:
                    found.insert(0, observation)
        return observed

    def latest(self, *meanings: str, within_days: int | None = None) -> Observation | None:
        """The latest observation with one of these meanings, not after today and no older than ``within_days``."""
        observed = self.observed
        latest: Observation | None = None
        for meaning in meanings:
            if meaning in observed:
                newest = observed[meaning][0]
                latest = newest if latest is None else max(latest, newest, key=when)
        if latest is None or latest.taken is None or within_days is None:
            return latest
        return latest if (self.today - latest.taken).days <= within_days else None

    @Fact
    def renal(self) -> RenalFunction:
        return renal_function(self)

    # Indication

    @once_a_draft
    def indication(self, draft: MedicationOrder) -> indications.Indication:
        """G03 for this draft."""
        return indications.indication(draft, self.chart, self.today)

    @once_a_draft
    def exclusion(self, draft: MedicationOrder) -> exclusions.Exclusion:
        """G02 for this draft."""
        return exclusions.exclusion(draft, self.chart, self.today)

    # Words of notAssessed

    @Fact
    def answered(self) -> frozenset[str]:
        """The prefetch keys that were answered completely."""
        return frozenset([question for question, how in self.chart.questions.items() if how == ANSWERED])

    def not_answered(self, *questions: str) -> tuple[str, ...]:
        """The ``notAssessed`` entries of those of these prefetch keys that were not answered."""
        answered = self.answered
        if answered.issuperset(questions):
            return ()
        return tuple([self.missing(question) for question in questions if question not in answered])

    def missing(self, question: str) -> str:
        """The ``notAssessed`` entry of a prefetch key that was not answered."""
        return f"{question}: {self.chart.questions.get(question, 'not provided')}"

    def taken_since(self, order: MedicationOrder) -> date | None:
        """The first day of this record, for texts."""
        days = span(order, self.today)
        return None if days is None else days.start


_reference = attrgetter("ref", "name")
when = attrgetter("taken", "taken_at", "ref")
"""In what order the dated observations were taken."""


def _once(found: list[Condition], order: tuple[Condition, ...]) -> list[Condition]:
    """Each of these conditions once, in the order of the chart."""
    wanted = {id(condition) for condition in found}
    return [condition for condition in order if id(condition) in wanted]


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


PLAIN_LENGTH = 20
"""So many characters of a decimal are all its digits; of longer ones a context might round some away."""


def number(value: Decimal) -> str:
    """A decimal as facts and cards show it: plain, without trailing zeros."""
    text = str(value)
    if "E" in text or len(text) > PLAIN_LENGTH or not text[-1].isdigit():
        text = f"{value.normalize():f}"
    elif "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
