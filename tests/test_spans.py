"""Arithmetic of days."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.spans import Span, before, continuous_days, days_taken, end_of, joined, shared
from tests.builders import TODAY, day

NEARBY = st.integers(-400, 400).map(lambda ago: TODAY - timedelta(days=ago))


@st.composite
def some_span(draw: st.DrawFn) -> Span:
    start = draw(NEARBY)
    length = draw(st.one_of(st.none(), st.integers(0, 200)))
    end = None if length is None else start + timedelta(days=length)
    return Span(start, end, draw(st.booleans()) if end is None else True)


SPANS = st.lists(some_span(), max_size=6)


def covered(spans: list[Span], first: date, last: date) -> set[date]:
    days = {first + timedelta(days=each) for each in range((last - first).days + 1)}
    return {one for one in days if any(span.start <= one <= span.last for span in spans)}


@pytest.mark.parametrize(("gap", "runs"), [(13, 1), (14, 1), (15, 2)])
def test_a_gap_of_14_days_is_joined(gap: int, runs: int) -> None:
    first = Span(day(100), day(71))
    second = Span(day(70 - gap), day(10))
    assert len(joined([second, first], 14)) == runs


def test_joined_keeps_the_later_end() -> None:
    assert joined([Span(day(90), day(1)), Span(day(80), day(70))], 14) == (Span(day(90), day(1)),)
    assert joined([Span(day(90), day(50)), Span(day(80), None)], 14) == (Span(day(90), None),)


def test_an_end_that_is_not_known_leaves_one_day() -> None:
    assert days_taken([Span(day(60), None, end_known=False)], day(90), TODAY) == 1
    assert days_taken([Span(day(60), None)], day(90), TODAY) == 61


def test_gap_days_are_not_counted() -> None:
    spans = [Span(day(99), day(60)), Span(day(49), TODAY)]
    assert continuous_days(spans, TODAY, 14) == 40 + 50


@pytest.mark.parametrize(("ago", "days"), [(0, 30), (14, 30), (15, 0)])
def test_a_run_counts_until_14_days_after_its_end(ago: int, days: int) -> None:
    assert continuous_days([Span(day(ago + 29), day(ago))], TODAY, 14) == days


def test_the_future_is_not_counted() -> None:
    assert continuous_days([Span(day(9), day(-50))], TODAY, 14) == 10
    assert continuous_days([Span(day(-1), day(-50))], TODAY, 14) == 0
    assert continuous_days([], TODAY, 14) == 0


@given(SPANS)
def test_days_are_counted_once(spans: list[Span]) -> None:
    assert days_taken(spans, day(200), TODAY) == len(covered(spans, day(200), TODAY))


@given(SPANS, SPANS)
def test_shared_days_are_those_of_both(some: list[Span], others: list[Span]) -> None:
    both = covered(some, day(200), day(-200)) & covered(others, day(200), day(-200))
    assert covered(list(shared(some, others)), day(200), day(-200)) == both


@given(SPANS, st.integers(0, 20))
def test_joining_neither_loses_nor_moves_a_day_and_leaves_long_gaps(spans: list[Span], gap: int) -> None:
    runs = joined(spans, gap)
    assert covered(spans, day(200), TODAY) <= covered(list(runs), day(200), TODAY)
    for one, following in itertools.pairwise(runs):
        assert (following.start - one.last).days - 1 > gap


@given(st.permutations([Span(day(50), day(40)), Span(day(30), None, False), Span(day(45), None), Span(day(9), day(1))]))
def test_the_order_of_spans_does_not_matter(spans: list[Span]) -> None:
    assert joined(spans, 5) == joined(sorted(spans, key=lambda each: each.start), 5)


def test_the_ends_of_the_calendar() -> None:
    assert end_of(TODAY, Decimal(10) ** 30) == date.max
    assert end_of(date.max, Decimal(5)) == date.max
    assert end_of(TODAY, Decimal("0.2")) == TODAY
    assert end_of(TODAY, Decimal("3.3")) == day(-3)
    assert before(date.min) == date.min
    assert before(TODAY) == day(1)
