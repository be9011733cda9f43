"""Names as claims, other countries and patches write them: the strengths, the form and the release."""

from decimal import Decimal

import pytest

from cds.chart import Dosage, MedicationOrder
from cds.dose import daily_dose
from cds.drugs import recognise
from cds.terminology import Concept


def read(text: str) -> str:
    drug = recognise(Concept(text=text))
    if drug is None:
        return ""
    parts = (f"{part.name} {part.amount:.6g} {part.unit}" if part.amount else part.name for part in drug.ingredients)
    return f"{'; '.join(parts)} | {drug.route or '-'} | {drug.release or '-'}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LIDOCAINE PAD 5%", "lidocaine 0.05 MG/MG | topical | TD"),
        ("Lidocaine 700mg medicated plasters", "lidocaine 700 MG | topical | TD"),
        ("MORPHINE SUL SOL 100/5ML", "morphine 20 MG/ML | - | IR"),
        ("GABAPENTIN SOL 250/5ML", "gabapentin 50 MG/ML | - | IR"),
        ("OXYCODONE CON 100/5ML", "oxycodone 20 MG/ML | - | -"),
        ("APAP/CODEINE SOL 120-12/5ML", "acetaminophen 24 MG/ML; codeine 2.4 MG/ML | - | IR"),
        ("FENTANYL CIT INJ 100/2ML", "fentanyl | injection | IR"),
        ("morphine 1/2 ml", "morphine | - | -"),
        ("morphine 5/10 ml", "morphine | - | -"),
        ("Duragesic-100", "fentanyl 0.1 MG/HR | transdermal | TD"),
        ("fentanyl patch 75", "fentanyl 0.075 MG/HR | transdermal | TD"),
        ("fentanyl 12 patch", "fentanyl 0.012 MG/HR | transdermal | TD"),
        ("fentanyl 25 boxes of patches", "fentanyl | transdermal | TD"),
        ("fentanyl patch 72", "fentanyl | transdermal | TD"),
        ("fentanyl patch 25 x 10", "fentanyl | transdermal | TD"),
        ("Butrans-10", "buprenorphine 0.01 MG/HR | transdermal | TD"),
        ("OXYCODONE HCL ER 20 MG PO T12A", "oxycodone 20 MG | oral | ER"),
        ("HYSINGLA ER 60 MG PO T24A", "hydrocodone 60 MG | oral | ER"),
        ("HYDROCOD/ACETAM 7.5-325 TB", "hydrocodone 7.5 MG; acetaminophen 325 MG | oral | IR"),
        ("BUPREN/NALOX SUB 8-2MG", "buprenorphine 8 MG; naloxone 2 MG | sublingual | IR"),
        ("cloNIDine 0.1 mg/24 hr weekly patch", "clonidine 0.00416667 MG/HR | transdermal | TD"),
        ("clonidine 0.1 mg patch", "clonidine 0.00416667 MG/HR | transdermal | TD"),
        ("clonidine patch", "clonidine | transdermal | TD"),
        ("Fentanyl TTS 25", "fentanyl 0.025 MG/HR | transdermal | TD"),
        ("Emsam 6 mg/24 hr patch", "selegiline 0.25 MG/HR | transdermal | TD"),
        ("morphine 15 mg/12 hr tablet", "morphine 15 MG | oral | IR"),
        ("Cerebyx 50 mg PE/mL", "fosphenytoin 50 MG/ML | - | -"),
        ("LIDOCAINE-PRILOCAINE 2.5-2.5 % EX CREA", "lidocaine 0.025 MG/MG; prilocaine 0.025 MG/MG | topical | IR"),
        ("Tylenol w/ codeine No.3 tab", "acetaminophen 300 MG; codeine 30 MG | oral | IR"),
        ("Zapain 30mg/500mg capsules", "codeine 30 MG; acetaminophen 500 MG | oral | IR"),
        ("Palladone 1.3mg capsules", "hydromorphone 1.3 MG | oral | IR"),
        ("Palladone SR 2mg capsules", "hydromorphone 2 MG | oral | ER"),
        ("Tuxarin ER 54.3-8 mg tab", "codeine 54.3 MG; chlorpheniramine 8 MG | oral | ER"),
        ("Bupeaze 35micrograms/hour transdermal patches", "buprenorphine 0.035 MG/HR | transdermal | TD"),
        ("T3 tab", ""),
        ("Butrans 5 patches", "buprenorphine | transdermal | TD"),
        ("diclofenac gel + oxycodone 5 mg tab", "diclofenac; oxycodone | oral | IR"),
        ("methadone 10 mg tab check trough level", "methadone 10 MG | oral | IR"),
        ("MORPH SUL ER TAB 15MG", "morphine 15 MG | oral | ER"),
        ("HYDROCODONE 10/ACETAMINOPHEN 325MG TAB", "hydrocodone 10 MG; acetaminophen 325 MG | oral | IR"),
        ("HYDROCODONE 10/ACETAMINOPHEN 325MG/15ML", "hydrocodone 0.666667 MG/ML; acetaminophen 21.6667 MG/ML | - | -"),
        ("HYDROCODONE 10/ACETAMINOPHEN 325MG/ML 5 MG/ML", "hydrocodone; acetaminophen 325 MG/ML | - | -"),
        ("FENTANYL 2/BUPIVACAINE 0.125% EPIDURAL", "fentanyl; bupivacaine 1.25 MG/ML | injection | IR"),
        ("{21 (gabapentin 300 MG Oral Capsule) / 57 (gabapentin 600 MG Oral Tablet) } Pack", "gabapentin | oral | IR"),
        ("Duloxetine 30mg gastro-resistant capsules", "duloxetine 30 MG | oral | DR"),
        ("LIDOCAINE OIN 5%", "lidocaine 0.05 MG/MG | topical | IR"),
        ("OXYCODONE 5 MG TAB LOT 1234", "oxycodone 5 MG | oral | IR"),
        ("opium poppy allergy test", ""),
        ("methadone serum level", ""),
        ("PROMETH/COD SYP 6.25-10/5ML", "promethazine 1.25 MG/ML; codeine 2 MG/ML | oral | IR"),
    ],
)
def test_names_of_claims_patches_and_other_countries(text: str, expected: str) -> None:
    assert read(text) == expected


def test_a_patch_that_is_told_for_24_hours_gives_an_hourly_rate() -> None:
    drug = recognise(Concept(text="cloNIDine 0.2 mg/24 hr weekly patch"))
    assert drug is not None
    order = MedicationOrder("m", "request", drug, "x", dosages=(Dosage(text="1 patch weekly"),))
    dose = daily_dose(order, "clonidine")
    assert dose.unit == "mg/h"
    assert (dose.mean or Decimal(0)) * 24 == pytest.approx(Decimal("0.2"))


def test_the_plaster_is_a_first_line_agent() -> None:
    drug = recognise(Concept(text="Lidocaine 700mg medicated plasters"))
    assert drug is not None
    assert drug.first_line_class == "topical_lidocaine"
