"""Which cards are made of a review, what they say, and that nothing from outside is ever markup."""

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.findings import NOT_CHECKED, Asked, Finding, Rule, Said
from cds.knowledge import Change, Knowledge, KnowledgeError, Source, Words
from cds.orders import PlainOrder, Proposal, Proposals, Update
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.review import OrderView, Review
from hooks import card_text, override_reasons
from hooks.card_choice import choose
from hooks.card_text import fill, plain
from hooks.cards import Manner, Renderer
from hooks.dialects import DIALECT_1, DIALECT_2

GROUPS = {"DD-01": "sedation", "DD-04": "sedation", "DD-03": "sedation", "DD-07": "interaction", "DD-15": "organ",
          "DD-23": "dose", "SAF-01": "safety", "SAF-07": "safety", "SAF-12": "safety", "G04": "safety"}  # fmt: skip
ORDER = "MedicationRequest/d1"
NAMESPACE = UUID("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")


def group_of(rule: str) -> str:
    return GROUPS.get(rule, "ladder")


def known(rule: str, **words: Words) -> Knowledge:
    usual = Words(f"{rule} with {{partner}}.", f"**{rule}** because of {{partner}}.", f"{rule}: line on {{partner}}.")
    return Knowledge(
        id=rule, group=group_of(rule), title=f"Title of {rule}", indicator="warning",
        words=MappingProxyType({"default": usual, **words}),
        thresholds=MappingProxyType({"gap_days": Decimal(14)}), local=frozenset({"gap_days"}),
        sources=(
            Source(f"Label {rule}", f"https://example.org/{rule}", "Says so"),
            Source("Other", "https://example.org/o", "Says it, too."),
        ), seed=(), looks_at="x",
        cannot_know="y", strength="strong", reviewed=date(2026, 1, 1), next_review=date(2027, 1, 1),
        changes=(Change(date(2026, 1, 1), "first"),), file="x.toml",
    )  # fmt: skip


RULES = [*GROUPS, "NP-01", "NP-02", "NP-08", "NP-09", "NP-12", "NP-15"]
RENDERER = Renderer({rule: known(rule) for rule in RULES}, "test")


def finding(rule: str, indicator: Any = "warning", **more: Any) -> Finding:
    facts = {"partner": "alprazolam", **more.pop("facts", {})}
    if rule == "G04":
        facts.setdefault("touches_critical", "yes")
    return Finding(rule, group_of(rule), indicator, facts, more.pop("words", "default"), ORDER, **more)


def review_of(*findings: Finding, **more: Any) -> Review:
    ranks = ["critical", "warning", "info"]
    groups = ["sedation", "interaction", "organ", "dose", "safety", "ladder"]
    ordered = sorted(findings, key=lambda f: (ranks.index(f.indicator), groups.index(f.group), f.rule, f.order))
    return Review(in_scope=(ORDER,), findings=tuple(ordered), **more)


class Writing:
    """Stands in for the writer of FHIR resources; ``none`` is a version that has no created orders."""

    def __init__(self, none: bool = False) -> None:
        self.none = none

    def create(self, order: PlainOrder) -> Mapping[str, Any] | None:
        return None if self.none else {"resourceType": "MedicationRequest", "text": order.text}

    def update(self, change: Update) -> Mapping[str, Any] | None:
        return None if self.none else {"resourceType": "MedicationRequest", "id": change.ref}


def manner(**more: Any) -> Manner:
    return Manner(**{"hook": "order-sign", "dialect": DIALECT_2, "namespace": NAMESPACE.bytes, **more})


def render(review: Review, writer: Writing | None = None, **more: Any) -> dict[str, Any]:
    answer = RENDERER.render(review, manner(**more), writer or Writing())
    assert not list(empties(answer)), answer
    for card in answer["cards"]:
        assert 0 < len(card["summary"]) <= 139
        assert card["detail"].endswith("\n\nClinical judgment decides.")
    return answer


def empties(value: Any, at: str = "") -> Any:
    """Every null and empty value but ``cards: []`` and ``inScope: []``."""
    if value in (None, "", [], {}) and not at.endswith((".cards", ".inScope")):
        yield at
    if isinstance(value, dict):
        for name, part in value.items():
            yield from empties(part, f"{at}.{name}")
    if isinstance(value, list):
        for part in value:
            yield from empties(part, at + "[]")


def rules_of(answer: dict[str, Any]) -> list[list[str]]:
    return [[f["rule"] for f in card["extension"]["firstline.findings"]] for card in answer["cards"]]


def creating(rule: str = "NP-01", text: str = "gabapentin 300 MG Oral Capsule", **more: Any) -> Proposal:
    order = PlainOrder("medication", text, "310431", None, ingredient=text.split()[0])
    return Proposal(more.pop("ask", "first_line"), group_of(rule), rule, f"Start {text}", create=order, **more)


# Which cards


def test_one_card_for_a_group_and_the_highest_leads() -> None:
    answer = render(review_of(finding("DD-04"), finding("DD-01", "critical"), finding("DD-03", "info")))
    assert rules_of(answer) == [["DD-01", "DD-04", "DD-03"]]
    [card] = answer["cards"]
    assert card["indicator"] == "critical"
    assert "- DD-04: line on alprazolam." in card["detail"]


def test_cards_go_by_indicator_then_by_clinical_order() -> None:
    answer = render(review_of(finding("NP-01"), finding("DD-23", "critical"), finding("DD-04")))
    assert rules_of(answer) == [["DD-23"], ["DD-04"], ["NP-01"]]


def test_three_cards_at_most_and_the_rest_is_told_in_the_last() -> None:
    found = [finding("DD-01", "critical"), finding("DD-07"), finding("DD-15"), finding("DD-23"), finding("NP-01")]
    answer = render(review_of(*found, finding("NP-08", "info")))
    assert rules_of(answer) == [["DD-01"], ["DD-07"], ["DD-15", "DD-23", "NP-01"]]
    assert "Also:\n\n- DD-23: line on alprazolam.\n- NP-01: line on alprazolam." in answer["cards"][2]["detail"]
    listed = answer["extension"]["firstline.review"]["findings"]
    assert [entry["rule"] for entry in listed] == ["DD-01", "DD-07", "DD-15", "DD-23", "NP-01", "NP-08"]
    uuids = [card["uuid"] for card in answer["cards"]]
    assert [entry.get("card") for entry in listed] == [uuids[0], uuids[1], uuids[2], uuids[2], uuids[2], None]


def test_the_remedy_leads_where_the_ladder_has_no_card() -> None:
    naloxone = creating("DD-01", "naloxone 4 MG nasal spray", ask="naloxone")
    offered = Proposals({"ladder": (creating(),), "sedation": (naloxone,)})
    found = [finding("DD-01", "critical"), finding("DD-07"), finding("DD-15"), finding("NP-01")]
    answer = render(review_of(*found, proposals=offered))
    labels = [suggestion["label"] for suggestion in answer["cards"][0]["suggestions"]]
    assert labels == ["Start gabapentin 300 MG Oral Capsule", "Start naloxone 4 MG nasal spray"]
    fewer = render(review_of(*found[1:], proposals=offered))
    assert "suggestions" not in fewer["cards"][0]


def test_naloxone_and_laxative_join_the_first_danger() -> None:
    naloxone = creating("SAF-01", "naloxone 4 MG nasal spray", ask="naloxone")
    offered = Proposals({"safety": (naloxone,)})
    found = [finding("NP-01", "critical"), finding("DD-04"), finding("SAF-01"), finding("SAF-07", "info")]
    answer = render(review_of(*found, proposals=offered))
    assert rules_of(answer) == [["NP-01"], ["DD-04", "SAF-01", "SAF-07"]]
    assert [s["label"] for s in answer["cards"][1]["suggestions"]] == ["Start naloxone 4 MG nasal spray"]


def test_a_joined_finding_leaves_the_safety_card() -> None:
    naloxone = creating("SAF-01", "naloxone 4 MG nasal spray", ask="naloxone")
    offered = Proposals({"safety": (naloxone,)})
    answer = render(review_of(finding("DD-01", "critical"), finding("SAF-01"), finding("SAF-12"), proposals=offered))
    assert rules_of(answer) == [["DD-01", "SAF-01"], ["SAF-12"]]
    assert "suggestions" not in answer["cards"][1]
    alone = render(review_of(finding("SAF-01"), finding("SAF-12", "critical"), proposals=offered))
    assert rules_of(alone) == [["SAF-12", "SAF-01"]]
    assert "suggestions" in alone["cards"][0]


def test_naloxone_keeps_its_place_beside_four_other_suggestions() -> None:
    four = tuple(creating("DD-01", f"drug{number} 1 MG Oral Tablet", ask=f"ask{number}") for number in range(4))
    late = creating("DD-23", "naloxone 4 MG Nasal Spray", ask="naloxone")
    found = review_of(
        finding("DD-01", "critical"),
        finding("DD-23"),
        finding("SAF-01"),
        proposals=Proposals({"sedation": four, "dose": (late,)}),
    )
    first, second = render(found)["cards"]
    labels = [suggestion["label"] for suggestion in first["suggestions"]]
    assert len(labels) == 4 and labels[-1] == "Start naloxone 4 MG Nasal Spray"
    assert "suggestions" not in second


def test_what_joins_a_danger_does_not_lead_it() -> None:
    answer = render(review_of(finding("SAF-01"), finding("SAF-07"), finding("SAF-12")))
    assert rules_of(answer) == [["SAF-12", "SAF-01", "SAF-07"]]
    alone = render(review_of(finding("SAF-01"), finding("SAF-12", "info")))
    assert rules_of(alone) == [["SAF-01", "SAF-12"]]


def test_beside_the_ladder_they_are_a_line_without_a_suggestion() -> None:
    offered = Proposals({"safety": (creating("SAF-01", "naloxone", ask="naloxone"),)})
    answer = render(review_of(finding("NP-01"), finding("SAF-01"), proposals=offered))
    assert rules_of(answer) == [["NP-01", "SAF-01"]]
    assert "suggestions" not in answer["cards"][0]


def test_they_make_a_safety_card_where_nothing_else_is_shown() -> None:
    offered = Proposals({"safety": (creating("SAF-01", "naloxone", ask="naloxone"),)})
    answer = render(review_of(finding("SAF-01"), finding("SAF-07", "info"), proposals=offered))
    assert rules_of(answer) == [["SAF-01", "SAF-07"]]
    assert answer["cards"][0]["suggestions"][0]["label"] == "Start naloxone"
    assert render(review_of(finding("SAF-07", "info")))["cards"] == []


@pytest.mark.parametrize("rule", ["DD-03", "NP-08", "SAF-07"])
def test_information_alone_never_interrupts(rule: str) -> None:
    answer = render(review_of(finding(rule, "info")))
    assert answer["cards"] == []
    assert [entry["rule"] for entry in answer["extension"]["firstline.review"]["findings"]] == [rule]


@pytest.mark.parametrize("rule", ["NP-09", "NP-12", "NP-14", "NP-15", "G04"])
def test_five_may_make_one_info_card_when_signing(rule: str) -> None:
    renderer = Renderer({**RENDERER.knowledge, "NP-14": known("NP-14")}, "test")
    found = review_of(
        finding(rule, "info"), finding("NP-08", "info"), proposals=Proposals({"ladder": (creating(recommended=True),)})
    )
    [card] = renderer.render(found, manner(), Writing())["cards"]
    assert card["indicator"] == "info"
    assert "overrideReasons" not in card
    assert not any(suggestion.get("isRecommended") for suggestion in card.get("suggestions", []))
    assert renderer.render(found, manner(hook="order-select"), Writing())["cards"] == []
    without = renderer.render(found, manner(info_cards=False), Writing())["cards"]
    assert len(without) == (rule == "G04")


def test_what_could_not_be_assessed_is_a_line_of_the_info_card() -> None:
    found = review_of(finding("NP-15", "info"), finding("G04", "info"), finding("SAF-07", "info"))
    assert rules_of(render(found)) == [["NP-15", "G04", "SAF-07"]]
    assert rules_of(render(found, info_cards=False)) == [["G04", "SAF-07"]]


def test_what_touches_no_critical_rule_makes_no_card() -> None:
    assert rules_of(render(review_of(finding("G04", "info", facts={"touches_critical": "no"})))) == []


def test_what_could_not_be_assessed_is_a_line_of_the_highest_card() -> None:
    found = review_of(finding("G04", "info"), finding("DD-23"), finding("SAF-12"))
    assert rules_of(render(found)) == [["DD-23", "G04"], ["SAF-12"]]


def test_a_failed_rule_is_a_card_where_nothing_else_is_shown() -> None:
    failed = Said("NP-01", "ladder", NOT_CHECKED, {})
    [card] = render(review_of(said=(failed,), not_assessed=("NP-01: not checked",)))["cards"]
    assert card["summary"].startswith("Firstline could not check")
    assert "Not checked because of an error inside Firstline: Title of NP-01." in card["detail"]
    [shown] = render(review_of(finding("DD-01"), said=(failed,)))["cards"]
    assert "Not checked because of an error inside Firstline: Title of NP-01." in shown["detail"]


# Words


def test_the_detail_says_reason_unknowns_basis_and_who_decides() -> None:
    unknown = finding("DD-01", unknown=("medications: not provided", "dose of MedicationRequest/9: no strength", "odd"))
    notes = Proposals(notes={"sedation": ("No <order> is offered.",)})
    said = Said("DD-23", "dose", "default", {"partner": "the dose"})
    answer = render(review_of(unknown, said=(said,), unrecognised=("drug *x*",), proposals=notes))
    assert answer["cards"][0]["detail"].split("\n\n") == [
        "**DD-01** because of alprazolam.",
        "DD-23: line on the dose.",
        "Not recognised, so not checked: drug \\*x\\*.",
        "Not known: medication list (not provided); dose of MedicationRequest (no strength); odd.",
        "No &lt;order&gt; is offered.",
        "Basis: [Label DD-01](https://example.org/DD-01), [Other](https://example.org/o). Strong.",
        "Clinical judgment decides.",
    ]


def test_what_a_wording_says_is_unknown_is_said_once() -> None:
    words = Words("Not known: {not_known}.", "Not known: {not_known}.", "x")
    renderer = Renderer({"DD-01": known("DD-01", default=words)}, "t")
    entries = ("medications: not provided", "egfr: older than 365 days", "alcohol use")
    found = review_of(finding("DD-01", facts={"not_known": "; ".join(entries)}, unknown=entries))
    [card] = renderer.render(found, manner(), Writing())["cards"]
    assert (
        card["summary"]
        == "Not known: medication list: not provided; kidney function: older than 365 days; alcohol use."
    )
    assert card["detail"].count("not provided") == 1


def test_a_fact_that_opens_a_sentence_has_a_capital() -> None:
    words = Words("{partner} and more.", "{partner}.", "{partner}.")
    [card] = Renderer({"DD-01": known("DD-01", default=words)}, "t").render(
        review_of(finding("DD-01")), manner(), Writing()
    )["cards"]
    assert card["summary"] == "Alprazolam and more."
    assert fill("{a} is low.", {"a": "eGFR 22"}, plain) == "eGFR 22 is low."


def test_the_alternative_is_named_by_the_ladder_s_order() -> None:
    words = {
        "default": Words("Try {alternative} first.", "Try {alternative}.", "x"),
        "default_no_alternative": Words("No order offered.", "None.", "x"),
    }
    renderer = Renderer({"NP-01": known("NP-01", **words), "NP-02": known("NP-02", default=words["default"])}, "t")
    offered = Proposals({"ladder": (creating(text="pregabalin 75 MG"), creating(recommended=True))})
    shown = [
        renderer.render(review_of(finding(rule), proposals=proposals), manner(), Writing())["cards"][0]["summary"]
        for rule, proposals in (("NP-01", offered), ("NP-01", Proposals()), ("NP-02", Proposals()))
    ]
    assert shown == ["Try gabapentin first.", "No order offered.", "Try a first-line drug first."]


def test_a_wording_that_cannot_be_filled_is_still_said() -> None:
    words = Words("About {nothing}.", "About {nothing}.", "About {nothing}.")
    renderer = Renderer({rule: known(rule, default=words) for rule in ("DD-01", "DD-04")}, "t")
    said = (Said("DD-01", "sedation", "default", {}), Said("DD-01", "sedation", "not there", {}))
    found = review_of(finding("DD-01"), finding("DD-04"), said=said)
    [card] = renderer.render(found, manner(), Writing())["cards"]
    assert card["summary"] == "Title of DD-01"
    assert "Title of DD-01. partner: alprazolam" in card["detail"]
    assert "- Title of DD-04." in card["detail"]
    assert card["detail"].count("Could not be told: Title of DD-01.") == 1


def test_a_long_summary_is_cut_at_a_word() -> None:
    [card] = render(review_of(finding("DD-01", facts={"partner": "a long name " * 30})))["cards"]
    assert len(card["summary"]) <= 139
    assert card["summary"].endswith(("a…", "long…", "name…"))
    assert card_text.shorten("x" * 200) == "x" * 138 + "…"


HOSTILE = (
    "<iframe srcdoc='x'></iframe> [a](javascript:b) **b** `c` # d | e"
    " ![f](https://evil.example/g) www.evil.example\n\n- h"
)


def test_nothing_from_outside_is_markup() -> None:
    found = review_of(
        finding("DD-01", facts={"partner": HOSTILE}),
        finding("DD-04", facts={"partner": HOSTILE}),
        unrecognised=(HOSTILE,),
    )
    [card] = render(found)["cards"]
    for part in (card["summary"], card["detail"]):
        assert "<" not in part
    unescaped = re.findall(r"(?<!\\)[\[`|!#]", card["detail"].partition("Basis:")[0])
    assert unescaped == []
    assert "https://evil" not in card["detail"]
    assert "www.evil" not in card["detail"]


@given(st.text(max_size=300))
def test_escaped_text_is_one_line_without_markup(text: str) -> None:
    escaped = card_text.escape(text)
    assert "\n" not in escaped
    assert "\r" not in escaped
    assert not re.search(r"[<>]|(?<!\\)(\\\\)*[*_`\[\]|#!]|&(?!lt;|gt;|amp;)", escaped)
    summary = card_text.plain(text)
    assert summary == " ".join(summary.split())
    assert not set("<>\0") & set(summary)


def test_plain_words_stay_as_they_are() -> None:
    assert card_text.escape("oxycodone hydrochloride 5 MG") == "oxycodone hydrochloride 5 MG"
    assert card_text.escape("- x") == "\\- x"
    assert card_text.escape("COPD (age 70)") == "COPD (age 70)"
    assert [card_text.escape(text) for text in ("1. x", "12) x", "1.5 mg", "2(b)")] == [
        "1\\. x", "12\\) x", "1.5 mg", "2(b)",
    ]  # fmt: skip
    assert card_text.plain("eGFR <30  and\tmore") == "eGFR ‹30 and more"


# Suggestions and dialects


def test_actions_create_first_and_delete_last() -> None:
    replace = creating(recommended=True, delete=ORDER)
    change = Proposal("half_dose", "ladder", "NP-01", "Half the dose", update=Update(ORDER, dose_factor=Decimal("0.5")))
    [card] = render(review_of(finding("NP-01"), proposals=Proposals({"ladder": (replace, change)})))["cards"]
    first, second = card["suggestions"]
    assert [(action["type"], action.get("resourceId")) for action in first["actions"]] == [
        ("create", None),
        ("delete", ORDER),
    ]
    assert first["isRecommended"] is True
    assert "isRecommended" not in second
    assert [action["type"] for action in second["actions"]] == ["update"]
    assert card["selectionBehavior"] == "at-most-one"
    assert all(action["description"] for suggestion in card["suggestions"] for action in suggestion["actions"])


def test_an_order_that_the_first_needs_is_created_with_it() -> None:
    ecg = PlainOrder("service", "12-lead electrocardiogram", None, None)
    [card] = render(review_of(finding("NP-01"), proposals=Proposals({"ladder": (creating(delete=ORDER, also=ecg),)})))[
        "cards"
    ]
    assert [(action["type"], action["description"]) for action in card["suggestions"][0]["actions"]] == [
        ("create", "Order gabapentin 300 MG Oral Capsule"),
        ("create", "Order 12-lead electrocardiogram"),
        ("delete", "Remove the draft order"),
    ]


def test_a_version_without_created_orders_gets_deletes_and_text() -> None:
    delete = Proposal("delete", "ladder", "NP-01", "Do not start oxycodone", delete=ORDER)
    change = Proposal("half_dose", "ladder", "NP-01", "Half the dose", update=Update(ORDER))
    offered = Proposals({"ladder": (creating(delete=ORDER), change, delete)})
    [card] = render(review_of(finding("NP-01"), proposals=offered), Writing(none=True))["cards"]
    assert [suggestion["label"] for suggestion in card["suggestions"]] == ["Do not start oxycodone"]
    assert "To consider: Start gabapentin 300 MG Oral Capsule" in card["detail"]


def test_four_suggestions_at_most_and_none_twice() -> None:
    drugs = ["gabapentin", "gabapentin", "pregabalin", "duloxetine", "nortriptyline", "desipramine"]
    offered = Proposals({"ladder": tuple(creating(text=drug) for drug in drugs)})
    [card] = render(review_of(finding("NP-01"), proposals=offered))["cards"]
    assert [s["label"] for s in card["suggestions"]] == [f"Start {drug}" for drug in dict.fromkeys(drugs)][:4]
    assert len({s["uuid"] for s in card["suggestions"]}) == 4


def test_a_proposal_without_actions_is_text() -> None:
    [card] = render(
        review_of(finding("NP-01"), proposals=Proposals({"ladder": (Proposal("x", "ladder", "NP-01", "Refer"),)}))
    )["cards"]
    assert "suggestions" not in card
    assert "To consider: Refer" in card["detail"]


def test_the_first_dialect_has_none_of_the_second_s_fields() -> None:
    offered = Proposals({"ladder": (creating(recommended=True, delete=ORDER),)})
    newer = render(review_of(finding("NP-01"), proposals=offered))["cards"][0]
    [older] = render(review_of(finding("NP-01"), proposals=offered), hook="medication-prescribe", dialect=DIALECT_1)[
        "cards"
    ]
    assert older["extension"]["firstline.uuid"] == newer["uuid"]
    assert not {"uuid", "overrideReasons"} & set(older)
    assert "topic" not in older["source"]
    text = json.dumps(older)
    assert "isRecommended" not in text
    assert "resourceId" not in text
    assert older["suggestions"][0]["actions"][1]["resource"] == ORDER
    assert older["suggestions"][0]["uuid"] == newer["suggestions"][0]["uuid"]
    assert older["selectionBehavior"] == "at-most-one"


def test_source_topic_and_evidence_link() -> None:
    [card] = render(review_of(finding("DD-01")), public_url="https://cds.example.org/")["cards"]
    assert card["source"] == {
        "label": "Label DD-01",
        "url": "https://example.org/DD-01",
        "topic": {"system": "urn:firstline:rule", "code": "DD01", "display": "Title of DD-01"},
    }
    assert card["links"] == [
        {"label": "Evidence: Title of DD-01", "url": "https://cds.example.org/evidence/DD-01", "type": "absolute"}
    ]


def test_override_reasons_fit_the_rule_and_each_has_a_display() -> None:
    [card] = render(review_of(finding("SAF-01")))["cards"]
    assert card["overrideReasons"][0]["code"] == "NaloxoneAtHome"
    [other] = render(review_of(finding("SAF-12")))["cards"]
    assert other["overrideReasons"][0]["code"] == "BenefitOutweighsRisk"
    for codings in override_reasons.REASONS.values():
        assert all(coding["display"] and coding["system"] for coding in codings)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('Monitored", "NaloxoneAtHome"', 'Nothing", "NaloxoneAtHome"', "groups.sedation: Nothing is not among"),
        ('NotNeuropathic = { system = "own"', 'NotNeuropathic = { system = "x"', "reasons.NotNeuropathic: give it"),
        ("organ = [", "organs = [", "groups.organ: list the reasons"),
        ("[reasons]", "[reasons", "file: correct the TOML"),
    ],
)
def test_wrong_override_reasons_are_refused(tmp_path: Any, old: str, new: str, words: str) -> None:
    text = override_reasons.FILE.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "override_reasons.toml"
    wrong.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=words):
        override_reasons.load(wrong)


# What a machine can read


def test_the_review_tells_what_was_found() -> None:
    views = (OrderView(ORDER, "definite", "S0"), OrderView("MedicationRequest/d2", "definite", "S0"))
    found = review_of(
        finding("DD-01", others=("MedicationRequest/d2",)),
        orders=views,
        mme_at_least="30",
        not_assessed=("egfr: not provided",),
    )
    view = render(found)["extension"]["firstline.review"]
    assert list(view)[:2] == ["knowledge", "inScope"]
    assert view["indication"] == "definite"
    assert view["ladderState"] == "S0"
    assert view["mmeAtLeast"] == "30"
    assert view["notAssessed"] == ["egfr: not provided"]
    assert "mmePerDay" not in view
    assert "orders" not in view
    assert "outcomes" not in view
    assert view["findings"][0]["others"] == ["MedicationRequest/d2"]
    assert view["findings"][0]["facts"] == {"partner": "alprazolam"}


def test_orders_that_differ_are_told_one_by_one() -> None:
    views = (OrderView(ORDER, "definite", "S0"), OrderView("MedicationRequest/d2", "no", None))
    view = render(review_of(finding("DD-01"), orders=views, mme_per_day="60"))["extension"]["firstline.review"]
    assert view["orders"] == [
        {"order": ORDER, "indication": "definite", "ladderState": "S0"},
        {"order": "MedicationRequest/d2", "indication": "no"},
    ]
    assert view["mmePerDay"] == "60"


def test_every_outcome_is_told_where_asked() -> None:
    answers: dict[str, Outcome] = {
        "DD-01": Fires("critical", {}),
        "DD-04": DoesNotApply("no depressant"),
        "DD-23": CannotTell(("medications: not provided",)),
    }
    rules = tuple(Rule(name, group_of(name), lambda case, draft: answers["DD-01"]) for name in answers)
    asked = (Asked(ORDER, rules, list(answers.values())),)
    view = render(review_of(asked=asked), explain=True)["extension"]["firstline.review"]
    assert view["outcomes"] == [
        {"rule": "DD-01", "order": ORDER, "outcome": "fires", "indicator": "critical"},
        {"rule": "DD-04", "order": ORDER, "outcome": "does not apply", "because": "no depressant"},
        {"rule": "DD-23", "order": ORDER, "outcome": "cannot tell", "missing": ["medications: not provided"]},
    ]


def test_a_silent_answer_names_its_knowledge() -> None:
    assert render(Review(())) == {
        "cards": [],
        "extension": {"firstline.review": {"knowledge": "test", "inScope": []}},
    }


@pytest.mark.parametrize("dialect", [DIALECT_1, DIALECT_2])
def test_a_broken_review_is_seen(dialect: str) -> None:
    answer = RENDERER.failed(manner(dialect=dialect))
    [card] = answer["cards"]
    assert card["indicator"] == "warning"
    assert "could not check" in card["summary"]
    assert ("uuid" in card) is (dialect == DIALECT_2)
    assert answer["extension"]["firstline.review"]["notAssessed"] == ["review: not checked"]


def test_names_follow_the_namespace_of_the_call() -> None:
    first, second = (render(review_of(finding("DD-01"))) for _ in range(2))
    assert first == second
    assert first["cards"][0]["uuid"] == str(uuid5(NAMESPACE, "card|sedation"))
    other = render(review_of(finding("DD-01")), namespace=uuid5(NAMESPACE, "another call").bytes)
    assert other["cards"][0]["uuid"] != first["cards"][0]["uuid"]


MILD = {"G04": ["info"], "SAF-01": ["warning", "info"], "SAF-07": ["warning", "info"]}
ANY = st.lists(
    st.sampled_from(RULES).flatmap(
        lambda rule: st.tuples(st.just(rule), st.sampled_from(MILD.get(rule, ["critical", "warning", "info"])))
    ),
    unique_by=lambda entry: entry[0],
)


@given(ANY, st.booleans())
def test_nothing_grave_is_lost(chosen: list[tuple[str, Any]], signing: bool) -> None:
    """Every critical and warning finding stands in exactly one card, and cards are in the order of their indicator."""
    found = review_of(*(finding(rule, indicator) for rule, indicator in chosen))
    plans = choose(found, "order-sign" if signing else "order-select", True)
    shown = [f for plan in plans for f in plan.findings]
    assert all(shown.count(f) == 1 for f in found.findings if f.indicator != "info")
    assert all(shown.count(f) <= 1 for f in found.findings)
    assert len(plans) <= 3
    assert len({plan.group for plan in plans}) == len(plans)
    ranks = [["critical", "warning", "info"].index(plan.lead.indicator) for plan in plans]
    assert ranks == sorted(ranks)
    for plan in plans:
        assert all(ranks[0] <= ["critical", "warning", "info"].index(f.indicator) for f in plan.findings)
