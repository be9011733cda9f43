"""What is recorded of an answer, small enough to wait in memory: counts, rule ids, uuids; no order, no text."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from cds.knowledge import Knowledge
from cds.outcome import CannotTell, Fires
from cds.review import Review
from hooks.prefetch import TEMPLATES

PARTS = frozenset({"date", "dose", "drug", "duration", "end", "form", "status", "supply"})
"""In ``notAssessed``, what of a record could not be told: "dose of MedicationRequest/x: no unit"."""
WORDS = re.compile(r"(?:[A-Za-z][A-Za-z -]*|[A-Z]+-\d+): [A-Za-z0-9][A-Za-z0-9 ,()-]*")
LONGEST_KIND = 200
OTHER = "other"
NOT_ASSESSED = "G04"


class FindingRecord(Struct, frozen=True, gc=False):
    """A row of ``findings`` to be."""

    rule: str
    group: str
    indicator: str
    card: str | None = None
    withheld: str | None = None
    shown_key: str | None = None
    finding_key: str | None = None


class CardRecord(Struct, frozen=True, gc=False):
    """A row of ``cards`` to be."""

    uuid: str
    group: str
    rule: str
    indicator: str
    suggestions: tuple[str, ...] = ()


class AnswerRecord(Struct, frozen=True, gc=False):
    """A row of ``answers`` to be, with what belongs to it. ``patient_id`` is hashed when it is written; None where no
    order was in scope."""

    at: datetime
    tenant: str
    service: str
    hook: str
    knowledge: str
    status: int
    ms: float
    in_scope: int = 0
    patient_id: str | None = None
    outcomes: tuple[tuple[str, int, int], ...] = ()
    causes: tuple[tuple[str, int], ...] = ()
    cards: tuple[CardRecord, ...] = ()
    findings: tuple[FindingRecord, ...] = ()


class FeedbackRecord(Struct, frozen=True, gc=False):
    """A row of ``feedback`` to be."""

    at: datetime
    tenant: str
    service: str
    card: str
    outcome: str
    outcome_at: datetime
    suggestions: tuple[str, ...] = ()
    has_reason: bool = False
    reason_system: str | None = None
    reason_code: str | None = None
    comment: str | None = None


def outcomes_of(review: Review) -> tuple[tuple[str, int, int], ...]:
    """For each rule that fired or could not tell: its id, and how many orders of each."""
    fired: dict[str, int] = {}
    untold: dict[str, int] = {}
    for rule, _, outcome in review.outcomes:
        kind = type(outcome)
        if kind is Fires:
            fired[rule] = fired.get(rule, 0) + 1
        elif kind is CannotTell:
            untold[rule] = untold.get(rule, 0) + 1
    return tuple((rule, fired.get(rule, 0), untold.get(rule, 0)) for rule in {**fired, **untold})


def causes_of(not_assessed: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """The kinds of what could not be assessed, with how many of each. A kind never holds what a client wrote."""
    return tuple(Counter(kind_of(entry) for entry in not_assessed).items())


def kind_of(entry: str) -> str:
    """ "dose of MedicationRequest/x: no unit" is of the kind "dose: no unit"."""
    subject, _, reason = entry.rpartition(": ")
    part, of, _ = subject.partition(" of ")
    if of and part in PARTS:
        subject = part
    elif reason == "unreadable" and subject not in TEMPLATES:
        subject = "record"
    kind = f"{subject}: {reason}"
    return kind if len(kind) <= LONGEST_KIND and WORDS.fullmatch(kind) else OTHER


def cards_of(content: Mapping[str, Any], knowledge: Mapping[str, Knowledge]) -> tuple[CardRecord, ...]:
    """The cards of a rendered answer, in any dialect."""
    return tuple(_card(card, knowledge) for card in content.get("cards", ()))


def _card(card: Mapping[str, Any], knowledge: Mapping[str, Knowledge]) -> CardRecord:
    extension = card.get("extension", {})
    told = extension.get("firstline.findings")
    rule = told[0]["rule"] if told else NOT_ASSESSED
    return CardRecord(
        card["uuid"] if "uuid" in card else extension["firstline.uuid"],
        knowledge[rule].group,
        rule,
        card["indicator"],
        tuple(suggestion["uuid"] for suggestion in card.get("suggestions", ())),
    )
