"""Why a drug was stopped: the table, and the words around it."""

from pathlib import Path

import pytest

from cds.knowledge import KnowledgeError
from cds.status_reasons import COLUMNS, FILE, load_status_reasons, stopped_for
from cds.terminology import Coding, Concept

HL7 = "http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("not effective", "failure"),
        ("Ineffective after six weeks", "failure"),
        ("no pain relief: no relief at all", "failure"),
        ("Side effects", "intolerance"),
        ("stopped for dizziness", "intolerance"),
        ("ineffective, and dizziness", "intolerance"),
        ("cost", None),
        ("patient choice", None),
        ("no side effects", None),
        ("well tolerated", None),
        ("Drowsy", "intolerance"),
        ("too sedating", "intolerance"),
        ("sleepy all day", "intolerance"),
        ("could not tolerate", "intolerance"),
        ("no help", "failure"),
        ("D/C'd - no help", "failure"),
        ("Didn't work", "failure"),
        ("no drowsiness, but not effective", "failure"),
        ("denies nausea; cost", None),
        ("without headache", None),
        ("failed to collect", None),
        ("failed to fill", None),
        ("failed insurance step", None),
        ("failed to help", "failure"),
        ("fear of side effects", None),
        ("not due to side effects", None),
        ("concerned about dizziness", None),
        ("Angioedema", "intolerance"),
        ("Anaphylaxis", "intolerance"),
        ("SJS", "intolerance"),
        ("Stevens-Johnson syndrome", "intolerance"),
        ("Serotonin syndrome", "intolerance"),
        ("Suicidal ideation", "intolerance"),
        ("Hyponatraemia", "intolerance"),
        ("QT prolongation", "intolerance"),
        ("Adverse drug effect", "intolerance"),
        ("Side-effects", "intolerance"),
        ("ADR", "intolerance"),
        ("Therapeutic failure", "failure"),
        ("Lack of response", "failure"),
        ("No pain relief", "failure"),
        ("Inadequate analgesia", "failure"),
        ("Didn’t help", "failure"),
        ("Lack of therapeutic effect", "failure"),
        ("No longer helping", "failure"),
        ("Nonresponder", "failure"),
        ("Fall risk", None),
        ("Falls", "intolerance"),
        ("address changed", None),
        ("Dose increased", None),
        ("Change of therapy", None),
        ("Course completed", None),
        ("rationed", None),
        ("trashed", None),
        ("", None),
        (None, None),
    ],
)
def test_words(text: str | None, meaning: str | None) -> None:
    assert stopped_for(Concept(text=text)) == meaning


@pytest.mark.parametrize(("code", "meaning"), [("sintol", "intolerance"), ("salg", "intolerance"), ("preg", None)])
def test_codes(code: str, meaning: str | None) -> None:
    assert stopped_for(Concept((Coding(HL7, code),), "ineffective")) == meaning


def test_an_unknown_code_is_read_by_its_words() -> None:
    assert stopped_for(Concept((Coding("urn:site", "7", "Lack of effect"),))) == "failure"
    assert stopped_for(Concept((Coding(None, None),))) is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",,not effective,sometimes,author", "column meaning must be one of"),
        (",,not effective,failure,", "fill column source"),
        ("urn:a,,,failure,author", "fill column code"),
        (",7,,failure,author", "fill column system"),
        (",,dizzy,failure,author\n,,Dizzy,failure,author", "remove the second row"),
        ("urn:a,7,,failure,author\nurn:a,7,,neither,author", "remove the second row"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / FILE).write_text(",".join(COLUMNS) + "\n" + row + "\n")
    with pytest.raises(KnowledgeError, match=said):
        load_status_reasons(tmp_path)
