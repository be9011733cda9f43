"""Classes of drugs on an allergy list: the table, and what follows from one."""

from pathlib import Path

import pytest

from cds.allergen_classes import COLUMNS, FILE, allergen_class, load_allergen_classes
from cds.drug_tables import load_drugs
from cds.knowledge import KnowledgeError
from tests.test_what_is_offered import OXYCODONE, answer, labels

CHART = ("age 50", "eGFR 90 on 2026-02-01", "has diabetic neuropathy (E11.42)")


@pytest.mark.parametrize(
    "words",
    ["Opioids", "opiate", "Narcotics", "Narcotic Analgesics", "OPIOID ANALGESICS", "opioid allergy", "narcotic drugs"],
)
def test_an_opioid_of_any_name(words: str) -> None:
    found = allergen_class(words)
    assert found is not None and found.meanings == {"opioid_allergy"}


@pytest.mark.parametrize(
    "words", ["peanut", "sulfa drugs", "penicillins", "opioid use disorder", "", "drugs", "pain meds"]
)
def test_what_names_no_class_of_the_table(words: str) -> None:
    assert allergen_class(words) is None


def test_every_role_is_one_of_the_drugs() -> None:
    roles = {role for drug in load_drugs().substances.values() for role in drug.roles}
    for name, found in load_allergen_classes().items():
        assert found.roles <= roles, name
        assert found.meanings <= {"opioid_allergy"}, name


@pytest.mark.parametrize(
    ("words", "kept", "gone"),
    [
        ("SNRIs", "Gabapentin", "Duloxetine"),
        ("Gabapentinoids", "Duloxetine", "Gabapentin"),
        ("anticonvulsants", "Duloxetine", "Gabapentin"),
        ("antidepressants", "Gabapentin", "Duloxetine"),
    ],
)
def test_no_drug_of_a_class_on_the_list_is_offered(words: str, kept: str, gone: str) -> None:
    for listed in (f"allergic to {words}", f"intolerant of {words}"):
        said = labels(*CHART, listed, OXYCODONE)
        assert kept in said and gone not in said
    assert "Nortriptyline" not in labels(*CHART, "allergic to antidepressants", OXYCODONE)


def test_an_allergy_to_opioids_is_an_allergy_to_this_one() -> None:
    for words in ("opioids", "narcotics", "Opioids - Morphine Analogues"):
        told = answer(*CHART, f"allergic to {words}, anaphylaxis", OXYCODONE)
        found = {one["rule"]: one["indicator"] for one in told["extension"]["firstline.review"]["findings"]}
        assert found["DD-27"] == "critical", words


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Opioids,,opioid_allergy,author", "small letters"),
        ("opioid drugs,,opioid_allergy,author", "small letters"),
        ("opioids,,opioid_allergy,", "fill column source"),
        ("opioids,,,author", "fill column roles or meanings"),
        ("opioids,,opioid_allergy,author\nopioids,snri,,author", "remove the second row"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / FILE).write_text(",".join(COLUMNS) + "\n" + row + "\n")
    with pytest.raises(KnowledgeError, match=said):
        load_allergen_classes(tmp_path)


@pytest.mark.parametrize("words", ["Opioid Analgesics", "Allergy to opioid analgesics", "opioid analgesics allergy"])
def test_the_class_is_named_as_within_a_sentence(words: str) -> None:
    [card, *_] = answer(f"allergic to {words}, anaphylaxis", OXYCODONE)["cards"]
    assert card["summary"].startswith("Allergy to opioid analgesics on the chart")
