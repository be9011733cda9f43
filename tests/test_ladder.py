"""The words and facts of the ladder: every card can be written from what its rule tells."""

import json
import string
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cds.case import Case
from cds.knowledge import SUMMARY_LIMIT, Words, load_group
from cds.ladder_view import trial_facts, view
from cds.outcome import DoesNotApply, Fires, Outcome
from cds.rules.ladder import RULES
from cds.tramadol import Suitability, suitability
from cds.trials import Trial
from hooks.signing import read_signing
from tests.builders import case, chart, draft, seen, tablet
from tests.sentences import TODAY, request_of

KNOWLEDGE = load_group("ladder")
SCENARIOS = [
    scenario
    for path in sorted((Path(__file__).parent / "rules").glob("ladder*.toml"))
    for scenario in tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]
]
ALTERNATIVE = "nortriptyline"
NOT_CARDS = {
    ("NP-01", "evidence"), ("NP-01", "evidence_oxycodone"), ("NP-03", "evidence_tca"), ("NP-03", "evidence_snri"),
}  # fmt: skip
OLD = "more than 5 years ago (not counted)"
LONGEST_FACT = 120
"""A fact longer than this is cut where it is shown."""


@cache
def outcomes() -> tuple[tuple[str, str, Outcome], ...]:
    """Every rule's outcome in every scenario of the ladder, with what the scenario says."""
    found = []
    for scenario in SCENARIOS:
        signing = read_signing(json.dumps(request_of(scenario["chart"])).encode(), date.fromisoformat(TODAY))
        whole = signing.case
        for opioid in whole.judged:
            found += [
                (rule, f"{scenario['rule']}: {scenario['says']}", answer(whole, opioid)) for rule, answer in RULES
            ]
    return tuple(found)


def fired() -> list[tuple[str, str, Fires]]:
    return [(rule, says, outcome) for rule, says, outcome in outcomes() if isinstance(outcome, Fires)]


def fill(words: Words, facts: dict[str, str]) -> list[str]:
    facts = facts | {"alternative": ALTERNATIVE}
    return [getattr(words, part).format_map(facts) for part in ("summary", "detail", "line")]


def test_every_card_can_be_filled_and_is_short() -> None:
    for rule, says, outcome in fired():
        entry = KNOWLEDGE[rule]
        for name in (outcome.words, outcome.words + "_no_alternative"):
            if name not in entry.words:
                assert name != outcome.words, (rule, says, name)
                continue
            summary, detail, line = fill(entry.words[name], dict(outcome.facts))
            assert len(summary) <= SUMMARY_LIMIT, (rule, says, summary)
            assert "{" not in summary + detail + line
            assert "  " not in summary and ".." not in detail, (rule, says, detail)


def test_every_fact_is_a_text_that_is_shown_whole() -> None:
    for rule, says, outcome in fired():
        for name, value in outcome.facts.items():
            assert value and isinstance(value, str), (rule, says, name)
            assert name == name.casefold() and name.isidentifier()
            assert len(value) <= LONGEST_FACT, (rule, says, name, value)


def test_no_wording_is_without_a_scenario() -> None:
    used = {(rule, outcome.words) for rule, _, outcome in fired()}
    used |= {(rule, "unknown") for rule in ("NP-05",)}
    for rule, entry in KNOWLEDGE.items():
        for name in entry.words:
            if rule.startswith("NP") and not name.endswith("_no_alternative") and (rule, name) not in NOT_CARDS:
                assert (rule, name) in used, f"{rule}: no scenario reaches the wording {name}"


def test_the_steps_exclude_each_other() -> None:
    by_case: dict[str, list[str]] = {}
    for rule, says, _ in fired():
        if rule in ("NP-01", "NP-02", "NP-03", "NP-04"):
            by_case.setdefault(says, []).append(rule)
    assert all(len(set(rules)) == 1 for rules in by_case.values()), by_case


def test_the_ladder_is_never_critical_and_its_notes_are_information() -> None:
    for rule, _, outcome in fired():
        assert outcome.indicator in ("warning", "info")
        if rule not in ("NP-01", "NP-02", "NP-03", "NP-04", "NP-05", "NP-06"):
            assert outcome.indicator == "info"


def test_a_wording_without_an_alternative_names_none() -> None:
    for entry in KNOWLEDGE.values():
        for name, words in entry.words.items():
            fields = {field for _, field, _, _ in string.Formatter().parse(words.summary) if field}
            assert name.endswith("_no_alternative") <= ("alternative" not in fields)
            if "alternative" in fields:
                assert f"{name}_no_alternative" in entry.words, (entry.id, name)


def test_no_word_reassures_about_tramadol() -> None:
    for entry in KNOWLEDGE.values():
        for words in entry.words.values():
            text = f"{words.summary} {words.detail} {words.line}".casefold()
            assert "lower abuse" not in text and "safer" not in text and "less addictive" not in text


def test_oxycodone_names_the_cochrane_review() -> None:
    told = {outcome.facts["drug"]: outcome.facts["evidence"] for rule, _, outcome in fired() if rule == "NP-01"}
    assert "Cochrane" in told["oxycodone"]
    assert "Cochrane" not in told["tramadol"]


def test_rules_stand_in_clinical_order_with_their_knowledge() -> None:
    assert [rule for rule, _ in RULES] == [f"NP-{number:02}" for number in range(1, 16)]
    assert set(KNOWLEDGE) == {"G02", "G03", *(rule for rule, _ in RULES)}
    for _, answer in RULES:
        assert (answer.__doc__ or "").count(".") == 1


@pytest.mark.parametrize(
    ("trial", "told"),
    [
        (Trial("NONE"), "not on record"),
        (Trial("UNSUITABLE", outcome="contraindication"), "contraindicated today"),
        (
            Trial("NONE", "gabapentin", shortfall="older than 5 years"),
            "gabapentin, more than 5 years ago (not counted)",
        ),
        (Trial("UNSUITABLE", "duloxetine", outcome="allergy"), "duloxetine, allergy on record"),
        (Trial("PARTIAL", "gabapentin", shortfall="duration not known"), "gabapentin duration not known"),
        (
            Trial("ADEQUATE", "gabapentin", shortfall="dose not known", taken_days=40, start=date(2026, 1, 2)),
            "gabapentin dose not known for 40 days (from 2026-01-02)",
        ),
    ],
)
def test_a_trial_in_words(trial: Trial, told: str) -> None:
    assert trial_facts("tca", trial)["tca_history"] == told


def test_a_partner_drug_is_none_of_the_ladders_business() -> None:
    sedative: Any = draft("d1", tablet("alprazolam"))
    alone = Case([sedative], chart(), date.fromisoformat(TODAY))
    for _, answer in RULES:
        assert answer(alone, sedative) == DoesNotApply("no opioid")
    assert view(alone, sedative) is view(alone, sedative)


def suits(*facts: str) -> Suitability:
    request = request_of([*facts, "orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours, for 7 days"])
    signing = read_signing(json.dumps(request).encode(), date.fromisoformat(TODAY))
    return suitability(signing.case, signing.drafts[0])


ONCE = "1 capsule once a day, since 2026-01-01"


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ("has alcohol withdrawal (F10.230)", "withdrawal of alcohol or a drug (seizures)"),
        ("takes buprenorphine 0.01 mg/hr transdermal system, 1 patch once a week", "buprenorphine is taken"),
        (f"takes nortriptyline 50 mg oral capsule, {ONCE}", "nortriptyline (serotonergic)"),
        (f"takes nortriptyline 25 mg oral capsule, {ONCE}", "nortriptyline (serotonergic)"),
        (f"takes duloxetine 60 mg delayed release oral capsule, {ONCE}", "duloxetine (serotonergic)"),
        ("takes linezolid 600 mg oral tablet, 1 tablet twice a day, since 2026-02-25", "linezolid (MAO inhibitor)"),
    ],
)
def test_what_speaks_against_tramadol(fact: str, reason: str) -> None:
    assert suits(fact).reasons == (reason,)


@pytest.mark.parametrize(
    "fact",
    [
        "takes sertraline 50 mg oral tablet, 1 tablet once a day, stopped, since 2025-01-01",
        "takes fentanyl 0.025 mg/hr transdermal system, 1 patch every 72 hours, since 2026-02-20",
        "takes something unheard of, 1 tablet once a day",
        "takes codeine 10 mg / guaifenesin 100 mg per 5 mL oral solution, 5 mL every 6 hours, since 2026-02-25",
        "takes amoxicillin 500 mg oral capsule, 1 capsule three times a day",
        "PaCO2 40 on 2026-02-25",
    ],
)
def test_what_does_not(fact: str) -> None:
    assert suits(fact) == Suitability((), ())


@pytest.mark.parametrize(("text", "reasons"), [("Poor metabolizer", ("CYP2D6 phenotype",)), ("normal metabolizer", ())])
def test_a_recorded_metabolizer(text: str, reasons: tuple[str, ...]) -> None:
    opioid = draft("d1", tablet("oxycodone 5"))
    measured = seen("cyp2d6_phenotype", None, text=text)
    assert suitability(case(opioid, observations=(measured,)), opioid).reasons == reasons


def test_an_end_on_the_order_is_a_limit() -> None:
    pair = [
        "took gabapentin 300 mg oral capsule, 1 capsule three times a day, from 2025-06-01 to 2025-07-31, failed",
        "took nortriptyline 25 mg oral capsule, 1 capsule at night, from 2025-06-15 to 2025-07-31, failed",
        "intolerant of tramadol",
        "orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours, because painful diabetic neuropathy (E11.42)",
    ]
    signing = read_signing(json.dumps(request_of(pair)).encode(), date.fromisoformat(TODAY))
    (opioid,) = signing.drafts
    limited = replace(opioid, end=date.fromisoformat(TODAY))
    rule = dict(RULES)["NP-09"]
    assert isinstance(rule(Case([opioid], signing.chart, signing.today), opioid), Fires)
    assert rule(Case([limited], signing.chart, signing.today), limited) == DoesNotApply("limited")


def test_a_drug_that_is_not_recognised_is_no_topical() -> None:
    request = request_of(
        [
            "takes something unheard of, 1 tablet once a day",
            "orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours, because postherpetic neuralgia (B02.29)",
        ]
    )
    signing = read_signing(json.dumps(request).encode(), date.fromisoformat(TODAY))
    assert isinstance(dict(RULES)["NP-08"](signing.case, signing.case.judged[0]), Fires)
