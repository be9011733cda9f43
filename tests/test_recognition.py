"""The open measure of recognition: its sets, its answers, and that no text makes recognition fail."""

import csv
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cds.drug_tables import load_drugs
from cds.drugs import recognise
from cds.terminology import Coding, Concept, condition_meaning, observation_meaning
from cds.units import word_set
from tests import recognise as measure
from tests.recognition import rewriting

SETS = Path(__file__).parent / "recognition"
RXNORM = rewriting.SYSTEM


def table(folder: Path, *rows: str, header: str = "system,code,display,ingredients,form,release") -> Path:
    path = folder / "names.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("by", measure.WAYS)
def test_the_rewritten_names_of_the_tables(by: str) -> None:
    counts, lines = measure.measured(SETS / "names.csv", by)
    assert sum(counts) >= 1000
    assert counts.wrong == 0, lines[:5]
    assert counts.unrecognised <= sum(counts) / 50, lines[:5]


def test_names_as_hospitals_pharmacies_and_letters_write_them() -> None:
    counts, lines = measure.measured(SETS / "hospital.csv", "display")
    assert sum(counts) >= 200
    assert counts.wrong == counts.unrecognised == 0, lines


def test_names_of_six_systems_written_before_the_program_was_asked() -> None:
    counts, lines = measure.measured(SETS / "further_names.csv", "display")
    assert sum(counts) >= 300
    assert counts.wrong == counts.unrecognised == 0, lines


def test_the_stored_set_is_what_the_rules_make() -> None:
    with rewriting.TABLE.open(encoding="utf-8", newline="") as stored:
        assert [tuple(row) for row in csv.reader(stored)] == [rewriting.COLUMNS, *map(tuple, rewriting.rows())]


def test_every_opioid_and_first_line_product_is_in_the_set() -> None:
    tables = load_drugs()
    wanted = {
        code
        for code, drug in tables.products.items()
        if any(
            "opioid" in (substance := tables.substances[part.name]).roles or substance.first_line_class
            for part in drug.ingredients
        )
    }
    assert {row.code for row in rewriting.rows()} == wanted


# The measure itself


@pytest.mark.parametrize(
    ("row", "by", "verdict"),
    [
        (",,oxycodone 5 MG Oral Tablet,oxycodone 5 MG,Oral Tablet,IR", "", "right"),
        (",,OXYCODONE/APAP 5/325 TAB,acetaminophen 325 MG;oxycodone 5 MG,,IR", "", "right"),
        (",,OXYCODONE/APAP 5/325 TAB,oxycodone 5 MG;paracetamol 325 MG,,IR", "", "right"),
        (",,fentanyl 25 mcg/hr patch,fentanyl 25 MCG/HR,,TD", "", "right"),
        (",,fentanyl 25 mcg/hr patch,fentanyl 0.025 MG/HR,Transdermal System,TD", "", "right"),
        (",,fentanyl 25 mcg/hr patch,fentanyl 0.025 MG/HR,Oral Tablet,TD", "", "wrong"),
        (",,lidocaine 5 % patch,lidocaine 5 %,Medicated Patch,TD", "", "right"),
        (",,hydrocodone-acetaminophen 7.5-325 mg/15 mL,acetaminophen 21.7 MG/ML;hydrocodone 0.5 MG/ML,,", "", "right"),
        (",,oxycodone 5 mg tab,oxycodone 10 MG,,IR", "", "wrong"),
        (",,oxycodone 5 mg tab,oxycodone,,IR", "", "wrong"),
        (",,oxycodone tab,oxycodone 5 MG,,IR", "", "wrong"),
        (",,oxycodone 5 mg tab,oxymorphone 5 MG,,IR", "", "wrong"),
        (",,oxycodone 5 mg tab,acetaminophen 325 MG;oxycodone 5 MG,,IR", "", "wrong"),
        (",,oxycodone 5 mg/mL,oxycodone 5 MG,,", "", "wrong"),
        (",,oxycodone ER 10 mg tab,oxycodone 10 MG,,IR", "", "wrong"),
        (",,oxycodone ER 10 mg,oxycodone 10 MG,,", "", "wrong"),
        (",,oxycodone 10 mg,oxycodone 10 MG,,IR", "", "wrong"),
        (",,oxycodone 10 mg tab,oxycodone 10 MG,,", "", "right"),
        (",,OxyContin 10 mg,oxycodone 10 MG,,", "", "right"),
        (",,foobarine 5 mg,foobarine 5 MG,,", "", "unrecognised"),
        (",,foobarine 5 mg,,,", "", "right"),
        (",,oxycodone 5 mg tab,,,", "", "wrong"),
        (f"{RXNORM},1049621,oxycodone,oxycodone 5 MG,,IR", "", "right"),
        (f"{RXNORM},1049621,oxycodone,oxycodone 5 MG,,IR", "code", "right"),
        (f"{RXNORM},1049621,oxycodone tab,oxycodone 5 MG,,IR", "display", "wrong"),
        (f"{RXNORM},1,oxycodone 5 mg tab,oxycodone 5 MG,,IR", "code", "unrecognised"),
        (",,oxycodone 5 mg tab,oxycodone 5 MG,,IR", "code", "unrecognised"),
    ],
)  # fmt: skip
def test_what_is_right(row: str, by: str, verdict: str, tmp_path: Path) -> None:
    counts, lines = measure.measured(table(tmp_path, row), by)
    assert counts._asdict() == {"right": 0, "wrong": 0, "unrecognised": 0} | {verdict: 1}
    assert len(lines) == (verdict != "right")


def test_the_command_lists_what_is_not_right_and_ends_with_the_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(
        tmp_path,
        ",,oxycodone 5 mg tab,oxycodone 5 MG,,IR,x",
        ",,oxycodone 5 mg tab,oxycodone 10 MG,,IR,y",
        ",,foobarine,foobarine,,,z",
        header="system,code,display,ingredients,form,release,other",
    )
    assert measure.main([str(path), ""]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("wrong, line 3: oxycodone 5 mg tab: oxycodone 5 MG, not oxycodone 10 MG")
    assert lines[1].startswith("unrecognised, line 4: foobarine")
    assert lines[2:] == ["right 1, wrong 1, unrecognised 1 of 3"]


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("a,b\n1,2\n", [], "no column system"),
        ("system,code,display,ingredients,form,release\n,,x,x five MG,,\n", [], "no amount of an ingredient"),
        ("system,code,display,ingredients,form,release\n", ["name"], "use: make recognise"),
        ("\udcff", [], "cannot be read as CSV"),
    ],
)
def test_what_cannot_be_measured(
    content: str, arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert measure.main([str(path), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_no_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure.main([str(tmp_path / "none.csv")]) == measure.main([]) == 2
    assert "cannot be read" in capsys.readouterr().err


# Any text

WORDS = st.sampled_from(
    sorted(
        word_set(
            "oxycodone hydrocod APAP cod # 3 5 mg 5-325 MG/ML mcg/hr % NaCl [Percocet] ( ) / - , 12 HR ER tab 0,5 "
            "1,000 ٣ ½ µg in 100 mL no hx of denies painful E11.4 \u0000 é"
        )
    )
)
TEXTS = st.lists(WORDS | st.text(max_size=8), max_size=60).map(" ".join) | st.text(max_size=300)


@given(TEXTS, TEXTS, st.text(max_size=30) | st.none())
@example("9" * 10_000, "", None)
@example("-/" * 5_000, "", None)
@example("oxycodone " * 1_000, "5/" * 5_000, "x" * 10_000)
@example("½" * 10_000, "\ufdfa" * 500, "\ufdfa" * 2_000)
@settings(deadline=None)
def test_no_text_makes_recognition_fail(text: str, display: str, field: str | None) -> None:
    concept = Concept((Coding(field, text[:40], display),), text)
    drug = recognise(concept, field, field)
    assert drug is None or (drug.ingredients and drug.name)
    assert condition_meaning(concept).meanings is not None
    observation_meaning(concept)


@given(st.integers(1, 40), TEXTS)
@settings(max_examples=10, deadline=None)
def test_a_text_of_ten_kilobytes(times: int, text: str) -> None:
    recognise(Concept(text=(text * 10_000)[: 250 * times]))


@given(st.sampled_from([row.display for row in rewriting.rows()]), st.sampled_from([str.upper, str.lower, str.title]))
def test_case_and_spaces_do_not_matter(name: str, written: object) -> None:
    assert callable(written)
    one, other = recognise(Concept(text=name)), recognise(Concept(text=f"  {written(name).replace(' ', '   ')} "))
    assert one == other
