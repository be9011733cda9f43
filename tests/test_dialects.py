"""The dialects of clients: what each card may hold, on every stored request, and what becomes of each proposal."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cds.knowledge import KnowledgeError
from cds.orders import PlainOrder, Proposal, Update
from hooks import override_reasons
from hooks.answer import Answerer
from hooks.dialects import DIALECTS, EPIC, SANDBOX
from hooks.override_reasons import PLAIN_REASONS, REASONS
from hooks.services import SERVICES, discovery
from hooks.settings import Settings
from hooks.suggestions import Suggestion, write_suggestions
from hooks.tenants import Tenant
from tests.conformance import breaches
from tests.fixtures import FOLDER, service_of

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
STORIES = sorted(path.name.removesuffix(".request.json") for path in FOLDER.glob("*.request.json"))
DRAFT = "MedicationRequest/m1"


@cache
def answerer() -> Answerer:
    return Answerer(Settings(public_url="https://cds.example.org"))


def answered(story: str, dialect: str | None) -> tuple[int, dict[str, Any]]:
    body = (FOLDER / f"{story}.request.json").read_bytes()
    service = SERVICES[service_of(json.loads(body))]
    status, content = answerer().answer(service, body, NOW, Tenant(name=str(dialect), dialect=dialect))
    return status, json.loads(content)


def suggestions_of(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for card in answer.get("cards", ()):
        yield from card.get("suggestions", ())


# Every stored request, in every dialect


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_answer_keeps_the_rules_of_its_dialect(dialect: str) -> None:
    offered = 0
    for story in STORIES:
        status, answer = answered(story, dialect)
        if status == 200:
            # What CDS Hooks asks of 2.0 it asks of every client but those of 1.0.
            assert breaches(answer, "1.0" if dialect == "1.0" else "2.0") == [], story
            offered += sum(1 for _ in suggestions_of(answer))
    assert offered > 50


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_findings_are_the_same_in_every_dialect(dialect: str) -> None:
    """A dialect changes how something is said, never whether."""
    for story in STORIES:
        (status, answer), (usual_status, usual) = answered(story, dialect), answered(story, "2.0")
        assert status == usual_status
        if status == 200:
            assert answer["extension"]["firstline.review"] == usual["extension"]["firstline.review"], story
            assert [card["summary"] for card in answer["cards"]] == [card["summary"] for card in usual["cards"]]


def test_what_is_not_offered_is_told() -> None:
    """Every proposal of the usual answer is a suggestion or a sentence of the same card."""
    for dialect in (EPIC, SANDBOX):
        for story in STORIES:
            _, usual = answered(story, "2.0")
            _, answer = answered(story, dialect)
            for card, other in zip(usual.get("cards", []), answer.get("cards", []), strict=True):
                labels = " | ".join(suggestion["label"] for suggestion in other.get("suggestions", ()))
                for suggestion in card.get("suggestions", ()):
                    words = suggestion["label"][:40]
                    plain = other["detail"].replace("\\", "")
                    assert words in labels or f"To consider: {words}" in plain, (story, dialect, words)


def test_where_the_client_says_nothing_the_hook_decides() -> None:
    old, new = "prescribe-stu3", "clonazepam-active"
    assert "uuid" not in answered(old, None)[1]["cards"][0]
    assert "uuid" in answered(old, "2.0")[1]["cards"][0]
    assert "uuid" in answered(new, None)[1]["cards"][0]
    assert "uuid" not in answered(new, "1.0")[1]["cards"][0]


# Epic


def epic_answers() -> Iterator[tuple[str, dict[str, Any]]]:
    for story in STORIES:
        status, answer = answered(story, EPIC)
        if status == 200:
            yield story, answer


def test_epic_gets_one_action_for_a_suggestion_and_may_accept_any() -> None:
    kinds = set()
    for story, answer in epic_answers():
        for card in answer["cards"]:
            suggestions = card.get("suggestions", [])
            assert card.get("selectionBehavior") == ("any" if suggestions else None), story
            actions = [action for suggestion in suggestions for action in suggestion["actions"]]
            assert len(actions) == len(suggestions), story
            assert sum(action["type"] == "create" for action in actions) <= 1, story
            removed = [action["resourceId"] for action in actions if action["type"] == "delete"]
            assert len(removed) == len(set(removed)), story
            kinds |= {action["type"] for action in actions}
    assert kinds == {"create", "delete"}


def test_epic_gets_static_codes_of_letters_and_digits() -> None:
    known = {reason["code"] for reasons in PLAIN_REASONS.values() for reason in reasons}
    seen = set()
    for story, answer in epic_answers():
        for card in answer["cards"]:
            assert card["source"].get("topic", {}).get("code", "x").isalnum(), story
            for reason in card.get("overrideReasons", ()):
                assert reason["code"].isalnum() and reason["code"].isascii(), story
                seen.add(reason["code"])
    assert seen <= known
    assert {"PatientRefuses", "BenefitOutweighsRisk"} <= seen


def test_each_reason_has_one_plain_code_with_the_same_words() -> None:
    codes: dict[str, str] = {}
    for name, reasons in REASONS.items():
        for usual, plain in zip(reasons, PLAIN_REASONS[name], strict=True):
            assert usual["display"] == plain["display"]
            assert codes.setdefault(plain["code"], usual["code"]) == usual["code"]
            if usual["code"] == plain["code"]:
                assert usual == plain
            else:
                assert plain["system"] == "urn:firstline:override-reason"


@pytest.mark.parametrize("plain", ["", "with-hyphen", "Größe"])
def test_a_reason_without_a_plain_code_is_refused(tmp_path: Path, plain: str) -> None:
    file = tmp_path / "override_reasons.toml"
    text = override_reasons.FILE.read_text(encoding="utf-8")
    file.write_text(text.replace('plain = "PatientRefuses"', f'plain = "{plain}"'), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"override_reasons.toml: reasons.patient-refuses.plain: give it a second"):
        override_reasons.load(file)


def test_epic_never_gets_a_tricyclic_that_waits_for_an_ecg() -> None:
    told = 0
    for story, answer in epic_answers():
        assert not [one for one in suggestions_of(answer) if "after an ECG" in one["label"]], story
        told += sum("after an ECG" in card["detail"] for card in answer["cards"])
    assert told


# One proposal at a time


class Writing:
    """Stands in for the writer of FHIR resources."""

    def __init__(self, kind: str = "MedicationRequest", drug: str | None = "oxycodone", none: bool = False) -> None:
        self.kind, self.drug, self.none = kind, drug, none

    def create(self, order: PlainOrder) -> Mapping[str, Any] | None:
        return None if self.none else {"resourceType": "MedicationRequest", "text": order.text}

    def update(self, change: Update) -> Mapping[str, Any] | None:
        draft = {"resourceType": self.kind, "id": "m1", "meta": {"versionId": "1"}, "status": "active", "note": "kept"}
        return None if self.none else draft

    def named(self, ref: str) -> str | None:
        return self.drug


def order(name: str = "gabapentin", **more: Any) -> PlainOrder:
    return PlainOrder(**{"kind": "medication", "text": f"{name} 300 MG", "code": "1", "system": None, **more})


def proposal(label: str, **more: Any) -> Proposal:
    return Proposal("ask", "ladder", "NP-01", label, **more)


START = proposal("Gabapentin, instead of oxycodone", create=order(), delete=DRAFT, recommended=True)
OTHER = proposal("Duloxetine, instead of oxycodone", create=order("duloxetine"), delete=DRAFT)
RESCUE = proposal("Order naloxone", create=order("naloxone"))
LOWER = proposal("Lower oxycodone to 0.5 tablets a dose", update=Update(DRAFT))
LEAVE = proposal("Do not start oxycodone", delete=DRAFT)
TRICYCLIC = proposal("Nortriptyline after an ECG", create=order("nortriptyline"), also=order("ECG"), delete=DRAFT)


def written(dialect: str, *proposals: Proposal, writer: Writing | None = None) -> tuple[list[Suggestion], list[str]]:
    made, told = write_suggestions(proposals, DIALECTS[dialect], writer or Writing())
    return made, [one.label for one in told]


def kinds_of(made: list[Suggestion]) -> list[tuple[str, list[str]]]:
    return [(one.label, [action["type"] for action in one.actions]) for one in made]


def test_epic_gets_the_order_and_the_removal_apart() -> None:
    made, told = written(EPIC, START, OTHER, RESCUE)
    assert kinds_of(made) == [
        ("Gabapentin, instead of oxycodone", ["create"]),
        ("Remove oxycodone, which the new order replaces", ["delete"]),
    ]
    assert [one.recommended for one in made] == [True, False]
    assert told == ["Duloxetine, instead of oxycodone", "Order naloxone"]


def test_epic_gets_a_removal_once() -> None:
    made, _ = written(EPIC, START, LEAVE)
    assert kinds_of(made) == [("Gabapentin, instead of oxycodone", ["create"]), ("Do not start oxycodone", ["delete"])]


def test_a_change_becomes_a_new_order_that_says_what_it_replaces() -> None:
    made, told = written(EPIC, LOWER, LEAVE)
    label = "Lower oxycodone to 0.5 tablets a dose (replaces oxycodone)"
    assert kinds_of(made) == [(label, ["create"]), ("Do not start oxycodone", ["delete"])]
    assert told == []
    changed = made[0].actions[0]["resource"]
    assert changed == {"resourceType": "MedicationRequest", "status": "draft", "note": "kept"}


def test_a_new_order_goes_before_a_changed_one() -> None:
    made, told = written(EPIC, LOWER, RESCUE)
    assert kinds_of(made) == [("Order naloxone", ["create"])]
    assert told == ["Lower oxycodone to 0.5 tablets a dose"]


def test_what_a_change_replaces_is_never_cut_off() -> None:
    long = proposal("Lower " + "oxycodone and more " * 20, update=Update(DRAFT))
    [first, second], _ = written(EPIC, long, writer=Writing(drug="A very long name of a drug " * 9))
    assert len(first.label) <= 139
    assert first.label.endswith("…)")
    assert " (replaces A very long name" in first.label
    assert len(second.label) <= 139
    unnamed, _ = written(EPIC, LOWER, writer=Writing(drug=None))
    assert unnamed[0].label.endswith("(replaces the draft order)")


@pytest.mark.parametrize("writer", [Writing(kind="MedicationOrder"), Writing(none=True)])
def test_a_change_without_a_resource_of_its_own_is_told_in_words(writer: Writing) -> None:
    assert written(EPIC, LOWER, writer=writer) == ([], [LOWER.label])


@pytest.mark.parametrize("dialect", [EPIC, SANDBOX])
def test_a_second_order_is_not_offered_where_only_the_first_would_be_placed(dialect: str) -> None:
    assert written(dialect, TRICYCLIC) == ([], [TRICYCLIC.label])
    [made], told = written("2.0", TRICYCLIC)
    assert [action["type"] for action in made.actions] == ["create", "create", "delete"]
    assert told == []


def test_the_sandbox_is_told_changes_in_words() -> None:
    """It would keep the old dose, and the card would be gone."""
    made, told = written(SANDBOX, LOWER, START)
    assert kinds_of(made) == [("Gabapentin, instead of oxycodone", ["create", "delete"])]
    assert told == [LOWER.label]


def test_the_sandbox_is_offered_no_drug_without_a_code() -> None:
    uncoded = proposal("Capsaicin", create=order("capsaicin", code=None))
    referral = proposal("Refer", create=order("referral", code=None, kind="service"))
    made, told = written(SANDBOX, uncoded, referral)
    assert [one.label for one in made] == ["Refer"]
    assert told == ["Capsaicin"]


def test_the_first_version_names_a_removal_in_its_own_way() -> None:
    [made], _ = written("1.0", LEAVE)
    assert made.actions[0]["resource"] == DRAFT
    [later], _ = written("2.0", LEAVE)
    assert later.actions[0]["resourceId"] == DRAFT


def test_discovery_of_a_client_of_the_first_version_says_only_what_it_knows() -> None:
    def requirements(dialect: str | None) -> list[bool]:
        return ["usageRequirements" in service for service in json.loads(discovery(dialect))["services"]]

    assert requirements("1.0") == [False] * 3
    assert requirements(EPIC) == [True] * 3
    assert requirements(None) == [True, True, False]
