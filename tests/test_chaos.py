"""The script that breaks things tells a loss where there is one. ``make chaos`` plays the faults themselves."""

import asyncio
from pathlib import Path

import pytest

from hooks.records.recorder import Recorder
from hooks.settings import Settings
from tests.chaos import __main__ as chaos
from tests.chaos import faults
from tests.chaos.faults import Database, Row, lost_of
from tests.chaos.prescribers import DANGER, Prescribers
from tests.recorded import address
from tests.test_records import answer, entry

KEPT, OTHER = "a" * 36, "b" * 36


async def recorded(url: str, told: Prescribers) -> str:
    """What is said to be lost of one answer and one entry of feedback that are there."""
    recorder = Recorder(Settings(database_url=url))
    await recorder.start()
    recorder.answered(answer())
    await recorder.feedback([entry(card=KEPT)])
    await recorder.stop()
    return await lost_of(url, told, all_answers=True)


@pytest.mark.parametrize(
    ("acknowledged", "answered", "wrong", "lost"),
    [
        ({KEPT}, 1, [], "nothing"),
        ({KEPT, OTHER}, 1, [], "1 acknowledged feedback"),
        ({KEPT}, 3, [], "2 answers not recorded"),
        ({KEPT}, 1, ["feedback got 500"], "1 x feedback got 500"),
        (set(), 1, [], "no feedback was taken at all"),
    ],
)
def test_what_is_missing_is_told(
    acknowledged: set[str], answered: int, wrong: list[str], lost: str, tmp_path: Path
) -> None:
    told = Prescribers(1)
    told.acknowledged, told.wrong = acknowledged, wrong
    told.hooks["200"] = answered
    assert asyncio.run(recorded(address("sqlite", tmp_path), told)) == lost


def test_an_answer_without_the_danger_is_wrong() -> None:
    told = Prescribers(1)
    view = {"firstline.review": {"findings": [{"rule": DANGER}]}}
    told._look({"cards": [1], "extension": view})
    assert told.wrong == []
    told._look({"cards": [], "extension": view})
    told._look({"cards": [1], "extension": {"firstline.review": {}}})
    assert told.wrong == [f"an answer without {DANGER}"] * 2


def test_a_fault_that_cannot_be_told_is_a_loss(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(*_: object) -> Row:
        raise RuntimeError("out of order")

    async def fine(database: Database, _: Path) -> Row:
        return Row(database.name, "nothing at all", "1 answered", 0.1, "nothing")

    monkeypatch.setattr(chaos, "EACH", {"kill": fails})
    monkeypatch.setattr(faults, "fhir_faults", fine)
    assert chaos.main(["--sqlite"]) == 1
    assert "not told: RuntimeError" in capsys.readouterr().out
    assert chaos.main(["--only", "fhir"]) == 0
    assert "| nothing at all | SQLite | 1 answered | 0.10 s | nothing |" in capsys.readouterr().out
