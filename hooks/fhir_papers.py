"""FHIR documents, consents, care plans, procedures, past encounters and questionnaires -> ``cds.chart.Paper``.

No prefetch key asks for them: they are read where a client sends them under any key (CLINICAL.md section 13, "Reach of
the given data").
"""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

from msgspec import Raw

from cds.chart import Paper
from cds.table_reading import TABLES_FOLDER, read_table
from cds.words import Phrases, tokens_of
from hooks import fhir_shapes as shapes
from hooks.fhir_days import first_day
from hooks.fhir_elements import REMEMBERED, concepts, period
from hooks.fhir_loose import fields_of, members_of, text_of
from hooks.fhir_pointers import pointers
from hooks.fhir_records import Records

FILE = "paper_words.csv"
DOCUMENT_KINDS = ("agreement", "pdmp")
QUESTIONNAIRE_KINDS = ("screening", "review")
NOT_VALID = frozenset(
    {
        "entered-in-error", "draft", "proposed", "rejected", "inactive", "revoked", "superseded", "preliminary",
        "in-progress", "stopped", "not-done", "cancelled", "unknown",
    }
)  # fmt: skip
"""A paper of such a status shows nothing."""
DENIALS = frozenset({"declined", "refused", "unsigned", "not", "no", "terminated", "violated", "violation"})
NOT_VISITS = frozenset({"planned", "arrived", "triaged", "in-progress", "onleave", "cancelled", "entered-in-error"})
PAPER_KINDS: frozenset[type[shapes.Resource]] = frozenset(
    {
        shapes.Consent, shapes.DocumentReference, shapes.CarePlan, shapes.QuestionnaireResponse, shapes.Procedure,
        shapes.Encounter,
    }
)  # fmt: skip
TEXT_LENGTH = 400
ITEMS = 20
"""How much of a text, and how many questions of a questionnaire, are read."""


def load_paper_words(folder: Path = TABLES_FOLDER) -> Phrases[str]:
    """Reads the table. Raises ``KnowledgeError``."""
    phrases: Phrases[str] = Phrases()
    for row in read_table(folder, FILE, ("phrase", "kind", "note")):
        row.one_of("kind", (*DOCUMENT_KINDS, *QUESTIONNAIRE_KINDS))
        try:
            phrases.add(row["phrase"], row["kind"])
        except ValueError:
            raise row.wrong("the phrase holds no word or is listed already: delete it") from None
    return phrases


_WORDS = load_paper_words()


def read_papers(records: Records, today: date, encounter_id: str | None) -> tuple[Paper, ...]:
    """Every paper that shows something, by reference."""
    if not records.holds(PAPER_KINDS):
        return ()
    found = [
        *_documents(records),
        *_questionnaires(records),
        *_procedures(records),
        *_visits(records, today, encounter_id),
    ]
    return tuple(sorted(found, key=lambda paper: (paper.ref, paper.kind)))


def _documents(records: Records) -> Iterator[Paper]:
    kinds: tuple[type[shapes.Document], ...] = (shapes.Consent, shapes.DocumentReference, shapes.CarePlan)
    for shape in kinds:
        for ref, sent in records.of(shape):
            if not {sent.status, sent.doc_status}.isdisjoint(NOT_VALID):
                continue
            texts = (
                *(text for raw in (sent.type, sent.document_class, sent.category, sent.scope) for text in _named(raw)),
                sent.title, sent.description, *_attachments(sent.content),
            )  # fmt: skip
            kind, name = _recognised(texts, DOCUMENT_KINDS)
            if kind is not None:
                yield Paper(ref, kind, _day(sent), name)
            elif shape is not shapes.CarePlan:
                yield Paper(ref, "document", _day(sent), "")


def _questionnaires(records: Records) -> Iterator[Paper]:
    for ref, sent in records.of(shapes.QuestionnaireResponse):
        if sent.status in NOT_VALID:
            continue
        named = (text for one in pointers(bytes(sent.questionnaire)) or () for text in (one.ref, one.display))
        kind, name = _recognised((*named, *_questions(sent.item)), QUESTIONNAIRE_KINDS)
        if kind is not None:
            yield Paper(ref, kind, _day(sent), name)


def _procedures(records: Records) -> Iterator[Paper]:
    for ref, sent in records.of(shapes.Procedure):
        if sent.not_performed or sent.status in NOT_VALID:
            continue
        kind, name = _recognised(_named(sent.code), DOCUMENT_KINDS)
        if kind is not None:
            runs = period(bytes(sent.performed_period))
            yield Paper(ref, kind, first_day(sent.performed_date_time or sent.occurrence_date_time or runs.start), name)


def _visits(records: Records, today: date, encounter_id: str | None) -> Iterator[Paper]:
    """Encounters that are over, besides that of the order: the only one that was sent, where no id is given."""
    sent_encounters = records.of(shapes.Encounter)
    if encounter_id is None and len(sent_encounters) == 1:
        return
    for ref, sent in sent_encounters:
        if sent.id == encounter_id or (sent.status or "").casefold() in NOT_VISITS:
            continue
        runs, actual = period(bytes(sent.period)), period(bytes(sent.actual_period))
        day = first_day(runs.end or runs.start or actual.end or actual.start)
        if day is not None and day < today:
            yield Paper(ref, "visit", day, "visit")


def _day(sent: shapes.Document) -> date | None:
    written = sent.date_time or sent.date or sent.authored or sent.created or sent.indexed
    return first_day(written or period(bytes(sent.period)).start)


def _named(raw: Raw) -> tuple[str, ...]:
    """The text and the displays of a concept or a list of them."""
    return tuple(text for one in concepts(bytes(raw)) or () for text in one.texts())


def _attachments(raw: Raw) -> Iterator[str | None]:
    for member in members_of(raw) if raw else ():
        attachment = (fields_of(member) or {}).get("attachment")
        fields = fields_of(attachment) if attachment is not None else None
        yield text_of((fields or {}).get("title"))


def _questions(raw: Raw) -> Iterator[str | None]:
    for member in (members_of(raw) if raw else [])[:ITEMS]:
        yield text_of((fields_of(member) or {}).get("text"))


def _recognised(texts: Iterator[str] | tuple[str | None, ...], kinds: tuple[str, ...]) -> tuple[str | None, str]:
    """The kind of paper that the first telling text names, and that text; None where none does or one denies it."""
    for text in texts:
        kind = _kind(text[:TEXT_LENGTH], kinds) if text else None
        if text and kind is not None:
            return kind, text[:TEXT_LENGTH]
    return None, ""


@lru_cache(REMEMBERED)
def _kind(text: str, kinds: tuple[str, ...]) -> str | None:
    tokens = tokens_of(text.replace("_", " "))
    if not DENIALS.isdisjoint(tokens):
        return None
    return next((match.meaning for match in _WORDS.find(tokens) if match.meaning in kinds), None)
