"""Turns the sentences of a scenario into a real hook request (FHIR R4). The grammar is in tests/rules/README.md."""

import re
from collections.abc import Callable
from typing import Any

TODAY = "2026-03-01"
NOW = TODAY + "T09:00:00Z"
KEYS = (
    "patient", "encounter", "conditions", "medications", "statements", "dispenses", "allergies", "procedures",
    "egfr", "creatinine", "weight", "vitals", "labs", "scores",
)  # fmt: skip
DATE = r"\d{4}(?:-\d\d(?:-\d\d)?)?"
UCUM = "http://unitsofmeasure.org"
COUNTS = {"tablet", "capsule", "patch", "film", "lozenge", "spray", "puff", "unit", "piece"}
TIMES = {"once": 1, "twice": 2, "three times": 3, "four times": 4, "five times": 5, "six times": 6}
OBSERVED: dict[str, tuple[str | None, str | None, str]] = {  # what: code (None: by its name), default unit, key
    "eGFR race-based": ("48642-3", "mL/min/{1.73_m2}", "egfr"),
    "eGFR": ("98979-8", "mL/min/{1.73_m2}", "egfr"),
    "CrCl": ("2164-2", "mL/min", "egfr"),
    "creatinine": ("2160-0", "mg/dL", "creatinine"),
    "weight": ("29463-7", "kg", "weight"),
    "height": ("8302-2", "cm", "vitals"),
    "BMI": ("39156-5", "kg/m2", "vitals"),
    "SpO2": ("59408-5", "%", "vitals"),
    "systolic": ("8480-6", "mm[Hg]", "vitals"),
    "diastolic": ("8462-4", "mm[Hg]", "vitals"),
    "QTc": ("8636-3", "ms", "labs"),
    "potassium": ("2823-3", "mmol/L", "labs"),
    "magnesium": ("19123-9", "mg/dL", "labs"),
    "ALT": ("1742-6", "U/L", "labs"),
    "AST": ("1920-8", "U/L", "labs"),
    "bilirubin": ("1975-2", "mg/dL", "labs"),
    "PaCO2": ("2019-8", "mm[Hg]", "labs"),
    "ECG": ("11524-6", None, "labs"),
    "blood alcohol": ("5640-8", "mg/dL", "labs"),
    "pain score": ("72514-3", "{score}", "scores"),
    "PEG": ("91147-9", "{score}", "scores"),
    "AUDIT-C": ("75626-2", "{score}", "scores"),
    "AUDIT": ("75624-7", "{score}", "scores"),
    "ORT": ("91392-1", "{score}", "scores"),
    "drinks a day": ("74013-4", "/d", "scores"),
    "SOAPP-R": (None, "{score}", "scores"),
    "ORT-OUD": (None, "{score}", "scores"),
    "ODI": (None, "%", "scores"),
    "PROMIS": ("77865-4", "{Tscore}", "scores"),
    "PEG enjoyment": ("91145-3", "{score}", "scores"),
    "PEG activity": ("91146-1", "{score}", "scores"),
}
URINE = {"opiates": "19295-5", "cocaine": "3397-7", "amphetamines": "19343-3", "methadone": "58429-2"}
SAID = {"pregnancy status": "82810-3", "pregnancy test": "2106-3", "breastfeeding": "63895-7"}
PAPERS = {  # kind: where its name stands, where its day
    "consent": ("Consent", "category", "dateTime"),
    "document": ("DocumentReference", "type", "date"),
    "care plan": ("CarePlan", "title", "created"),
    "procedure": ("Procedure", "code", "performedDateTime"),
    "questionnaire": ("QuestionnaireResponse", "questionnaire", "authored"),
}
NOT_EFFECTIVE = {"text": "not effective"}
ADVERSE = {"text": "adverse effect"}


class NotUnderstoodError(Exception):
    """A sentence that the grammar does not hold."""


class Scene:
    """A hook request under construction, one sentence at a time."""

    def __init__(self) -> None:
        self.hook = "order-sign"
        self.patient: dict[str, Any] | None = {
            "resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1976-01-15",
        }  # fmt: skip
        self.encounter: dict[str, Any] | None = None
        self.entries: dict[str, list[dict[str, Any]]] = {key: [] for key in KEYS[2:]}
        self.drafts: list[dict[str, Any]] = []
        self.selections: list[str] | None = None
        self.states: dict[str, str] = {}
        self.papers: list[dict[str, Any]] = []
        self.count = 0

    def request(self) -> dict[str, Any]:
        """The whole request: every key answered (an empty Bundle where nothing was said), less what was withheld."""
        prefetch: dict[str, Any] = {"patient": self.patient, "encounter": self.encounter}
        for key, resources in self.entries.items():
            prefetch[key] = bundle(resources)
        for key, state in self.states.items():
            if state == "not sent":
                prefetch.pop(key, None)
            elif state == "failed":
                prefetch[key] = {
                    "resourceType": "OperationOutcome",
                    "issue": [{"severity": "error", "code": "exception"}],
                }
            elif state == "partial":
                prefetch[key]["link"] = [{"relation": "next", "url": "https://ehr.example/next"}]
        if self.papers:
            prefetch["papers"] = bundle(self.papers)
        context: dict[str, Any] = {"userId": "Practitioner/u1", "patientId": "p1", "draftOrders": bundle(self.drafts)}
        if any(paper["resourceType"] == "Encounter" for paper in self.papers):
            context["encounterId"] = "e1"
        if self.hook == "order-select":
            context["selections"] = self.selections or ["MedicationRequest/" + draft["id"] for draft in self.drafts]
        return {
            "hook": self.hook, "hookInstance": "5f1c1c5e-0f0e-4d57-9d3e-2a3b0c8f7a10", "context": context,
            "prefetch": prefetch,
        }  # fmt: skip

    def add(self, sentence: str) -> None:
        for pattern, tell in SENTENCES:
            match = re.fullmatch(pattern, sentence)
            if match:
                tell(self, *match.groups())
                return
        raise NotUnderstoodError(sentence)

    def next_id(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"


def bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}


def concept(name: str, code: str | None) -> dict[str, Any]:
    if code is None:
        return {"text": name}
    if code.startswith("rx "):
        system, code = "http://www.nlm.nih.gov/research/umls/rxnorm", code[3:]
    else:
        system = "http://hl7.org/fhir/sid/icd-10-cm" if code[0].isalpha() else "http://snomed.info/sct"
    return {"coding": [{"system": system, "code": code, "display": name}], "text": name}


def split_mods(text: str | None) -> list[str]:
    return [mod.strip() for mod in (text or "").split(",") if mod.strip()]


# Patient, sources, encounter


def tell_patient(scene: Scene, sex: str | None, age: str | None, born: str | None) -> None:
    assert scene.patient is not None
    if sex:
        scene.patient["gender"] = {"woman": "female", "man": "male"}[sex]
    if age:
        scene.patient["birthDate"] = f"{2026 - int(age)}-01-15"
    if born:
        scene.patient["birthDate"] = born


def withhold_patient(scene: Scene, what: str) -> None:
    assert scene.patient is not None
    scene.patient.pop("birthDate" if what == "birth date" else "gender", None)


def tell_source(scene: Scene, key: str, state: str) -> None:
    if key not in KEYS:
        raise NotUnderstoodError(key)
    scene.states[key] = state


def tell_nothing(scene: Scene) -> None:
    scene.states.update(dict.fromkeys(KEYS, "not sent"))


def tell_encounter(scene: Scene, encounter_class: str | None, name: str | None, code: str | None) -> None:
    encounter = scene.encounter or {"resourceType": "Encounter", "id": "e1", "status": "in-progress"}
    if encounter_class:
        encounter["class"] = {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": encounter_class,
        }  # fmt: skip
    if name:
        encounter.setdefault("reasonCode", []).append(concept(name, code))
    encounter.setdefault("period", {"start": TODAY})
    scene.encounter = encounter


# Conditions, allergies, procedures, observations


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/" + system, "code": code}]}


def tell_condition(scene: Scene, name: str, code: str | None, mods: str | None) -> None:
    condition: dict[str, Any] = {
        "resourceType": "Condition", "id": scene.next_id("c"), "clinicalStatus": coded("condition-clinical", "active"),
        "verificationStatus": coded("condition-ver-status", "confirmed"), "code": concept(name, code),
    }  # fmt: skip
    for mod in split_mods(mods):
        if mod in ("resolved", "inactive", "in remission"):
            status = {"in remission": "remission"}.get(mod, mod)
            condition["clinicalStatus"] = coded("condition-clinical", status)
        elif mod in ("refuted", "provisional", "differential", "entered in error"):
            condition["verificationStatus"] = coded("condition-ver-status", mod.replace(" ", "-"))
        elif match := re.fullmatch(rf"(since|recorded|until) ({DATE})", mod):
            field = {"since": "onsetDateTime", "recorded": "recordedDate", "until": "abatementDateTime"}[match[1]]
            condition[field] = match[2]
        elif mod in ("severe", "mild"):
            code = {"severe": "24484000", "mild": "255604002"}[mod]
            condition["severity"] = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
        elif match := re.fullmatch(r"of the (.+)", mod):
            condition["bodySite"] = [{"text": match[1]}]
        elif mod == "on the encounter":
            condition["category"] = [coded("condition-category", "encounter-diagnosis")]
        else:
            raise NotUnderstoodError(mod)
    scene.entries["conditions"].append(condition)


def tell_allergy(scene: Scene, kind: str, substance: str, mods: str | None) -> None:
    allergy: dict[str, Any] = {
        "resourceType": "AllergyIntolerance", "id": scene.next_id("a"), "code": {"text": substance},
        "clinicalStatus": coded("allergyintolerance-clinical", "active"),
        "type": "intolerance" if kind == "intolerant of" else "allergy",
    }  # fmt: skip
    for mod in split_mods(mods):
        if mod == "refuted":
            allergy["verificationStatus"] = coded("allergyintolerance-verification", "refuted")
        elif mod == "resolved":
            allergy["clinicalStatus"] = coded("allergyintolerance-clinical", "resolved")
        elif mod == "severe":
            allergy["reaction"] = [{"manifestation": [{"text": "reaction"}], "severity": "severe"}]
        elif mod in ("anaphylaxis", "itch", "nausea"):
            allergy["reaction"] = [{"manifestation": [{"text": mod}]}]
        else:
            raise NotUnderstoodError(mod)
    scene.entries["allergies"].append(allergy)


def tell_procedure(scene: Scene, name: str, code: str | None, day: str) -> None:
    procedure = {
        "resourceType": "Procedure", "id": scene.next_id("r"), "status": "completed", "code": concept(name, code),
        "performedDateTime": day,
    }  # fmt: skip
    scene.entries["procedures"].append(procedure)


def tell_observation(scene: Scene, what: str, value: str | None, unit: str | None, day: str) -> None:
    code, default, key = OBSERVED[what]
    observation: dict[str, Any] = {
        "resourceType": "Observation", "id": scene.next_id("o"), "status": "final", "effectiveDateTime": day,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}] if code else [], "text": what},
    }  # fmt: skip
    if value is not None:
        unit = unit or default
        observation["valueQuantity"] = {"value": float(value), "unit": unit, "system": UCUM, "code": unit}
    scene.entries[key].append(observation)


def tell_urine(scene: Scene, analyte: str, answer: str, day: str) -> None:
    code = URINE.get(analyte)
    named: dict[str, Any] = {"text": f"Urine drug screen {analyte}"}
    if code:
        named = {"coding": [{"system": "http://loinc.org", "code": code}], "text": "Urine drug screen"}
    tell_words(scene, named, answer, day)


def tell_said(scene: Scene, what: str, answer: str, day: str) -> None:
    tell_words(scene, {"coding": [{"system": "http://loinc.org", "code": SAID[what]}]}, answer, day)


def tell_due(scene: Scene, due: str, day: str) -> None:
    tell_words(scene, {"coding": [{"system": "http://loinc.org", "code": "11778-8"}]}, None, day)
    scene.entries["labs"][-1]["valueDateTime"] = due


def tell_words(scene: Scene, named: dict[str, Any], answer: str | None, day: str) -> None:
    observation: dict[str, Any] = {
        "resourceType": "Observation", "id": scene.next_id("o"), "status": "final", "effectiveDateTime": day,
        "code": named,
    }  # fmt: skip
    if answer is not None:
        observation["valueCodeableConcept"] = {"text": answer}
    scene.entries["labs"].append(observation)


# Papers


def tell_paper(scene: Scene, kind: str, name: str, status: str | None, day: str | None) -> None:
    resource, name_field, day_field = PAPERS[kind]
    current = {"Consent": "active", "DocumentReference": "current", "CarePlan": "active"}.get(resource, "completed")
    paper: dict[str, Any] = {
        "resourceType": resource, "id": scene.next_id("p"), "status": status or current,
        name_field: name if name_field in ("title", "questionnaire") else {"text": name},
    }  # fmt: skip
    if resource == "Consent":
        paper["category"] = [{"text": name}]
    if day:
        paper[day_field] = day
    scene.papers.append(paper)


def tell_visit(scene: Scene, day: str) -> None:
    visit = {"resourceType": "Encounter", "id": scene.next_id("v"), "status": "finished", "period": {"start": day}}
    scene.papers.append(visit)


# Drugs


def read_dosages(sig: str) -> list[dict[str, Any]]:
    if sig == "no dosage":
        return []
    if match := re.fullmatch(r'text "(.*)"', sig):
        return [{"text": match[1]}]
    steps = sig.split(" then ")
    if len(steps) > 1:
        return [{"sequence": number, **read_step(step)} for number, step in enumerate(steps, start=1)]
    return [read_step(part) for part in sig.split(" and ")]


def read_step(step: str) -> dict[str, Any]:
    dosage: dict[str, Any] = {}
    repeat: dict[str, Any] = {}
    if match := re.search(r" (iv|orally|transdermally|topically)$", step):
        dosage["route"] = {"text": {"iv": "IV", "orally": "oral"}.get(match[1], match[1][:-2])}
        step = step[: match.start()]
    if match := re.search(r" for (\d+) days$", step):
        repeat["boundsDuration"] = {"value": int(match[1]), "unit": "days", "system": UCUM, "code": "d"}
        step = step[: match.start()]
    maximum = re.search(r" max ([\d.]+) a day", step)
    if maximum:
        step = step[: maximum.start()] + step[maximum.end() :]
    if " as needed" in step:
        dosage["asNeededBoolean"] = True
        step = step.replace(" as needed", "")
    match = re.fullmatch(r"([\d.]+)(?:-([\d.]+))? (\S+)(.*)", step)
    if not match:
        raise NotUnderstoodError(step)
    low, high, unit, timing = match.groups()
    unit = unit.removesuffix("s") if unit.removesuffix("s") in COUNTS else unit.replace("patches", "patch")
    if high:
        dose: dict[str, Any] = {"doseRange": {"low": amount(low, unit), "high": amount(high, unit)}}
    else:
        dose = {"doseQuantity": amount(low, unit)}
    dosage["doseAndRate"] = [dose]
    if maximum:
        dosage["maxDosePerPeriod"] = {
            "numerator": amount(maximum[1], unit),
            "denominator": {"value": 1, "unit": "day", "system": UCUM, "code": "d"},
        }
    repeat.update(read_timing(timing.strip()))
    if repeat:
        dosage["timing"] = {"repeat": repeat}
    return dosage


def read_timing(timing: str) -> dict[str, Any]:
    if not timing:
        return {}
    if match := re.fullmatch(r"every (\d+)(?:-(\d+))? hours?", timing):
        repeat: dict[str, Any] = {"frequency": 1, "period": int(match[1]), "periodUnit": "h"}
        if match[2]:
            repeat["periodMax"] = int(match[2])
        return repeat
    if timing == "at night":
        return {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["HS"]}
    if match := re.fullmatch(r"(?:(\d+) times|(\w+(?: times)?)) a (day|week)", timing):
        times = int(match[1]) if match[1] else TIMES.get(match[2])
        if times is not None:
            return {"frequency": times, "period": 1, "periodUnit": {"day": "d", "week": "wk"}[match[3]]}
    raise NotUnderstoodError(timing)


def amount(value: str, unit: str) -> dict[str, Any]:
    number: float | int = float(value) if "." in value else int(value)
    if unit in COUNTS:
        return {"value": number, "unit": unit}
    return {"value": number, "unit": unit, "system": UCUM, "code": unit}


DRUG = r"(.+?)(?: \[([^\]]+)\])?, (no dosage|text \"[^\"]*\"|[\d.][^,]*)"
MODS = r"((?:, [^,]+)*)"


def medication(scene: Scene, letter: str, kind: str, drug: str, code: str | None, sig: str) -> dict[str, Any]:
    where = "dosageInstruction" if kind != "MedicationStatement" else "dosage"
    resource: dict[str, Any] = {
        "resourceType": kind, "id": scene.next_id(letter), "status": "active",
        "medicationCodeableConcept": concept(drug, code), "subject": {"reference": "Patient/p1"},
    }  # fmt: skip
    dosages = read_dosages(sig)
    if dosages:
        resource[where] = dosages
    return resource


def tell_taken(scene: Scene, drug: str, code: str | None, sig: str, mods: str | None) -> None:
    order = medication(scene, "m", "MedicationRequest", drug, code, sig)
    order.update(intent="order", authoredOn="2026-02-01")
    modify(order, split_mods(mods))
    scene.entries["medications"].append(order)


def tell_took(scene: Scene, drug: str, code: str | None, sig: str, first: str, last: str, mods: str | None) -> None:
    order = medication(scene, "m", "MedicationRequest", drug, code, sig)
    order.update(intent="order", authoredOn=first, status="stopped")
    order.setdefault("dosageInstruction", [{}])
    for dosage in order["dosageInstruction"]:
        repeat = dosage.setdefault("timing", {}).setdefault("repeat", {})
        if "boundsDuration" not in repeat:
            repeat["boundsPeriod"] = {"start": first, "end": last}
    modify(order, split_mods(mods))
    scene.entries["medications"].append(order)


def tell_reported(
    scene: Scene, drug: str, code: str | None, sig: str, first: str, last: str | None, mods: str | None
) -> None:
    statement = medication(scene, "s", "MedicationStatement", drug, code, sig)
    statement["effectivePeriod"] = {"start": first} | ({"end": last} if last else {})
    statement["status"] = "completed" if last else "active"
    modify(statement, split_mods(mods))
    scene.entries["statements"].append(statement)


def tell_dispensed(
    scene: Scene, drug: str, code: str | None, sig: str, day: str, supply: str, mods: str | None
) -> None:
    dispense = medication(scene, "x", "MedicationDispense", drug, code, sig)
    dispense.update(status="completed", whenHandedOver=day, daysSupply={"value": int(supply), "unit": "days"})
    modify(dispense, split_mods(mods))
    scene.entries["dispenses"].append(dispense)


def tell_order(scene: Scene, verb: str, drug: str, code: str | None, sig: str, mods: str | None) -> None:
    draft = medication(scene, "d", "MedicationRequest", drug, code, sig)
    draft.update(
        id=f"d{len(scene.drafts) + 1}", status="stopped" if verb == "stops" else "draft", intent="order",
        authoredOn=TODAY,
    )  # fmt: skip
    modify(draft, split_mods(mods))
    scene.drafts.append(draft)


def modify(order: dict[str, Any], mods: list[str]) -> None:
    for mod in mods:
        for pattern, change in MODIFIERS:
            match = re.fullmatch(pattern, mod)
            if match:
                change(order, *match.groups())
                break
        else:
            raise NotUnderstoodError(mod)


def dispense_request(order: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = order.setdefault("dispenseRequest", {})
    return request


def set_supply(order: dict[str, Any], days: str) -> None:
    dispense_request(order)["expectedSupplyDuration"] = {
        "value": int(days),
        "unit": "days",
        "system": UCUM,
        "code": "d",
    }


def set_status(order: dict[str, Any], status: str) -> None:
    order["status"] = status.replace(" ", "-")


def set_since(order: dict[str, Any], day: str) -> None:
    order["effectivePeriod" if "effectivePeriod" in order else "authoredOn"] = (
        {**order["effectivePeriod"], "start": day} if "effectivePeriod" in order else day
    )


def drop(order: dict[str, Any], field: str) -> None:
    order.pop(field, None)


def set_stopped_because(order: dict[str, Any], why: dict[str, Any]) -> None:
    if order["resourceType"] == "MedicationStatement":
        order["statusReason"] = [why]
    else:
        order["statusReason"] = why


def set_reason(order: dict[str, Any], name: str, code: str | None) -> None:
    order.setdefault("reasonCode", []).append(concept(name, code))


MODIFIERS: tuple[tuple[str, Callable[..., None]], ...] = (
    (rf"since ({DATE})", set_since),
    (rf"until ({DATE})", lambda o, day: dispense_request(o).update(validityPeriod={"end": day})),
    (r"for (\d+) days", set_supply),
    (r"(\d+) repeats?", lambda o, n: dispense_request(o).update(numberOfRepeatsAllowed=int(n))),
    (r"(\d+) pieces", lambda o, n: dispense_request(o).update(quantity={"value": int(n), "unit": "tablet"})),
    (r"(stopped|completed|on hold|cancelled|entered in error|draft)", set_status),
    (r"status not sent", lambda o: drop(o, "status")),
    (r"status (\S+)", set_status),
    (r"(plan|proposal)", lambda o, intent: o.update(intent=intent)),
    (r"reported", lambda o: o.update(reportedBoolean=True)),
    (r"failed", lambda o: set_stopped_because(o, NOT_EFFECTIVE)),
    (r"not tolerated", lambda o: set_stopped_because(o, ADVERSE)),
    (r"too costly", lambda o: set_stopped_because(o, {"text": "too costly"})),
    (r"by (\S+)", lambda o, who: o.update(requester={"reference": f"Practitioner/{who}"})),
    (r"because (.+?)(?: \(([^)]+)\))?", set_reason),
    (r"id (\S+)", lambda o, name: o.update(id=name)),
    (r"renewing (\S+)", lambda o, name: o.update(priorPrescription={"reference": f"MedicationRequest/{name}"})),
    (r"authored not sent", lambda o: drop(o, "authoredOn")),
    (r"to take home", lambda o: o.update(category=[{"coding": [{"code": "discharge"}]}])),
)


def select(scene: Scene, names: str) -> None:
    scene.selections = ["MedicationRequest/" + name for name in names.split()]


def set_hook(scene: Scene, hook: str) -> None:
    scene.hook = hook


WHAT = "|".join(sorted(map(re.escape, OBSERVED), key=len, reverse=True))
SENTENCES: tuple[tuple[str, Callable[..., None]], ...] = (
    (rf"(?:(woman|man)(?:, )?)?(?:age (\d+)|born ({DATE}))?", tell_patient),
    (r"(birth date|sex) not sent", withhold_patient),
    (r"nothing sent", tell_nothing),
    (r"(\w+) (not sent|failed|partial)", tell_source),
    (r"hook (\S+)", set_hook),
    (r"selected (.+)", select),
    (r"encounter class (\S+)()()", lambda s, c, *_: tell_encounter(s, c, None, None)),
    (r"encounter for (.+?)(?: \(([^)]+)\))?", lambda s, name, code: tell_encounter(s, None, name, code)),
    (rf"has ([^,]+?)(?: \(([^)]+)\))?{MODS}", tell_condition),
    (rf"(allergic to|intolerant of) ([^,]+){MODS}", tell_allergy),
    (rf"had (.+?)(?: \(([^)]+)\))? on ({DATE})", tell_procedure),
    (rf"urine (\w+) (\w+(?: \w+)?) on ({DATE})", tell_urine),
    (rf"({'|'.join(SAID)}) (\w+(?: \w+)?) on ({DATE})", tell_said),
    (rf"due on ({DATE}), recorded ({DATE})", tell_due),
    (rf"({'|'.join(PAPERS)}) \"([^\"]*)\"(?:, (\S+))?(?: of ({DATE}))?", tell_paper),
    (rf"was seen on ({DATE})", tell_visit),
    (rf"({WHAT})(?: ([\d.]+)(?: (\S+))?)? on ({DATE})", tell_observation),
    (rf"takes {DRUG}{MODS}", tell_taken),
    (rf"took {DRUG}, from ({DATE}) to ({DATE}){MODS}", tell_took),
    (rf"reports {DRUG}, from ({DATE})(?: to ({DATE}))?{MODS}", tell_reported),
    (rf"was dispensed {DRUG}, on ({DATE}), for (\d+) days{MODS}", tell_dispensed),
    (rf"(orders|stops) {DRUG}{MODS}", tell_order),
)


def request_of(sentences: list[str]) -> dict[str, Any]:
    """The hook request that these sentences describe. Raises ``NotUnderstoodError``."""
    scene = Scene()
    for sentence in sentences:
        scene.add(sentence)
    return scene.request()
