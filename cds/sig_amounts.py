"""How much: the amounts of a dosage text, the strengths among them, and its times by the clock."""

from decimal import Decimal

from cds import sig_words as w
from cds.chart import Quantity
from cds.sig_cursor import ONE, Amount, Rate
from cds.sig_often import HowOften
from cds.units import word_set

STRENGTH_RATIO = 15
"""Two numbers further apart than this ("5-325") are the strengths of a combination, not a range."""

LEAST_STRENGTH = 100
"""One of two numbers without a unit ("5/325") has to be this high to show that they are strengths."""

_ARTICLES = word_set("a an the")
_ARTICLES_OR_COUNT = _ARTICLES | w.COUNT
_CLOCK = w.HOURS | w.MINUTES | w.DAYS | w.WEEKS | word_set("hourly hrly am pm :")
_MIDNIGHT = 24
_A_WHOLE = word_set("/ per a an in")
_NOT_AFTER_FORM = w.MEASURES | w.TIME_UNITS | w.REPEATED | word_set("/ % : am pm hourly")
_CONCENTRATION = w.VOLUME | word_set("actuation spray")


class HowMuch(HowOften):
    """The amounts that an instruction names, the strengths among them, and its times by the clock."""

    def read_number(self, at: int) -> int:
        numbers, after = self.numbers(at), self.skip_repeat(at)
        low, high = min(numbers), max(numbers)
        # Neither "5-325" nor "8-2" is a range.
        if len(numbers) > 2 or numbers[0] > numbers[-1] or (len(numbers) == 2 and high >= STRENGTH_RATIO * low > 0):
            return self.read_strengths(at, after)
        if self.word(after) in w.SIZES and self.word(after + 1) in w.COUNT:
            after += 1
        while self.word(after) in ("of", *_ARTICLES) and self.word(after + 1) in _ARTICLES_OR_COUNT:
            after += 1
        unit = self.word(after)
        if unit in w.COUNT:
            return self.read_count(at, low, high, after)
        if unit in w.MASS:
            return self.read_mass(at, low, high, after)
        if unit in w.VOLUME:
            return self.read_volume(at, low, high, after)
        if unit in w.REPEATED and not (unit == "x" and self.numbers(after + 1)):
            return self.read_times(low, high, after + 1)
        if unit in _CLOCK:
            return self.read_clock(at, low, high, after)
        if self.is_time_of_day(at):
            self.clocked = True
            self.slots.add(self.tokens[at])
            return after
        if unit == "/":
            return self.read_strengths(at, after)
        if unit in ("%", "refill", "refills"):
            return after + 1
        self.amounts.append(Amount(at, low, high, "bare", None))
        return after + (unit == "x")

    def read_count(self, at: int, low: Decimal, high: Decimal, unit_at: int) -> int:
        """Pieces. ``4 tablets a day`` are those of the whole day."""
        self.add_route(self.tokens[unit_at])
        self.amounts.append(Amount(at, low, high, "count", self.tokens[unit_at]))
        days, end = self.per(unit_at + 1)
        one = low == high == ONE
        if days is None or not (one or (days >= 1 and self.word(unit_at + 1) in _A_WHOLE)):
            return unit_at + 1
        self.shared = not one
        self.rates.append(Rate(ONE, ONE, days, days))
        return end

    def read_volume(self, at: int, low: Decimal, high: Decimal, unit_at: int) -> int:
        """``5 mL``, ``2.5 mL to 5 mL``."""
        unit, after, second = self.tokens[unit_at], unit_at + 1, self.numbers(unit_at + 2)
        if self.word(after) in ("-", "to") and len(second) == 1 and self.word(unit_at + 3) == unit:
            low, high, after = min(low, second[0]), max(high, second[0]), unit_at + 4
        self.amounts.append(Amount(at, low, high, "volume", unit))
        return after

    def is_time_of_day(self, at: int) -> bool:
        """``0800``, ``at 2000``, and what follows such a time: ``0600, 1200``."""
        token = self.tokens[at]
        if len(token) != 4 or not token.isdigit() or int(token[:2]) > _MIDNIGHT or token[2] > "5":
            return False
        before = at - 1
        while self.word(before) in (",", "and", "&", ";", "/"):
            before -= 1
        led = self.word(before) in ("at", "@") or (self.clocked and self.word(before) in self.slots)
        return (token[0] == "0" or led) and self.word(at - 1) != "between"

    def read_mass(self, at: int, low: Decimal, high: Decimal, unit_at: int) -> int:
        unit, after = self.tokens[unit_at], unit_at + 1
        following, second = self.word(after), self.numbers(after + 1)
        if following in ("/", "per"):
            return self.read_per_something(at, low, high, unit, after)
        if following in ("-", "to") and len(second) == 1 and self.word(after + 2) == unit:
            if second[0] >= STRENGTH_RATIO * high:
                return after + 3
            high, after = max(high, second[0]), after + 3
        form = after
        while self.word(form) in w.FORM_PREFIX:
            form += 1
        strength = self.word(form) in w.COUNT
        self.amounts.append(Amount(at, low, high, "mass", unit, strength, self.word(after) in ("total", "=")))
        return form + 1 if strength else after

    def read_per_something(self, at: int, low: Decimal, high: Decimal, unit: str, slash: int) -> int:
        """``25 mcg/hr`` is a dose; ``10 mg/5 mL`` and ``5 mg/325 mg`` are strengths."""
        if self.word(slash + 1) in w.HOURS:
            total = "total" in (self.word(slash + 2), self.word(at - 1), self.word(at - 2))
            self.amounts.append(Amount(at, low, high, "rate", f"{unit}/h", total=total))
            return slash + 2
        if self.word(slash + 1) in w.DAYS:
            if self.amounts and self.word(at - 1) in ("(", "=", "total"):
                self.day_total = Quantity(high, unit)
                return slash + 2
            self.shared = True
            self.amounts.append(Amount(at, low, high, "mass", unit))
            self.rates.append(Rate(ONE, ONE, ONE, ONE))
            return slash + 2
        volume = slash + 2 if self.numbers(slash + 1) else slash + 1
        if self.word(volume) in _CONCENTRATION:
            if volume > slash + 1 and self.word(volume) in w.VOLUME and (at == 0 or self.word(at - 1) in w.VERBS):
                self.dissolved = (
                    Quantity(low, unit),
                    Quantity(high, unit),
                    Quantity(max(self.numbers(slash + 1)), self.word(volume)),
                )
            self.add_concentration(high, unit, max(self.numbers(slash + 1), default=ONE), self.word(volume))
            return volume + 1
        return self.read_strengths(at, slash) if volume > slash + 1 else self.fail(at)

    def add_concentration(self, mass: Decimal, unit: str, volume: Decimal, volume_unit: str) -> None:
        """So much in one millilitre; of several the highest."""
        if volume_unit not in w.MILLILITRES or volume <= 0:
            return
        each = Quantity(mass / volume, unit)
        if self.concentration is None or self.concentration.value < each.value:
            self.concentration = each

    def read_strengths(self, at: int, after: int) -> int:
        """``5-325 mg``, ``5/325``, ``10 mg/325 mg``: the strengths of a combination, not a dose (nor a third, 1/3)."""
        first, last = max(self.numbers(at)), ONE
        while self.word(after) == "/" and self.numbers(after + 1):
            last = max(self.numbers(after + 1))
            after += 3 if self.word(after + 2) in w.MASS else 2
        if self.word(after) in w.MASS:
            return after + 1
        if len(self.numbers(at)) == 2 and first >= LEAST_STRENGTH and self.word(after) in w.COUNT:
            return after  # "take one 5-325 tablet"
        return after if max(first, last) >= LEAST_STRENGTH and last > ONE else self.fail(at)

    def read_clock(self, at: int, low: Decimal, high: Decimal, unit_at: int) -> int:
        """Numbers of time that are no interval: ``6 hourly``, ``8 am``, ``12 hours on``, ``7 day supply``."""
        unit, following = self.word(unit_at), self.word(unit_at + 1)
        if unit in ("hourly", "hrly") and low > 0:
            self.add_interval(low / 24, high / 24)
            return unit_at + 1
        if unit == ":" and self.numbers(unit_at + 1):
            minutes, unit_at = self.tokens[unit_at + 1], unit_at + 2
            unit = self.word(unit_at)
            if unit not in ("am", "pm", ":") and len(minutes) == 2 and self.tokens[at].isdigit() and low <= _MIDNIGHT:
                self.slots.add(f"{self.tokens[at]}:{minutes}")
                return unit_at
        if unit in ("am", "pm"):
            self.slots.add(f"{self.tokens[at]} {unit}")
            return unit_at + 1
        if unit in w.SHORT_TIMES and following in ("on", "off", "before", "prior"):
            return unit_at + 2
        if unit in w.LONG_TIMES and following in ("supply", "course"):
            return unit_at + 2
        led = self.word(at - 1) in (",", ";") or (self.word(at - 1) == ":" and self.word(at - 2) == "duration")
        if unit in w.LONG_TIMES and led and following in ("", ",", ";", "."):
            self.bounds = w.days(high, unit)
            return unit_at + 1
        return self.fail(at)

    def read_form(self, at: int) -> int:
        """``tablets: 2``, ``tab 1-2``: the number after its unit."""
        self.add_route(self.tokens[at])
        after = at + 2 if self.word(at + 1) == ":" else at + 1
        numbers = self.numbers(after)
        if 0 < len(numbers) < 3 and self.word(after + 1) not in _NOT_AFTER_FORM:
            self.amounts.append(Amount(at, min(numbers), max(numbers), "count", self.tokens[at]))
            return after + 1
        before = self.word(at - 2) if self.word(at - 1) == "new" else self.word(at - 1)
        self.patch = self.patch or (self.tokens[at] == "patch" and (before in w.VERBS or before == "change"))
        return at + 1
