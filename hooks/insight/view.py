"""What the dashboard's page is written from: figures, signs and sheets, each sheet with its chart."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from cds.knowledge import Knowledge
from hooks.insight import charts, words
from hooks.insight.rates import Rate, quantile
from hooks.insight.reading import Counted
from hooks.insight.sheets import ALL, Sheet, all_sheets
from hooks.insight.signs import CALLS, FEWEST, Sign
from hooks.insight.tally import FATES, Tally, total

MOST_BARS = 10
FEW = 20
"""Answers of a week below which its percentiles are not drawn."""


class Figure(Struct, frozen=True):
    """A number that matters."""

    number: str
    name: str
    of: str


class Drawn(Struct, frozen=True):
    """A sheet with its chart; ``says`` is the text that stands for the chart."""

    sheet: Sheet
    chart: Markup | None
    says: str
    fates: bool = False
    """Whether the chart needs the key of accepted, overridden and ignored."""


class ToldSign(Struct, frozen=True):
    """One matter, at every place where it shows."""

    subject: str
    kind: str
    advice: str
    places: tuple[tuple[str, str, str, Markup], ...]
    """Client, service, the numbers in words, and the weeks that led there as a chart."""


def figures(tally: Tally) -> list[Figure]:
    accepted, overridden, ignored = (Rate(tally.became(fate), tally.shown) for fate in FATES)
    scope = Rate(tally.reviewed, tally.answers)
    slow = quantile(tally.milliseconds, 0.99)
    found = [
        Figure(f"{tally.orders:,}", "orders in scope", f"in {_of(scope)} answers"),
        Figure(f"{tally.shown:,}", "cards shown", f"{_each(tally.shown, tally.reviewed)} for an answer in scope"),
    ]
    for name, rate in (("accepted", accepted), ("overridden", overridden), ("ignored", ignored)):
        of = f"{_of(rate)} cards; {words.interval(rate)}" if rate.of else "no card was shown"
        found.append(Figure(words.percent(rate.share), name, of))
    return [
        *found,
        Figure(
            _milliseconds(quantile(tally.milliseconds, 0.5)), "median answer", f"99 of 100 within {_milliseconds(slow)}"
        ),
    ]


def _of(rate: Rate) -> str:
    return f"{rate.count:,} of {rate.of:,}"


def _each(count: int, of: int) -> str:
    return f"{count / of:.1f}" if of else "none"


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:g} ms"


def told_signs(found: Sequence[Sign], known: Mapping[str, Knowledge]) -> list[ToldSign]:
    """Signs of the same kind about the same thing stand together."""
    told = []
    for (kind, _), together in groupby(found, lambda sign: (sign.kind, sign.subject)):
        alike = list(together)
        places = tuple(
            (sign.place.tenant, sign.place.service, words.sentence(sign), _course(sign, known)) for sign in alike
        )
        told.append(ToldSign(words.subject(alike[0].subject, known), kind, words.advice(alike[0]), places))
    return told


def _course(sign: Sign, known: Mapping[str, Knowledge]) -> Markup:
    weeks, rates = zip(*sign.history, strict=True)
    name = words.subject(sign.subject, known)
    if sign.kind == CALLS:
        says = f"Answers of {sign.place.service}, week by week: {', '.join(str(rate.count) for rate in rates)}."
        return charts.course(weeks, [rate.count for rate in rates], [sign.low], says)
    steps = ", ".join(words.percent(rate.share) for rate in rates)
    says = f"{name} at {sign.place.service}, week by week: {steps}."
    return charts.course(weeks, rates, [sign.low, sign.high], says, so_far=not sign.whole)


def whole_weeks(counted: Counted) -> int:
    return sum(week.whole and bool(tallies) for week, tallies in counted)


def enough(counted: Counted) -> bool:
    """Whether any whole week has as many before it as it takes to compare."""
    return whole_weeks(counted) >= FEWEST


def drawn(counted: Counted, found: Sequence[Sign], known: Mapping[str, Knowledge]) -> tuple[Mapping[str, Drawn], Tally]:
    """Every sheet but that of the signs, with its chart where there is something to draw."""
    sheets = {name: make() for name, make in all_sheets(counted, found, known).items() if name != "signs"}
    tally = total(one for _, tallies in counted for one in tallies.values())
    names = charts.week_names([week for week, _ in counted])
    by_week = [total(tallies.values()) for _, tallies in counted]
    fates = [[one.became(fate) for one in by_week] for fate in FATES]
    made: dict[str, Drawn] = {name: Drawn(sheet, None, "") for name, sheet in sheets.items()}

    def draw(name: str, chart: Markup, says: str, fates: bool = False) -> None:
        made[name] = Drawn(sheets[name], chart, says, fates)

    if tally.shown:
        says = _fates_say(tally)
        draw("weeks", charts.cards_by_week(names, fates, says), says, fates=True)
        rows = sheets["groups"].rows
        columns = [[_count(row[at]) for row in rows] for at in (3, 4, 5)]
        draw("groups", charts.cards_by_group([str(row[0]) for row in rows], columns, says), says, fates=True)
        led = sorted((row for row in sheets["rules"].rows if row[8]), key=lambda row: -_number(row[8]))[:MOST_BARS]
        says = "Share of the cards that a rule led and that were accepted, rules with most cards first."
        draw("rules", charts.shares([_name(row) for row in led], [_rate(row[9]) for row in led], says), says)
    reasons = [row for row in sheets["reasons"].rows if row[0] == ALL][:MOST_BARS]
    if reasons:
        says = f"Most frequent reason: {reasons[0][1]}."
        told = [str(row[1]) for row in reasons]
        draw("reasons", charts.shares(told, [_rate(row[2]) for row in reasons], says, "overridden"), says)
    causes = [row for row in sheets["causes"].rows if row[1] == "in scope"][:MOST_BARS]
    if causes:
        says = f"Most frequent cause: {causes[0][0]}."
        told = [str(row[0]) for row in causes]
        draw("causes", charts.shares(told, [_rate(row[2]) for row in causes], says, "unknown"), says)
    if tally.answers:
        lines = [
            [quantile(one.milliseconds, part) if one.answers >= FEW else None for one in by_week]
            for part in (0.5, 0.95, 0.99)
        ]
        says = f"Median, 95th and 99th percentile of milliseconds, week by week; in all half within {_median(tally)}."
        draw("latency", charts.latency(names, lines, says), says)
    return made, tally


def _fates_say(tally: Tally) -> str:
    parts = ", ".join(f"{tally.became(fate):,} {fate}" for fate in FATES)
    return f"Of {tally.shown:,} cards: {parts}."


def _median(tally: Tally) -> str:
    return _milliseconds(quantile(tally.milliseconds, 0.5))


def _name(row: Sequence[Any]) -> str:
    return f"{row[0]} {row[1]}"


def _rate(cell: object) -> Rate:
    assert isinstance(cell, Rate)  # noqa: S101
    return cell


def _count(cell: object) -> int:
    return _rate(cell).count


def _number(cell: object) -> int:
    assert isinstance(cell, int)  # noqa: S101
    return cell


def range_words(counted: Counted) -> str:
    """From which day up to which the weeks go."""
    first, last = counted[0][0], counted[-1][0]
    return f"{words.day(first.monday)} to {words.day(last.monday + timedelta(days=6))}"
