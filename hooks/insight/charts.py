"""Charts as SVG within the page, drawn by pygal; colours, patterns and letters are those of static/insight.css.

Nothing of the library's own style, script or ids goes out: the page's policy allows none. Every chart has a text that
says what it shows; its numbers are in the table beneath it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from textwrap import wrap
from typing import Any

from markupsafe import Markup

from hooks.insight.rates import Rate
from hooks.insight.svg import SHARE_WIDTH, drawn, marked, name_ends, plain, write_at_right, write_lines
from hooks.insight.weeks import Week

WIDTH, HEIGHT = 640, 250
COURSE = (330, 130)
ROW, BORDER = 30, 48
SERIES = ("accepted", "overridden", "ignored")
LINES = ("median", "p95", "p99")
SO_FAR = " …"
"""Behind the name of the running week."""
LEAST_LABELLED = 0.06
"""Bars that are a smaller part of the longest carry no number of their own."""
LONGEST_LINE = 32
"""Letters of a bar's name on each of its two lines."""
LETTERS = 13
"""The size of the labels, as insight.css has it."""


@cache
def _pygal() -> Any:
    """The library, imported when the first chart is drawn; the search path that it sets up for plug-ins is taken down:
    nothing here uses it, and every import would ask there."""
    import pygal  # type: ignore[import-untyped]
    import pygal.style  # type: ignore[import-untyped]

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]
    return pygal


def cards_by_week(weeks: Sequence[str], fates: Sequence[Sequence[int]], says: str) -> Markup:
    """``fates``: for each of accepted, overridden and ignored the cards of each week."""
    pygal = _pygal()
    tallest = max((sum(column) for column in zip(*fates, strict=True)), default=0)
    chart = pygal.StackedBar(**_look(), x_labels=list(weeks), formatter=_unless_small(tallest))
    for name, counts in zip(SERIES, fates, strict=True):
        chart.add(name, list(counts))
    return drawn(chart, SERIES, says)


def cards_by_group(groups: Sequence[str], fates: Sequence[Sequence[int]], says: str) -> Markup:
    pygal = _pygal()
    longest = max((sum(column) for column in zip(*fates, strict=True)), default=0)
    chart = pygal.HorizontalStackedBar(
        **_look(len(groups)), x_labels=list(reversed(groups)), formatter=_unless_small(longest)
    )
    for name, counts in zip(SERIES, fates, strict=True):
        chart.add(name, list(reversed(counts)))
    return drawn(chart, SERIES, says)


def shares(names: Sequence[str], rates: Sequence[Rate], says: str, series: str = "accepted") -> Markup:
    """A bar for each, first one on top, with its interval; the numbers stand at the right."""
    pygal = _pygal()
    named = [
        wrap(name, LONGEST_LINE, max_lines=2, placeholder="…", break_on_hyphens=False) or [""]
        for name in reversed(names)
    ]
    labels = [(_percent(rate.share or 0), f"{rate.count:,} of {rate.of:,}") for rate in rates]
    most = _ceiling(max((_top(rate) for rate in rates), default=0), 1.0)
    chart = pygal.HorizontalBar(
        **_look(len(names), right=SHARE_WIDTH + _margin([of for _, of in labels])),
        x_labels=[max(lines, key=len) for lines in named],
        range=(0, most),
        y_labels=_steps(most),
        value_formatter=_percent,
    )
    chart.add(series, [_with_interval(rate) for rate in reversed(rates)])
    root = plain(chart)
    write_lines(root, named)
    write_at_right(root, list(reversed(labels)))
    return marked(root, (series,), says)


def latency(weeks: Sequence[str], lines: Sequence[Sequence[float | None]], says: str) -> Markup:
    """``lines``: median, 95th and 99th percentile of each week; each is named where it ends."""
    pygal = _pygal()
    chart = pygal.Line(**_look(right=96), x_labels=list(weeks), value_formatter=_milliseconds, include_x_axis=True)
    for name, values in zip(LINES, lines, strict=True):
        chart.add(name, list(values))
    root = plain(chart)
    name_ends(root, ("median", "95th percentile", "99th percentile"))
    return marked(root, LINES, says)


def course(
    weeks: Sequence[date], values: Sequence[Rate | int], limits: Sequence[float], says: str, so_far: bool = False
) -> Markup:
    """How a rate, or a number, went from week to week, small; and the limits within which the last one should lie."""
    pygal = _pygal()
    rates = any(isinstance(value, Rate) for value in values)
    named = [*map(day_words, weeks)]
    named[-1] += SO_FAR if so_far else ""
    tops = [_top(value) for value in values]
    chart = pygal.Line(
        **_look(width=COURSE[0], height=COURSE[1], right=58),
        x_labels=named,
        x_labels_major=[named[0], named[-1]],
        show_minor_x_labels=False,
        range=(0, _ceiling(max([*tops, *limits]), 1.0 if rates else None)),
        y_labels=[0, _ceiling(max([*tops, *limits]), 1.0 if rates else None)],
        value_formatter=_percent if rates else _count,
    )
    chart.add("rate", [_point(value) for value in values], dots_size=4)
    for limit in limits:
        chart.add("limit", [limit] * len(weeks), show_dots=False)
    root = plain(chart)
    last = values[-1]
    name_ends(root, (_percent(last.share or 0) if isinstance(last, Rate) else _count(last),))
    return marked(root, ("rate", *("limit" for _ in limits)), says)


def _point(value: Rate | int) -> Mapping[str, Any] | int | None:
    if isinstance(value, Rate):
        return _with_interval(value) if value.of else None
    return value


def _top(value: Rate | int) -> float:
    if isinstance(value, Rate):
        return value.interval[1] if value.interval else 0.0
    return value


def _ceiling(highest: float, most: float | None = None) -> float:
    """The next round number above: 1, 2 or 5 and noughts."""
    if highest <= 0:
        return most or 1
    power = 10 ** math.floor(math.log10(highest))
    round_one: float = next(step * power for step in (1, 2, 5, 10) if step * power >= highest * 0.999)
    return min(round_one, most) if most is not None else round_one


def _steps(most: float) -> list[float]:
    """Round numbers from 0 up to a round number."""
    parts = 4 if round(most / 10 ** math.floor(math.log10(most))) == 2 or most == 1 else 5
    return [most * part / parts for part in range(parts + 1)]


# How a chart looks


def _look(rows: int | None = None, right: int = 12, width: int = WIDTH, height: int = HEIGHT) -> dict[str, Any]:
    style = _pygal().style.Style
    return {
        "style": style(label_font_size=LETTERS, major_label_font_size=LETTERS, value_font_size=LETTERS),
        "width": width,
        "height": height if rows is None else BORDER + ROW * max(rows, 1),
        "js": (),
        "show_legend": False,
        "print_values": right == 12,
        "margin": 4,
        "margin_right": right,
        "margin_bottom": 2,
        "spacing": 8,
        "no_data_text": "",
        "y_labels_major_count": 0,
        "truncate_label": -1,
        "show_y_labels": True,
        "min_scale": 3,
        "max_scale": 6,
        "order_min": 0,
    }


def _count(value: float) -> str:
    return f"{value:,.0f}"


def week_names(weeks: Sequence[Week]) -> list[str]:
    """As they stand beneath a chart; the running week is told apart."""
    return [day_words(week.monday) + ("" if week.whole else SO_FAR) for week in weeks]


def day_words(day: date) -> str:
    return f"{day.day} {day:%b}"


def _percent(share: float) -> str:
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def _milliseconds(value: float) -> str:
    return f"{value:g} ms"


def _unless_small(tallest: int) -> Callable[[float], str]:
    return lambda value: f"{value:,.0f}" if value and value >= LEAST_LABELLED * tallest else ""


def _margin(labels: Sequence[str]) -> int:
    return round(12 + 0.55 * LETTERS * max(map(len, labels), default=0))


def _with_interval(rate: Rate) -> Mapping[str, Any]:
    low, high = rate.interval or (0.0, 0.0)
    return {"value": rate.share or 0.0, "ci": {"low": low, "high": high}}


# From the library's drawing to the page's
