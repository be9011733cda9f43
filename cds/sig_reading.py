"""One pass over the words of a dosage instruction: which amounts, frequencies, limits and moments it names."""

from decimal import Decimal

from cds import sig_words as w
from cds.chart import Quantity
from cds.sig_cursor import ONE, Amount, Cursor, Rate
from cds.units import word_set

STRENGTH_RATIO = 15
"""Two numbers further apart than this ("5-325") are the strengths of a combination, not a range."""

LEAST_STRENGTH = 100
"""One of two numbers without a unit ("5/325") has to be this high to show that they are strengths."""

_ARTICLES = word_set("a an the")
_ARTICLES_OR_COUNT = _ARTICLES | w.COUNT
_TIMES = word_set("times time x")
_DOSES = word_set("doses dose")
_CLOCK = w.HOURS | w.MINUTES | w.DAYS | w.WEEKS | word_set("hourly hrly am pm :")
_MIDNIGHT = 24
_LEADS_A_DATE = word_set("starting starts start on until ending ends end through thru stop : dated from")
_A_WHOLE = word_set("/ per a an in")
_SHORT_TIMES = w.HOURS | w.MINUTES
_LONG_TIMES = w.DAYS | w.WEEKS | w.MONTHS
_MEASURES = w.COUNT | w.MASS | w.VOLUME
_NOT_AFTER_FORM = _MEASURES | w.TIME_UNITS | _TIMES | word_set("/ % : am pm hourly")
_SCALE_FILLERS = w.PAIN_SCALE | word_set("( > < = ≥ ≤ : - of is greater than")
_LIMIT_FILLERS = w.LIMIT_FILLERS | w.OTHER_INGREDIENT | word_set("daily than per day /")
_LIMIT_ENDINGS = w.OTHER_INGREDIENT | word_set("of from all sources total by mouth")
_CONCENTRATION = w.VOLUME | word_set("actuation spray")


class Reading(Cursor):
    """What the words of one instruction name. ``understood`` is False where a number or a word could not be placed."""

    def __init__(self, tokens: list[str]) -> None:
        super().__init__(tokens)
        self.amounts: list[Amount] = []
        self.rates: list[Rate] = []
        self.slots: set[str] = set()
        self.weekdays: set[int] = set()
        self.joined_slot = self.meals = self.as_needed = self.once = False
        self.up_to_dose = self.up_to_times = self.scaled = False
        self.shared = self.clocked = self.patch = self.of_a_date = False
        self.day_total: Quantity | None = None
        self.concentration: Quantity | None = None
        self.dissolved: tuple[Quantity, Quantity, Quantity] | None = None
        self.limit: Quantity | None = None
        self.limit_days: Decimal | None = None
        self.bounds: Decimal | None = None
        self.route: str | None = None
        self.understood = True
        at = 0
        while at < len(tokens) and self.understood:
            at = self.read(at)
        # "Mon, Wed and Fri 3/3/26": whether the last is one of the days is not clear
        self.understood = self.understood and not (self.of_a_date and self.weekdays)

    def fail(self, at: int) -> int:
        self.understood = False
        return at + 1

    def read(self, at: int) -> int:
        """Reads what begins at this word; answers where the next begins."""
        word = self.tokens[at]
        if word[-1].isdigit():
            return self.read_number(at)
        if word in w.DENIED or (word == "taking" and self.word(at - 1) in ("not", "stop")):
            return self.fail(at)
        if word in w.LIMITS or (word == "more" and self.word(at + 1) == "than"):
            return self.read_limit(at)
        if word == "up" and self.word(at + 1) == "to":
            return self.read_up_to(at)
        if word in ("q", "every", "each"):
            return self.read_interval(at)
        if word in w.TIMES:
            return self.read_named_times(at, w.TIMES[word])
        if word in ("for", "x", "times"):
            return self.read_duration(at)
        if word in w.PAIN_SCALE:
            return self.read_scale(at)
        if word in w.SUPPLY:
            return self.read_supply(at)
        if word in w.COUNT:
            return self.read_form(at)
        self.read_word(at, word)
        return at + 1

    def read_word(self, at: int, word: str) -> None:
        if word == "prn" or (word in ("needed", "required") and self.word(at - 1) in ("as", "if", "when", "is")):
            self.as_needed = True
        elif word in w.RATES:
            self.add_coded_rate(at, w.RATES[word])
        elif word in w.SLOTS:
            self.add_slot(at, w.SLOTS[word])
        elif word in w.WEEKDAYS:
            self.add_weekday(at, w.WEEKDAYS[word])
        elif word in w.WEEK_PARTS:
            self.weekdays.update(w.WEEK_PARTS[word])
        elif word in w.MEALS and (word != "meal" or self.word(at - 1) in ("each", "every")):
            self.meals = True
        elif word in w.SEVERITY:
            self.scaled = True
        elif word in w.ROUTES:
            self.add_route(word)
        elif word == "shared":
            self.shared = True

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

    def add_route(self, word: str) -> None:
        route = w.ROUTES.get(word)
        if self.route is None or route == "injection":
            self.route = route or self.route

    # How often

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
            if self.word(at + 3) in _TIMES and (numbers := self.numbers(at + 2)):
                return self.read_times(times, max(numbers), at + 4)
        return self.read_times(times, times, at + 1)

    # How much

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
        if unit in _TIMES and not (unit == "x" and self.numbers(after + 1)):
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
        if unit in _SHORT_TIMES and following in ("on", "off", "before", "prior"):
            return unit_at + 2
        if unit in _LONG_TIMES and following in ("supply", "course"):
            return unit_at + 2
        led = self.word(at - 1) in (",", ";") or (self.word(at - 1) == ":" and self.word(at - 2) == "duration")
        if unit in _LONG_TIMES and led and following in ("", ",", ";", "."):
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

    # How long, how much at most

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
        if unit in _LONG_TIMES:
            self.bounds = w.days(max(numbers), unit)
            return end + 1
        if unit in _DOSES or unit == "refills" or (self.word(at) == "for" and unit in _SHORT_TIMES):
            return end + 1
        if self.word(at) == "x" and (unit in ("daily", "/", "per") or self.tokens[end : end + 2] == ["a", "day"]):
            return self.read_times(min(numbers), max(numbers), end)
        if self.word(at) == "x" and numbers == (ONE,) and unit not in _MEASURES:
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
        if unit in _TIMES:
            self.up_to_times = True
            return at + 2
        end = at + 4 if unit in _MEASURES or unit in _DOSES else at + 3
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
        if unit in _MEASURES:
            after += 1
        elif unit in _DOSES or unit in _TIMES:
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
