"""Which drug a code or a name is, and which tables are refused."""

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.drug_tables import ATC, SNOMED, load_drugs
from cds.drugs import Drug, Ingredient, ingredient_drug, recognise
from cds.knowledge import KnowledgeError
from cds.table_reading import TABLES_FOLDER
from cds.terminology import Coding, Concept

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def named(text: str, form: str | None = None, route: str | None = None) -> Drug:
    drug = recognise(Concept(text=text), form, route)
    assert drug is not None, text
    return drug


def coded(*codes: str, system: str | None = RXNORM, text: str | None = None) -> Drug:
    drug = recognise(Concept(tuple(Coding(system, code) for code in codes), text))
    assert drug is not None
    return drug


def strengths(drug: Drug) -> str:
    """ "oxycodone 5 MG + acetaminophen 325 MG"."""
    return " + ".join(
        part.name if part.amount is None else f"{part.name} {part.amount} {part.unit}" for part in drug.ingredients
    )


# Names as hospitals send them: drug text, form, route -> strengths, route, release
HOSPITAL = [
    ("Morphine Sulfate 2mg Syringe", "SYR", "IV", "morphine 2 MG", "injection", "IR"),
    ("Morphine Sulfate 2-4mg Range", "SYR", "IV", "morphine", "injection", "IR"),
    ("Morphine Sulfate 100mg/100mL Premix", "BTL", "IV DRIP", "morphine 1 MG/ML", "injection", "IR"),
    ("Fentanyl Citrate 2.5mg/50mL Vial", "mL", "IV DRIP", "fentanyl 0.05 MG/ML", "injection", "IR"),
    ("HYDROmorphone (Dilaudid) 12.5mg/50mL Syringe", "SYR", "IVPCA", "hydromorphone 0.25 MG/ML", "injection", "IR"),
    ("Hydromorphone 12.5mg/50mL Syringe", "SYR", "IVPCA", "hydromorphone 0.25 MG/ML", "injection", "IR"),
    ("Fentanyl Citrate 100mcg/2mL Amp", "mL", "IV", "fentanyl 0.05 MG/ML", "injection", "IR"),
    ("Fentanyl Patch 50mcg/hr Patch", "PTCH", "TP", "fentanyl 0.05 MG/HR", "transdermal", "TD"),
    ("Fentanyl Patch 75mcg/hr Patch", "PTCH", "TP", "fentanyl 0.075 MG/HR", "transdermal", "TD"),
    ("Fentanyl Patch 25mcg/hr  Patch", "PTCH", "TP", "fentanyl 0.025 MG/HR", "transdermal", "TD"),
    ("Fentanyl 12 mcg/h Patch", None, None, "fentanyl 0.012 MG/HR", "transdermal", "TD"),
    ("Oxycodone-Acetaminophen 5mg/325mg Tablet", "TAB", "PO", "oxycodone 5 MG + acetaminophen 325 MG", "oral", "IR"),
    ("Hydrocodone-Acetaminophen 5/500 Tablet", "TAB", "PO", "hydrocodone 5 MG + acetaminophen 500 MG", "oral", "IR"),
    ("Acetaminophen w/Codeine 300 mg / 30 mg Tab", "TAB", "PO", "acetaminophen 300 MG + codeine 30 MG", "oral", "IR"),
    ("OxycoDONE-Acetaminophen Elixir 5mL Cup", "UDCUP", "NG", "oxycodone + acetaminophen", "oral", "IR"),
    ("Guaifenesin-Codeine Phosphate 5ML UDCUP", "UDCUP", "PO", "guaifenesin + codeine", "oral", "IR"),
    ("Morphine Sulfate (Oral Soln.) 10mg/5mL UDCUP", "UDCUP", "PO/NG", "morphine 2 MG/ML", "oral", "IR"),
    (
        "Morphine Sulfate (Concentrated Oral Soln) 20mg/1mL Conc. Oral Solution",
        *("SYR", "PO", "morphine 20 MG/ML", "oral", "IR"),
    ),
    ("Morphine SR (MS Contin) 30mg Tablet", "TAB", "PO", "morphine 30 MG", "oral", "ER"),
    ("Methadone HCl 10 mg Tab", "TAB", "PO", "methadone 10 MG", "oral", "IR"),
    ("TraMADOL (Ultram) 50mg Tablet", "TAB", "PO", "tramadol 50 MG", "oral", "IR"),
    ("Meperidine 50mg Syringe", "mL", "IV", "meperidine 50 MG", "injection", "IR"),
    ("PERCOCET 5/325 TAB", None, "PO", "oxycodone 5 MG + acetaminophen 325 MG", "oral", "IR"),
    ("NORCO", None, "Oral", "hydrocodone + acetaminophen", "oral", "IR"),
    (
        "HYDROCODONE-ACETAMINOPHEN 5-325 MG PO TABS",
        *(None, "Oral", "hydrocodone 5 MG + acetaminophen 325 MG", "oral", "IR"),
    ),
    (
        "OXYCODONE-ACETAMINOPHEN 5-325 MG PO TABS",
        *(None, "PO", "oxycodone 5 MG + acetaminophen 325 MG", "oral", "IR"),
    ),
    ("1 ML  -  HYDROMORPHONE HCL 1 MG/ML IJ SOLN", None, "IV", "hydromorphone 1 MG/ML", "injection", "IR"),
    ("2 ML  -  FENTANYL CITRATE 0.05 MG/ML IJ SOLN", None, "IV", "fentanyl 0.05 MG/ML", "injection", "IR"),
    ("ACETAMIN/HYDROCODON 325MG/5MG", None, "PO", "acetaminophen 325 MG + hydrocodone 5 MG", "oral", None),
    (
        "HYDROCODONE 5 MG-ACETAMINOPHEN 325 MG TABLET",
        *(None, "Oral", "hydrocodone 5 MG + acetaminophen 325 MG", "oral", "IR"),
    ),
    (
        "acetaminophen-oxyCODONE 325 mg-5 mg oral tablet",
        *(None, "PO", "acetaminophen 325 MG + oxycodone 5 MG", "oral", "IR"),
    ),
    ("OXYCODONE/APAP 5MG/325MG", None, "ORAL", "oxycodone 5 MG + acetaminophen 325 MG", "oral", None),
    ("OXYCODONE   5 MG ORAL TAB", None, "Oral", "oxycodone 5 MG", "oral", "IR"),
    ("oxyCODONE (OXY IR) cap-tab 5 mg", None, "PO", "oxycodone 5 MG", "oral", "IR"),
    ("HYDROmorphone (DILAUDID) 1 MG/ML inj 0.5 mg", None, None, "hydromorphone 1 MG/ML", "injection", "IR"),
    ("MORPHINE VARIABLE DOSE 2-4MG", None, "IV", "morphine", "injection", None),
    ("morPHINe", None, "IV", "morphine", "injection", None),
    ("MORPHINE 2 MG/1 ML 1 ML SYR", None, "IV Push", "morphine 2 MG/ML", "injection", "IR"),
    ("1 ML CRTRDG-NDL : MORPHINE SULFATE (PF) 2 MG/ML IV SOLN", None, None, "morphine 2 MG/ML", "injection", "IR"),
    ("fentaNYL", None, "MISC", "fentanyl", None, None),
    ("SUBLIMAZE", None, "IV", "fentanyl", "injection", None),
    ("fentaNYL 25 MCG", None, "Topical", "fentanyl 0.025 MG/HR", "transdermal", "TD"),
    ("fentaNYL", None, "TRANSDERMA", "fentanyl", "transdermal", "TD"),
    ("fentaNYL CITRATE INJ 25 mcg", None, "TD", "fentanyl 0.025 MG/HR", "transdermal", "TD"),
    (
        "fentaNYL 2000 mcg in D5W 100 mL INFUSION Final Conc = 20 mcg/mL",
        *(None, "IV", "fentanyl 0.02 MG/ML", "injection", None),
    ),
    ("fentaNYL 1000 MCG IN 100 ML NS", None, "IV", "fentanyl 0.01 MG/ML", "injection", None),
    ("fentaNYL CITRATE INJ 1,000 MCG", None, "IV", "fentanyl 1 MG", "injection", "IR"),
    ("MEPERIDINE RANGE INJ", None, "IV", "meperidine", "injection", "IR"),
    ("HYDROMORPHONE (PF)  1 MG/ML INJ SYRINGE", None, "IV", "hydromorphone 1 MG/ML", "injection", "IR"),
    ("Fentanyl (ml/hr)", None, None, "fentanyl", "injection", None),
    ("Fentanyl (mcg/kg/hr)", None, None, "fentanyl", "injection", None),
]


@pytest.mark.parametrize(("text", "form", "route", "expected", "by", "release"), HOSPITAL)
def test_hospital_names(
    text: str, form: str | None, route: str | None, expected: str, by: str | None, release: str | None
) -> None:
    drug = named(text, form, route)
    assert (strengths(drug), drug.route, drug.release, drug.how) == (expected, by, release, "name")


@pytest.mark.parametrize(
    ("text", "expected", "release", "brand"),
    [
        ("OxyContin 20 mg", "oxycodone 20 MG", "ER", "OxyContin"),
        ("12 HR oxycodone 10 MG Extended Release Oral Tablet [Oxycontin]", "oxycodone 10 MG", "ER", "OxyContin"),
        ("oxycodone 5 mg tablet every 12 hours", "oxycodone 5 MG", "IR", None),
        ("oxycodone 10 mg tablet q12hr", "oxycodone 10 MG", "IR", None),
        ("tramadol XR 200 mg", "tramadol 200 MG", "ER", None),
        ("Tramadol LA 100 MG", "tramadol 100 MG", "ER", None),
        ("oxycodone CR 10 mg tab", "oxycodone 10 MG", "ER", None),
        ("Tylenol #3", "acetaminophen 300 MG + codeine 30 MG", "IR", "Tylenol with Codeine No. 3"),
        ("Tylenol with Codeine No. 4", "acetaminophen 300 MG + codeine 60 MG", "IR", "Tylenol with Codeine No. 4"),
        ("acetaminophen-codeine #3 tab", "acetaminophen 300 MG + codeine 30 MG", "IR", None),
        ("TYLENOL 2 TAB", "acetaminophen", "IR", "Tylenol"),
        ("acetaminophen-codeine 120 mg-12 mg/5 mL elixir", "acetaminophen 24 MG/ML + codeine 2.4 MG/ML", "IR", None),
        ("hydrocodone-homatropine 5-1.5 mg/5 mL syrup", "hydrocodone 1 MG/ML + homatropine 0.3 MG/ML", "IR", None),
        ("codeine 10 mg / guaifenesin 100 mg per 5 mL syrup", "codeine 2 MG/ML + guaifenesin 20 MG/ML", "IR", None),
        ("butalbital-apap-caffeine 50-325-40", "butalbital 50 MG + acetaminophen 325 MG + caffeine 40 MG", None, None),
        ("HYDROCODONE-ACETAMINOPHEN 325-5 MG TABS", "hydrocodone 5 MG + acetaminophen 325 MG", "IR", None),
        ("PERCOCET 1-2 TAB", "oxycodone + acetaminophen", "IR", "Percocet"),
        ("oxycodone-acetaminophen 5 mg tab", "oxycodone + acetaminophen", "IR", None),
        ("oxycodone 5 mg tab with acetaminophen", "oxycodone 5 MG + acetaminophen", "IR", None),
        ("oxycodone 5 mg acetaminophen 325 mg give 650 mg tab", "oxycodone 5 MG + acetaminophen 325 MG", "IR", None),
        ("5 mg oxycodone tab", "oxycodone 5 MG", "IR", None),
        ("oxycodone 5 mg/5 mL solution", "oxycodone 1 MG/ML", "IR", None),
        ("oxycodone 5/325 tab", "oxycodone", "IR", None),
        ("oxycodone 0 mg tab", "oxycodone", "IR", None),
        ("oxycodone 5-10 mg tab 5 mg", "oxycodone", "IR", None),
        ("morphine 0.1 mg/kg/hr", "morphine", None, None),
        ("morphine 5 mg per day", "morphine", None, None),
        ("morphine 5 mg / tablet", "morphine 5 MG", "IR", None),
        ("morphine 5 mg in water", "morphine 5 MG", None, None),
        ("morphine 5 mg in", "morphine 5 MG", None, None),
        ("morphine 123456789012345 mg", "morphine", None, None),
        ("Suboxone 8-2 mg film", "buprenorphine 8 MG + naloxone 2 MG", "IR", "Suboxone"),
        ("Subsys 100 mcg/spray", "fentanyl 0.1 MG/ACTUAT", "IR", "Subsys"),
        ("Xtampza 9 mg", "oxycodone 9 MG", "ER", "Xtampza ER"),
        ("oxycodone 9 MG Extended Release Oral Capsule", "oxycodone 9 MG", "ER", "Xtampza ER"),
        ("Gralise 600 mg tablet", "gabapentin 600 MG", "ER", "Gralise"),
        ("Once-Daily gabapentin 300 MG Oral Tablet", "gabapentin 300 MG", "ER", "Gralise"),
        ("Cymbalta 30 mg", "duloxetine 30 MG", "DR", "Cymbalta"),
        ("Percocet (oxycodone-acetaminophen) 5-325", "oxycodone 5 MG + acetaminophen 325 MG", "IR", "Percocet"),
        ("acetaminophen-codeine no. 7 tab", "acetaminophen + codeine", "IR", None),
        ("codeine/APAP #4", "codeine 60 MG + acetaminophen 300 MG", None, None),
        ("morphine 0,5 mg tab", "morphine 0.5 MG", "IR", None),
        ("morphine 7,5 mg/ml", "morphine 7.5 MG/ML", None, None),
        ("morphine 1,000 mg", "morphine 1000 MG", None, None),
        ("morphine 15 mg/12 hr oral tablet, extended release", "morphine 15 MG", "ER", None),
        ("hydromorphone-NaCl 0.2-0.9 mg/mL-% IV soln", "hydromorphone 0.2 MG/ML", "IR", None),
        (
            "fentanyl-bupivacaine-NaCl 0.5-0.125-0.9 mg/250mL-% EP soln",
            *("fentanyl 0.002 MG/ML + bupivacaine 1.25 MG/ML", "IR", None),
        ),
        ("morphine-0.9% NaCl 100 mg/100 mL", "morphine 1 MG/ML", None, None),
        ("sodium chloride 0.9 %", "sodium chloride", None, None),
        ("Robitussin AC 10-100 mg/5 mL", "guaifenesin 20 MG/ML + codeine 2 MG/ML", "IR", "Robitussin AC"),
        ("Suboxone 2-8 mg film", "buprenorphine 8 MG + naloxone 2 MG", "IR", "Suboxone"),
        ("Percocet 325/10", "oxycodone 10 MG + acetaminophen 325 MG", "IR", "Percocet"),
        ("homatropine/hydrocodone 1.5/5 tab", "homatropine 1.5 MG + hydrocodone 5 MG", "IR", None),
        ("Percocet 1/2 tab", "oxycodone + acetaminophen", "IR", "Percocet"),
        ("lidocaine topical 5% film", "lidocaine 0.05 MG/MG", "TD", None),
        ("Duragesic 12 mcg/hr", "fentanyl 0.012 MG/HR", "TD", "Duragesic"),
        ("clobetasol in 5 g morphine", "morphine 5000 MG", None, None),
    ],
)  # fmt: skip
def test_names(text: str, expected: str, release: str | None, brand: str | None) -> None:
    drug = named(text)
    assert (strengths(drug), drug.release, drug.brand) == (expected, release, brand)


def test_every_product_is_recognised_by_its_name_as_by_its_code() -> None:
    with (TABLES_FOLDER / "products_core.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) > 200
    for row in rows:
        by_code, by_name = coded(row["rxcui"]), named(row["display"])
        assert (by_code.how, by_name.how) == ("code", "name")
        assert set(by_code.ingredients) == set(by_name.ingredients), row["display"]
        for field in ("form", "route", "release", "brand", "first_line_class", "roles"):
            assert getattr(by_code, field) == getattr(by_name, field), (field, row["display"])


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("Xanax", "alprazolam"),
        ("Xadago", "safinamide"),
        ("Xyrem", "sodium oxybate"),
        ("Xcopri", "cenobamate"),
        ("Xalkori", "crizotinib"),
        ("Xtandi", "enzalutamide"),
        ("Ativan", "lorazepam"),
        ("Percocet", "oxycodone / acetaminophen"),
        ("Norco", "hydrocodone / acetaminophen"),
        ("Ultracet", "tramadol / acetaminophen"),
        ("Suboxone", "buprenorphine / naloxone"),
        ("Contrave", "naltrexone / bupropion"),
        ("Embeda", "morphine / naltrexone"),
        ("Lybalvi", "olanzapine / samidorphan"),
        ("Symbyax", "olanzapine / fluoxetine"),
        ("Limbitrol", "chlordiazepoxide / amitriptyline"),
        ("Soma Compound with Codeine", "carisoprodol / aspirin / codeine"),
        ("paracetamol", "acetaminophen"),
        ("pethidine", "meperidine"),
        ("MSIR", "morphine"),
        ("St. John's Wort", "st. john's wort extract"),
        ("Toradol", "ketorolac"),
        ("Tilidin 50 mg", "tilidine"),
        ("Valoron N 50/4 mg", "tilidine / naloxone"),
        ("Diconal", "dipipanone / cyclizine"),
        ("dextropropoxyphene 65 mg capsule", "propoxyphene"),
    ],
)
def test_other_names(brand: str, name: str) -> None:
    assert named(brand).name == name


@pytest.mark.parametrize(
    ("name", "atc", "role"),
    [
        ("nitrazepam", "N05CD02", "benzodiazepine"),
        ("flunitrazepam", "N05CD03", "benzodiazepine"),
        ("lormetazepam", "N05CD06", "benzodiazepine"),
        ("brotizolam", "N05CD09", "benzodiazepine"),
        ("loprazolam", "N05CD11", "benzodiazepine"),
        ("medazepam", "N05BA03", "benzodiazepine"),
        ("bromazepam", "N05BA08", "benzodiazepine"),
        ("ketazolam", "N05BA10", "benzodiazepine"),
        ("prazepam", "N05BA11", "benzodiazepine"),
        ("nordazepam", "N05BA16", "benzodiazepine"),
        ("ethyl loflazepate", "N05BA18", "benzodiazepine"),
        ("etizolam", "N05BA19", "benzodiazepine"),
        ("clotiazepam", "N05BA21", "benzodiazepine"),
        ("cloxazolam", "N05BA22", "benzodiazepine"),
        ("tetrazepam", "M03BX07", "benzodiazepine"),
        ("clomethiazole", "N05CM02", "sedative_other"),
        ("tilidine", "N02AX01", "opioid"),
        ("piritramide", "N02AC03", "opioid"),
        ("ketobemidone", "N02AB01", "opioid"),
        ("nicomorphine", "N02AA04", "opioid"),
    ],
)
def test_sedatives_and_opioids_in_use_elsewhere_are_known(name: str, atc: str, role: str) -> None:
    by_name, by_code = named(f"{name.upper()} 5 mg tablet"), recognise(Concept((Coding(ATC, atc),)))
    assert by_code is not None
    assert (by_name.name, by_code.name) == (name, name)
    assert role in by_name.roles & by_code.roles


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("naloxone", "naloxone"),
        ("naltrexone", "naltrexone"),
        ("methylnaltrexone", "methylnaltrexone"),
        ("oxymorphone", "oxymorphone"),
        ("hydromorphone", "hydromorphone"),
        ("hydrocortisone 10 mg", "hydrocortisone"),
        ("trazodone 50 mg", "trazodone"),
        ("apomorphine", "apomorphine"),
        ("ipratropium bromide", "ipratropium"),
        ("dextromethorphan", "dextromethorphan"),
        ("hydroxyzine", "hydroxyzine"),
        ("oxybutynin", "oxybutynin"),
        ("fenofibrate", "fenofibrate"),
        ("loperamide", "loperamide"),
    ],
)
def test_look_alikes(text: str, name: str) -> None:
    drug = named(text)
    assert drug.name == name
    assert ("opioid" in drug.roles) is (name in {"oxymorphone", "hydromorphone"})


@pytest.mark.parametrize("text", ["Codiclear", "opiumate", "remorphine", "a pill", "", "   ", "325 mg", "oxycodonex"])
def test_unknown_names(text: str) -> None:
    assert recognise(Concept(text=text)) is None


# Codes


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        (RXNORM, "7804", "oxycodone"),
        (RXNORM, "007804", "oxycodone"),
        ("urn:oid:2.16.840.1.113883.6.88", "1049621", "oxycodone"),
        (None, "1049621", "oxycodone"),
        ("http://www.whocc.no/atc", "N02AA05", "oxycodone"),
        ("http://www.whocc.no/atc/", "n02aj17", "oxycodone / acetaminophen"),
        (None, "N02AA05", "oxycodone"),
        ("http://snomed.info/sct", "55452001", "oxycodone"),
    ],
)
def test_codes(system: str | None, code: str, name: str) -> None:
    drug = coded(code, system=system)
    assert (drug.name, drug.how) == (name, "code")


@pytest.mark.parametrize(
    ("system", "code"), [(None, "7804"), (RXNORM, "1"), ("http://example.org/local", "1049621"), (RXNORM, None)]
)
def test_codes_that_say_nothing(system: str | None, code: str | None) -> None:
    assert recognise(Concept((Coding(system, code),))) is None


def test_an_ingredient_code_takes_the_strength_of_an_agreeing_name() -> None:
    drug = coded("7804", text="oxyCODONE 10 mg ER tab")
    assert (strengths(drug), drug.release, drug.route, drug.how) == ("oxycodone 10 MG", "ER", "oral", "code")
    drug = coded("7804", text="Percocet 5/325")
    assert (strengths(drug), drug.brand, drug.how) == ("oxycodone 5 MG + acetaminophen 325 MG", "Percocet", "code")


@pytest.mark.parametrize(
    ("code", "text", "strength", "release"),
    [
        ("1049621", "oxycodone 10 mg", "oxycodone 10 MG", "IR"),
        ("1049683", "oxycodone 5 mg", "oxycodone 10 MG", "IR"),
        ("1049621", "oxycodone ER 5 mg tab", "oxycodone 5 MG", "ER"),
        ("1049502", "oxycodone 10 mg immediate release", "oxycodone 10 MG", "ER"),
    ],
)
def test_a_name_that_contradicts_its_product_is_told_and_the_more_dangerous_kept(
    code: str, text: str, strength: str, release: str
) -> None:
    drug = coded(code, text=text)
    assert (strengths(drug), drug.release, drug.how) == (strength, release, "disagreement")


@pytest.mark.parametrize(
    "text",
    ["oxycodone 5 mg/5 mL", "oxycodone 5.05 mg", "Oxycodone", "oxycodone 5-10 mg", "oxyCODONE 5 mg IR tab", "pain"],
)
def test_a_name_that_does_not_contradict_its_product_changes_nothing(text: str) -> None:
    drug = coded("1049621", text=text)
    assert (strengths(drug), drug.release, drug.how) == ("oxycodone 5 MG", "IR", "code")


NDC = "http://hl7.org/fhir/sid/ndc"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("0406-0552-62", "oxycodone"),  # 4-4-2
        ("63481-623-70", "oxycodone / acetaminophen"),  # 5-3-2
        ("63481-0623-7", "oxycodone / acetaminophen"),  # 5-4-1
        ("00406-0552-62", "oxycodone"),  # 5-4-2
        ("00406055262", "oxycodone"),
        ("0406055262", "oxycodone"),  # ten digits, one division of three known
        ("6348162370", "oxycodone / acetaminophen"),
        ("63481-623", "oxycodone / acetaminophen"),  # a product without its package
        ("0406-0552", "oxycodone"),
        (" 59011-410-10 ", "oxycodone"),
        ("00406-0552-01", "oxycodone"),  # another package of the same product
    ],
)
def test_an_ndc_in_every_way_of_writing(code: str, name: str) -> None:
    drug = coded(code, system=NDC)
    assert (" / ".join(sorted(drug.names, reverse=True)), drug.how) == (name, "code")
    assert coded(code, system="urn:oid:2.16.840.1.113883.6.69") == drug
    if "-" in code:
        assert coded(code, system=None) == drug


@pytest.mark.parametrize(
    "code", ["", "99999-999-99", "406-552-62", "0406-0552-621", "abc", "١٢٣٤٥٦٧٨٩٠", "0406 0552", "9" * 40, "406-55"]
)
def test_an_ndc_that_is_not_known(code: str) -> None:
    assert recognise(Concept((Coding(NDC, code),))) is None or code == "0406 0552"
    assert recognise(Concept((Coding(None, code),))) is None
    assert recognise(Concept((Coding("http://example.org/local", code),))) is None


@pytest.mark.parametrize(
    ("codes", "text", "expected"),
    [
        (("161",), "oxycodone 5 mg", "oxycodone 5 MG"),
        (("7804",), "gabapentin 300 mg", "oxycodone"),
        (("310431",), "alprazolam 1 mg", "gabapentin 300 MG"),
        (("8745",), "lisinopril 10 mg", "promethazine"),
        (("161",), "Percocet 5/325", "oxycodone 5 MG + acetaminophen 325 MG"),
        (("1049621", "1049683"), None, "oxycodone 10 MG"),
        (("1049621",), "Percocet 5/325", "oxycodone 5 MG + acetaminophen 325 MG"),
        (("7052",), "hydromorphone 2 mg", "morphine"),
        (("1049683", "1049502"), None, "oxycodone 10 MG"),
    ],
)
def test_codings_that_disagree_keep_the_more_dangerous(codes: tuple[str, ...], text: str | None, expected: str) -> None:
    drug = coded(*codes, text=text)
    assert (strengths(drug), drug.how) == (expected, "disagreement")


def test_of_two_products_the_extended_release_is_kept() -> None:
    assert coded("1049683", "1049502").release == "ER"
    assert coded("1049621", "1049621").how == "code"


def test_displays_are_names_too() -> None:
    concept = Concept((Coding("http://example.org/local", "77", "oxycodone 5 MG Oral Tablet"),), "Oxycodone")
    drug = recognise(concept)
    assert drug is not None
    assert (strengths(drug), drug.how) == ("oxycodone 5 MG", "name")


# Form, route, release


@pytest.mark.parametrize(
    ("text", "form", "route", "expected"),
    [
        ("morphine 10 mg", None, "po", ("oral", None)),
        ("morphine 10 mg", None, "by mouth", ("oral", None)),
        ("morphine 10 mg", None, "Oral route", ("oral", None)),
        ("morphine 10 mg", None, "26643006", ("oral", None)),
        ("morphine 10 mg", "Tablet", None, (None, "IR")),
        ("morphine 10 mg", "Extended Release Oral Tablet", None, ("oral", "ER")),
        ("morphine 10 mg tab", None, "SL", ("sublingual", "IR")),
        ("morphine 10 mg", None, "PR", ("rectal", None)),
        ("morphine", None, "IV", ("injection", None)),
        ("buprenorphine 10 mcg/hr", None, None, ("transdermal", "TD")),
        ("buprenorphine 10 mcg patch", None, None, ("transdermal", "TD")),
        ("fentanyl 50 mcg/hr", None, "IV", ("injection", None)),
        ("fentanyl 50 mcg/hr", None, "transdermal patch", ("transdermal", "TD")),
        ("Duragesic 25", None, None, ("transdermal", "TD")),
        ("fentanyl lozenge 200 mcg", None, None, ("transmucosal", "IR")),
        ("naloxone 4 mg nasal spray", None, None, ("nasal", "IR")),
        ("Narcan", None, None, ("nasal", None)),
        ("Narcan 0.4 mg/mL inj", None, None, ("injection", "IR")),
        ("gabapentin 300 mg", None, "x" * 5000, (None, None)),
    ],
)
def test_routes(text: str, form: str | None, route: str | None, expected: tuple[str | None, str | None]) -> None:
    drug = named(text, form, route)
    assert (drug.route, drug.release) == expected


def test_a_patch_told_by_its_content_has_no_rate() -> None:
    assert strengths(named("fentanyl 2.5 mg patch")) == "fentanyl"
    assert strengths(named("buprenorphine 10 mcg patch")) == "buprenorphine 0.01 MG/HR"


# Roles and classes


def test_roles_are_those_of_all_ingredients() -> None:
    assert {"opioid", "strong_opioid", "acetaminophen"} <= named("Percocet").roles
    assert {"ssri", "antipsychotic"} <= named("Symbyax").roles


@pytest.mark.parametrize(
    ("text", "antagonist"),
    [
        ("Suboxone", False),
        ("pentazocine-naloxone 50-0.5 mg", False),
        ("Embeda", False),
        ("Targiniq ER", False),
        ("naloxone", True),
        ("Contrave", True),
        ("Lybalvi", True),
        ("Vivitrol", True),
    ],
)
def test_an_antagonist_inside_an_opioid_product_is_none(text: str, antagonist: bool) -> None:
    drug = named(text)
    assert ("antagonist" in drug.roles) is antagonist
    if not antagonist:
        assert "opioid" in drug.roles
        assert not drug.roles & {"naloxone", "rescue_antagonist"}


@pytest.mark.parametrize(
    ("text", "first_line"),
    [
        ("gabapentin", "gabapentinoid"),
        ("Horizant", "gabapentinoid"),
        ("mirogabalin 15 mg", "gabapentinoid"),
        ("pregabalin 75 mg", "gabapentinoid"),
        ("duloxetine 60 mg", "snri"),
        ("venlafaxine ER 150 mg", "snri"),
        ("desvenlafaxine", None),
        ("amitriptyline", "tca"),
        ("imipramine", "tca"),
        ("clomipramine", "tca"),
        ("doxepin 25 mg", "tca"),
        ("doxepin", "tca"),
        ("doxepin 10 MG/ML Oral Solution", "tca"),
        ("doxepin 6 mg tablet", None),
        ("Silenor", None),
        ("doxepin 5 % cream", None),
        ("Zonalon", None),
        ("lidocaine 5 % patch", "topical_lidocaine"),
        ("lidocaine 1.8 % topical patch", "topical_lidocaine"),
        ("Lidoderm", "topical_lidocaine"),
        ("lidocaine patch", "topical_lidocaine"),
        ("lidocaine 5 % transdermal", "topical_lidocaine"),
        ("lidocaine 4 % patch", None),
        ("lidocaine 5 % ointment", None),
        ("lidocaine 2 % injection", None),
        ("lidocaine", None),
        ("Qutenza", "topical_capsaicin"),
        ("capsaicin 8 % patch", "topical_capsaicin"),
        ("capsaicin 0.075 % cream", None),
        ("capsaicin 0.025 % patch", None),
        ("oxycodone", None),
        ("Limbitrol", "tca"),
    ],
)
def test_first_line_class(text: str, first_line: str | None) -> None:
    drug = named(text)
    assert drug.first_line_class == first_line
    topical = drug.roles & {"topical_lidocaine", "topical_capsaicin"}
    assert topical == ({first_line} if first_line in {"topical_lidocaine", "topical_capsaicin"} else set())


def test_percentages() -> None:
    assert strengths(named("lidocaine 1 % injection")) == "lidocaine 10 MG/ML"
    assert strengths(named("lidocaine 5 % ointment")) == "lidocaine 0.05 MG/MG"


def test_what_is_put_on_the_skin_or_into_the_eye_has_no_role_inside() -> None:
    assert named("erythromycin ophthalmic ointment").roles == set()
    assert named("lidocaine 4 % cream").roles == {"local_anesthetic"}
    assert "cyp3a4_moderate_inhibitor" in named("erythromycin 250 mg tablet").roles
    assert "opioid" in named("morphine gel").roles


def test_bare_ingredients() -> None:
    drug = ingredient_drug("oxycodone")
    assert drug.ingredients == (Ingredient("oxycodone"),)
    assert "opioid" in drug.roles
    assert drug.has("oxycodone")
    assert not drug.has("morphine")
    for name in ("wonderine", "guaifenesin"):
        with pytest.raises(KeyError):
            ingredient_drug(name)


# Anything at all


@given(st.text(max_size=400), st.one_of(st.none(), st.text(max_size=40)), st.one_of(st.none(), st.text(max_size=40)))
def test_no_text_fails(text: str, form: str | None, route: str | None) -> None:
    recognise(Concept((Coding(None, text[:9], text),), text), form, route)


PIECES = (
    *("oxycodone", "acetaminophen", "fentanyl", "percocet", "5", "325", "12", "1,000", "mg", "mcg", "ml", "hr", "kg"),
    *("/", "-", "%", ",", ".", "#", "in", "to", "q", "er", "patch", "tab", "iv"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_order_of_pieces_is_read(pieces: list[str]) -> None:
    drug = recognise(Concept(text=" ".join(pieces)))
    assert (drug is None) is not bool({"oxycodone", "acetaminophen", "fentanyl", "percocet"} & set(pieces))
    for part in drug.ingredients if drug is not None else ():
        assert part.amount is None or part.amount > 0


@given(st.sampled_from(HOSPITAL), st.sampled_from((str.upper, str.lower, str.title)))
def test_case_and_spaces_do_not_matter(example: tuple[str, ...], case: object) -> None:
    text, form, route, expected = example[:4]
    assert callable(case)
    assert strengths(named(" " + case(text).replace(" ", "   "), form, route)) == expected


@pytest.mark.parametrize("piece", ["5 mg/", "oxycodone ", "5-", "in 5 ", "every 12 hr ", "/ 9", "%", "history of no "])
def test_long_texts_are_read(piece: str) -> None:
    text = piece * (10_000 // len(piece))
    assert (recognise(Concept(text=text)) is not None) is ("oxycodone" in piece)


# Tables that must be refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "tables"
    shutil.copytree(TABLES_FOLDER, copy)
    return copy


def test_a_damaged_brand_is_not_read() -> None:
    tables = load_drugs()
    assert "cyp3a4_moderate_induceranax" not in tables.names
    assert (SNOMED, "55452001") in tables.codes
    assert (SNOMED, "55452001") not in load_drugs(snomed=False).codes
    assert (ATC, "N02AA05") in load_drugs(snomed=False).codes


def test_a_site_may_add_codes(folder: Path) -> None:
    with (folder / "local_codes.csv").open("a", encoding="utf-8") as table:
        table.write("urn:oid:1.2.3,ab-4711,oxycodone 5 MG;acetaminophen 325 MG,IR,oral,no,site,\n")
    found = load_drugs(folder).codes["urn:oid:1.2.3", "AB-4711"]
    assert [part.name for part in found.ingredients] == ["oxycodone", "acetaminophen"]


@pytest.mark.parametrize(
    ("file", "line", "remedy"),
    [
        ("drugs.csv", "oxycodone,,,,opioid,,,yes,x,", "list each ingredient once"),
        ("drugs.csv", "wonderine,,,,,,,yes,x,", "with its roles"),
        ("drugs.csv", "wonderine,,,,opioid,wonder,,yes,x,", "first_line_class"),
        ("drugs.csv", "wonderine,7804,,,opioid,,,yes,x,", "a code stands for one drug"),
        ("drugs.csv", "wonderine,,,,opioid,,,maybe,x,", "verified"),
        ("other_ingredients.csv", "oxycodone,", "is in drugs.csv"),
        ("local_codes.csv", "ATC,N02AJ17,oxycodone,,,no,x,", "a code stands for one drug"),
        ("local_codes.csv", "ATC,N02AJ99,,,,no,x,", "fill column ingredients"),
        ("local_codes.csv", ",N02AJ99,oxycodone,,,no,x,", "fill column system"),
        ("names.csv", "Wonder,wonderine,,,,", "is no ingredient"),
        ("names.csv", "Wonder,oxycodone 5 GR,,,,", "is no ingredient"),
        ("names.csv", "Wonder,oxycodone five MG,,,,", "is no amount"),
        ("names.csv", "Wonder,oxycodone,,XX,,", "column release"),
        ("names.csv", "Wonder,oxycodone,,,nose,", "column route"),
        ("names.csv", "Percocet,oxycodone,,,,", "listed already"),
        ("names.csv", "--,oxycodone,,,,", "holds no word"),
        ("products_core.csv", "1049621,x,SCD,oxycodone 5 MG,Oral Tablet,IR,oral,,yes,x,", "a code stands for one drug"),
        ("products_core.csv", "7804,x,SCD,oxycodone 5 MG,Oral Tablet,IR,oral,,yes,x,", "a code stands for one drug"),
        ("products_core.csv", "99,x,SCD,oxycodone 5 MG,,IR,oral,,yes,x,", "fill column form"),
        ("forms.csv", "tablet,Oral Tablet,oral,no,,any,", "listed already"),
        ("forms.csv", "wonder,Oral Tablet,oral,perhaps,,any,", "column sure"),
        ("forms.csv", "wonder,Oral Tablet,oral,no,,nowhere,", "column where"),
        ("short_names.csv", "wond,wonderine,oxycodone,", "names of ingredients"),
        ("short_names.csv", "wond,oxycodone,wonderine,", "names of ingredients"),
        ("short_names.csv", "two words,oxycodone,acetaminophen,", "a single word"),
        ("ndc.csv", "00406-0552,1049621,yes,x,", "labeller and product"),
        ("ndc.csv", "9,1049621,yes,x,", "labeller and product"),
        ("ndc.csv", "00406-9999,1,yes,x,", "products_core.csv"),
    ],
)
def test_a_wrong_row_is_refused(folder: Path, file: str, line: str, remedy: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as table:
        table.write(line + "\n")
    with pytest.raises(KnowledgeError, match=rf"^{file}: line \d+: .*{remedy}"):
        load_drugs(folder)


def test_amounts_are_exact() -> None:
    assert named("fentanyl 12.5 mcg/hr patch").ingredients[0].amount == Decimal("0.0125")
