"""Small builders of charts, orders and drugs for tests."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cds.case import Case
from cds.chart import ANSWERED, Chart, Condition, Dosage, MedicationOrder, Observation, Patient, Quantity
from cds.drugs import Drug, Ingredient

TODAY = date(2026, 6, 15)
ALL_ANSWERED = dict.fromkeys(
    (
        "patient", "encounter", "conditions", "medications", "statements", "dispenses", "allergies", "procedures",
        "egfr", "creatinine", "weight", "vitals", "labs", "scores",
    ),
    ANSWERED,
)  # fmt: skip

ROLES = {
    "oxycodone": "opioid strong_opioid",
    "morphine": "opioid strong_opioid",
    "hydromorphone": "opioid strong_opioid",
    "fentanyl": "opioid strong_opioid serotonergic",
    "buprenorphine": "opioid partial_agonist",
    "butorphanol": "opioid mixed_agonist_antagonist",
    "methadone": "opioid strong_opioid",
    "propoxyphene": "opioid weak_opioid",
    "heroin": "opioid strong_opioid",
    "tramadol": "opioid weak_opioid",
    "codeine": "opioid weak_opioid",
    "dihydrocodeine": "opioid weak_opioid",
    "naloxone": "antagonist naloxone rescue_antagonist",
    "nalmefene": "antagonist rescue_antagonist",
    "naltrexone": "antagonist",
    "samidorphan": "antagonist",
    "naloxegol": "peripheral_antagonist laxative",
    "loperamide": "opioid_peripheral",
    "dextromethorphan": "serotonergic",
    "alprazolam": "benzodiazepine cns_depressant",
    "diazepam": "benzodiazepine cns_depressant",
    "zolpidem": "z_drug cns_depressant",
    "butalbital": "barbiturate cns_depressant",
    "tizanidine": "muscle_relaxant cns_depressant alpha2_agonist",
    "diphenhydramine": "sedating_antihistamine cns_depressant",
    "quetiapine": "antipsychotic cns_depressant",
    "olanzapine": "antipsychotic cns_depressant",
    "haloperidol": "antipsychotic cns_depressant",
    "sodium oxybate": "sedative_other cns_depressant",
    "meprobamate": "sedative_other cns_depressant",
    "chloral hydrate": "sedative_other cns_depressant",
    "suvorexant": "orexin_antagonist cns_depressant",
    "gabapentin": "gabapentinoid cns_depressant",
    "phenelzine": "maoi serotonergic",
    "linezolid": "maoi linezolid_like serotonergic",
    "clarithromycin": "cyp3a4_strong_inhibitor",
    "ketoconazole": "cyp3a4_strong_inhibitor",
    "acetaminophen": "acetaminophen",
    "sertraline": "ssri serotonergic",
}


def day(ago: int) -> date:
    """So many days before today; negative: after it."""
    return TODAY - timedelta(days=ago)


def mg(value: float | str) -> Quantity:
    return Quantity(Decimal(str(value)), "mg")


def drug(*names: str, **fields: Any) -> Drug:
    """A drug of these ingredients, each a name or "name 5" with its strength in MG."""
    parts = []
    for name in names:
        words = name.rsplit(" ", 1)
        if len(words) == 2 and words[1].replace(".", "").isdigit():
            parts.append(Ingredient(words[0], Decimal(words[1]), fields.get("unit", "MG")))
        else:
            parts.append(Ingredient(name))
    fields.pop("unit", None)
    roles = frozenset(" ".join(ROLES[part.name] for part in parts).split())
    return Drug(tuple(parts), roles, " / ".join(part.name for part in parts), **fields)


def tablet(*names: str, **fields: Any) -> Drug:
    return drug(*names, **{"form": "tablet", "route": "oral", "release": "IR"} | fields)


def a_day(dose: float | str, times: int = 1, unit: str = "mg", **fields: Any) -> Dosage:
    """So much, so many times a day."""
    amount = Quantity(Decimal(str(dose)), unit)
    return Dosage(dose_low=amount, dose_high=amount, frequency=Decimal(times), period=Decimal(1), **fields)


def order(ref: str, what: Drug | None, *dosages: Dosage, **fields: Any) -> MedicationOrder:
    """An active order of today, unless the fields say otherwise."""
    fields = {"kind": "request", "status": "active", "intent": "order", "authored": TODAY, "name": ref} | fields
    if fields["name"] == ref and what is not None:
        fields["name"] = what.name
    if isinstance(fields.get("supply_days"), int):
        fields["supply_days"] = Decimal(fields["supply_days"])
    return MedicationOrder(f"MedicationRequest/{ref}", drug=what, dosages=dosages, **fields)


def dispense(
    ref: str, what: Drug | None, ago: int, days: int | None, *dosages: Dosage, **fields: Any
) -> MedicationOrder:
    """Handed over so many days ago, for so many days."""
    supply = None if days is None else Decimal(days)
    fields = {"name": ref if what is None else what.name, "status": "completed", "start": day(ago)} | fields
    return MedicationOrder(
        f"MedicationDispense/{ref}", "dispense", drug=what, supply_days=supply, dosages=dosages, **fields
    )


def statement(ref: str, what: Drug | None, *dosages: Dosage, **fields: Any) -> MedicationOrder:
    fields = {"name": ref if what is None else what.name, "status": "active", "authored": TODAY} | fields
    return MedicationOrder(f"MedicationStatement/{ref}", "statement", drug=what, dosages=dosages, **fields)


def draft(ref: str, what: Drug | None, *dosages: Dosage, **fields: Any) -> MedicationOrder:
    return order(ref, what, *dosages, **{"status": "draft"} | fields)


def present(meaning: str, **fields: Any) -> Condition:
    return Condition(f"Condition/{meaning}", frozenset({meaning}), meaning, **fields)


def seen(meaning: str, value: float | str | None, ago: int | None = 0, **fields: Any) -> Observation:
    number = None if value is None else Decimal(str(value))
    taken = None if ago is None else day(ago)
    return Observation(f"Observation/{meaning}-{value}-{ago}", meaning, number, taken, **fields)


def patient(age: int = 50, sex: str | None = "female") -> Patient:
    """Aged so many years since the first of this month."""
    born = date(TODAY.year - age, TODAY.month, 1)
    return Patient(born, born, sex)


def chart(*medications: MedicationOrder, **fields: Any) -> Chart:
    """A chart that answers every question, of a woman aged 50."""
    return Chart(**{"patient": patient(), "medications": medications, "questions": ALL_ANSWERED} | fields)


def case(drafts: MedicationOrder | Iterable[MedicationOrder], *medications: MedicationOrder, **fields: Any) -> Case:
    drafts = [drafts] if isinstance(drafts, MedicationOrder) else drafts
    return Case(drafts, chart(*medications, **fields), TODAY)
