"""Signs of a malfunction: each just under, at and over its limit, when it ends, and what is said of it."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.insight import words
from hooks.insight.bands import ABOVE, BELOW, CASES, band, chance_of_none, outside
from hooks.insight.rates import Rate
from hooks.insight.signs import (
    BUSY,
    CALLS,
    FEEDBACK,
    FEWEST,
    INCOMPLETE,
    LOOK_BACK,
    SCOPE,
    SETTLED,
    SILENT,
    UNKNOWN,
    UNREAD,
    Sign,
    signs,
)
from hooks.insight.tally import Card, Place, Tally
from hooks.knowledge_version import all_knowledge
from tests.insight_records import HERE, SELECT, monday, weeks_of

USUAL = [Rate(200, 1000)] * 3


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (Rate(111, 400), None),  # four standard errors of 2 %, 80 to 112 either way
        (Rate(112, 400), None),
        (Rate(113, 400), ABOVE),
        (Rate(49, 400), None),
        (Rate(48, 400), None),
        (Rate(47, 400), BELOW),
        (Rate(9999, 40_000), None),  # by less than a quarter of what was usual
        (Rate(10_000, 40_000), ABOVE),
        (Rate(6_001, 40_000), None),
        (Rate(6_000, 40_000), BELOW),
    ],
)
def test_a_rate_is_told_beyond_its_band_and_by_a_quarter(now: Rate, told: str | None) -> None:
    assert outside(now, USUAL) == told


@pytest.mark.parametrize(("count", "told"), [(5, None), (6, ABOVE), (7, ABOVE)])
def test_fewer_than_five_cases_more_are_not_told(count: int, told: str | None) -> None:
    assert CASES == 5  # usual: 1 of 100; the band ends at 4.98 %
    assert outside(Rate(count, 100), [Rate(10, 1000)] * 3) == told


@pytest.mark.parametrize(("count", "told"), [(98, None), (93, BELOW)])
def test_of_nearly_all_a_small_part_counts(count: int, told: str | None) -> None:
    assert outside(Rate(count * 10, 1000), [Rate(990, 1000)] * 3) == told


def test_weeks_that_differ_among_themselves_widen_the_band() -> None:
    even, uneven = [Rate(200, 1000)] * 4, [Rate(160, 1000), Rate(240, 1000)] * 2
    assert outside(Rate(270, 1000), even) == ABOVE
    assert outside(Rate(270, 1000), uneven) is None
    # z of 40/12.65 either way: steps of 6.32, in all 5.6 times what chance would make them
    assert band(uneven, 1000).high - 0.2 == pytest.approx(4 * 6.3246 / 1.128 * 0.0126491, rel=1e-3)


@given(st.lists(st.integers(0, 50), min_size=3, max_size=8), st.integers(1, 10_000))
def test_a_band_is_within_nothing_and_all(counts: list[int], of: int) -> None:
    limits = band([Rate(count, 50) for count in counts], of)
    assert 0 <= limits.low <= limits.high <= 1
    assert 0 < band([Rate(1, 1)], of).high <= 1  # one week of one case


def rule(count: int, orders: int = 1000, **more: object) -> Tally:
    return Tally(answers=orders, reviewed=orders, orders=orders, fires=Counter({"NP-01": count}), **more)  # type: ignore[arg-type]


def found(*tallies: Tally, **how: object) -> list[Sign]:
    return signs(weeks_of(*tallies, **how))  # type: ignore[arg-type]


def test_a_week_is_compared_with_three_or_more() -> None:
    assert FEWEST == 3
    assert found(rule(200), rule(200), rule(500)) == []
    [sign] = found(rule(200), rule(200), rule(200), rule(500))
    assert (sign.kind, sign.subject, sign.place, sign.week, sign.whole) == (ABOVE, "NP-01", HERE, monday(0), False)
    assert (sign.now, sign.before, sign.weeks) == (Rate(500, 1000), Rate(600, 3000), 3)
    assert [rate.count for _, rate in sign.history] == [200, 200, 200, 500]


def test_the_last_whole_week_stays_a_sign_while_the_running_one_is_too_short_to_tell() -> None:
    [sign] = found(rule(200), rule(200), rule(200), rule(500), rule(1, 4))
    assert (sign.week, sign.whole, sign.since) == (monday(1), True, monday(1))


def test_a_fault_that_lasts_stays_a_sign_until_it_is_the_new_level() -> None:
    weeks = [rule(200)] * 4
    for week in range(1, SETTLED):
        weeks.append(rule(500))
        [sign] = found(*weeks, running=False)
        assert (sign.since, sign.before) == (monday(week), Rate(800, 4000))
    assert found(*weeks, rule(500), running=False) == []
    assert found(*weeks, *[rule(500)] * 3, running=False) == []
    [back] = found(*weeks, *[rule(500)] * 3, rule(200), running=False)
    assert (back.kind, back.before) == (BELOW, Rate(4000, 8000))


def test_a_rate_that_is_back_is_no_sign() -> None:
    assert found(rule(200), rule(200), rule(200), rule(500), rule(200), running=False) == []


@pytest.mark.parametrize(("orders", "told"), [(87, False), (88, True), (89, True)])
def test_silence_is_told_where_it_is_less_likely_than_1_in_10000(orders: int, told: bool) -> None:
    assert chance_of_none(Rate(0, 87), [Rate(100, 1000)]) > 1e-4 >= chance_of_none(Rate(0, 88), [Rate(100, 1000)])
    silent = found(rule(100), rule(100), rule(100), rule(0, orders))
    assert [sign.kind for sign in silent] == [SILENT] * told


def test_a_rare_rule_needs_several_weeks_of_silence() -> None:
    seldom = [rule(3)] * 6  # 1 in 333; none of 3,000: 1 in 8,200; of 4,000: 1 in 165,000
    assert found(*seldom, *[rule(0)] * 3, running=False) == []
    [sign] = found(*seldom, *[rule(0)] * 4, running=False)
    assert (sign.kind, sign.since, sign.now) == (SILENT, monday(4), Rate(0, 4000))
    assert sign.chance == pytest.approx(0.997**4000)
    [running] = found(*seldom, *[rule(0)] * 4, rule(0, 500))
    assert (running.now, running.week) == (Rate(0, 4500), monday(0))
    assert found(*seldom, *[rule(0)] * 4, rule(3)) == []  # it speaks again
    assert found(*seldom, *[rule(0)] * 4, rule(3), running=False) == []
    assert found(*seldom, *[rule(0)] * 2, rule(3), *[rule(0)] * 3, running=False) == []  # within reason: part of it


def test_a_silence_never_settles() -> None:
    [sign] = found(*[rule(100)] * 4, *[rule(0)] * (LOOK_BACK - 4), running=False)
    assert (sign.kind, sign.since) == (SILENT, monday(LOOK_BACK - 4))


def test_what_never_was_is_not_silent() -> None:
    assert found(*[rule(0)] * 6) == []


def untold(count: int) -> Tally:
    return Tally(answers=1000, reviewed=400, orders=400, causes=Counter({"egfr: not provided": count}))


def unread(count: int) -> Tally:
    return Tally(answers=1000, reviewed=600, orders=600, unread=Counter({"drug: not recognised": count}))


def incomplete(count: int) -> Tally:
    return Tally(answers=400, reviewed=400, orders=400, incomplete=count)


@pytest.mark.parametrize(
    ("make", "subject"),
    [(untold, "egfr: not provided"), (unread, f"{UNREAD}drug: not recognised"), (incomplete, INCOMPLETE)],
)
def test_a_rise_of_unknowns_is_told_and_a_fall_is_not(make: Callable[[int], Tally], subject: str) -> None:
    usual = [make(80)] * 3  # 20 % of 400: the band ends at 28 %
    assert found(*usual, make(112)) == []
    [sign] = found(*usual, make(113))
    assert (sign.kind, sign.subject, sign.now) == (UNKNOWN, subject, Rate(113, 400))
    assert found(*usual, make(0)) == found(*usual, make(10)) == []
    [new] = found(*[make(0)] * 3, make(40))
    assert (new.kind, new.before) == (UNKNOWN, Rate(0, 1200))


def scope(reviewed: int) -> Tally:
    return Tally(answers=400, reviewed=reviewed, orders=reviewed)


def test_a_part_in_scope_that_falls_or_rises_is_told() -> None:
    usual = [scope(80)] * 3
    assert [sign.kind for sign in found(*usual, scope(48))] == []
    assert [(sign.kind, sign.subject) for sign in found(*usual, scope(47))] == [(BELOW, SCOPE)]
    assert [(sign.kind, sign.subject) for sign in found(*usual, scope(113))] == [(ABOVE, SCOPE)]
    assert [(sign.kind, sign.subject) for sign in found(*usual, scope(0))] == [(SILENT, SCOPE)]


def fates(accepted: int, shown: int = 400) -> Tally:
    cards = {"accepted": accepted, "ignored": shown - accepted}
    counts = Counter({Card("dose", "DD-23", fate): count for fate, count in cards.items()})
    return Tally(answers=400, reviewed=400, orders=400, cards=counts)


def test_feedback_that_fades_or_ends_is_told_and_more_of_it_is_not() -> None:
    usual = [fates(80)] * 3
    assert found(*usual, fates(48)) == found(*usual, fates(300)) == []
    assert [(sign.kind, sign.subject) for sign in found(*usual, fates(47))] == [(BELOW, FEEDBACK)]
    assert [(sign.kind, sign.subject) for sign in found(*usual, fates(0))] == [(SILENT, FEEDBACK)]


@pytest.mark.parametrize(("answers", "told"), [(51, False), (50, False), (49, True), (0, True)])
def test_less_than_half_of_the_leanest_week_is_told(answers: int, told: bool) -> None:
    weeks = [Tally(answers=count) for count in (300, 100, 200, answers)]
    assert [sign.kind for sign in found(*weeks, running=False)] == [CALLS] * told
    assert found(*weeks[:3], Tally(answers=answers)) == []  # half a week has half as many


@pytest.mark.parametrize(("least", "told"), [(BUSY - 1, False), (BUSY, True)])
def test_a_service_that_is_hardly_called_is_not_missed(least: int, told: bool) -> None:
    weeks = [Tally(answers=count) for count in (30, least, 30, 1)]
    assert [sign.kind for sign in found(*weeks, running=False)] == [CALLS] * told


def test_calls_that_stay_away_stay_a_sign_and_calls_that_are_back_are_none() -> None:
    gone = [Tally(answers=100)] * 4 + [Tally(answers=10)] * 10
    [sign] = found(*gone, running=False)
    assert (sign.since, sign.now, sign.low) == (monday(10), Rate(10, 100), 50)
    assert found(*gone, Tally(answers=90), running=False) == []


def test_each_place_is_judged_on_its_own_and_the_gravest_comes_first() -> None:
    other = Place("open", SELECT)
    weeks = weeks_of(*[rule(200)] * 4, rule(0))
    both = [(week, {**tallies, other: rule(200 if week.whole else 500)}) for week, tallies in weeks]
    assert [(sign.kind, sign.place) for sign in signs(both)] == [(SILENT, HERE), (ABOVE, other)]
    assert signs([]) == []


def test_weeks_before_a_service_was_first_called_do_not_count() -> None:
    assert found(Tally(), Tally(), rule(200), rule(200), rule(500)) == []


def test_a_change_of_the_knowledge_is_named() -> None:
    usual = [rule(200, knowledge=Counter({"1": 1000}))] * 3
    [same] = found(*usual, rule(500, knowledge=Counter({"1": 1000})))
    [changed] = found(*usual, rule(500, knowledge=Counter({"1": 10, "2": 990})))
    assert (same.versions, changed.versions) == (False, True)
    assert "knowledge changed" in words.advice(changed) and "earlier weeks" in words.advice(same)


def test_what_is_said_of_a_sign() -> None:
    known = all_knowledge()
    [above] = found(*[rule(200)] * 3, rule(500), running=False)
    title = known["NP-01"].title
    assert words.title(above, known) == f"NP-01 {title}: more than before"
    assert words.sentence(above) == (
        "In the week from 23 Feb 2026 50% (500 of 1,000 orders in scope); 20% (600 of 3,000) in the 3 weeks before."
        " Expected: 15% to 25%."
    )
    [silent] = found(*[rule(100)] * 3, rule(0, 100))
    assert words.sentence(silent) == (
        "Since 2 Mar 2026 none of 100 orders in scope; 10% (300 of 3,000) in the 3 weeks before. Were nothing wrong,"
        " the chance of that would be 1 in 38,000."
    )
    [never] = found(*[rule(500)] * 3, rule(0))
    assert words.sentence(never).endswith("would be less than 1 in a million.")
    [calls] = found(*[Tally(answers=100)] * 3, Tally(answers=10), running=False)
    assert words.title(calls, known) == "Far fewer requests"
    assert words.sentence(calls) == (
        "In the week from 23 Feb 2026 10 answers; the leanest of the 3 weeks before had 100. Fewer than 50, half of"
        " that, is a sign."
    )


@pytest.mark.parametrize(
    ("tallies", "title", "of", "advice"),
    [
        ([untold(0)] * 3 + [untold(90)], "“egfr: not provided”, more often", "answers with orders", "prefetch key"),
        ([unread(0)] * 3 + [unread(90)], "“drug: not recognised” where no order", "answers without", "prefetch key"),
        ([incomplete(0)] * 3 + [incomplete(90)], "Requests refused as incomplete", "answers with", "prefetch key"),
        ([scope(200)] * 3 + [scope(20)], "Answers with an order in scope: fewer", "answers)", "recognised"),
        ([fates(80)] * 3 + [fates(0)], "Cards with feedback: none any more", "of 400 cards;", "sends feedback"),
        ([rule(100)] * 3 + [rule(0)], "NP-01", "orders in scope", "may no longer arrive"),
        ([Tally(answers=100)] * 3 + [Tally(answers=1), Tally()], "Far fewer requests", "answers;", "still calls"),
    ],
)
def test_every_sign_says_of_what_and_where_to_look(tallies: list[Tally], title: str, of: str, advice: str) -> None:
    [sign] = found(*tallies)
    assert title in words.title(sign, all_knowledge())
    assert of in words.sentence(sign)
    assert advice in words.advice(sign)


@pytest.mark.parametrize(
    ("share", "told"),
    [(None, "–"), (0.0, "0%"), (0.0004, "0.0%"), (0.0994, "9.9%"), (0.0996, "10%"), (0.996, "99.6%"), (1.0, "100%")],
)
def test_shares_are_written_with_a_decimal_where_it_tells(share: float | None, told: str) -> None:
    assert words.percent(share) == told


def test_intervals_are_written_with_a_decimal_where_they_are_small() -> None:
    assert [words.interval(rate) for rate in (Rate(2, 400), Rate(200, 400), Rate(0, 0))] == ["0.1–1.8%", "45–55%", ""]
