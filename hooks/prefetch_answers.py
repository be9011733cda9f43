"""What one prefetch key holds, and which questions that answers: resources, pages of a search, what is unreadable."""

from collections.abc import Iterable, Mapping

from msgspec import Raw

from hooks import fhir_shapes as shapes
from hooks.fhir_loose import Lost, fields_of, read_loosely
from hooks.fhir_shapes import Resource
from hooks.fhir_subjects import observation_meanings

GIVEN, NULL, EMPTY, PARTIAL, FAILED, JUNK = "given", "null", "empty", "partial", "failed", "junk"
"""States of a key that was sent; one that was not sent has none."""

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

QUESTION_OF = {meaning: question for question, meanings in OBSERVED.items() for meaning in meanings}
"""The question about observations that asks for a meaning."""

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
ANSWERING: Mapping[str, frozenset[type[Resource]]] = {
    **{question: frozenset(kind for kind, own in KINDS.items() if own == question) for question in KINDS.values()},
    **dict.fromkeys(OBSERVED, _STUDIES),
}
"""The kinds that can answer each question."""
KEPT: frozenset[type[Resource | None]] = frozenset(shapes.READ)
"""The kinds that the review reads."""

OUTCOME = "outcome"
"""The search mode of an entry that tells of the search itself."""


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
        if self.kinds.isdisjoint(ANSWERING[question]):
            return False
        return question not in OBSERVED or question in self._questions_measured()

    def _questions_measured(self) -> set[str | None]:
        """The questions that the observations belong to."""
        if self._measured is None:
            studies = (one.resource for one in self.found if isinstance(one.resource, shapes.Measured))
            self._measured = {QUESTION_OF.get(meaning) for sent in studies for meaning in observation_meanings(sent)}
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
