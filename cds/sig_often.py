"""How often: the frequencies, moments and weekdays of a dosage text."""

from decimal import Decimal

from cds import sig_words as w
from cds.sig_cursor import ONE, Named, Rate
from cds.units import word_set

_LEADS_A_DATE = word_set("starting starts start on until ending ends end through thru stop : dated from")


class HowOften(Named):
    """The frequencies, moments and weekdays that an instruction names."""

    def add_weekday(self, at: int, day: int) -> None:
        """``Mon, Wed, Fri``, ``Mon-Fri``; not that of a date."""
        if "dated" in (self.word(at + 1), self.word(at + 2) if self.word(at + 1) in (",", ".") else ""):
            self.of_a_date = self.of_a_date or self.word(at - 1) not in _LEADS_A_DATE
            return
        self.weekdays.add(day)
        if self.word(at + 1) in ("-", "to", "through", "thru"):
            last = (w.WEEKDAYS | w.WEEKEND).get(self.word(at + 2))
            self.understood = self.understood and last is not None
            while last is not None and day != last:
                day = (day + 1) % 7
                self.weekdays.add(day)

    def add_coded_rate(self, at: int, coded: tuple[int, int]) -> None:
        times, days = Decimal(coded[0]), Decimal(coded[1])
        lowest = times
        # "BID-TID" is a range of frequencies.
        if self.rates and self.word(at - 1) in ("-", "to", "or") and self.word(at - 2) in w.RATES:
            lowest = self.rates.pop().times
        self.rates.append(Rate(min(lowest, times), max(lowest, times), days, days))

    def add_interval(self, shortest: Decimal, longest: Decimal) -> None:
        self.rates.append(Rate(ONE, ONE, shortest, longest))

    def add_slot(self, at: int, slot: str) -> None:
        before = at - 1
        while self.word(before) in w.SKIPPED_BEFORE_SLOT:
            before -= 1
        self.joined_slot = self.joined_slot or self.word(before) in w.JOINING
        self.slots.add(slot)

    def read_interval(self, at: int) -> int:
        """``q4-6h``, ``every 6 hours``, ``every other day``, ``every morning``."""
        after = at + 1
        numbers = self.numbers(after)
        if not numbers:
            return self.read_named_interval(at, after)
        end = self.skip_repeat(after)
        unit = self.word(end)
        if unit not in w.TIME_UNITS or len(numbers) > 2 or min(numbers) <= 0:
            return self.fail(at)
        ends = [w.days(number, unit) for number in numbers]
        end += 1
        # "q4h-q6h", "every 4 hours to 6 hours"
        if self.word(end) in ("-", "to", "or"):
            further = end + (2 if self.word(end + 1) == "q" else 1)
            more, unit = self.numbers(further), self.word(further + 1)
            if len(more) == 1 and more[0] > 0 and unit in w.TIME_UNITS:
                ends.append(w.days(more[0], unit))
                end = further + 2
        self.add_interval(min(ends), max(ends))
        return end

    def read_named_interval(self, at: int, after: int) -> int:
        unit = self.word(after)
        if unit in ("nostril", "side"):
            return self.fail(at)
        if unit == "other" and (self.word(after + 1) in w.DAYS or self.word(after + 1) in w.SLOTS):
            self.add_interval(Decimal(2), Decimal(2))
            return after + 2
        if unit == "third" and self.word(after + 1) in w.DAYS:
            self.add_interval(Decimal(3), Decimal(3))
            return after + 2
        if unit in w.TIME_UNITS:
            self.add_interval(w.days(ONE, unit), w.days(ONE, unit))
            return after + 1
        return after

    def read_times(self, times: Decimal, times_max: Decimal, after: int) -> int:
        """``3 times a day``, ``twice daily``; ``once at bedtime`` says no more than its moment."""
        days, end = self.per(after)
        if days is not None and times > 0:
            self.rates.append(Rate(times, times_max, days, days))
            return end
        if times == times_max == 1:
            self.once = True
            return after
        return self.fail(after)

    def read_named_times(self, at: int, times: Decimal) -> int:
        """``twice``, ``once to twice``, ``once to 3 times``."""
        if self.word(at + 1) in ("-", "to", "or"):
            if self.word(at + 2) in w.TIMES:
                return self.read_times(times, w.TIMES[self.tokens[at + 2]], at + 3)
            if self.word(at + 3) in w.REPEATED and (numbers := self.numbers(at + 2)):
                return self.read_times(times, max(numbers), at + 4)
        return self.read_times(times, times, at + 1)
