"""What the evidence pages show: each rule with its numbers, sources, limits and scenarios; and the ladder as steps."""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from cds.evidence import evidence_of
from cds.first_line import CLASS_NAMES, FIRST_LINE, Agent
from cds.knowledge import GROUPS, UNITS, Knowledge
from hooks.knowledge_version import all_knowledge
from hooks.override_reasons import reasons_for

SCENARIOS = Path(__file__).parent.parent.parent / "tests" / "rules"
"""Beside the program in a checkout; an installed package has none, and the pages leave them out."""

GROUP_NAMES: Mapping[str, str] = {
    "sedation": "Breathing and sedation",
    "interaction": "Interactions",
    "organ": "Organs and history",
    "dose": "Dose",
    "safety": "Safe prescribing",
    "ladder": "The ladder of neuropathic pain",
}
COVERS: Mapping[str, str] = {
    "fires": "It speaks",
    "under": "Just under a number",
    "at": "At a number",
    "over": "Over a number",
    "missing": "A fact is missing",
    "exclusion": "It is excluded",
    "irrelevant": "It has nothing to do with the chart",
    "line": "It is a line in another card",
}
EXPECTED: Mapping[str, str] = {"silent": "says nothing", "cannot tell": "says that it cannot tell"}
WRITTEN_UNITS: Mapping[str, str] = {
    "ml_per_min": "mL/min", "mg_per_day": "mg a day", "mcg_per_day": "µg a day", "mcg_per_hour": "µg an hour",
    "mme_per_day": "MME a day", "percent": "%", "kg_per_m2": "kg/m²", "mmhg": "mmHg", "per_week": "a week",
    "mmol_per_l": "mmol/L", "mg_per_dl": "mg/dL", "mcg": "µg", "count": "", "points": "points",
}  # fmt: skip

ACRONYMS: Mapping[str, str] = {
    "mao": "MAO", "tca": "tricyclic", "paco2": "PaCO₂", "qtc": "QTc", "bmi": "BMI", "egfr": "eGFR", "crcl": "CrCl",
    "alt": "ALT", "ast": "AST", "spo2": "SpO₂", "pdmp": "PDMP", "ort": "ORT", "er": "extended release",
}  # fmt: skip


class Number(Struct, frozen=True):
    """A threshold as it is read: "trial" "28 days". ``local``: no source confirms it."""

    name: str
    value: str
    local: bool


class Step(Struct, frozen=True):
    """One step of the ladder: the state in which it is next, what it asks, and the rules that guard it."""

    state: str
    title: str
    says: str
    rules: tuple[str, ...]


@cache
def rules() -> Mapping[str, Knowledge]:
    """Every rule and gate, in clinical order."""
    known = all_knowledge()
    gates = [name for name in ("G01", "G02", "G03", "G04") if name in known]
    others = sorted((name for name in known if name not in gates), key=lambda name: GROUPS.index(known[name].group))
    return {name: known[name] for name in (*gates, *others)}


def by_group() -> list[tuple[str, str, list[Knowledge]]]:
    """Group, its name, its rules."""
    return [(group, GROUP_NAMES[group], [rule for rule in rules().values() if rule.group == group]) for group in GROUPS]


def rule_named(name: str) -> Knowledge | None:
    """The rule of this id; cards write it without the hyphen ("NP01")."""
    plain = name.upper().replace("-", "")
    return next((rule for rule in rules().values() if rule.id.replace("-", "") == plain), None)


def shown(rule: Knowledge, today: date, scenarios: Path = SCENARIOS) -> dict[str, Any]:
    """What the page of one rule is written from."""
    reasons = reasons_for(rule.id, rule.group) if rule.indicator in ("warning", "critical") else ()
    return {
        "rule": rule,
        "evidence": evidence_of(rule),
        "group": GROUP_NAMES[rule.group],
        "says": _sentences(rule),
        "numbers": [_number(rule, name, value) for name, value in rule.thresholds.items()],
        "reasons": [reason["display"] for reason in reasons],
        "overdue": rule.next_review < today,
        "scenarios": scenarios_of(rule.id, scenarios),
        "steps": ladder_steps() if rule.group == "ladder" else (),
    }


def _sentences(rule: Knowledge) -> list[str]:
    """Every first sentence that a card of this rule can have, its facts as blanks."""
    return list(dict.fromkeys(words.summary for words in rule.words.values())) if rule.indicator else []


def _number(rule: Knowledge, name: str, value: Decimal) -> Number:
    unit = max((unit for unit in UNITS if name == unit or name.endswith("_" + unit)), key=len)
    words = " ".join(ACRONYMS.get(word, word) for word in name.removesuffix(unit).strip("_").split("_"))
    written = WRITTEN_UNITS.get(unit, unit.replace("_", " "))
    return Number(words or "threshold", f"{value.normalize():f} {written}".strip(), name in rule.local)


# Scenarios


@cache
def _all_scenarios(folder: Path) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for path in sorted(folder.glob("*.toml")):
        for scenario in tomllib.loads(path.read_text(encoding="utf-8")).get("scenario", ()):
            found.setdefault(str(scenario["rule"]), []).append(scenario)
    return {rule: tuple(scenarios) for rule, scenarios in found.items()}


def scenarios_of(rule: str, folder: Path = SCENARIOS) -> list[tuple[str, list[tuple[str, str]]]]:
    """What they cover, each with sentence and expected outcome."""
    told = _all_scenarios(folder).get(rule, ())
    return [
        (
            words,
            [
                (one["says"], EXPECTED.get(one["expect"], f"answers {one['expect']}"))
                for one in told
                if one["covers"] == covers
            ],
        )
        for covers, words in COVERS.items()
        if any(one["covers"] == covers for one in told)
    ]


# The ladder


@cache
def ladder_steps() -> tuple[Step, ...]:
    """The ladder of CLINICAL.md section 3, whoever the patient is; its numbers are those of the rules."""
    first, pair, tramadol, strong = (rules()[name] for name in ("NP-01", "NP-03", "NP-04", "NP-09"))
    return (
        Step(
            "S0",
            "One first-line class",
            f"A gabapentinoid, an SNRI or a tricyclic: {first.days('trial_days')} days at a working dose, or"
            f" {first.days('failed_trial_days')} where it failed or was not tolerated.",
            ("NP-01", "NP-05", "NP-06", "NP-07"),
        ),
        Step(
            "S1", "A second class", "After a partial response it is added, after a failure it takes over.", ("NP-02",)
        ),
        Step(
            "S2",
            "Two classes together",
            f"{pair.days('overlap_days')} days together, each at its working dose.",
            ("NP-03",),
        ),
        Step(
            "S3",
            "Tramadol",
            f"{tramadol.days('tramadol_trial_days')} days at {tramadol.number('tramadol_mg_per_day'):f} mg a day,"
            " where it suits the patient.",
            ("NP-04", "NP-14"),
        ),
        Step(
            "S4",
            "A strong opioid, with an end",
            f"The lowest dose that helps, for a limited time; reviewed within {strong.days('review_days')} days.",
            ("NP-09",),
        ),
    )


def agents() -> list[tuple[Agent, str]]:
    """The first-line agents with the name of their class."""
    return [(agent, CLASS_NAMES[agent.drug_class]) for agent in FIRST_LINE.values()]


def catalogue() -> dict[str, dict[str, str]]:
    """Title, group and indicator of every rule by id, for the order entry page."""
    return {
        rule.id: {"title": rule.title, "group": GROUP_NAMES[rule.group], "indicator": rule.indicator or "none"}
        for rule in rules().values()
    }
