"""The dashboard's numbers against small databases counted by hand; its intervals, weeks and queries."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.insight import reading
from hooks.insight.rates import Rate, quantile, wilson
from hooks.insight.reading import REMEMBERED_SECONDS, Reader, newest, of_places, places_of
from hooks.insight.stored import keep, kept
from hooks.insight.tally import Card, Place, Tally, total
from hooks.insight.weeks import weeks_until
from hooks.records.database import open_engine, open_reader
from hooks.records.record import FindingRecord
from hooks.records.writing import forget
from tests.insight_records import (
    HERE,
    MONDAY,
    NOW,
    SELECT,
    SIGN,
    answer,
    card,
    counted_in,
    fed,
    fill,
    this_week,
    uuid,
)
from tests.recorded import BOTH, address


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_those_that_newcombe_published(count: int, of: int, low: float, high: float) -> None:
    """R. G. Newcombe, Stat Med 1998;17:857, table I, method 3."""
    assert [round(limit, 4) for limit in wilson(count, of)] == [low, high]


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_mirrors(pair: tuple[int, int]) -> None:
    rate = Rate(*pair)
    assert rate.share is not None and rate.interval is not None
    low, high = rate.interval
    assert 0 <= low <= rate.share <= high <= 1
    mirrored_low, mirrored_high = wilson(rate.of - rate.count, rate.of)
    assert (1 - mirrored_high, 1 - mirrored_low) == pytest.approx((low, high))


def test_without_a_denominator_there_is_neither_share_nor_interval() -> None:
    assert (Rate(0, 0).share, Rate(0, 0).interval) == (None, None)


def test_quantiles_are_the_nearest_rank() -> None:
    bins = Counter({1.0: 50, 2.0: 45, 7.5: 4, 90.0: 1})
    told = [quantile(bins, part) for part in (0.5, 0.501, 0.95, 0.951, 0.99, 0.991, 1)]
    assert told == [1.0, 2.0, 2.0, 7.5, 7.5, 90.0, 90.0]
    assert quantile({}, 0.5) is None


def test_weeks_begin_on_the_sites_monday() -> None:
    before, running = weeks_until(datetime(2026, 3, 29, 22, 30, tzinfo=UTC), ZoneInfo("Europe/Vienna"), 2)
    assert (before.monday, before.whole) == (date(2026, 3, 23), True)
    assert before.ends.astimezone(UTC) - before.begins.astimezone(UTC) == timedelta(days=7, hours=-1)  # summer time
    assert (running.monday, running.whole) == (date(2026, 3, 30), False)
    assert running.begins == before.ends
    assert weeks_until(datetime(2026, 3, 29, 22, 30, tzinfo=UTC), UTC, 1)[0].monday == date(2026, 3, 23)


@BOTH
def test_a_small_database_counted_by_hand(database: str, tmp_path: Path) -> None:
    finding = FindingRecord("NP-01", "ladder", "warning", uuid("a"))
    answers = [
        answer(
            in_scope=2,
            outcomes=(("NP-01", 1, 0), ("DD-06", 0, 2)),
            causes=(("egfr: none on record", 2), ("dose: no dose", 1)),
            cards=(card("a"), card("b", "dose", "DD-23")),
            findings=(
                finding,
                FindingRecord("SAF-07", "safety", "info"),
                FindingRecord("DD-23", "dose", "warning", withheld="overridden"),
            ),
            ms=1.24,
        ),
        answer(in_scope=1, outcomes=(("NP-01", 1, 0),), causes=(("egfr: none on record", 1),), cards=(card("a"),)),
        answer(causes=(("drug: not recognised", 1),), ms=0.3, knowledge="2"),
        answer(in_scope=1, status=412, ms=600.06),
        answer(service=SELECT, in_scope=1, cards=(card("c"), card("d"), card("e"))),
        answer(MONDAY - timedelta(microseconds=1), in_scope=5, cards=(card("last week"),)),
        answer(MONDAY + timedelta(weeks=1), in_scope=5, cards=(card("next week"),)),
        answer(tenant="other", in_scope=1, cards=(card("a"),)),
    ]
    feedback = [
        fed("a", "overridden", 9, has_reason=True, reason_code="TriedElsewhere"),
        fed("a", "accepted", 3),  # came later, was decided earlier
        fed("a", "accepted", 20, tenant="third"),
        fed("b", "accepted", 5),
        fed("b", "overridden", 5, has_reason=True),  # of the same instant: what came last
        fed("c", "accepted", 5),
        fed("d", "overridden", 5),
        fed("unknown", "accepted", 5),
        fed("last week", "accepted", 5),
    ]
    found = counted_in(fill(address(database, tmp_path), answers, feedback), this_week())
    here, select, other = found[HERE], found[Place("open", SELECT)], found[Place("other", SIGN)]
    assert sorted(found) == [Place("open", SELECT), HERE, Place("other", SIGN)]
    assert (here.answers, here.reviewed, here.orders, here.incomplete) == (4, 3, 4, 1)
    assert (+here.fires, +here.untold) == ({"NP-01": 2}, {"DD-06": 2})
    assert here.causes == {"egfr: none on record": 2, "dose: no dose": 1}
    assert here.unread == {"drug: not recognised": 1}
    assert here.findings == {
        ("ladder", "NP-01", "shown"): 1, ("safety", "SAF-07", "no card"): 1, ("dose", "DD-23", "overridden"): 1,
    }  # fmt: skip
    assert here.cards == {
        Card("ladder", "NP-01", "overridden", "TriedElsewhere"): 1,
        Card("dose", "DD-23", "overridden", ""): 1,
    }
    assert here.milliseconds == {1.2: 1, 2.0: 1, 0.3: 1, 600.1: 1}
    assert here.knowledge == {"1": 3, "2": 1}
    assert select.cards == {
        Card("ladder", "NP-01", "accepted"): 1,
        Card("ladder", "NP-01", "overridden"): 1,
        Card("ladder", "NP-01", "ignored"): 1,
    }
    assert other.cards == {Card("ladder", "NP-01", "ignored"): 1}
    together = total(found.values())
    assert (together.answers, together.shown) == (6, 6)
    assert [together.became(fate) for fate in ("accepted", "overridden", "ignored")] == [1, 3, 2]
    assert together.became("overridden", group="dose") == together.became("overridden", rule="DD-23") == 1


def test_of_places_keeps_one_client_or_service() -> None:
    tallies = {Place("a", SIGN): Tally(answers=1), Place("b", SIGN): Tally(answers=2), Place("b", SELECT): Tally(3)}
    counted = tuple((week, tallies if week.whole else {}) for week in weeks_until(NOW, UTC, 2))
    assert [sum(t.answers for t in kept.values()) for _, kept in of_places(counted, "b", None)] == [5, 0]
    assert [sum(t.answers for t in kept.values()) for _, kept in of_places(counted, None, SIGN)] == [3, 0]
    assert [sum(t.answers for t in kept.values()) for _, kept in of_places(counted, "a", SELECT)] == [0, 0]
    assert places_of(counted) == [("a", SIGN), ("b", SELECT), ("b", SIGN)]


def test_weeks_before_the_first_answer_are_left_out() -> None:
    empty, full, running = (
        (week, {HERE: Tally(answers=n)} if n else {})
        for week, n in zip(weeks_until(NOW, UTC, 3), (0, 4, 0), strict=True)
    )
    assert newest((empty, full, running), 12) == (full, running)
    assert newest((empty, full, running), 1) == (running,)
    assert newest((empty, empty), 12) == (empty,)


def test_whole_weeks_are_remembered_for_a_while_and_the_running_one_is_read_anew(tmp_path: Path) -> None:
    url = fill(address("sqlite", tmp_path), [answer(), answer(MONDAY - timedelta(days=1))])
    moments = iter([NOW, NOW, NOW + timedelta(seconds=REMEMBERED_SECONDS)])

    async def counted(reader: Reader) -> list[int]:
        read = await reader.read(2)
        return [sum(tally.answers for tally in tallies.values()) for _, tallies in read.weeks]

    async def told() -> None:
        reader = Reader(url, UTC, lambda: next(moments))
        assert await counted(reader) == [1, 1]
        await asyncio.to_thread(fill, url, [answer(), answer(MONDAY - timedelta(days=1))])
        assert await counted(reader) == [1, 2]
        assert await counted(reader) == [2, 2]
        await reader.aclose()
        await reader.aclose()

    asyncio.run(told())


LONG_AGO = MONDAY - timedelta(weeks=6)


def read_by_another(url: str, now: datetime = NOW) -> list[Tally]:
    """What a process that has just started reads of the weeks that have answers."""

    async def told() -> list[Tally]:
        reader = Reader(url, UTC, lambda: now)
        try:
            read = await reader.read(8)
            assert read == await reader.read(8)
        finally:
            await reader.aclose()
        return [tally for _, tallies in read.weeks for tally in tallies.values()]

    return asyncio.run(told())


@BOTH
def test_a_week_that_ended_long_ago_is_counted_once_and_kept(database: str, tmp_path: Path) -> None:
    finding = FindingRecord("NP-01", "ladder", "warning", uuid("a"))
    told = answer(
        LONG_AGO,
        in_scope=1,
        outcomes=(("NP-01", 1, 0),),
        causes=(("dose: no dose", 1),),
        cards=(card("a"),),
        findings=(finding,),
        ms=1.5,
    )
    unread = answer(LONG_AGO, causes=(("drug: not recognised", 1),))
    url = fill(address(database, tmp_path), [told, unread, answer()], [fed("a", "overridden", has_reason=True)])
    first = read_by_another(url)
    assert [tally.answers for tally in first] == [2, 1]
    assert read_by_another(fill(url, [answer(LONG_AGO), answer()])) == [
        first[0],
        Tally(2, milliseconds=Counter({2.0: 2}), knowledge=Counter({"1": 2})),
    ]

    async def forgotten() -> None:
        engine = open_engine(url)
        await forget(engine, MONDAY, NOW)
        await engine.dispose()

    asyncio.run(forgotten())
    assert [tally.answers for tally in read_by_another(url)] == [2]


def test_two_processes_may_count_a_week_at_once(tmp_path: Path) -> None:
    url = fill(address("sqlite", tmp_path), [answer(LONG_AGO)])

    async def twice() -> None:
        engine = open_engine(url)
        week = weeks_until(LONG_AGO, UTC, 1)[0]
        for answers in (1, 2):
            await keep(engine, week, {HERE: Tally(answers)})
        async with engine.connect() as connection:
            assert await kept(connection, week) == {HERE: Tally(1)}
        await engine.dispose()

    asyncio.run(twice())


def test_a_week_that_cannot_be_kept_is_counted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = fill(address("sqlite", tmp_path), [answer(LONG_AGO)])
    monkeypatch.setattr(reading, "open_engine", open_reader)  # a user who may only read
    assert [tally.answers for tally in read_by_another(url)] == [1]
    assert "could not be kept: OperationalError" in caplog.text
    assert [tally.answers for tally in read_by_another(fill(url, [answer(LONG_AGO)]))] == [2]
