"""The facts of one patient and of one signing, as the review reads them.

Everything is frozen. An optional fact that is ``None`` means "the record does not say": never "no", never zero.
Dates are days. A date that the record gives only as a year or a month has become its earliest day where it is a
start and its latest day where it is an end (CLINICAL.md section 13). Amounts are exact decimals.
Terminology is already resolved: a condition carries its meanings, a medication its recognised drug.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct

from cds.drugs import Drug


class Quantity(Struct, frozen=True):
    """An amount with its unit as written (UCUM code first, else the unit's text; None where neither is given)."""

    value: Decimal
    unit: str | None


class Dosage(Struct, frozen=True):
    """One dosage instruction, in the terms of FHIR Dosage. ``text`` is the sig as written.

    ``dose_low``/``dose_high`` are equal for a doseQuantity. ``period`` and ``period_max`` are in days
    (every 6 h = 0.25). ``bounds_*`` limit the days on which this instruction runs.
    """

    sequence: int | None = None
    text: str | None = None
    dose_low: Quantity | None = None
    dose_high: Quantity | None = None
    rate: Quantity | None = None
    as_needed: bool | None = None
    frequency: Decimal | None = None
    frequency_max: Decimal | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    times_of_day: int = 0
    when: int = 0
    days_of_week: int = 0
    timing_code: str | None = None
    bounds_days: Decimal | None = None
    bounds_start: date | None = None
    bounds_end: date | None = None
    max_dose: Quantity | None = None
    max_dose_days: Decimal | None = None
    max_single: Quantity | None = None
    route: str | None = None
    site: str | None = None
    restated: Quantity | None = None
    """The same dose as a text says it once more, in another unit: "5 mL (10 mg)"."""
    shared: bool = False
    """The dose is that of a whole period ("4 tablets a day"): how it is shared out is not said."""
    timing_text: str | None = None
    """What the timing says in words beside a standard code."""


class Reason(Struct, frozen=True):
    """Why a drug was ordered, or what an encounter is for: the meanings of its code or text, and a printable name.

    ``meanings`` are those of conditions.csv; empty where the reason says nothing that the tables know
    (``usable`` tells a specific unknown reason from an unspecific one such as "pain").
    """

    meanings: frozenset[str]
    name: str
    localized: bool | None = None
    usable: bool = True
    provisional: bool = False


class MedicationOrder(Struct, frozen=True):
    """A draft, a listed order, a statement or a dispense of one drug.

    ``drug`` is None where it could not be recognised; ``name`` is then what the record calls it.
    ``supply_days`` is the expected supply of one fill; ``quantity`` its amount; ``repeats`` the fills allowed after it.
    ``stopped_for`` is "failure", "intolerance" or None (no reason, or one that is neither).
    """

    ref: str
    kind: str
    """"request", "statement" or "dispense"."""
    drug: Drug | None
    name: str
    status: str | None = None
    intent: str | None = None
    reported: bool = False
    authored: date | None = None
    start: date | None = None
    end: date | None = None
    dosages: tuple[Dosage, ...] = ()
    supply_days: Decimal | None = None
    quantity: Quantity | None = None
    repeats: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    requester: str | None = None
    identifiers: frozenset[str] = frozenset()
    follows: frozenset[str] = frozenset()
    """What this one is linked to: priorPrescription, basedOn, replaces, authorizingPrescription."""
    reasons: tuple[Reason, ...] = ()
    stopped_for: str | None = None
    category: frozenset[str] = frozenset()


class Condition(Struct, frozen=True):
    """A problem, an encounter diagnosis or a reason condition that was read.

    ``status`` is "present", "history" or "refuted" (CLINICAL.md section 13, "Present condition"); entered-in-error
    conditions are refuted. ``provisional`` is true for provisional and differential ones.
    ``since`` is onset, else recorded date, else the encounter's start; None: date not known.
    """

    ref: str
    meanings: frozenset[str]
    name: str
    status: str = "present"
    provisional: bool = False
    localized: bool | None = None
    since: date | None = None
    ended: date | None = None
    recorded: date | None = None
    severe: bool | None = None
    encounter_diagnosis: bool = False
    site: str | None = None


class Observation(Struct, frozen=True):
    """One measured value in the unit of observations.csv for its meaning.

    ``value`` is None where the value could not be read as a number; ``text`` then holds a coded or textual value in
    lower case. ``taken_at`` orders values of one day (ISO instant in UTC, or the day).
    """

    ref: str
    meaning: str
    value: Decimal | None
    taken: date | None
    taken_at: str = ""
    text: str | None = None
    upper_limit: Decimal | None = None
    name: str = ""
    code: str | None = None
    """The first LOINC code, where one value of a meaning has to be told from another (the drugs of a urine test)."""


class Allergy(Struct, frozen=True):
    """An allergy or intolerance that is active and not refuted.

    ``ingredients`` are those of drugs.csv that the substance holds; ``meanings`` those of its code in conditions.csv
    (an opioid-class allergy names no ingredient). ``severe`` is true for anaphylaxis or a severe reaction.
    """

    ref: str
    ingredients: frozenset[str]
    name: str
    intolerance: bool | None = None
    severe: bool | None = None
    reactions: frozenset[str] = frozenset()
    meanings: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


class Procedure(Struct, frozen=True):
    """A procedure that was done: meanings of conditions.csv and observations.csv, and its day."""

    ref: str
    meanings: frozenset[str]
    name: str
    done: date | None


class Patient(Struct, frozen=True):
    """Birth date as the first and the last day that it can be, administrative sex ("male", "female") or None."""

    born_from: date | None = None
    born_to: date | None = None
    sex: str | None = None


class Encounter(Struct, frozen=True):
    """The encounter of the order: class code (``IMP``, ``AMB``, ...), start day, its reasons."""

    encounter_class: str | None = None
    start: date | None = None
    reasons: tuple[Reason, ...] = ()


class Paper(Struct, frozen=True):
    """What shows that something was done beside the drugs.

    ``kind``: "agreement" (treatment agreement), "pdmp" (review of the prescription monitoring programme), "visit" (past
    encounter), "review" (questionnaire on pain or function), "screening" (questionnaire on the risk of misuse), or
    "document" (any other document or consent: documents were sent). ``day`` None: date not known.
    """

    ref: str
    kind: str
    day: date | None
    name: str


ANSWERED = "answered"


class Chart(Struct, frozen=True):
    """What is known of the patient.

    ``questions`` tells for each prefetch key of PROTOCOL.md 2.3 whether it was answered (``ANSWERED``), else why not,
    in the words of ``notAssessed`` ("not provided", "failed", "partial", "unreadable").
    ``unreadable`` lists references, or types, of resources that could not be read.
    Tuples are in an order that does not depend on the order of arrival.
    """

    patient: Patient = Patient()
    encounter: Encounter | None = None
    conditions: tuple[Condition, ...] = ()
    medications: tuple[MedicationOrder, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    observations: tuple[Observation, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    questions: Mapping[str, str] = {}
    unreadable: tuple[str, ...] = ()
    papers: tuple[Paper, ...] = ()

    def answers(self, question: str) -> bool:
        """Whether the question of this prefetch key was answered completely (an empty answer counts)."""
        return self.questions.get(question) == ANSWERED

    def medication_list_known(self) -> bool:
        """CLINICAL.md section 13: requests answered completely, or statements answered with at least one entry."""
        return self.answers("medications") or (
            self.answers("statements") and any(entry.kind == "statement" for entry in self.medications)
        )
