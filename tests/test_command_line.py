"""The ``firstline`` command: what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest

from hooks.command_line import main

FIXTURES = Path(__file__).parent.parent / "fixtures"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    said = capsys.readouterr()
    return status, " ".join(said.out.split()), said.err


def stored(name: str) -> str:
    return str(FIXTURES / f"{name}.request.json")


def test_a_card_is_printed_as_a_person_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "review", stored("clonazepam-active"), "--today", "2026-03-01")
    assert status == 0
    assert "CRITICAL" in out
    assert "Oxycodone with clonazepam" in out
    assert "Do not start oxycodone" in out
    assert "MME a day: 30" in out


def test_silence_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing in scope." in run(capsys, "review", stored("amoxicillin"))[1]
    assert "No card." in run(capsys, "review", stored("cancer-pain"), "--today", "2026-03-01")[1]


def test_what_was_not_assessed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "review", stored("dose-not-told"), "--today", "2026-03-01")[1]
    assert "MME a day: at least 30" in out
    assert "Not assessed: dose of MedicationRequest/m1: no dose" in out


def test_why_tells_the_outcome_of_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "review", stored("clonazepam-active"), "--today", "2026-03-01", "--why")[1]
    for words in ("DD-01", "fires", "NP-01", "does not apply", "acute pain", "DD-06", "cannot tell"):
        assert words in out


def test_json_is_the_answer_as_sent(capsys: pytest.CaptureFixture[str]) -> None:
    main(["review", stored("clonazepam-active"), "--today", "2026-03-01", "--json"])
    answer = json.loads(capsys.readouterr().out)
    expected = json.loads((FIXTURES / "clonazepam-active.response.json").read_text(encoding="utf-8"))
    assert [card["uuid"] for card in answer["cards"]] == [card["uuid"] for card in expected["cards"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "the file cannot be read"),
        ("{", "the file is not JSON"),
        ("[]", "hook: names no hook of a service"),
        ('{"hook": "patient-view"}', "hook: names no hook of a service"),
        ('{"hook": "order-sign"}', "context:"),
    ],
)
def test_what_cannot_be_reviewed_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str | None, words: str
) -> None:
    file = tmp_path / "request.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    status, _, err = run(capsys, "review", str(file))
    assert status == 2
    assert words in err


def test_a_chart_of_which_nothing_is_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "review", stored("nothing-sent"))
    assert status == 2
    assert "neither patient nor medications nor conditions were sent" in err


def test_evidence_names_sources_and_says_who_did_not_sign(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "evidence", "dd-02")
    assert status == 0
    assert "DD-02 Opioid with a gabapentinoid" in out
    assert "a local number: no source confirms it" in out
    assert "No clinician has signed this content off." in out
    assert "SEED-24" in out


def test_an_unknown_rule_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "evidence", "XX-99")
    assert status == 2
    assert "there is no rule of this id" in err


def test_knowledge_lists_what_is_overdue(capsys: pytest.CaptureFixture[str]) -> None:
    assert " 0 overdue for review" in run(capsys, "knowledge", "--today", "2026-12-01")[1]
    late = run(capsys, "knowledge", "--today", "2030-01-01")[1]
    assert " 0 overdue for review" not in late
    assert "overdue" in late
