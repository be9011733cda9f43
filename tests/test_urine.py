"""Urine drug tests: the small questions that no scenario puts."""

from pathlib import Path

import pytest

from cds.knowledge import KnowledgeError
from cds.urine import (
    COLUMNS,
    FILE,
    Margins,
    Unexpected,
    analyte_of,
    is_positive,
    is_tested,
    load_analytes,
    unexpected_results,
)
from tests.builders import a_day, case, draft, order, seen, statement, tablet

OXYCODONE = draft("d", tablet("oxycodone 5"), a_day(5, 4))
MARGINS = Margins(explained_days=7, missed_days=3)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("positive", None, True),
        ("presumptive positive", None, True),
        ("detected", None, True),
        ("not detected", None, False),
        ("none detected", None, False),
        ("negative", None, False),
        ("<100", 100, False),
        (">300", 300, True),
        (None, 250, True),
        (None, 0, False),
        ("see report", None, None),
        (None, None, None),
        ("non-negative", None, True),
        ("positive, not confirmed", None, True),
        ("not confirmed positive", None, True),
        ("positive, confirmation not performed", None, True),
        ("positive (cutoff 300); no interfering substance", None, True),
        ("no cocaine detected", None, False),
        ("detected: no", None, False),
        ("result - none", None, False),
        ("not detected; quantity not sufficient for confirmation", None, False),
        ("negative; likely no false negative", None, False),
        ("screen positive, confirmation negative", None, None),
        ("inconclusive", 12, None),
        ("test not performed", None, None),
        ("not reported", 250, True),
        ("negative", 12, False),
        ("n", 12, False),
        ("<100; l", 100, False),
        ("h", 250, True),
    ],
)
def test_a_result_is_read(text: str | None, value: float | None, expected: bool | None) -> None:
    assert is_positive(seen("uds", value, text=text)) is expected


@pytest.mark.parametrize(
    "text",
    [
        "test not performed", "specimen not received", "quantity not sufficient", "no result", "not tested", "qns",
        "cancelled: insufficient specimen", "n/a",
    ],
)  # fmt: skip
def test_what_was_not_tested_tells_nothing(text: str) -> None:
    taken = order("m", tablet("oxycodone 5"), a_day(5, 4), start=seen("x", 0, 60).taken)
    earlier = seen("uds", None, 30, text="negative", name="urine oxycodone")
    later = seen("uds", None, 10, text=text, name="urine oxycodone")
    assert not is_tested(later)
    assert unexpected_results(case(OXYCODONE, taken, observations=(later,)), 90, MARGINS) == Unexpected()
    both = unexpected_results(case(OXYCODONE, taken, observations=(earlier, later)), 90, MARGINS)
    assert both.named == (f"oxycodone not found on {earlier.taken}",)


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("3397-7", "Urine screen", "cocaine"),
        (None, "Urine drug screen: cocaine", "cocaine"),
        ("0-0", "Amphetamines, urine", "amphetamines"),
        (None, "Urine drug screen", None),
    ],
)
def test_which_drug_a_result_is_about(code: str | None, name: str, expected: str | None) -> None:
    found = analyte_of(seen("uds", None, code=code, name=name))
    assert (found.name if found else None) == expected


def test_a_drug_that_ran_nobody_knows_how_long_may_explain_a_result() -> None:
    codeine = statement("s", tablet("codeine 30"), a_day(30, 4), status="completed", start=seen("x", 0, 90).taken)
    result = seen("uds", None, 10, code="19295-5", text="positive")
    assert unexpected_results(case(OXYCODONE, codeine, observations=(result,)), 90, MARGINS).named == ()
    assert unexpected_results(case(OXYCODONE, observations=(result,)), 90, MARGINS).named != ()


def test_a_record_that_never_counted_explains_nothing() -> None:
    codeine = order("m", tablet("codeine 30"), a_day(30, 4), status="entered-in-error")
    result = seen("uds", None, 0, code="19295-5", text="positive")
    assert unexpected_results(case(OXYCODONE, codeine, observations=(result,)), 90, MARGINS).named


def test_tests_of_the_future_and_other_observations_are_left_out() -> None:
    observations = (
        seen("uds", None, -1, code="3397-7", text="positive"),
        seen("uds", None, None, code="3397-7", text="positive"),
        seen("pain_score", 4, 1),
    )
    assert unexpected_results(case(OXYCODONE, observations=observations), 90, MARGINS).named == ()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("opiates,1-1,opiate,,,\nother,1-1,thing,,,", "this code is listed already"),
        ("opiates,1-1,opiate,,,\nother,2-2,opiate,,,", "listed already"),
        ("opiates,1-1,opiate,nonsense,,", "no ingredient of drugs.csv"),
        (",1-1,opiate,,,", "fill column analyte"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, rows: str, words: str) -> None:
    (tmp_path / FILE).write_text(f"{','.join(COLUMNS)}\n{rows}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=words):
        load_analytes(tmp_path)
