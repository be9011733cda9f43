"""What was shown, or overridden with a reason, is not shown again where the site asks; critical findings always are."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from hooks.records.keyed import Keyed, content_of
from hooks.records.record import FeedbackRecord
from hooks.records.shown_before import SHOWN_HOURS, _remember
from tests.recorded import BOTH, REASON, Clock, address, overridden, running, story
from tests.sentences import request_of

OXYCODONE = "orders Oxycodone Hydrochloride 5 MG Oral Tablet [rx 1049621], 1 tablet every 6 hours, for 14 days"
NEUROPATHY = "has diabetic polyneuropathy (E11.42), since 2021-04-12"
ALPRAZOLAM = "takes alprazolam 0.5 MG Oral Tablet, 1 tablet twice a day, since 2026-02-10, for 30 days"


def order(*sentences: str, user: str | None = "Practitioner/one", patient: str = "p1", **more: Any) -> dict[str, Any]:
    request = dict(request_of([OXYCODONE, NEUROPATHY, *sentences]))
    request["context"] = {**request["context"], "patientId": patient, **({"userId": user} if user else {})}
    return {**request, **more}


def cards(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["cards"]
    return found


def withheld(answer: dict[str, Any]) -> dict[str, str]:
    """Rules that make no card, with the reason."""
    findings = answer["extension"]["firstline.review"]["findings"]
    return {finding["rule"]: finding["withheld"] for finding in findings if "withheld" in finding}


def run(story_of: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story_of)


@BOTH
def test_signing_does_not_repeat_what_choosing_showed_for_the_same_draft(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address(database, tmp_path), repeat_shown=False) as service:
            chosen = await service.ask(order(), "order-select")
            signed = await service.ask(order(), "order-sign")
            [card] = cards(chosen)
            assert card["indicator"] == "warning"
            assert cards(signed) == []
            assert withheld(chosen) == {}
            assert withheld(signed)["NP-01"] == "shown before"
            rows = await service.rows("findings")
            kept = {(row.answer_id, row.rule): (row.card, row.withheld) for row in rows}
            assert kept[1, "NP-01"] == (card["uuid"], None)
            assert kept[2, "NP-01"] == (None, "shown before")
            again = await service.ask(order(), "order-select")  # choosing itself is never kept quiet
            assert cards(again) == [card]

    run(told())


def test_by_default_everything_is_shown_again(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path)) as service:
            chosen = await service.ask(order(), "order-select")
            await service.feed(overridden(cards(chosen)[0]["uuid"], overrideReason=REASON))
            assert cards(await service.ask(order(), "order-sign"))
            rows = await service.rows("findings")
            assert {(row.shown_key, row.finding_key, row.withheld) for row in rows} == {(None, None, None)}

    run(told())


@pytest.mark.parametrize(
    ("changed", "hook"),
    [
        ({"user": "Practitioner/two"}, "order-sign"),
        ({"patient": "p2"}, "order-sign"),
        ({}, "order-select"),
    ],
)
def test_another_reader_or_patient_has_not_seen_it(changed: dict[str, Any], hook: str, tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path), repeat_shown=False) as service:
            await service.ask(order(), "order-select")
            assert cards(await service.ask(order(**changed), hook))

    run(told())


def test_a_draft_that_was_changed_is_another(tmp_path: Path) -> None:
    def changed(request: dict[str, Any], **more: Any) -> dict[str, Any]:
        [entry] = request["context"]["draftOrders"]["entry"]
        draft = {**entry["resource"], **more}
        drafts = {**request["context"]["draftOrders"], "entry": [{**entry, "resource": draft}]}
        return {**request, "context": {**request["context"], "draftOrders": drafts}}

    async def told() -> None:
        async with running(address("sqlite", tmp_path), repeat_shown=False) as service:
            await service.ask(order(), "order-select")
            unchanged = changed(order(), authoredOn="2026-03-01T10:00:00Z", meta={"versionId": "2"})
            assert cards(await service.ask(unchanged, "order-sign")) == []
            noted = changed(order(), note=[{"text": "for the night"}])
            assert cards(await service.ask(noted, "order-sign"))

    run(told())


def test_a_critical_finding_is_shown_again_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path), repeat_shown=False, override_days=30) as service:
            request = story("clonazepam-active")
            request["context"]["userId"] = "Practitioner/one"
            chosen = await service.ask(request, "order-select")
            [critical, *_] = cards(chosen)
            assert critical["indicator"] == "critical"
            await service.feed(overridden(critical["uuid"], overrideReason=REASON))
            await filled(service)
            signed = await service.ask(request, "order-sign")
            rules = [finding["rule"] for finding in cards(signed)[0]["extension"]["firstline.findings"]]
            assert rules == [finding["rule"] for finding in critical["extension"]["firstline.findings"]]
            assert len(rules) > 1 and not set(rules) & set(withheld(signed))

    run(told())


def test_a_new_warning_is_shown_and_what_was_seen_is_not(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path), repeat_shown=False) as service:
            [ladder] = cards(await service.ask(order(), "order-select"))
            signed = await service.ask(order(ALPRAZOLAM), "order-sign")
            assert [card["source"]["topic"]["code"] for card in cards(signed)] == ["DD01"]
            assert withheld(signed)["NP-01"] == "shown before"
            assert ladder["source"]["topic"]["code"] == "NP01"

    run(told())


def test_it_is_forgotten_after_some_hours(tmp_path: Path) -> None:
    async def told() -> None:
        clock = Clock()
        async with running(address("sqlite", tmp_path), clock, repeat_shown=False) as service:
            await service.ask(order(), "order-select")
            clock.later(hours=SHOWN_HOURS, seconds=-1)
            assert cards(await service.ask(order(), "order-sign")) == []
            clock.later(seconds=2)
            assert cards(await service.ask(order(), "order-sign"))
            await filled(service)
            assert service.recorder.memory.shown == {}

    run(told())


@BOTH
def test_other_processes_are_heard_of(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        url = address(database, tmp_path)
        chosen = {"repeat_shown": False, "override_days": 3}
        async with running(url, **chosen) as one, running(url, **chosen) as two:
            [card] = cards(await one.ask(order(), "order-select"))
            await one.recorder.flush()
            await filled(two)
            assert cards(await two.ask(order(), "order-sign")) == []
            await two.feed(overridden(card["uuid"], overrideReason=REASON))
            await filled(one)
            assert cards(await one.ask(order(), "order-select")) == []
        async with running(url, **chosen) as later:  # and of what was before the start
            assert cards(await later.ask(order(), "order-sign")) == []

    run(told())


@BOTH
def test_an_override_with_a_reason_is_respected_for_its_days(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        clock = Clock()
        async with running(address(database, tmp_path), clock, override_days=7) as service:
            [card] = cards(await service.ask(order(), "order-sign"))
            await service.recorder.flush()
            await service.feed(overridden(card["uuid"]))
            await filled(service)
            assert cards(await service.ask(order(), "order-sign"))  # no reason: no consent
            await service.feed(overridden(card["uuid"], overrideReason=REASON))
            await filled(service)
            for hook in ("order-select", "order-sign"):
                quiet = await service.ask(order(user="Practitioner/two"), hook)
                assert cards(quiet) == []
                assert withheld(quiet)["NP-01"] == "overridden"
            assert cards(await service.ask(order(patient="p2"), "order-sign"))
            clock.later(days=7)
            assert cards(await service.ask(order(), "order-sign"))

    run(told())


def test_an_override_of_cards_that_several_patients_share_silences_nobody(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path), override_days=7) as service:
            same = {"hookInstance": "5f2a9d2c-6d1f-4f3a-9a55-0d3c1f6a7b10"}
            [card] = cards(await service.ask(order(**same), "order-sign"))
            [other] = cards(await service.ask(order(patient="p2", **same), "order-sign"))
            assert card["uuid"] == other["uuid"]
            await service.recorder.flush()
            await service.feed(overridden(card["uuid"], overrideReason=REASON))
            await filled(service)
            assert cards(await service.ask(order(), "order-sign"))

    run(told())


def test_an_override_by_another_client_is_not_respected(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path), override_days=7) as service:
            [card] = cards(await service.ask(order(), "order-sign"))
            await service.recorder.flush()
            now = service.recorder.clock()
            record = FeedbackRecord(now, "elsewhere", "s", card["uuid"], "overridden", now, has_reason=True)
            await service.recorder.feedback([record])
            await filled(service)
            assert cards(await service.ask(order(), "order-sign"))
            await service.recorder.feedback([replace(record, tenant="open")])
            await filled(service)
            assert cards(await service.ask(order(), "order-sign")) == []

    run(told())


def test_where_the_memory_fails_everything_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path), repeat_shown=False) as service:
            await service.ask(order(), "order-select")

            def broken(*_: Any) -> str:
                raise RuntimeError("p1")

            monkeypatch.setattr(Keyed, "shown", broken)
            assert cards(await service.ask(order(), "order-sign"))
            assert "could not be told: RuntimeError" in caplog.text
            assert "p1" not in caplog.text

    run(told())


def test_before_the_database_has_answered_everything_is_shown(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(f"sqlite:///{tmp_path}/nowhere/records.db", repeat_shown=False) as service:
            await service.ask(order(), "order-select")
            assert cards(await service.ask(order(), "order-sign"))

    run(told())


def test_a_draft_has_the_same_content_in_whatever_order_it_is_written() -> None:
    draft = {"id": "1", "dosageInstruction": [{"text": "x", "asNeededBoolean": True}], "status": "draft"}
    other = {"status": "draft", "dosageInstruction": [{"asNeededBoolean": True, "text": "x"}], "id": "2"}
    assert content_of(draft) == content_of(other)
    assert content_of(draft) != content_of({**draft, "status": "active"})


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hooks.records.shown_before.MOST_REMEMBERED", 3)
    memory: dict[str, Any] = {}
    for name in ("a", "b", "a", "c", "d"):
        _remember(memory, name, Clock().now)
    assert list(memory) == ["a", "c", "d"]


async def filled(service: Any) -> None:
    """Reads at once what is otherwise read each second."""
    recorder = service.recorder
    await recorder.memory.fill(recorder._engine, recorder.clock())
