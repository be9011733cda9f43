"""What is recorded of every answer, and that nothing which was acknowledged is lost, whatever the database does."""

import asyncio
import hmac
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hooks.app import create_app
from hooks.records import database as databases
from hooks.records import recorder as recording
from hooks.records import upkeep
from hooks.records.database import DatabaseUrlError, is_refusal, migrate, open_engine, open_reader, read_url
from hooks.records.record import AnswerRecord, FeedbackRecord, kind_of
from hooks.records.recorder import NotRecordedError, Recorder
from hooks.records.schema import metadata
from hooks.records.telling import Telling
from hooks.records.writing import forget
from hooks.settings import Settings, SettingsError, load
from hooks.tenants import Tenant
from tests.calling import NOW
from tests.postgres import Cluster
from tests.recorded import BOTH, FIXTURES, Clock, accepted, address, overridden, rows_of, running, story

TABLES = ("answers", "outcomes", "causes", "cards", "findings", "feedback", "tokens", "keys")
ROOT = Path(__file__).parents[1]
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def answer(**chosen: Any) -> AnswerRecord:
    record = AnswerRecord(AT, "open", "firstline-order-sign", "order-sign", "0", 200, 1.5, 1, "p1", (("NP-01", 1, 0),))
    return replace(record, **chosen)


def entry(**chosen: Any) -> FeedbackRecord:
    return replace(FeedbackRecord(AT, "open", "firstline-order-sign", "c" * 36, "overridden", AT), **chosen)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is down is tried again at once."""
    monkeypatch.setattr(recording, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(recording, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(recording, "STOPPING_SECONDS", 0.5)


async def until(told: Any) -> None:
    """Waits until this is so."""
    async with asyncio.timeout(20):
        while not told():
            await asyncio.sleep(0.01)


# The tables


@BOTH
def test_migrations_make_the_tables_that_are_described(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        url = address(database, tmp_path)
        one, two = open_engine(url), open_engine(url)
        await asyncio.gather(migrate(one), migrate(two))
        await migrate(one)
        async with one.connect() as connection:
            different = await connection.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), metadata))
        await one.dispose()
        await two.dispose()
        assert different == []

    asyncio.run(told())


@BOTH
def test_a_reader_changes_nothing(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        url = address(database, tmp_path)
        writer, reader = open_engine(url), open_reader(url)
        await migrate(writer)
        with pytest.raises(DBAPIError):
            async with reader.begin() as connection:
                await connection.execute(text("DELETE FROM answers"))
        await reader.dispose()
        await writer.dispose()

    asyncio.run(told())


# What is recorded


@BOTH
def test_an_answer_is_recorded_as_it_was_given(database: str, tmp_path: Path) -> None:
    request = story("clonazepam-active")

    async def told() -> None:
        async with running(address(database, tmp_path)) as service:
            given_ = await service.ask({**request, "extension": {"firstline.explain": True}})
            view = given_["extension"]["firstline.review"]
            [row] = await service.rows("answers")
            assert (row.tenant, row.service, row.hook) == ("open", "firstline-order-sign", "order-sign")
            assert (row.knowledge, row.status, row.in_scope) == (view["knowledge"], 200, len(view["inScope"]))
            assert 0 < row.ms < 60_000
            assert abs((datetime.now(UTC) - row.at).total_seconds()) < 60
            counted = {row.rule: (row.fires, row.cannot_tell) for row in await service.rows("outcomes")}
            kinds = ("fires", "cannot tell")
            named = {outcome["rule"] for outcome in view["outcomes"] if outcome["outcome"] in kinds}
            assert counted == {
                rule: tuple(sum(o["rule"] == rule and o["outcome"] == kind for o in view["outcomes"]) for kind in kinds)
                for rule in named
            }
            assert [
                (row.uuid, row.rule.replace("-", ""), row.indicator, row.suggestions)
                for row in await service.rows("cards")
            ] == [
                (
                    card["uuid"],
                    card["source"]["topic"]["code"],
                    card["indicator"],
                    [suggestion["uuid"] for suggestion in card.get("suggestions", ())],
                )
                for card in given_["cards"]
            ]
            assert [row.card_group for row in await service.rows("cards")] == ["sedation"]
            found = [(row.rule, row.indicator, row.card) for row in await service.rows("findings")]
            assert found == [(f["rule"], f["indicator"], f.get("card")) for f in view["findings"]]
            causes = {row.kind: row.count for row in await service.rows("causes")}
            assert sum(causes.values()) == len(view["notAssessed"])
            assert causes["PDMP review: not checked"] == 1

    asyncio.run(told())


def test_every_answer_is_recorded_whatever_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path)) as service:
            await service.ask(story("amoxicillin"))
            await service.ask(story("nothing-sent"))
            await service.ask(story("prescribe-r4"))
            monkeypatch.setattr("hooks.answer.review", lambda *_: 1 / 0)
            await service.ask(story("clonazepam-active"))
            rows = await service.rows("answers")
            assert [(row.hook, row.status, row.in_scope, row.patient is None) for row in rows] == [
                ("order-sign", 200, 0, True),
                ("order-sign", 412, 1, False),
                ("medication-prescribe", 200, 1, False),
                ("order-sign", 200, 0, True),
            ]
            cards = [(row.answer_id, row.card_group, len(row.uuid)) for row in await service.rows("cards")]
            assert cards == [(3, "ladder", 36), (4, "safety", 36)]
            assert [row.kind for row in await service.rows("causes") if row.answer_id == 4] == ["review: not checked"]
            assert {row.card for row in await service.rows("findings") if row.answer_id == 2} == {None}

    asyncio.run(told())


def test_no_table_holds_anything_of_a_patient(tmp_path: Path) -> None:
    """Every story is answered, feedback has names in it, and every row is searched for what the requests held."""
    names = ("Margaret", "margaret.smith@example.org")

    async def told() -> str:
        async with running(address("sqlite", tmp_path)) as service:
            for path in sorted(FIXTURES.glob("*.request.json")):
                request = story(path.name.removesuffix(".request.json"))
                given_ = await service.ask(request)
                for card in given_.get("cards", ()):
                    reason = {"reason": {"code": names[0] + " S", "display": names[0]}, "userComment": names[1]}
                    name = card.get("uuid") or card["extension"]["firstline.uuid"]
                    await service.feed(overridden(name, overrideReason=reason))
            return str([[tuple(row) for row in await service.rows(table)] for table in TABLES])

    recorded = asyncio.run(told())
    assert "NP-01" in recorded and "overridden" in recorded
    for written in (
        *names,
        "MedicationRequest/",
        "Patient/",
        "patient-1",
        "p1'",
        "Practitioner",
        "oxycodone",
        "mg a day",
    ):
        assert written not in recorded, written


@given(
    st.sampled_from(["drug", "dose", "supply", "date", "end", "status", "form", "duration"]),
    st.text(min_size=1, max_size=30),
)
def test_a_kind_never_holds_a_reference(part: str, written: str) -> None:
    reference = f"MedicationRequest/q{written}q"
    assert kind_of(f"{part} of {reference}: not recorded") in (f"{part}: not recorded", "other")
    assert kind_of(f"{reference}: unreadable") == "record: unreadable"
    assert f"q{written}q" not in kind_of(f"{part}: {reference}")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("egfr: not provided", "egfr: not provided"),
        ("labs: unreadable", "labs: unreadable"),
        ("egfr: older than 180 days", "egfr: older than 180 days"),
        ("dose of MedicationRequest/a: b: no unit", "dose: no unit"),
        ("NP-01: not checked", "NP-01: not checked"),
        ("Jane Roe/1: unreadable", "record: unreadable"),
        ("something else", "other"),
        ("dose of x: " + "no " * 100, "other"),
    ],
)
def test_what_was_not_assessed_is_recorded_by_its_kind(said: str, kind: str) -> None:
    assert kind_of(said) == kind


@BOTH
def test_a_patient_is_a_keyed_hash(database: str, tmp_path: Path) -> None:
    secret = "a secret of thirty-two characters"

    async def told() -> None:
        url = address(database, tmp_path)
        for chosen in ({}, {}, {"patient_key": secret}):
            async with running(url, **chosen) as service:
                service.recorder.answered(answer())
                service.recorder.answered(answer(tenant="elsewhere"))
                service.recorder.answered(answer(patient_id=None))
        hashes = [row.patient for row in await rows_of(url, "answers")]
        assert hashes[2] is None
        assert hashes[:2] == hashes[3:5]  # the same key after a new start
        assert len(set(hashes)) == 5
        assert hashes[6] == hmac.digest(secret.encode(), b'["patient","open","p1"]', "sha256").hex()
        [key] = await rows_of(url, "keys")
        assert len(bytes.fromhex(key.value)) == 32

    asyncio.run(told())


# Nothing is lost


def test_the_queue_is_bounded_and_what_is_lost_is_counted(
    tmp_path: Path, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    async def told() -> None:
        recorder = Recorder(Settings(database_url=f"sqlite:///{tmp_path}/nowhere/r.db", record_queue=3))
        await recorder.start()
        for _ in range(5):
            recorder.answered(answer())
        state = recorder.state()
        assert (state.ready, state.queued, state.lost, state.recorded) == (False, 3, 2, 0)
        assert state.why is not None and state.why.startswith("the database does not answer")
        assert str(tmp_path) not in state.why + caplog.text
        (tmp_path / "nowhere").mkdir()
        await until(lambda: recorder.state().ready)
        await recorder.flush()
        recorder.answered(answer())
        await recorder.flush()
        assert (recorder.state().queued, recorder.state().lost, recorder.state().recorded) == (0, 2, 4)
        await recorder.stop()
        assert caplog.text.count("queue of records is full") == 1

    asyncio.run(told())


def test_hooks_are_answered_and_feedback_is_refused_while_the_database_is_down(tmp_path: Path, impatient: None) -> None:
    async def told() -> None:
        url = f"sqlite:///{tmp_path}/nowhere/r.db"
        async with running(url) as service:
            assert (await service.ask(story("clonazepam-active")))["cards"]
            refused = await service.feed(overridden("card"))
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.json()["issue"][0]["code"] == "transient"
            assert str(tmp_path) not in refused.text
            (tmp_path / "nowhere").mkdir()
            await until(lambda: service.recorder.state().ready)
            assert (await service.feed(overridden("card"))).status_code == 200
            assert len(await service.rows("answers")) == 1
            assert len(await service.rows("feedback")) == 1

    asyncio.run(told())


def test_a_database_that_stops_and_comes_back_loses_nothing(impatient: None, caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster()

    async def told() -> None:
        async with running(cluster.url, record_queue=100) as service:
            await service.ask(story("clonazepam-active"))
            assert (await service.feed(overridden("before"))).status_code == 200
            await asyncio.to_thread(cluster.stop)
            for _ in range(3):
                assert (await service.ask(story("clonazepam-active")))["cards"]
            assert (await service.feed(overridden("while down"))).status_code == 503
            await until(lambda: not service.recorder.state().ready)
            assert service.recorder.state().queued == 3
            with pytest.raises(NotRecordedError):
                await service.recorder.first_use("a", AT)
            await asyncio.to_thread(cluster.start)
            await until(lambda: service.recorder.state().ready)
            assert (await service.feed(overridden("after"))).status_code == 200
            assert len(await service.rows("answers")) == 4
            assert len(await service.rows("feedback")) == 2
            assert service.recorder.state().lost == 0

    try:
        asyncio.run(told())
    finally:
        cluster.remove()
    assert "only-for-tests" not in caplog.text
    assert caplog.text.count("the database does not answer") == 1
    assert caplog.text.count("the database answers again") == 1


@BOTH
def test_what_the_database_refuses_takes_nothing_else_along(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address(database, tmp_path)) as service:
            recorder = service.recorder
            broken: Any = {"tenant": None}
            for record in (answer(hook="one"), answer(**broken), answer(hook="three")):
                recorder.answered(record)
            sent = [(entry(),), (entry(**broken),), (entry(outcome="accepted"),)]
            done = await asyncio.gather(*(recorder.feedback(one) for one in sent), return_exceptions=True)
            assert [type(one) for one in done] == [type(None), NotRecordedError, type(None)]
            assert [row.hook for row in await service.rows("answers")] == ["one", "three"]
            assert [row.outcome for row in await service.rows("feedback")] == ["overridden", "accepted"]
            assert (recorder.state().ready, recorder.state().lost, recorder.state().recorded) == (True, 1, 4)

    asyncio.run(told())


def test_what_waits_is_written_before_the_end(tmp_path: Path) -> None:
    async def told() -> None:
        url = address("sqlite", tmp_path)
        async with running(url) as service:
            for _ in range(1201):
                service.recorder.answered(answer())
        assert len(await rows_of(url, "answers")) == 1201
        with pytest.raises(NotRecordedError):
            await service.recorder.feedback([entry()])
        await service.recorder.stop()

    asyncio.run(told())


def test_what_cannot_be_written_before_the_end_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FIRST_WAIT", 60)

    async def told() -> None:
        async with running(f"sqlite:///{tmp_path}/nowhere/r.db") as service:
            service.recorder.answered(answer())
            await asyncio.sleep(0.05)  # the driver's thread of the one failed connection ends
        assert service.recorder.state().lost == 1
        assert service.recorder.state().why == "stopped"

    asyncio.run(told())


def test_feedback_waits_no_longer_than_it_may_for_a_database_that_hangs(
    tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "FEEDBACK_SECONDS", 0.1)
    monkeypatch.setattr(databases, "BUSY_MS", 30_000)

    async def told() -> None:
        url = address("sqlite", tmp_path)
        other = open_engine(url)
        async with running(url) as service:
            async with other.begin():  # holds the lock that every writer needs
                assert (await service.feed(overridden("card"))).status_code == 503
            assert (await service.feed(overridden("again"))).status_code == 200
            # Nobody was told that the first one is kept; whether it is depends on when its batch began.
            assert len(await service.rows("feedback")) in (1, 2)
        await other.dispose()

    asyncio.run(told())


def test_too_much_feedback_at_once_is_refused(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path), record_queue=2) as service:
            sent = (service.recorder.feedback([entry()]) for _ in range(3))
            done = await asyncio.gather(*sent, return_exceptions=True)
            assert [type(one) for one in done] == [type(None), type(None), NotRecordedError]

    asyncio.run(told())


def test_an_answer_never_fails_because_it_cannot_be_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Telling, "_record", lambda *_: 1 / 0)

    async def told() -> None:
        async with running(address("sqlite", tmp_path)) as service:
            assert (await service.ask(story("clonazepam-active")))["cards"]
            assert service.recorder.state().lost == 1

    asyncio.run(told())
    assert "an answer could not be recorded: ZeroDivisionError" in caplog.text


def test_without_a_database_nothing_is_kept_and_everything_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    async def told() -> None:
        for url in (None, "none"):
            app = create_app(Settings(today=NOW, database_url=url))
            async with app.router.lifespan_context(app):
                recorder = app.state.recorder
                recorder.answered(answer())
                await recorder.feedback([entry()])
                assert recorder.state() == recording.RecorderState(True, None, 0, 0, 0)

    asyncio.run(told())
    assert "answers and feedback are not recorded" in caplog.text


# Retention, tokens


@BOTH
def test_records_are_deleted_at_the_end_of_their_retention(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hooks.records.writing.AT_ONCE", 2)
    clock = Clock()

    async def told() -> None:
        async with running(address(database, tmp_path), clock, retention_days=30) as service:
            for name in ("clonazepam-active", "nothing-sent", "clonazepam-active"):
                await service.ask(story(name))
            await service.feed(accepted("old", "suggestion"))
            await service.recorder.first_use("old", clock.now + timedelta(hours=1))
            await service.recorder.flush()
            clock.later(days=29)
            await service.ask(story("clonazepam-active"))
            await service.feed(accepted("new", "suggestion"))
            await service.recorder.first_use("new", clock.now + timedelta(days=3))
            await service.recorder.flush()
            assert {len(await service.rows(table)) for table in ("answers", "feedback", "tokens")} == {4, 2}
            clock.later(days=2)
            assert service.recorder._engine is not None
            gone = await forget(service.recorder._engine, clock.now - timedelta(days=30), clock.now)
            assert gone == 3 + 1 + 1
            [left] = await service.rows("answers")
            for table in ("outcomes", "causes", "cards", "findings"):
                assert {row.answer_id for row in await service.rows(table)} == {left.id}
            assert len(await service.rows("feedback")) == 1
            assert [row.jti_hash for row in await service.rows("tokens")] == ["new"]

    asyncio.run(told())


def test_retention_runs_by_itself_and_zero_keeps_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "FIRST_FORGETTING_SECONDS", 0.05)
    monkeypatch.setattr(upkeep, "FORGETTING_SECONDS", 0.05)
    monkeypatch.setattr(upkeep, "MOST_DRIFT_SECONDS", 500 * 86_400)

    async def left(days: int) -> int:
        clock = Clock()
        url = f"sqlite:///{tmp_path}/{days}.db"
        async with running(url, clock, retention_days=days) as service:
            await service.recorder.feedback([entry()])
            await service.recorder.first_use("ended", clock.now)
            clock.later(days=400)
            async with asyncio.timeout(20):
                while await service.rows("tokens"):
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
            return len(await service.rows("feedback"))

    assert [asyncio.run(left(days)) for days in (0, 365)] == [1, 0]


@pytest.mark.parametrize("days", [400, -400])
def test_a_clock_that_jumps_deletes_nothing(
    days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "FIRST_FORGETTING_SECONDS", 0.05)
    monkeypatch.setattr(upkeep, "FORGETTING_SECONDS", 0.05)
    clock = Clock()

    async def told() -> None:
        async with running(address("sqlite", tmp_path), clock, retention_days=30) as service:
            await service.recorder.feedback([entry()])
            clock.later(days=days)
            await until(lambda: "the clock has jumped" in caplog.text)  # a deletion under way had the old time
            await service.recorder.feedback([entry(card="d" * 36, at=clock.now)])
            clock.later(days=-days)
            await asyncio.sleep(0.15)
            assert len(await service.rows("feedback")) == 2

    asyncio.run(told())


def test_retention_that_fails_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "FIRST_FORGETTING_SECONDS", 0)
    monkeypatch.setattr(upkeep, "FILLING_SECONDS", 0.01)

    async def fails(*_: Any) -> int:
        raise OSError("/a/path")

    monkeypatch.setattr(upkeep, "forget", fails)

    async def told() -> None:
        async with running(address("sqlite", tmp_path), repeat_shown=False) as service:
            monkeypatch.setattr(service.recorder.memory, "fill", fails)
            await until(lambda: "old records could not be deleted: OSError" in caplog.text)
            await until(lambda: "shown before could not be read: OSError" in caplog.text)

    asyncio.run(told())
    assert "/a/path" not in caplog.text


@BOTH
def test_a_token_is_used_once_among_all_processes(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        url = address(database, tmp_path)
        async with running(url) as one, running(url) as two:
            used = [service.recorder.first_use(name, AT) for name in ("a", "b", "a") for service in (one, two)]
            found = await asyncio.gather(*used)
            assert sorted(found) == [False] * 4 + [True] * 2

    asyncio.run(told())


def test_a_caller_waits_no_longer_than_it_wants_to_hear_of_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def told() -> None:
        url = address("sqlite", tmp_path)
        other = open_engine(url)
        async with running(url) as service:
            await service.recorder.flush()
            async with other.begin():  # holds the lock
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await service.recorder.first_use("slow", AT)
                monkeypatch.setattr(recording, "FEEDBACK_SECONDS", 0.05)
                with pytest.raises(NotRecordedError):
                    await service.recorder.first_use("slower", AT)
                assert await rows_of(url, "tokens") == []
            await until(lambda: not service.recorder._asking)
            assert len(await rows_of(url, "tokens")) == 2
            broken: Any = None
            with pytest.raises(DBAPIError):
                await service.recorder.first_use(broken, AT)
        await other.dispose()

    asyncio.run(told())
    assert "a token could not be remembered: IntegrityError" in caplog.text


# Settings


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sqlite:///firstline.db", "sqlite+aiosqlite:///firstline.db"),
        ("sqlite:////var/lib/firstline.db", "sqlite+aiosqlite:////var/lib/firstline.db"),
        ("postgres://u:p@db/firstline", "postgresql+asyncpg://u:p@db/firstline"),
        ("postgresql://u:p@db/f?sslmode=require", "postgresql+asyncpg://u:p@db/f?ssl=require"),
        ("postgresql+asyncpg://u@db/f", "postgresql+asyncpg://u@db/f"),
    ],
)
def test_an_address_of_a_database(written: str, read: str) -> None:
    assert read_url(written).render_as_string(hide_password=False) == read


@pytest.mark.parametrize(
    "written", ["", "records.db", "sqlite://", "sqlite:///:memory:", "mysql://u@db/f", "postgresql://db", "a://b:c/d"]
)
def test_another_address_is_refused(written: str) -> None:
    with pytest.raises(DatabaseUrlError):
        read_url(written)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "mysql://u:secret@db/f", "database_url: write sqlite:///FILE"),
        ("PATIENT_KEY", "short", "patient_key: write a secret of 32 or more characters"),
        ("RETENTION_DAYS", "-1", "retention_days: write a number of days"),
        ("OVERRIDE_DAYS", "366", "override_days: write a number of days from 0 to retention_days"),
        ("OVERRIDE_DAYS", "-1", "override_days"),
        ("RECORD_QUEUE", "0", "record_queue: write a number above 0"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({f"FIRSTLINE_{name}": value})
    assert words in str(refused.value)
    assert "secret@" not in str(refused.value) and "short" not in str(refused.value)


def test_the_settings_of_records_are_read() -> None:
    settings = load(
        {
            "FIRSTLINE_DATABASE_URL": "none",
            "FIRSTLINE_REPEAT_SHOWN": "false",
            "FIRSTLINE_OVERRIDE_DAYS": "30",
            "FIRSTLINE_RETENTION_DAYS": "0",
        }
    )
    assert (settings.database_url, settings.repeat_shown, settings.override_days) == ("none", False, 30)


def test_clients_are_not_shown_the_same_twice_unless_the_site_asks() -> None:
    client = (Tenant(name="a", issuers=("a",)),)
    assert Settings().shows_again and not Settings(tenants=client).shows_again
    for asked in (True, False):
        assert Settings(repeat_shown=asked).shows_again is asked
        assert Settings(repeat_shown=asked, tenants=client).shows_again is asked
    assert load({"FIRSTLINE_REPEAT_SHOWN": "TRUE"}).repeat_shown is True


def test_a_full_disk_is_no_refusal() -> None:
    class FullError(Exception):
        sqlstate = "53100"

    class TooLongError(Exception):
        sqlstate = "22001"

    assert not is_refusal(DBAPIError("", {}, FullError()))
    assert is_refusal(DBAPIError("", {}, TooLongError()))
    assert not is_refusal(ConnectionRefusedError())


# A real process


@contextmanager
def serving(folder: Path, url: str | None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process in this folder, and the address where it answers."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FIRSTLINE_PORT": "0"}
    if url is not None:
        environment["FIRSTLINE_DATABASE_URL"] = url
    command = [sys.executable, "-m", "hooks.serve"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            said = re.search(r"http://[^/]+", child.stdout.readline())
            assert said is not None
            yield child, said[0]
        finally:
            child.kill()


@BOTH
def test_a_killed_server_has_lost_nothing_that_it_acknowledged(database: str, tmp_path: Path) -> None:
    url = None if database == "sqlite" else address(database, tmp_path)
    sign = "/cds-services/firstline-order-sign"

    async def sent(calling: httpx.AsyncClient, acknowledged: list[str], child: subprocess.Popen[str]) -> None:
        while True:
            card = str(uuid4())
            try:
                await calling.post(sign, json=story("clonazepam-active"))
                response = await calling.post(f"{sign}/feedback", json={"feedback": [overridden(card)]})
            except httpx.TransportError:
                return
            assert response.status_code == 200
            acknowledged.append(card)
            if len(acknowledged) == 25:  # at once: it must be on disk by now
                child.send_signal(signal.SIGKILL)

    async def told(child: subprocess.Popen[str], base: str) -> list[str]:
        acknowledged: list[str] = []
        async with httpx.AsyncClient(base_url=base, timeout=30) as calling, asyncio.timeout(60):
            await asyncio.gather(*(sent(calling, acknowledged, child) for _ in range(4)))
        return acknowledged

    with serving(tmp_path, url) as (child, base):
        acknowledged = asyncio.run(told(child, base))
        assert child.wait(10) == -signal.SIGKILL
    recorded = url or f"sqlite:///{tmp_path}/firstline.db"
    kept = {row.card for row in asyncio.run(rows_of(recorded, "feedback"))}
    assert len(acknowledged) >= 25
    assert not set(acknowledged) - kept
    with serving(tmp_path, url) as (child, base):  # what the killed one left behind hinders nobody
        answered = httpx.post(f"{base}{sign}/feedback", json={"feedback": [overridden("later")]}, timeout=30)
        assert answered.status_code == 200
        child.terminate()
        assert child.wait(20) in (0, -signal.SIGTERM)
    assert len(asyncio.run(rows_of(recorded, "feedback"))) == len(kept) + 1
