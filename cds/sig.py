"""Dosage texts: ``1-2 tabs PO q4-6h prn pain, max 8/day`` as the fields of a dosage (CLINICAL.md section 6).

A text is read only where it is unambiguous: every number in it must have been placed, and no word may be there that
changes what the numbers mean ("increase", "divided", "repeat").
"""

from decimal import Decimal
from functools import lru_cache

from msgspec.structs import replace

from cds import sig_words as w
from cds.chart import Dosage, Quantity
from cds.sig_cursor import ONE, Amount
from cds.sig_reading import Reading

LONGEST = 1000
"""Characters. A longer text is a letter, not a dosage."""

SAME_RATE = Decimal("0.001")
"""Every four hours is six times a day, but for the digits."""
_DAILY_MEALS = frozenset(("morning", "noon", "evening"))
_NOTHING = Dosage()
_ANOTHER_DRUG = frozenset(("with", "plus", "and", "use", "for"))
"""Words that lead to a second drug: "1 cap tid with 100 mg cap"."""
_OF_AN_AMOUNT = w.COUNT | w.MASS | w.VOLUME | w.SIZES

Dose = tuple[Quantity | None, Quantity | None, Quantity | None]
"""Lowest, highest, and the highest once more in another unit."""


def read_sig(text: str) -> tuple[Dosage, ...]:
    """The dosages of a text, empty where it is not understood. Several: parallel ones, or numbered by ``sequence``.

    A field that the text does not mention is None; "as directed" is understood and says nothing. Never raises.
    """
    return _read(text) if len(text) <= LONGEST else ()


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[Dosage, ...]:
    steps: list[list[str]] = [[]]
    for word in w.words(text):
        if word == "then":
            steps.append([])
        else:
            steps[-1].append(word)
    found: list[tuple[Dosage, ...]] = []
    for words in steps:
        dosages = _step(words)
        if not dosages:
            return ()
        # "… then stop"
        if dosages != (_NOTHING,) or len(steps) == 1:
            found.append(dosages)
    return found[0] if len(found) == 1 else _in_sequence(found)


def _in_sequence(found: list[tuple[Dosage, ...]]) -> tuple[Dosage, ...]:
    """The steps of a taper. A later step may leave out the dose: it is that of the step before."""
    sequence: list[Dosage] = []
    number = 0
    for dosages in found:
        number += 1
        for dosage in dosages:
            number += (dosage.sequence or 0) > 1
            low, high = dosage.dose_low, dosage.dose_high
            if high is None and sequence:
                low, high = sequence[-1].dose_low, sequence[-1].dose_high
            if high is None or not _timed(dosage):
                return ()
            sequence.append(replace(dosage, sequence=number, dose_low=low, dose_high=high))
    return tuple(sequence)


def _timed(dosage: Dosage) -> bool:
    return dosage.period is not None or dosage.when > 0 or dosage.days_of_week > 0


def _step(words: list[str]) -> tuple[Dosage, ...]:
    """The parallel dosages of one step ("2 tabs in the morning and 1 at bedtime"); empty: not understood."""
    reading = Reading(words)
    if not reading.understood:
        return ()
    starts = _dose_starts(reading.amounts)
    if len(starts) > 1 and "dated" in words[: starts[-1]]:  # which dose is taken when is said by a date
        return ()
    if len(starts) < 2:
        dosage = _dosage(reading)
        return () if dosage is None else (dosage,)
    dosages: list[Dosage] = []
    scaled = True
    for start, end in zip([0, *starts[1:]], [*starts[1:], len(words)], strict=True):
        part = Reading(words[start:end])
        dosage = _dosage(part) if part.understood else None
        if dosage is None or dosage.dose_high is None or not _timed(dosage):
            return ()
        dosages.append(dosage)
        scaled = scaled and part.scaled
    course = all(dosage.bounds_days is not None for dosage in dosages[:-1]) and not any(one.when for one in dosages)
    if "dated" in words and not scaled and not all(one.when and one.period is None for one in dosages):
        return ()
    if reading.shared and not course:  # "1 tab q6h, 4 tabs a day" is told twice
        return ()
    if course or scaled:  # one after the other, or one or the other as the pain is: never all of them
        dosages = [replace(dosage, sequence=number) for number, dosage in enumerate(dosages, start=1)]
    return tuple(dosages)


def _dose_starts(amounts: list[Amount]) -> list[int]:
    if _is_product(amounts) or (len(amounts) == 3 and _told_by_pieces(amounts)):
        return []
    counted = [amount.at for amount in amounts if amount.sort in ("count", "bare")]
    return counted or ([amount.at for amount in amounts] if len({amount.sort for amount in amounts}) == 1 else [])


def _is_product(amounts: list[Amount]) -> bool:
    """``two 5 mg tablets``: a number without a unit before the strength."""
    return len(amounts) == 2 and amounts[0].sort == "bare" and amounts[1].strength


def _told_by_pieces(amounts: list[Amount]) -> bool:
    """``10 mg (two 5 mg tablets)``."""
    whole, pieces, each = amounts
    if not _is_product([pieces, each]) or whole.sort != "mass" or whole.unit != each.unit:
        return False
    return (whole.low, whole.high) == (pieces.low * each.low, pieces.high * each.high)


def _dosage(reading: Reading) -> Dosage | None:
    dose, timing = _dose(reading), _timing(reading)
    if dose is None or timing is None:
        return None
    low, high, again = dose
    if reading.day_total is not None and not _comes_to(reading.day_total, high, timing):
        return None
    limit = reading.limit
    if limit is not None and limit.unit is None and high is not None:
        # "5 mg q4h, max 6/day" counts doses, "1-2 tabs, max 8/day" counts tablets.
        limit = Quantity(limit.value, high.unit if high.unit is None or high.unit in w.COUNT else "{dose}")
    return replace(
        timing,
        dose_low=None if reading.up_to_dose else low,
        dose_high=high,
        as_needed=True if reading.as_needed else None,
        days_of_week=len(reading.weekdays),
        bounds_days=reading.bounds,
        max_dose=limit,
        max_dose_days=reading.limit_days,
        route=reading.route,
        restated=again,
        shared=reading.shared,
    )


def _comes_to(total: Quantity, dose: Quantity | None, timing: Dosage) -> bool:
    """Whether a dose comes to the total of the day that is told beside it: ``10 mg q8h (30 mg/day)``."""
    if dose is None or dose.unit != total.unit:
        return False
    frequency = timing.frequency_max or timing.frequency
    times = frequency / timing.period if frequency and timing.period else Decimal(timing.when)
    return abs(dose.value * times - total.value) <= SAME_RATE * total.value


def _timing(reading: Reading) -> Dosage | None:
    """The frequency, period and moments; None where two frequencies contradict each other."""
    slots = frozenset(reading.slots)
    # "with meals" is three times a day, "at night after meals" is once.
    if reading.meals and reading.amounts and not reading.rates and (not slots or reading.joined_slot):
        slots |= _DAILY_MEALS
    if not reading.rates and reading.shared:
        return None
    if not reading.rates:
        once = reading.once and not slots and not reading.weekdays
        return Dosage(frequency=ONE, period=ONE) if once else Dosage(when=len(slots))
    rate = reading.rates[0]
    highest = rate.times_max / rate.days
    if reading.shared and (len(reading.rates) > 1 or len(slots) > 1 or rate.times_max > 1 or rate.days < 1):
        return None
    if any(abs(other.times_max / other.days - highest) > SAME_RATE for other in reading.rates):
        return None
    # "three times a day and at bedtime" may be four.
    if reading.joined_slot and highest > 1 and len(slots) != highest:
        return None
    return Dosage(
        frequency=None if reading.up_to_times else rate.times,
        frequency_max=rate.times_max if reading.up_to_times or rate.times != rate.times_max else None,
        period=rate.days,
        period_max=rate.days_max if rate.days != rate.days_max else None,
        when=len(slots),
    )


def _dose(reading: Reading) -> Dose | None:
    """The dose; None three times where none is named; None where it is not clear which one is meant."""
    amounts = reading.amounts
    if not amounts:
        if reading.dissolved is not None:  # "take 10 mg/0.5 mL"
            return reading.dissolved
        one = Quantity(ONE, "patch") if reading.patch else None
        return one, one, None
    if len(amounts) == 1:
        return _of_one(reading, amounts[0])
    if len(amounts) == 3 and _told_by_pieces(amounts):
        return _range(amounts[0])
    if len(amounts) > 2:
        return None
    first, second = amounts
    by_sort = {first.sort: first, second.sort: second}
    if by_sort.keys() == {"count", "rate"}:
        rate = by_sort["rate"]
        if _beside_another(reading, rate.at):
            return None
        if rate is first and reading.word(second.at - 1) == "(":  # "50 mcg/hr q72h (2 patches)"
            return _range(rate)[0], _range(rate)[1], Quantity(second.high, second.unit)
        return _range(rate) if rate.total else _times(by_sort["count"], rate)
    mass = by_sort.get("mass")
    other = second if mass is first else first
    if mass is None or other.sort in ("mass", "rate"):
        return None
    if mass.strength and mass.low == mass.high:
        between = {reading.word(mass.at - 1), *reading.tokens[first.at + 1 : second.at]}
        return _times(other, mass) if _ANOTHER_DRUG.isdisjoint(between) else None
    if other.sort == "bare" or not _restated(reading, first, second):
        return None
    low, high, _ = _range(mass)
    if mass.total or other.sort == "volume" or mass is first or other.high == 1:
        return low, high, Quantity(other.high, other.unit)
    return _range(other)


def _of_one(reading: Reading, amount: Amount) -> Dose | None:
    """The dose of the only amount. "0.5 mL of 20 mg/mL" tells it once more."""
    if amount.sort == "bare" and not _opens(reading, amount.at):
        return None
    if amount.sort == "rate" and reading.patch and _beside_another(reading, amount.at):
        return None
    low, high, _ = _range(amount)
    if reading.concentration is None or amount.unit not in w.MILLILITRES:
        return low, high, None
    return low, high, Quantity(amount.high * reading.concentration.value, reading.concentration.unit)


def _beside_another(reading: Reading, at: int) -> bool:
    """Whether an amount is that of another patch: "1 patch with a 12 mcg/hr patch"."""
    before = at - 1
    while reading.word(before) in ("a", "the", "one", "1", "-"):
        before -= 1
    return reading.word(before) in ("with", "plus", "and", "+")


def _restated(reading: Reading, first: Amount, second: Amount) -> bool:
    """Whether the second of two amounts says the first in another unit ("1 tab (5 mg)", "5 mL = 10 mg"), and is not
    that of another drug ("1 tab with senna 8.6 mg")."""
    if second.total or reading.word(second.at - 1) in ("(", "[", "="):
        return True
    return _beside(reading, first, second) and (second.sort != "count" or second.high == 1)


def _beside(reading: Reading, first: Amount, second: Amount) -> bool:
    """Whether nothing but units stands between two amounts."""
    between = reading.tokens[first.at + 1 : second.at]
    return all(word in _OF_AN_AMOUNT or not (word.isalpha() or word in ".;") for word in between)


def _opens(reading: Reading, at: int) -> bool:
    """A number without a unit is a dose after "take", or where the text or a part of it begins with it."""
    before = reading.word(at - 1)
    return not before.isalnum() or before in w.VERBS or before in ("and", "to")


def _range(amount: Amount) -> Dose:
    return Quantity(amount.low, amount.unit), Quantity(amount.high, amount.unit), None


def _times(pieces: Amount, each: Amount) -> Dose:
    """``two 5 mg tablets``, ``2 patches (25 mcg/hr)``."""
    return Quantity(pieces.low * each.low, each.unit), Quantity(pieces.high * each.high, each.unit), None
