"""The steps of one record: which of its instructions were taken on which days."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from cds.chart import Dosage, MedicationOrder
from cds.concurrent import has_moment, length_of, lines_of_a_day
from cds.sig import read_sig
from cds.sig_words import words
from cds.spans import Span, before, end_of

Steps = Sequence[tuple[MedicationOrder, Span]]
Planned = list[tuple[Sequence[Dosage], Span]]
ONE_DAY = timedelta(days=1)


def steps_of(record: MedicationOrder, days: Span, begun: date) -> Steps:
    """The record once for each of its steps, with the instructions of the step alone. Its instructions began on
    ``begun``: a refill goes on where the fill before it ended. A record without steps is given back as it is; where the
    steps cannot be told, it has no instructions: its dose is not known."""
    dosages = record.dosages
    if len(dosages) == 1:
        dosages = _read_steps(dosages[0])
    if len(dosages) < 2 or lines_of_a_day(dosages):
        return ((record, days),)
    groups: dict[int | None, list[Dosage]] = {}
    for dosage in dosages:
        groups.setdefault(dosage.sequence, []).append(dosage)
    beside = groups.pop(None, [])
    planned: Planned
    if len(groups) > 1 and not all(dosage.bounds_start is not None for dosage in dosages):
        numbered = _numbered({number: groups[number] for number in groups if number is not None}, begun)
        planned = [([*taken, *beside], step) for taken, step in numbered]
    elif _side_by_side(record, dosages):
        return ((record, days),)
    elif _open_before_bounded(dosages):
        return ((replace(record, dosages=()), days),)
    else:
        planned = _dated(dosages, begun)
    found = []
    for taken, step in planned:
        start, last = max(step.start, days.start), min(step.last, days.last)
        if start <= last:
            found.append((replace(record, dosages=tuple(taken)), Span(start, None if last == date.max else last)))
    return found or ((replace(record, dosages=()), days),)


def _read_steps(dosage: Dosage) -> tuple[Dosage, ...]:
    """The steps that the text of an only instruction tells, one after the other; empty where it tells none."""
    readings = read_sig(dosage.text) if dosage.text else ()
    if len(readings) < 2 or None in [reading.sequence for reading in readings]:
        return ()
    # One dose or another, as the pain is, is numbered too.
    if "then" not in words(dosage.text or "") and not all(reading.bounds_days for reading in readings[:-1]):
        return ()
    return tuple([replace(reading, route=dosage.route or reading.route) for reading in readings])


def _numbered(groups: Mapping[int, Sequence[Dosage]], begun: date) -> Planned:
    """The steps by their numbers; the last goes on, and so does one of which the length is not said."""
    *earlier, final = sorted(groups)
    found: Planned = []
    start = begun
    for number in earlier:
        last = _last_of_step(groups[number], start)
        if last is None or last == date.max:
            return [*found, (groups[number], Span(start, None))]
        if start <= last:
            found.append((groups[number], Span(start, last)))
        start = max(start, last + ONE_DAY)
    return [*found, (groups[final], Span(start, None))]


def _last_of_step(dosages: Iterable[Dosage], start: date) -> date | None:
    """The last day of a step that begins on ``start``; None where its length is not said."""
    ends = []
    for dosage in dosages:
        last = _last_day(dosage, start)
        if last is None:
            return None
        ends.append(last)
    return max(ends)


def _last_day(dosage: Dosage, start: date) -> date | None:
    if dosage.bounds_end is not None:
        return dosage.bounds_end
    days = length_of(dosage)
    return end_of(start, days) if days is not None and days > 0 else None


def _side_by_side(record: MedicationOrder, dosages: Sequence[Dosage]) -> bool:
    """Whether instructions that are all given for equally many days are those of one day: each lasts as long as the
    supply, or, where that is not said, each is for a moment of the day."""
    lengths = {None if _is_dated(dosage) else length_of(dosage) for dosage in dosages}
    length = lengths.pop()
    if lengths or length is None:
        return False
    return all(map(has_moment, dosages)) if record.supply_days is None else length >= record.supply_days


def _open_before_bounded(dosages: Sequence[Dosage]) -> bool:
    """Whether one without an end stands before one for some days: when those are is not said."""
    is_open = False
    for dosage in dosages:
        if not _is_dated(dosage):
            length = length_of(dosage)
            if is_open and length is not None:
                return True
            is_open = is_open or length is None
    return False


def _is_dated(dosage: Dosage) -> bool:
    return dosage.bounds_start is not None or dosage.bounds_end is not None


def _dated(dosages: Sequence[Dosage], begun: date) -> Planned:
    """The steps by their dates and lengths; one without a first day follows those before it that have ended. The last
    goes on to the end of the supply."""
    spans: list[tuple[date, date]] = []
    for dosage in dosages:
        limit = dosage.bounds_end or date.max
        ended = [last for _, last in spans if last < limit]
        first = dosage.bounds_start or (max(ended) + ONE_DAY if ended else begun)
        spans.append((first, _last_day(dosage, first) or date.max))
    final = max(last for _, last in spans)
    starts = {first for first, _ in spans}
    # On its last day the next one may have begun: it has ended.
    ends = [
        date.max if last == final else before(last) if last in starts and first < last else last
        for first, last in spans
    ]
    cuts = sorted(starts | {last + ONE_DAY for last in ends if last < date.max})
    found: Planned = []
    for at, start in enumerate(cuts):
        taken = [
            dosage for dosage, (first, _), last in zip(dosages, spans, ends, strict=True) if first <= start <= last
        ]
        if taken:
            found.append((taken, Span(start, before(cuts[at + 1]) if at + 1 < len(cuts) else None)))
    return found
