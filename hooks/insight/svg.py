"""What is done to a chart that the library has drawn, before it goes into the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

if TYPE_CHECKING:
    from pygal.graph.graph import Graph  # type: ignore[import-untyped]

DROPPED = frozenset({"defs", "script", "style", "desc", "title"})
SHARE_WIDTH = 50
"""The room that the larger number beside a bar takes."""


def drawn(chart: Graph, series: Sequence[str], says: str) -> Markup:
    """The chart as it goes into the page."""
    return marked(plain(chart), series, says)


def plain(chart: Graph) -> Element:
    """The chart without the library's style, script and ids."""
    root: Element = chart.render_tree()
    _clean(root)
    return root


def _clean(element: Element) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or _name(child) in DROPPED or "tooltip-overlay" in child.get("class", ""):
            element.remove(child)
        else:
            _clean(child)
    element.tag = _name(element)
    for unwanted in ("id", "style"):
        element.attrib.pop(unwanted, None)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def marked(root: Element, series: Sequence[str], says: str) -> Markup:
    """Each series gets its pattern's class; the whole its text."""
    for group in root.iter("g"):
        words = group.get("class", "").split()
        number = next((word.removeprefix("serie-") for word in words if word.startswith("serie-")), None)
        if number is not None:
            group.set("class", f"series {series[int(number)]}")
    for interval in root.iter("g"):
        if interval.get("class") == "ci":  # beneath it a broader one of the paper's colour
            for path in list(interval):
                interval.insert(0, Element("path", {"class": "halo", "d": path.get("d", "")}))
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-label", says)
    return Markup(tostring(root, encoding="unicode", short_empty_elements=True))  # noqa: S704


def write_lines(root: Element, named: Sequence[Sequence[str]]) -> None:
    """The name of each bar, from the lowest up, on the lines that it takes."""
    axis = next(group for group in root.iter("g") if group.get("class") == "axis y")
    for text, lines in zip(axis.iter("text"), named, strict=True):
        text.text = lines[0] if len(lines) == 1 else None
        for line, down in zip(lines if len(lines) > 1 else (), ("-0.5em", "1.1em"), strict=False):
            SubElement(text, "tspan", {"x": text.get("x", "0"), "dy": down}).text = line


def write_at_right(root: Element, labels: Sequence[tuple[str, str]]) -> None:
    """Beside each bar its numbers, in the right margin."""
    plot = next(group for group in root.iter("g") if group.get("class") == "plot")
    ground = plot.find("rect")
    bars = [bar for bar in plot.iter("rect") if "rect" in bar.get("class", "").split()]
    right = float(ground.get("width", 0) if ground is not None else 0)
    for bar, (share, of) in zip(bars, labels, strict=True):
        middle = f"{float(bar.get('y', 0)) + float(bar.get('height', 0)) / 2 + 4:.1f}"
        SubElement(plot, "text", {"class": "beside share", "x": f"{right + SHARE_WIDTH:.1f}", "y": middle}).text = share
        SubElement(plot, "text", {"class": "of", "x": f"{right + SHARE_WIDTH + 8:.1f}", "y": middle}).text = of


def name_ends(root: Element, names: Sequence[str]) -> None:
    """Writes each line's name at its last point, in the right margin, kept apart from one another; lines without a name
    have none."""
    overlay = next(group for group in root.iter("g") if group.get("class") == "plot overlay")
    ends: list[tuple[float, float, str]] = []
    for group, name in zip(overlay.findall("g"), names, strict=False):
        dots = list(group.iter("circle"))
        if dots:
            ends.append((float(dots[-1].get("cy", 0)), float(dots[-1].get("cx", 0)), name))
    last = float("inf")
    for y, x, name in sorted(ends, reverse=True):
        last = min(y + 4, last - 14)
        SubElement(overlay, "text", {"class": "beside", "x": f"{x + 12:.1f}", "y": f"{last:.1f}"}).text = name
