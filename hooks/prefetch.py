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
from hooks.fhir_loose import Lost, fields_of, read_loosely
from hooks.fhir_observations import observation_meanings, recognised
from hooks.fhir_records import Records
from hooks.fhir_shapes import Resource

GIVEN, NULL, EMPTY, PARTIAL, FAILED, JUNK = "given", "null", "empty", "partial", "failed", "junk"
"""States of a key that was sent; one that was not sent has none."""

NOT_PROVIDED, UNREADABLE = "not provided", "unreadable"

Slot = Resource | Raw | None
"""What a prefetch key holds: a resource, ``null``, or JSON that has to be read loosely."""

Pages = tuple[Slot, ...]
"""The pages of one answer, in their order."""

OBSERVED: Mapping[str, tuple[str, ...]] = {
    "egfr": ("egfr", "egfr_race_based", "crcl"),
    "creatinine": ("creatinine",),
    "weight": ("weight",),
    "vitals": ("height", "bmi", "spo2", "systolic_bp", "diastolic_bp", "inhaled_oxygen"),
    "labs": (
        "qtc", "ecg_study", "potassium", "magnesium", "alt", "ast", "bilirubin", "paco2", "pregnancy_status",
        "pregnancy_test", "estimated_delivery", "breastfeeding", "uds", "blood_alcohol",
    ),
    "scores": (
        "ort_total", "pain_score", "peg_mean", "peg_item", "audit_c", "audit", "alcohol_drinks",
        "promis_pain_interference", "nyha_class",
    ),
}  # fmt: skip
"""The meanings of observations.csv that each question about observations asks for."""

KINDS: Mapping[type[Resource], str] = {
    shapes.Patient: "patient",
    shapes.Encounter: "encounter",
    shapes.Condition: "conditions",
    shapes.MedicationRequest: "medications",
    shapes.MedicationOrder: "medications",
    shapes.MedicationStatement: "statements",
    shapes.MedicationUsage: "statements",
    shapes.MedicationDispense: "dispenses",
    shapes.AllergyIntolerance: "allergies",
    shapes.Procedure: "procedures",
}
"""The question that a resource of this kind answers."""

_STUDIES: frozenset[type[Resource]] = frozenset({shapes.Observation, shapes.DiagnosticReport})
_ANSWERING: Mapping[str, frozenset[type[Resource]]] = {
    **{question: frozenset(kind for kind, own in KINDS.items() if own == question) for question in KINDS.values()},
    **dict.fromkeys(OBSERVED, _STUDIES),
}
"""The kinds that can answer each question."""
_PLAINLY_ANSWERING = {**_ANSWERING, **dict.fromkeys(OBSERVED, frozenset({shapes.Observation}))}
"""The kinds that do so under its own key."""
_NOTHING_THERE = frozenset({NULL, EMPTY})
_SAID = frozenset({ANSWERED, PARTIAL})

KEPT: frozenset[type[Resource | None]] = frozenset(shapes.READ)
"""The kinds that the review reads."""

OUTCOME = "outcome"
"""The search mode of an entry that tells of the search itself."""

READS = frozenset({"patient", "encounter"})
"""Keys that read one resource: nothing there means "not known", not "none"."""

LATEST_FIRST = frozenset({"egfr", "creatinine", "weight"})
"""Questions for the latest few values of one kind: a first page with such a value answers them."""

OPTIONAL = frozenset({"dispenses", "procedures", "vitals", "labs", "scores"})
"""Keys that a site may leave out of discovery (minimum necessary)."""

_QUESTION_OF = {meaning: question for question, meanings in OBSERVED.items() for meaning in meanings}


def _templates() -> dict[str, str]:
    codes: dict[str, list[str]] = {}
    for row in read_table(
        TABLES_FOLDER, FILE, ("code", "system", "display", "meaning", "unit", "how_used", "verified", "source")
    ):
        if row["code"]:
            codes.setdefault(_QUESTION_OF.get(row["meaning"], ""), []).append(f"{LOINC}|{row['code']}")
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


class Answer:
    """What one key holds, on one page or on several. ``kinds``: those of the resources that were found."""

    found: list[shapes.Entry]
    kinds: set[type[Resource | None]]
    _partial = _failed = _null = False
    _total = _seen = 0
    state: str
    _measured: set[str | None] | None = None

    def __init__(self, pages: Pages) -> None:
        self.lost: list[Lost] = []
        if len(pages) == 1 and type(pages[0]) is shapes.Bundle and self._is_plain(pages[0]):
            return
        self.found = []
        self.kinds = set()
        self._null = pages == (None,)
        for page in pages:
            total, self._total, self._partial = self._total, 0, False
            if type(page) is Raw:
                self._read_loosely(page)
            elif page is not None:
                self._take(page, None)
            if total > self._total:
                self._total = total
        self.state = self._told()

    def _is_plain(self, bundle: shapes.Bundle) -> bool:
        """Whether it is all on this one page, and nothing but resources of one kind that the review reads: then it is
        taken."""
        if bundle.link and bundle.next_page is not None:
            return False
        entries = bundle.entry or []
        kind = type(entries[0].resource) if entries else None
        for entry in entries:
            if type(entry.resource) is not kind or (entry.search is not None and entry.search.mode == OUTCOME):
                return False
        if kind is None:
            self.kinds = set()
        elif kind in KEPT:
            self.kinds = {kind}
        else:
            return False
        self.found = entries
        self.state = PARTIAL if (bundle.total or 0) > len(entries) else GIVEN if entries else EMPTY
        return True

    def _told(self) -> str:
        if self._null:
            return NULL
        if self._failed:
            return FAILED
        if self._partial or self._total > self._seen:
            return PARTIAL
        if self.lost and not self.found:
            return JUNK
        return GIVEN if self._seen else EMPTY

    @property
    def incomplete(self) -> bool:
        """Whether something was lost that may have been anything."""
        return bool(self.lost) and any(lost.wholly for lost in self.lost)

    def holds(self, question: str) -> bool:
        """Whether any of the resources belongs to this question."""
        if self.kinds.isdisjoint(_ANSWERING[question]):
            return False
        return question not in OBSERVED or question in self._questions_measured()

    def _questions_measured(self) -> set[str | None]:
        """The questions that the observations belong to."""
        if self._measured is None:
            studies = (one.resource for one in self.found if isinstance(one.resource, shapes.Measured))
            self._measured = {_QUESTION_OF.get(meaning) for sent in studies for meaning in observation_meanings(sent)}
        return self._measured

    def _take(self, resource: Resource, url: str | None) -> None:
        kind = type(resource)
        if kind is shapes.Bundle:
            self._take_entries(resource)  # type: ignore[arg-type]
            return
        self._seen += 1
        if kind is shapes.OperationOutcome:
            self._failed = True
        elif kind in KEPT:
            self.found.append(shapes.Entry(resource, url))
            self.kinds.add(kind)

    def _take_entries(self, bundle: shapes.Bundle) -> None:
        self._total += bundle.total or 0
        if bundle.link and bundle.next_page is not None:
            self._partial = True
        entries = bundle.entry
        if not entries:
            return
        kinds = {_kind_found(entry) if entry.search is not None else type(entry.resource) for entry in entries}
        if kinds <= KEPT:
            found = entries
        else:
            found = [entry for entry in entries if _kind_found(entry) in KEPT]
            kinds &= KEPT
        self.found += found
        self.kinds |= kinds
        self._seen += len(found)
        if len(found) < len(entries):
            self._take_rest(entries)

    def _take_rest(self, entries: Iterable[shapes.Entry]) -> None:
        """What is no resource that the review reads."""
        for entry in entries:
            inner = entry.resource
            if entry.search is not None and entry.search.mode == OUTCOME:
                self._failed = True
            elif inner is None:
                self.lost.append(Lost())
                self._seen += 1
            elif type(inner) not in KEPT:
                self._take(inner, entry.full_url)

    def _read_loosely(self, raw: Raw) -> None:
        fields = fields_of(raw)
        if fields is not None and "resourceType" not in fields and ("resource" in fields or "response" in fields):
            # The shape before 1.0: what was asked for stands in an envelope with the server's response.
            inner = fields.get("resource")
            if inner is None or bytes(inner) == b"null":
                self._failed = True
                return
            raw = inner
        for found in read_loosely(raw):
            if found.lost is not None:
                self.lost.append(found.lost)
                self._seen += found.lost.wholly
            elif found.resource is not None:
                self._take(found.resource, found.full_url)


def _kind_found(entry: shapes.Entry) -> type[Resource | None]:
    """The kind of what an entry holds; of one that tells of the search itself, that of nothing."""
    return type(None) if entry.search is not None and entry.search.mode == OUTCOME else type(entry.resource)


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
                if not kinds.isdisjoint(_ANSWERING[question]):
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
