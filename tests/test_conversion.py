"""The factors of mme.csv, which drug takes which, and tables that must be refused."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from cds.conversion import COLUMNS, TABLE, is_parenteral, load_factors, opioids
from cds.dose import MmePart, mme_sum
from cds.drugs import Drug, ingredient_drug
from cds.knowledge import KnowledgeError
from tests.test_dose import OUD, dosage, drug, order


def part(of: Drug, dose: str, *, for_oud: bool = False) -> MmePart:
    """The part of one dose a day."""
    (found,) = mme_sum([order(of, dosage(dose, 24), reasons=(OUD,) if for_oud else ())]).parts
    return found


ER_CAPSULE = "Extended Release Oral Capsule"
COUNTED = {
    "codeine": (drug("codeine 30 MG"), "100 mg", "15", False),
    "codeine cough syrup": (
        drug("codeine 2 MG/ML", "guaifenesin 20 MG/ML", form="Oral Solution"),
        "5 mL",
        "1.5",
        False,
    ),
    "dihydrocodeine": (drug("dihydrocodeine 16 MG"), "100 mg", "25", True),
    "hydrocodone": (drug("hydrocodone 10 MG", "acetaminophen 325 MG"), "2 tablet", "20", False),
    "hydromorphone": (drug("hydromorphone 4 MG"), "2 tablet", "40", False),
    "levorphanol": (drug("levorphanol 2 MG"), "2 mg", "22", True),
    "meperidine": (drug("meperidine 50 MG"), "100 mg", "10", True),
    "methadone": (drug("methadone 10 MG"), "10 mg", "47", False),
    "methadone 40 mg that is no dispersible tablet": (drug("methadone 10 MG"), "40 mg", "188", False),
    "morphine": (drug("morphine 15 MG"), "15 mg", "15", False),
    "morphine, rectal": (drug("morphine 10 MG", form="Rectal Suppository", route="rectal"), "1 supp", "10", False),
    "oxycodone": (drug("oxycodone 5 MG"), "10 mg", "15", False),
    "oxycodone ER tablet": (
        drug("oxycodone 10 MG", form="Extended Release Oral Tablet", release="ER"),
        "1 tab",
        "15",
        False,
    ),
    "oxymorphone": (drug("oxymorphone 10 MG"), "10 mg", "30", False),
    "pentazocine": (drug("pentazocine 50 MG", "naloxone 0.5 MG"), "100 mg", "37", True),
    "tapentadol": (drug("tapentadol 100 MG"), "100 mg", "40", False),
    "tramadol": (drug("tramadol 50 MG"), "400 mg", "80", False),
    "fentanyl patch": (
        drug("fentanyl 0.012 MG/HR", form="Transdermal System", route="transdermal", release="TD"),
        "1 patch",
        "28.8",
        False,
    ),
    "fentanyl lozenge": (drug("fentanyl 0.2 MG", form="Oral Lozenge", route="transmucosal"), "1 lozenge", "26", True),
    "fentanyl buccal tablet": (drug("fentanyl 0.1 MG", form="Buccal Tablet", route="buccal"), "100 mcg", "13", True),
    "fentanyl buccal film": (drug("fentanyl 0.2 MG", form="Buccal Film", route="buccal"), "1 film", "36", True),
    "fentanyl sublingual spray": (
        drug("fentanyl 0.1 MG", form="Mucosal Spray", route="sublingual"),
        "1 spray",
        "18",
        True,
    ),
    "fentanyl nasal spray": (drug("fentanyl 0.1 MG/ACTUAT", form="Nasal Spray", route="nasal"), "2 sprays", "32", True),
    "fentanyl on a mucosa": (drug("fentanyl", form=None, route="transmucosal"), "100 mcg", "18", True),
    "benzhydrocodone": (drug("acetaminophen 325 MG", "benzhydrocodone 6.12 MG"), "4 tablet", "30", False),
    "benzhydrocodone by mass": (drug("acetaminophen 325 MG", "benzhydrocodone 4.08 MG"), "8.16 mg", "10", False),
    "oxycodone base by brand": (drug("oxycodone", form=None, brand="Xtampza ER"), "9 mg", "15", False),
    "oxycodone base by strength": (drug("oxycodone 13.5 MG", form=ER_CAPSULE, release="ER"), "2 capsule", "45", False),
    "oxycodone ER capsule of another strength": (
        drug("oxycodone 10 MG", form=ER_CAPSULE, release="ER"),
        "1 cap",
        "15",
        False,
    ),
    "oxycodone 9 mg, not extended": (drug("oxycodone 9 MG", form="Oral Capsule", release="IR"), "1 cap", "13.5", False),
    "opium tincture by its morphine": (drug("opium 10 MG/ML", form="Oral Solution"), "0.6 mL", "6", True),
    "opium tincture by its opium": (drug("opium 100 MG/ML", form="Oral Solution"), "0.6 mL", "6", True),
    "paregoric": (drug("opium 0.4 MG/ML", form="Oral Solution"), "15 mL", "6", True),
    "paregoric without strength": (drug("opium", form=None, brand="Paregoric"), "15 mL", "6", True),
}


@pytest.mark.parametrize("case", COUNTED)
def test_factor(case: str) -> None:
    of, dose, expected, older = COUNTED[case]
    found = part(of, dose)
    assert (found.mme, found.scheduled, found.counted, found.reason) == (*2 * (Decimal(expected),), True, None)
    assert found.older_factor is older


SUBLINGUAL = "Sublingual Tablet"
NOT_COUNTED = {
    "buprenorphine patch": (
        drug("buprenorphine 0.01 MG/HR", form="Transdermal System", route="transdermal", release="TD"),
        "1 patch",
        "no conversion factor",
    ),
    "buprenorphine film for pain": (
        drug("buprenorphine 0.15 MG", form="Buccal Film", route="buccal"),
        "1 film",
        "no conversion factor",
    ),
    "buprenorphine injection for pain": (
        drug("buprenorphine 0.3 MG/ML", form="Injectable Solution", route="injection"),
        "0.3 mg",
        "no conversion factor",
    ),
    "buprenorphine 0.2 mg under the tongue": (
        drug("buprenorphine 0.2 MG", form=SUBLINGUAL, route="sublingual"),
        "1 tablet",
        "no conversion factor",
    ),
    "buprenorphine under the tongue, strength not known": (
        drug("buprenorphine", form=SUBLINGUAL, route=None),
        "8 mg",
        "no conversion factor",
    ),
    "buprenorphine 2 mg under the tongue": (
        drug("buprenorphine 2 MG", form=SUBLINGUAL, route="sublingual"),
        "1 tablet",
        "for opioid use disorder",
    ),
    "buprenorphine with naloxone": (
        drug("buprenorphine 1.4 MG", "naloxone 0.36 MG", form=SUBLINGUAL, route="sublingual"),
        "1 tablet",
        "for opioid use disorder",
    ),
    "buprenorphine, monthly injection": (
        drug("buprenorphine 300 MG", form="Prefilled Syringe", route="injection", release="ER"),
        "300 mg",
        "for opioid use disorder",
    ),
    "methadone dispersible": (
        drug("methadone 40 MG", form="Tablet For Oral Suspension"),
        "80 mg",
        "for opioid use disorder",
    ),
    "butorphanol": (
        drug("butorphanol 1 MG/ACTUAT", form="Nasal Spray", route="nasal"),
        "1 spray",
        "no conversion factor",
    ),
    "nalbuphine": (drug("nalbuphine 10 MG/ML", form=None, route="injection"), "10 mg", "no conversion factor"),
    "sufentanil": (drug("sufentanil 0.03 MG", form=SUBLINGUAL, route="sublingual"), "1 tablet", "no conversion factor"),
    "morphine gel": (drug("morphine 10 MG", form="Gel", route="topical"), "10 mg", "no conversion factor"),
}


@pytest.mark.parametrize("case", NOT_COUNTED)
def test_left_out_and_named(case: str) -> None:
    of, dose, reason = NOT_COUNTED[case]
    found = part(of, dose)
    assert (found.mme, found.scheduled, found.counted, found.reason) == (None, None, False, reason)
    total = mme_sum([order(of, dosage(dose, 24))])
    assert (total.total, total.at_least, total.not_counted) == (0, 0, total.parts)


@pytest.mark.parametrize("name", ["methadone", "buprenorphine"])
def test_the_reason_of_the_order_says_what_it_is_for(name: str) -> None:
    assert part(drug(f"{name} 5 MG"), "5 mg", for_oud=True).reason == "for opioid use disorder"


def test_another_opioid_counts_whatever_the_reason() -> None:
    assert part(drug("oxycodone 5 MG"), "5 mg", for_oud=True).mme == Decimal("7.5")


UNKNOWN = {
    "sufentanil injection": (drug("sufentanil 0.05 MG/ML", route="injection"), "50 mcg", "infusion or injection"),
    "pentazocine injection": (drug("pentazocine 30 MG/ML", route="injection"), "30 mg", "infusion or injection"),
    "opium tincture": (drug("opium", form=None, route=None), "0.6 mL", "no concentration"),
    "no factor in the table": (drug("propoxyphene 65 MG"), "65 mg", "no conversion factor"),
    "no factor, in use elsewhere": (drug("tilidine 50 MG", "naloxone 4 MG"), "1 tablet", "no conversion factor"),
    "brand without strength": (drug("hydrocodone", "acetaminophen", form=None), "1 tablet", "no strength"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_counted_but_unknown(case: str) -> None:
    of, dose, reason = UNKNOWN[case]
    found = part(of, dose)
    assert (found.mme, found.counted, found.reason) == (None, True, reason)


def test_every_opioid_of_the_drug_table_counts_or_is_named_and_nothing_else() -> None:
    with TABLE.with_name("drugs.csv").open(encoding="utf-8", newline="") as file:
        roles = {row["ingredient"]: row["roles"].split(";") for row in csv.DictReader(file)}
    told = {name for name in roles if opioids(ingredient_drug(name))}
    assert told == {name for name, held in roles.items() if "opioid" in held}
    assert not {"naloxone", "naltrexone", "methylnaltrexone", "loperamide", "diphenoxylate", "eluxadoline"} & told
    for name in told:
        assert mme_sum([order(ingredient_drug(name), dosage("5 mg", 24))]).parts, name
    assert {*load_factors().oral, *load_factors().without, "fentanyl"} <= told


ROUTES = {
    "IV": True, "IVPCA": True, "IV DRIP": True, "iv push": True, "Intravenous route": True, "SubQ": True,
    "subcutaneous": True, "IM": True, "epidural": True, "PO": False, "PO/NG": False, "Oral": False, "TP": False,
    "TRANSDERMA": False, "Topical": False, "Nasogastric": False, ".ROUTE": None, "MISC": None, "": None, None: None,
}  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
def test_route(route: str | None) -> None:
    assert is_parenteral(route) is ROUTES[route]


# Tables that must be refused

HEADER = ",".join(COLUMNS)


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mme.csv"
    path.write_text(text, encoding="utf-8")
    return path


def with_row(row: str) -> str:
    return TABLE.read_text(encoding="utf-8").rstrip("\n") + "\n" + row + "\n"


def without(start: str) -> str:
    return "".join(line for line in TABLE.read_text(encoding="utf-8").splitlines(True) if not line.startswith(start))


REFUSED = {
    "another header": ("ingredient,factor\n", "header: write the columns"),
    "too few cells": (with_row("codeine,oral"), "codeine: write 6 cells"),
    "too many cells": (with_row("ethylmorphine,oral,1,mg/d,CDC 2022 Table,,,"), "ethylmorphine: write 6 cells"),
    "a row twice": (with_row("codeine,oral,0.15,mg/d,CDC 2022 Table,"), "codeine, oral: this row is there twice"),
    "no number": (with_row("ethylmorphine,oral,a lot,mg/d,CDC 2022 Table,"), "ethylmorphine.factor: write a positive"),
    "no factor": (with_row("ethylmorphine,oral,,mg/d,CDC 2022 Table,"), "ethylmorphine.factor: write a positive"),
    "zero": (with_row("ethylmorphine,oral,0,mg/d,CDC 2022 Table,"), "ethylmorphine.factor: write a positive"),
    "endless": (with_row("ethylmorphine,oral,Infinity,mg/d,CDC 2022 Table,"), "ethylmorphine.factor: write a positive"),
    "a factor without a unit": (with_row("nalbuphine,oral,1,none,somewhere,"), "nalbuphine.factor: leave it empty"),
    "another unit": (with_row("ethylmorphine,oral,1,mg/kg,CDC 2022 Table,"), "ethylmorphine.unit: one of mg/d"),
    "no source": (with_row("ethylmorphine,oral,1,mg/d,,"), "ethylmorphine.source: say where"),
    "another form of fentanyl": (with_row("fentanyl,gummy,0.1,mcg/d,CDC 2022 Table,"), "fentanyl, gummy: the forms of"),
    "another route": (with_row("ethylmorphine,nasal,1,mg/d,CDC 2022 Table,"), "ethylmorphine, nasal: only factors"),
    "a patch by the day": (
        without("fentanyl,transdermal") + "fentanyl,transdermal patch,2.4,mcg/d,CDC 2022 Table,\n",
        "fentanyl, transdermal patch.unit: the unit is mcg/h",
    ),
    "tablets by the hour": (
        with_row("ethylmorphine,oral,1,mcg/h,CDC 2022 Table,"),
        "ethylmorphine, oral.unit: the unit is",
    ),
    "a form of fentanyl missing": (without("fentanyl,nasal"), "fentanyl, nasal spray: add this row"),
    "an opioid missing": (without("methadone,"), "methadone: add this row"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_table(tmp_path: Path, case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(KnowledgeError) as refused:
        load_factors(table(tmp_path, text))
    assert str(refused.value).startswith(f"mme.csv: {message}")


def test_the_table_itself_is_accepted(tmp_path: Path) -> None:
    assert load_factors(table(tmp_path, TABLE.read_text(encoding="utf-8"))) == load_factors()


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"^none\.csv: file: put the table"):
        load_factors(tmp_path / "none.csv")


def test_a_table_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "mme.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KnowledgeError, match="in UTF-8"):
        load_factors(path)
