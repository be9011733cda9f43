"""Consents, documents, care plans, procedures, past encounters and questionnaires -> ``Paper``."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds.chart import Paper
from cds.knowledge import KnowledgeError
from hooks.fhir_papers import FILE, load_paper_words
from tests.fhir_examples import chart

DAY = date(2026, 2, 1)


def paper(kind: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": "x", **fields}


def answers(**fields: Any) -> dict[str, Any]:
    return paper("QuestionnaireResponse", **{"status": "completed"} | fields)


def kinds(*resources: dict[str, Any]) -> list[str]:
    return [one.kind for one in chart(*resources).papers]


@pytest.mark.parametrize(
    "sent",
    [
        paper("Consent", status="active", category=[{"text": "Opioid treatment agreement"}], dateTime="2026-02-01"),
        paper("Consent", status="active", scope={"text": "Pain contract"}, date="2026-02-01"),
        paper("DocumentReference", status="current", type={"text": "Opioid agreement"}, date="2026-02-01T10:00:00Z"),
        paper("DocumentReference", status="current", description="PAIN_AGREEMENT signed", created="2026-02-01"),
        paper("DocumentReference", status="current", indexed="2026-02-01", **{"class": {"text": "Narcotic contract"}}),
        paper("DocumentReference", date="2026-02-01", content=[{"attachment": {"title": "Pain management agreement"}}]),
        paper("CarePlan", status="active", title="Controlled substance agreement", period={"start": "2026-02-01"}),
        paper("CarePlan", status="completed", category=[{"text": "Opioid contract"}], created="2026-02-01"),
    ],
)  # fmt: skip
def test_an_agreement_is_recognised_by_its_name(sent: dict[str, Any]) -> None:
    (found,) = chart(sent).papers
    assert (found.kind, found.day) == ("agreement", DAY)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (paper("DocumentReference", type={"text": "Opioid agreement refused"}), ["document"]),
        (paper("DocumentReference", type={"text": "Disagreement on opioids"}), ["document"]),
        (paper("DocumentReference", status="entered-in-error", type={"text": "Opioid agreement"}), []),
        (paper("DocumentReference", docStatus="preliminary", type={"text": "Opioid agreement"}), []),
        (paper("Consent", status="rejected", category=[{"text": "Opioid agreement"}]), []),
        (paper("CarePlan", status="active", title="Diabetes"), []),
        (paper("DocumentReference", type={"text": "Prescription Monitoring Program report"}), ["pdmp"]),
        (paper("Procedure", status="completed", code={"text": "PDMP review"}), ["pdmp"]),
        (paper("Procedure", status="not-done", code={"text": "PDMP review"}), []),
        (paper("Procedure", status="completed", notPerformed=True, code={"text": "PDMP review"}), []),
        (paper("Procedure", status="completed", code={"text": "Tonsillectomy"}), []),
        (answers(questionnaire="https://x.example/Questionnaire/ort-oud"), ["screening"]),
        (answers(questionnaire={"reference": "Questionnaire/1", "display": "SOAPP-R"}), ["screening"]),
        (answers(item=[{"text": "How bad was your pain?"}, "odd", {"text": 7}]), ["review"]),
        (answers(status="in-progress", questionnaire="https://x.example/ort"), []),
        (answers(item=[{"text": "How do you sleep?"}]), []),
        (answers(), []),
        (paper("DocumentReference", content=[{"attachment": 3}, "odd", {}]), ["document"]),
    ],
)  # fmt: skip
def test_what_shows_something_and_what_does_not(sent: dict[str, Any], expected: list[str]) -> None:
    assert kinds(sent) == expected


def test_a_paper_without_a_day() -> None:
    assert chart(paper("Consent", category=[{"text": "Opioid agreement"}])).papers == (
        Paper("Consent/x", "agreement", None, "Opioid agreement"),
    )


def visit(name: str, **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": name, "status": "finished", "period": {"start": "2025-12-01"}} | fields


def test_past_encounters_are_visits_but_the_current_one_is_not() -> None:
    found = chart(
        visit("e1"),
        visit("e2", period=None, actualPeriod={"start": "2025-11-01", "end": "2025-11-02"}),
        visit("planned", status="planned"),
        visit("ahead", period={"start": "2999-01-01"}),
        visit("undated", period=None),
        visit("now", status="in-progress", period={"start": "2025-12-30"}),
    ).papers
    assert [(one.ref, one.day) for one in found] == [
        ("Encounter/e1", date(2025, 12, 1)),
        ("Encounter/e2", date(2025, 11, 2)),
    ]


def test_the_only_encounter_is_the_current_one() -> None:
    assert chart(visit("e1")).papers == ()


def test_papers_do_not_hang_on_their_order() -> None:
    sent = [
        paper("Consent", status="active", category=[{"text": "Surgery"}]),
        paper("Procedure", status="completed", code={"text": "PDMP review"}, performedPeriod={"start": "2026-02-01"}),
        answers(questionnaire="https://x.example/ort", authored="2026-02-01"),
    ]
    assert chart(*sent).papers == chart(*reversed(sent)).papers
    assert kinds(*sent) == ["document", "pdmp", "screening"]


def test_a_paper_that_is_odd_costs_nothing_else() -> None:
    odd = paper("DocumentReference", description={"not": "a text"}, type={"text": "Opioid agreement"})
    assert kinds(odd) == ["agreement"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("opioid agreement,treaty,", "must be one of"),
        ("opioid agreement,agreement,\nopioid agreement,agreement,", "listed already"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, row: str, words: str) -> None:
    (tmp_path / FILE).write_text(f"phrase,kind,note\n{row}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=words):
        load_paper_words(tmp_path)
