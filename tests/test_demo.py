"""`firstline demo` and `firstline signs`: a synthetic month, labelled, with a malfunction that is found."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from hooks.command_line import main
from hooks.insight import commands, demo
from hooks.insight.reading import Read, Reader
from hooks.insight.signs import BELOW, LOOK_BACK, SILENT, UNKNOWN, signs
from hooks.insight.tally import FATES, total
from tests.calling import an_app, call
from tests.insight_records import answer, fill
from tests.recorded import BOTH, address

NOW = datetime(2026, 3, 5, 15, tzinfo=UTC)
A_DAY = 40


def read(url: str) -> Read:
    async def told() -> Read:
        reader = Reader(url, UTC, lambda: NOW)
        try:
            return await reader.read(LOOK_BACK)
        finally:
            await reader.aclose()

    return asyncio.run(told())


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, demo.Filled]:
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    return url, asyncio.run(demo.fill(url, NOW, A_DAY))


def test_the_planted_malfunction_is_found(filled: tuple[str, demo.Filled]) -> None:
    found = signs(read(filled[0]).weeks)
    kinds = {(sign.kind, sign.subject) for sign in found}
    assert (UNKNOWN, "medications: not provided") in kinds
    assert kinds & {(BELOW, "DD-01"), (SILENT, "DD-01")}
    faulty = datetime(2026, 2, 23).date()
    assert {sign.since for sign in found if sign.subject == "medications: not provided"} == {faulty}
    assert all(sign.since >= faulty for sign in found)  # nothing is wrong before


def test_the_month_is_marked_and_its_answers_are_the_services(filled: tuple[str, demo.Filled]) -> None:
    url, told = filled
    records = read(url)
    tally = total(tally for _, tallies in records.weeks for tally in tallies.values())
    assert records.synthetic and not records.empty
    assert {place.tenant for _, tallies in records.weeks for place in tallies} == {"synthetic"}
    assert told.since == datetime(2026, 2, 2, tzinfo=UTC)
    assert (tally.answers, tally.shown - tally.became("ignored")) == (told.answers, told.feedback)
    assert all(tally.became(fate) > 20 for fate in FATES)
    assert len({card.group for card in tally.cards}) == 6
    assert len({card.reason for card in tally.cards}) > 8
    assert tally.orders > 500 and tally.reviewed < tally.answers


def test_every_page_and_table_says_that_it_is_synthetic(filled: tuple[str, demo.Filled]) -> None:
    app = an_app(database_url=filled[0])
    app.state.recorder.clock = lambda: NOW
    page, table = call(app, "GET", "/insight"), call(app, "GET", "/insight/rules.csv")
    other = call(app, "GET", "/insight?service=none")
    asyncio.run(app.state.insight.aclose())
    assert "Synthetic records." in page.text and "Synthetic records." in other.text
    assert "firstline-synthetic-rules.csv" in table.headers["content-disposition"]
    assert all(line.endswith(("Records", "synthetic")) for line in table.text.splitlines())


@BOTH
def test_the_same_month_is_made_again_and_never_beside_other_records(database: str, tmp_path: Path) -> None:
    url = address(database, tmp_path)
    first = asyncio.run(demo.fill(url, NOW, 4))
    other = f"sqlite:///{tmp_path / 'other.db'}"
    assert asyncio.run(demo.fill(other, NOW, 4)) == first
    one, same = read(url), read(other)
    for (_, ours), (_, theirs) in zip(one.weeks, same.weeks, strict=True):
        for place, tally in ours.items():
            tally.milliseconds = theirs[place].milliseconds  # the only thing that chance has a hand in
            assert tally == theirs[place]
    with pytest.raises(demo.NotEmptyError):
        asyncio.run(demo.fill(url, NOW, 4))
    real = fill(f"sqlite:///{tmp_path / 'real.db'}", [answer()])
    with pytest.raises(demo.NotEmptyError):
        asyncio.run(demo.fill(real, NOW, 4))
    assert not read(real).synthetic


def test_without_stored_requests_there_is_no_demo(tmp_path: Path) -> None:
    with pytest.raises(demo.NoFixturesError):
        asyncio.run(demo.fill(f"sqlite:///{tmp_path / 'x.db'}", NOW, 4, folder=tmp_path))
    assert not (tmp_path / "x.db").exists()


# The commands


@contextmanager
def few_a_day(patched: pytest.MonkeyPatch) -> Iterator[None]:
    filling = demo.fill

    async def fewer(url: str, now: datetime) -> demo.Filled:
        return await filling(url, now, 30)

    patched.setattr(demo, "fill", fewer)
    yield


def test_the_demo_is_made_and_its_signs_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    with few_a_day(monkeypatch):
        assert main(["demo", "--database", url]) == 0
        told = capsys.readouterr().out
        assert "synthetic answers since" in told and f"FIRSTLINE_DATABASE_URL={url} make serve" in told
        assert main(["demo", "--database", url]) == 2
    assert "name an empty one" in capsys.readouterr().err
    assert main(["signs", "--database", url]) == 1
    told = capsys.readouterr().out
    assert told.startswith("Synthetic records.") and "“medications: not provided”, more often than before" in told


def test_records_without_a_sign_are_told_with_status_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIRSTLINE_DATABASE_URL", fill(f"sqlite:///{tmp_path / 'a.db'}", [answer(datetime.now(UTC))]))
    assert main(["signs"]) == 0
    assert capsys.readouterr().out == "No sign of a malfunction.\n"
    assert main(["signs", "--database", fill(f"sqlite:///{tmp_path / 'b.db'}", [])]) == 0
    assert capsys.readouterr().out == "No answer is recorded.\n"


@pytest.mark.parametrize("command", ["demo", "signs"])
def test_a_database_that_cannot_be_used_is_told(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--database", "mysql://user:secret@host/name"]) == 2
    told = capsys.readouterr().err
    assert told == f"firstline: {commands.WRITE_URL}\n"

    async def down(*_: object, **__: object) -> None:
        raise OperationalError("secret", {}, OSError("secret"))

    monkeypatch.setattr(demo, "fill", down)
    monkeypatch.setattr(Reader, "read", down)
    assert main([command, "--database", fill(f"sqlite:///{tmp_path / 'a.db'}", [])]) == 2
    told = capsys.readouterr().err
    assert told.endswith(": OSError\n") and "secret" not in told


def test_what_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.db"
    assert main(["signs", "--database", f"sqlite:///{missing}"]) == 2
    assert "there is no such database" in capsys.readouterr().err and not missing.exists()
    monkeypatch.setenv("FIRSTLINE_DATABASE_URL", "none")
    assert main(["signs"]) == 2
    assert "nothing is recorded" in capsys.readouterr().err

    async def unfilled(url: str, now: datetime) -> None:
        raise demo.NoFixturesError

    monkeypatch.setattr(demo, "fill", unfilled)
    assert main(["demo"]) == 2
    assert "fixtures/" in capsys.readouterr().err
