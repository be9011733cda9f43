"""What ``make load`` tells: percentiles, shares of requests, errors; one short run of it."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from tests import load
from tests.load import FEEDBACK, KINDS, Sent, draws, measure, percentile, serving, told


def test_a_percentile_is_a_value_that_was_measured() -> None:
    seconds = [number / 1000 for number in range(1, 101)]
    assert [percentile(seconds, part) for part in (0.5, 0.99, 1)] == [50, 99, 100]
    assert percentile([0.007], 0.99) == 7


def test_requests_come_in_their_shares() -> None:
    bodies = {kind.label: [kind.label.encode()] for kind in KINDS}
    requests = draws(random.Random(1), bodies)
    drawn = Counter(label for label, _, _ in (next(requests) for _ in range(5000)))
    for kind in (*KINDS, FEEDBACK):
        assert abs(drawn[kind.label] / 5000 - kind.share) < 0.03
    assert sum(kind.share for kind in (*KINDS, FEEDBACK)) == pytest.approx(1)


def test_errors_are_told_by_their_status() -> None:
    sent = [Sent("10 KB", 200, 0.01), Sent("10 KB", 503, 0.02), Sent("feedback", 0, 0.03)]
    assert told(10, sent, 1).endswith("2 1 x 503, 1 x broken off")
    assert told(10, sent[:1], 1).endswith(" 0")


def test_a_short_run_measures_every_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tuple(kind._replace(variants=1, share=0.3, most_ms=600_000) for kind in KINDS)
    monkeypatch.setattr(load, "KINDS", few)
    with serving(str(tmp_path), None) as port:
        monkeypatch.setattr(load, "SUSTAINED", 0)
        assert asyncio.run(measure(port, [20], 0.5, warming=0.2))
        lines = capsys.readouterr().out
        assert "top rate 20 a second" in lines and lines.count(": met") == 3
        monkeypatch.setattr(load, "SUSTAINED", 1000)
        assert not asyncio.run(measure(port, [20], 0.1, warming=0.1))
        assert "not even the lowest" in capsys.readouterr().out
