"""How long and how much at most: durations, supplies, limits and the scales of pain in a dosage text."""

from cds import sig_words as w
from cds.chart import Quantity
from cds.sig_amounts import HowMuch
from cds.sig_cursor import ONE
from cds.units import word_set

_DOSES = word_set("doses dose")
_SCALE_FILLERS = w.PAIN_SCALE | word_set("( > < = ≥ ≤ : - of is greater than")
_LIMIT_FILLERS = w.LIMIT_FILLERS | w.OTHER_INGREDIENT | word_set("daily than per day /")
_LIMIT_ENDINGS = w.OTHER_INGREDIENT | word_set("of from all sources total by mouth")


class HowLong(HowMuch):
    """The durations, supplies, limits and scales of pain that an instruction names."""

    def read_duration(self, at: int) -> int:
        """``for 7 days``, ``x 10 doses``, ``x1``; what a drug is for is passed over."""
        after = at + 1
        while self.word(after) in ("up", "to", "the", "next", "a", "total", "of"):
            after += 1
        numbers = self.numbers(after)
        if not numbers:
            return at + 1
        end = self.skip_repeat(after)
        unit = self.word(end)
        if unit in w.LONG_TIMES:
            self.bounds = w.days(max(numbers), unit)
            return end + 1
        if unit in _DOSES or unit == "refills" or (self.word(at) == "for" and unit in w.SHORT_TIMES):
            return end + 1
        if self.word(at) == "x" and (unit in ("daily", "/", "per") or self.tokens[end : end + 2] == ["a", "day"]):
            return self.read_times(min(numbers), max(numbers), end)
        if self.word(at) == "x" and numbers == (ONE,) and unit not in w.MEASURES:
            self.once = True
            return end
        return at + 1

    def read_scale(self, at: int) -> int:
        """``pain 4-6``, ``pain scale (7/10)``: how strong the pain is, not how much is taken."""
        after = at + 1
        while self.word(after) in _SCALE_FILLERS:
            after += 1
        numbers = self.numbers(after)
        if not numbers or max(numbers) > 10:
            return at + 1
        self.scaled = True
        following = self.word(after + 1)
        if following == "/" and self.word(after + 2) == "10":
            return after + 3
        if following == "out" and self.word(after + 2) == "of" and self.word(after + 3) == "10":
            return after + 4
        return after + 1 if following in ("", ")", "]", ",", ".", ";", "or", "and") else at + 1

    def read_supply(self, at: int) -> int:
        """``#30``, ``disp 30 tablets``, ``refills: 0``."""
        after = at + 1
        while self.word(after) in ("#", ":", "of", "=", ".", "-"):
            after += 1
        if not self.numbers(after):
            return at + 1
        return after + 2 if self.word(after + 1) in w.COUNT or self.word(after + 1) in w.VOLUME else after + 1

    def read_up_to(self, at: int) -> int:
        """``up to 8 tablets a day`` is a limit, ``up to 2 tablets`` a dose, ``up to 4 times a day`` a frequency."""
        unit = self.word(at + 3)
        if unit in w.REPEATED:
            self.up_to_times = True
            return at + 2
        end = at + 4 if unit in w.MEASURES or unit in _DOSES else at + 3
        if self.numbers(at + 2) and self.word(end) not in ("every", "each") and self.per(end)[0] is not None:
            return self.read_limit(at + 1)
        self.up_to_dose = True
        return at + 2

    def read_limit(self, at: int) -> int:
        """``max 8/day``, ``not to exceed 6 tablets in 24 hours``, ``maximum daily dose 40 mg``."""
        if self.tokens[at] == "more" and not {"no", "not"} & set(self.tokens[max(0, at - 4) : at]):
            return self.fail(at)
        after, named_days, other = at + 1, (ONE if self.tokens[at] == "mdd" else None), False
        while (filler := self.word(after)) in _LIMIT_FILLERS:
            named_days = ONE if filler in ("daily", "day") else named_days
            other = other or filler in w.OTHER_INGREDIENT
            after += 1
        numbers = self.numbers(after)
        if not 0 < len(numbers) < 3:
            return after
        after = self.skip_repeat(after)
        unit: str | None = self.word(after)
        if unit in w.MEASURES:
            after += 1
        elif unit in _DOSES or unit in w.REPEATED:
            unit, after = "{dose}", after + 1
        else:
            unit = None
        other, after = self.pass_over_other(other, after)
        days, after = self.per(after)
        other, after = self.pass_over_other(other, after)
        days = days or named_days
        # A limit without a period is left out: the dose is then read as larger, not as smaller.
        if days is not None and not other:
            if self.limit is not None:
                return self.fail(at)
            self.limit, self.limit_days = Quantity(max(numbers), unit), days
        return after

    def pass_over_other(self, other: bool, after: int) -> tuple[bool, int]:
        """``of acetaminophen from all sources``: whether the limit is that of another ingredient."""
        while self.word(after) in _LIMIT_ENDINGS:
            other = other or self.word(after) in w.OTHER_INGREDIENT
            after += 1
        return other, after
