"""What Firstline asks the client to send, and what of it was answered: every key with its state, every resource once.

What a key holds is read by the type of each resource, not by the name of the key (PROTOCOL.md 2.3). A resource that
could not be read, a page that is not the last, a failed search: none of them ever means "none".
"""

from collections.abc import Iterable, Mapping

from msgspec import Raw

from cds.chart import ANSWERED
from cds.observation_table import FILE, LOINC
from cds.site_codes import SiteCodes
from cds.table_reading import TABLES_FOLDER, read_table
from hooks import fhir_shapes as shapes
from hooks.fhir_records import Records
from hooks.fhir_shapes import Resource
from hooks.fhir_subjects import recognised
from hooks.prefetch_answers import (
    ANSWERING,
    EMPTY,
    FAILED,
    GIVEN,
    NULL,
    OBSERVED,
    PARTIAL,
    QUESTION_OF,
    Answer,
    Pages,
    Slot,
)

NOT_PROVIDED, UNREADABLE = "not provided", "unreadable"

_PLAINLY_ANSWERING = {**ANSWERING, **dict.fromkeys(OBSERVED, frozenset({shapes.Observation}))}
"""The kinds that answer each question under its own key."""
_NOTHING_THERE = frozenset({NULL, EMPTY})
_SAID = frozenset({ANSWERED, PARTIAL})

READS = frozenset({"patient", "encounter"})
"""Keys that read one resource: nothing there means "not known", not "none"."""

LATEST_FIRST = frozenset({"egfr", "creatinine", "weight"})
"""Questions for the latest few values of one kind: a first page with such a value answers them."""

OPTIONAL = frozenset({"dispenses", "procedures", "vitals", "labs", "scores"})
"""Keys that a site may leave out of discovery (minimum necessary)."""


def _templates() -> dict[str, str]:
    codes: dict[str, list[str]] = {}
    for row in read_table(
        TABLES_FOLDER, FILE, ("code", "system", "display", "meaning", "unit", "how_used", "verified", "source")
    ):
        if row["code"]:
            codes.setdefault(QUESTION_OF.get(row["meaning"], ""), []).append(f"{LOINC}|{row['code']}")
    of_patient = "?patient={{context.patientId}}"
    counts = {"egfr": 3, "creatinine": 1, "weight": 1}
    return {
        "patient": "Patient/{{context.patientId}}",
        "encounter": "Encounter/{{context.encounterId}}",
        "conditions": f"Condition{of_patient}",
        "medications": f"MedicationRequest{of_patient}&intent=order,plan&_sort=-authoredon&_count=200",
        "statements": f"MedicationStatement{of_patient}",
        "dispenses": f"MedicationDispense{of_patient}",
        "allergies": f"AllergyIntolerance{of_patient}",
        "procedures": f"Procedure{of_patient}",
        **{
            question: f"Observation{of_patient}&code={','.join(sorted(codes[question]))}"
            f"&_sort=-date&_count={counts.get(question, 20)}"
            for question in OBSERVED
        },
    }


TEMPLATES: Mapping[str, str] = _templates()
"""The prefetch set of PROTOCOL.md 2.3. Every search name in it is the same in STU3 and R4, so all hooks share it."""


class Prefetched:
    """All that came with the request.

    ``states``: of each key that was sent. ``questions``: for each key of ``TEMPLATES`` whether it was answered, in the
    words of ``Chart.questions``. ``unreadable``: references or types of what could not be read.
    """

    def __init__(self, answers: Mapping[str, Answer], site: SiteCodes | None = None) -> None:
        self.answers = answers
        self.site = site
        self.states: dict[str, str] = {}
        self.unreadable: tuple[str, ...] = ()
        arrived: list[shapes.Entry] = []
        for key in sorted(answers):
            answer = answers[key]
            self.states[key] = answer.state
            arrived += answer.found
            if answer.lost:
                self.unreadable = tuple(sorted({*self.unreadable, *(one.ref for one in answer.lost)}))
        self.records = Records(arrived, site)
        self._questions: dict[str, str] | None = None

    @property
    def questions(self) -> dict[str, str]:
        if self._questions is None:
            self._questions = self._asked()
        return self._questions

    def _asked(self) -> dict[str, str]:
        answers, told = self.answers, {}
        kinds: set[type[Resource | None]] | None = None
        for question, plainly in _PLAINLY_ANSWERING.items():
            answer = answers.get(question)
            if answer and answer.state == GIVEN and not answer.lost and not plainly.isdisjoint(answer.kinds):
                told[question] = ANSWERED
                continue
            own = told[question] = self._own(question, answer)
            if own not in _SAID:
                if kinds is None:
                    kinds = set().union(*[one.kinds for one in answers.values()])
                if not kinds.isdisjoint(ANSWERING[question]):
                    told[question] = self._elsewhere(question, own)
        return told

    @property
    def nothing_known(self) -> bool:
        """Whether nothing of the chart could be had: no patient, no medications, no conditions (PROTOCOL.md 2.3)."""
        told = self.questions
        return ANSWERED not in (told["patient"], told["medications"], told["conditions"])

    def holds_unrecognised(self, question: str) -> bool:
        """Whether the question's own key holds an observation of which nobody knows what was measured."""
        answer = self.answers.get(question)
        sent = [one.resource for one in answer.found] if answer is not None else []
        return any(isinstance(one, shapes.Measured) and not recognised(one) for one in sent)

    def _elsewhere(self, question: str, told: str) -> str:
        """What stands under other keys says, else what was ``told`` by its own key."""
        elsewhere = {
            UNREADABLE if answer.incomplete else self.states[key]
            for key, answer in self.answers.items()
            if key != question and answer.holds(question)
        }
        if GIVEN in elsewhere:
            return ANSWERED
        return PARTIAL if PARTIAL in elsewhere else UNREADABLE if UNREADABLE in elsewhere else told

    def _own(self, question: str, answer: Answer | None) -> str:
        """What the question's own key says, where it is not plainly answered."""
        if answer is None:
            return NOT_PROVIDED
        state = self.states[question]
        if state in _NOTHING_THERE:
            return NOT_PROVIDED if question in READS else ANSWERED
        if state == FAILED:
            return FAILED
        if state == PARTIAL:
            return ANSWERED if question in LATEST_FIRST and answer.holds(question) else PARTIAL
        fits = not answer.kinds.isdisjoint(_PLAINLY_ANSWERING[question]) or answer.holds(question)
        return ANSWERED if fits and not answer.incomplete else UNREADABLE


def complete(
    prefetch: Mapping[str, Slot], fetched: Mapping[str, Pages] | None = None, site: SiteCodes | None = None
) -> Prefetched:
    """Reads what every key holds. ``fetched`` takes the place of keys that were asked of the FHIR server since."""
    sent: dict[str, Pages] = {key: (slot,) for key, slot in prefetch.items()}
    if fetched:
        sent.update(fetched)
    answers = {}
    for key, pages in sent.items():
        try:
            answers[key] = Answer(pages)
        except RecursionError:
            answers[key] = Answer((Raw(b"0"),))
    return Prefetched(answers, site)


def unanswered(prefetched: Prefetched, wanted: Iterable[str] = TEMPLATES) -> tuple[str, ...]:
    """The keys that a fetch by FHIR could still answer."""
    return tuple(key for key in wanted if prefetched.questions[key] != ANSWERED)
