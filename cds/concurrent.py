"""Which of an order's instructions run on one day, and which follow each other."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from cds.chart import Dosage
from cds.sig import read_sig


def concurrent_sets(dosages: Sequence[Dosage]) -> list[list[int]]:
    """The sets of instructions that run on one day: by their bounds, and by ``sequence`` where bounds do not tell.

    Instructions without a number run beside all others. Numbered ones follow each other, unless dates say otherwise or
    they are but the lines of one day.
    """
    if lines_of_a_day(dosages):
        dosages = [replace(dosage, sequence=None) for dosage in dosages]
    found: list[list[int]] = []
    for day in {dosage.bounds_start or date.min for dosage in dosages}:
        active = [at for at, dosage in enumerate(dosages) if _runs(dosage, day)]
        beside = [at for at in active if dosages[at].sequence is None]
        numbered = [at for at in active if dosages[at].sequence is not None]
        dated = [at for at in numbered if dosages[at].bounds_start is not None or dosages[at].bounds_end is not None]
        found.append(beside + dated)
        found += [
            beside + [at for at in numbered if dosages[at].sequence == number]
            for number in {dosages[at].sequence for at in numbered}
        ]
    return found


def lines_of_a_day(dosages: Sequence[Dosage]) -> bool:
    """Whether numbered instructions run together all the same: one that another follows has no end, and each is for a
    moment of the day, or some are as needed beside what is not."""
    last = max((dosage.sequence or 0 for dosage in dosages), default=0)
    if all(_ends(dosage) for dosage in dosages if (dosage.sequence or last) < last):
        return False
    needed = {bool(dosage.as_needed) or _reads_as_needed(dosage) for dosage in dosages}
    return len(needed) > 1 or all(has_moment(dosage) for dosage in dosages)


def _ends(dosage: Dosage) -> bool:
    if dosage.bounds_days is not None or dosage.bounds_start is not None or dosage.bounds_end is not None:
        return True
    return any(reading.bounds_days is not None for reading in _readings(dosage))


def length_of(dosage: Dosage) -> Decimal | None:
    """For how many days an instruction is given, by its fields or its text; None where that is not said."""
    if dosage.bounds_days is not None:
        return dosage.bounds_days
    readings = _readings(dosage)
    return readings[0].bounds_days if len(readings) == 1 else None


def _reads_as_needed(dosage: Dosage) -> bool:
    return dosage.as_needed is None and any(reading.as_needed for reading in _readings(dosage))


def has_moment(dosage: Dosage) -> bool:
    """Whether an instruction is for a moment of the day."""
    return bool(dosage.when or dosage.times_of_day) or any(reading.when for reading in _readings(dosage))


def _readings(dosage: Dosage) -> tuple[Dosage, ...]:
    return read_sig(dosage.text) if dosage.text and dosage.text.strip() else ()


def _runs(dosage: Dosage, day: date) -> bool:
    """Whether an instruction runs on this day. On its last day the next one of a taper may have begun: it has ended."""
    start, end = dosage.bounds_start or date.min, dosage.bounds_end or date.max
    return start <= day < end or start == day
