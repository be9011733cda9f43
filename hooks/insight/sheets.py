"""The tables of the dashboard: the page shows them, and each is downloaded as CSV with the same numbers."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from cds.knowledge import GROUPS, Knowledge
from hooks.insight.rates import Rate, quantile
from hooks.insight.reading import Counted
from hooks.insight.signs import Sign
from hooks.insight.tally import FATES, NO_CARD, OVERRIDDEN, SHOWN, Tally, total
from hooks.insight.words import sentence, title
from hooks.override_reasons import PLAIN_REASONS, REASONS
from hooks.pages.evidence_pages import GROUP_NAMES

SLOW_MS = 500.0
"""What the specification of CDS Hooks wants answers to stay below."""
WITHHELD = ("shown before", "overridden")
ALL = "All groups"
NO_REASON, COMMENT = "No reason given", "A comment alone"

Cell = str | int | float | Rate | date | None


class Sheet(Struct, frozen=True):
    """``columns`` name the cells of every row; a ``Rate`` becomes five columns of the CSV."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def weeks(counted: Counted) -> Sheet:
    """One row for each week, and what came of its cards."""
    columns = ("Week from", "Complete", "Answers", "With orders in scope", "Orders in scope", "Cards shown")
    rows: list[tuple[Cell, ...]] = []
    for week, tallies in counted:
        tally = total(tallies.values())
        complete = "yes" if week.whole else "no"
        scope = Rate(tally.reviewed, tally.answers)
        rows.append((week.monday, complete, tally.answers, scope, tally.orders, tally.shown, *_fates(tally)))
    return Sheet("weeks", "Week by week", (*columns, *_FATES), tuple(rows))


def services(counted: Counted) -> Sheet:
    places = sorted({place for _, tallies in counted for place in tallies})
    rows: list[tuple[Cell, ...]] = []
    for place in places:
        tally = total(tallies[place] for _, tallies in counted if place in tallies)
        scope, incomplete = Rate(tally.reviewed, tally.answers), Rate(tally.incomplete, tally.reviewed)
        rows.append(
            (place.tenant, place.service, tally.answers, scope, tally.orders, incomplete, tally.shown, *_fates(tally))
        )
    columns = ("Client", "Service", "Answers", "With orders in scope", "Orders in scope", "Refused as incomplete")
    return Sheet("services", "By client and service", (*columns, "Cards shown", *_FATES), tuple(rows))


_FATES = ("Accepted", "Overridden", "Ignored")


def _fates(tally: Tally, group: str | None = None, rule: str | None = None) -> tuple[Rate, ...]:
    counts = [tally.became(fate, group, rule) for fate in FATES]
    return tuple(Rate(count, sum(counts)) for count in counts)


def groups(tally: Tally) -> Sheet:
    """One row for each card group, in clinical order."""
    rows: list[tuple[Cell, ...]] = []
    for group in GROUPS:
        fates = _fates(tally, group)
        found = sum(count for (of, _, _), count in tally.findings.items() if of == group)
        if found or fates[0].of:
            rows.append((GROUP_NAMES[group], found, fates[0].of, *fates))
    return Sheet("groups", "By group of cards", ("Group", "Findings", "Cards shown", *_FATES), tuple(rows))


def rules(tally: Tally, known: Mapping[str, Knowledge]) -> Sheet:
    """One row for each rule that fired, could not tell or leads a card. A rule may be a line in the card that another
    leads: what became of a card counts for the rule that leads it."""
    leading = {card.rule for card in tally.cards}
    named = set(tally.fires) | set(tally.untold) | leading | {rule for _, rule, _ in tally.findings}
    rows: list[tuple[Cell, ...]] = []
    for name in sorted(named, key=lambda name: (_place_of(name, known), name)):
        fates = _fates(tally, rule=name)
        found = {
            fate: sum(n for (_, rule, told), n in tally.findings.items() if (rule, told) == (name, fate))
            for fate in (SHOWN, NO_CARD, *WITHHELD)
        }
        rows.append(
            (
                name,
                known[name].title if name in known else "not in this version of the knowledge",
                GROUP_NAMES[known[name].group] if name in known else None,
                Rate(tally.fires[name], tally.orders),
                Rate(tally.untold[name], tally.orders),
                found[SHOWN],
                sum(found[fate] for fate in WITHHELD),
                found[NO_CARD],
                fates[0].of,
                *fates,
            )
        )
    columns = ("Rule", "Title", "Group", "Fired", "Could not tell")
    findings = ("Findings shown", "Findings withheld", "Findings without a card", "Cards led")
    return Sheet("rules", "By rule", (*columns, *findings, *_FATES), tuple(rows))


def _place_of(rule: str, known: Mapping[str, Knowledge]) -> int:
    return GROUPS.index(known[rule].group) if rule in known else len(GROUPS)


_DISPLAYS = {
    coding["code"]: coding["display"] for table in (REASONS, PLAIN_REASONS) for of in table.values() for coding in of
}


def reasons(tally: Tally) -> Sheet:
    """Why cards were overridden: of all that were, then of those of each group."""
    rows: list[tuple[Cell, ...]] = []
    for group in (None, *GROUPS):
        counts: dict[str, int] = {}
        for card, count in tally.cards.items():
            if card.fate == OVERRIDDEN and group in (None, card.group):
                reason = reason_words(card.reason)
                counts[reason] = counts.get(reason, 0) + count
        name, of = ALL if group is None else GROUP_NAMES[group], sum(counts.values())
        rows += [(name, reason, Rate(count, of)) for reason, count in _ranked(counts)]
    return Sheet("reasons", "Why cards were overridden", ("Group", "Reason", "Of those overridden"), tuple(rows))


def reason_words(code: str | None) -> str:
    if code is None:
        return NO_REASON
    if not code:
        return COMMENT
    return "Another reason" if code == "other" else _DISPLAYS.get(code, code)


def causes(tally: Tally) -> Sheet:
    """What could not be assessed, most frequent first: of the answers with orders in scope, or of those without any."""
    rows: list[tuple[Cell, ...]] = [
        (kind, "in scope", Rate(count, tally.reviewed)) for kind, count in _ranked(tally.causes)
    ]
    silent = tally.answers - tally.reviewed
    rows += [(kind, "not in scope", Rate(count, silent)) for kind, count in _ranked(tally.unread)]
    return Sheet("causes", "What could not be told", ("Cause", "Orders", "Answers"), tuple(rows))


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def latency(counted: Counted) -> Sheet:
    """Milliseconds of the answers of each week: half took no longer than the median."""
    rows: list[tuple[Cell, ...]] = []
    for week, tallies in counted:
        bins = total(tallies.values()).milliseconds
        slow = sum(count for ms, count in bins.items() if ms > SLOW_MS)
        told = tuple(quantile(bins, part) if bins else None for part in (0.5, 0.95, 0.99))
        rows.append((week.monday, bins.total(), *told, Rate(slow, bins.total())))
    columns = ("Week from", "Answers", "Median, ms", "95th percentile, ms", "99th percentile, ms")
    return Sheet("latency", "How long answers took", (*columns, "Over 500 ms"), tuple(rows))


def written(sheet: Sheet, synthetic: bool) -> str:
    """The sheet as CSV. Records that ``firstline demo`` made say so in every row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    rates = {index for row in sheet.rows for index, cell in enumerate(row) if isinstance(cell, Rate)}
    header = [name for index, column in enumerate(sheet.columns) for name in _names(column, index in rates)]
    mark = ["Records"] if synthetic else []
    writer.writerow(header + mark)
    for row in sheet.rows:
        cells = [value for index, cell in enumerate(row) for value in _values(cell, index in rates)]
        writer.writerow(cells + (["synthetic"] if synthetic else []))
    return text.getvalue()


def _names(column: str, rate: bool) -> Sequence[str]:
    return [column, *(f"{column}: {part}" for part in ("of", "share", "low", "high"))] if rate else [column]


def _values(cell: Cell, rate: bool) -> Iterable[object]:
    if isinstance(cell, Rate):
        low, high = cell.interval or (None, None)
        return [cell.count, cell.of, *(_rounded(value) for value in (cell.share, low, high))]
    return [cell, *([None] * 4)] if rate else [cell]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def signs(found: Sequence[Sign], known: Mapping[str, Knowledge]) -> Sheet:
    rows: list[tuple[Cell, ...]] = []
    for sign in found:
        calls = sign.before is None
        rows.append(
            (
                sign.kind,
                sign.subject,
                sign.place.tenant,
                sign.place.service,
                sign.week,
                sign.since,
                Rate(sign.now.count, 0) if calls else sign.now,
                sign.before,
                sign.weeks,
                sign.low if calls else round(sign.low, 4),
                None if calls else round(sign.high, 4),
                f"{title(sign, known)}. {sentence(sign)}",
            )
        )
    columns = (
        "Sign",
        "What",
        "Client",
        "Service",
        "Week from",
        "Since",
        "Now",
        "Before",
        "Weeks before",
        "Low",
        "High",
    )
    return Sheet("signs", "Signs of a malfunction", (*columns, "In words"), tuple(rows))


def all_sheets(
    counted: Counted, found: Sequence[Sign], known: Mapping[str, Knowledge]
) -> Mapping[str, Callable[[], Sheet]]:
    """Every sheet by name, made when it is asked for."""
    tally = total(one for _, tallies in counted for one in tallies.values())
    return {
        "weeks": lambda: weeks(counted),
        "services": lambda: services(counted),
        "groups": lambda: groups(tally),
        "rules": lambda: rules(tally, known),
        "reasons": lambda: reasons(tally),
        "causes": lambda: causes(tally),
        "latency": lambda: latency(counted),
        "signs": lambda: signs(found, known),
    }
