"""Moving through the words of a dosage text, and what is picked up on the way."""

from decimal import Decimal

from msgspec import Struct

from cds import sig_words as w
from cds.chart import Quantity
from cds.units import word_set

ONE = Decimal(1)
_PER = word_set("/ per a an each every in within any over the")


class Amount(Struct, frozen=True):
    """An amount in the text. ``sort``: "count", "mass", "rate", "volume" or "bare". ``strength``: of one piece;
    ``total``: said to be the whole dose."""

    at: int
    low: Decimal
    high: Decimal
    sort: str
    unit: str | None
    strength: bool = False
    total: bool = False


class Rate(Struct, frozen=True):
    """So many times in so many days, each with its range."""

    times: Decimal
    times_max: Decimal
    days: Decimal
    days_max: Decimal


class Cursor:
    """The words of an instruction. Beyond either end there is nothing."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def word(self, at: int) -> str:
        return self.tokens[at] if 0 <= at < len(self.tokens) else ""

    def numbers(self, at: int) -> tuple[Decimal, ...]:
        return w.number(self.tokens[at]) if 0 <= at < len(self.tokens) else ()

    def skip_repeat(self, at: int) -> int:
        """Where the text goes on after this number, also where it is said again in brackets: ``6 (six)``."""
        again = self.word(at + 1) == "(" and self.word(at + 3) == ")" and self.numbers(at) == self.numbers(at + 2)
        return at + 4 if again else at + 1

    def per(self, at: int) -> tuple[Decimal | None, int]:
        """``/day``, ``a day``, ``daily``, ``in 24 hours``, ``per week``: the days, and where the text goes on."""
        if self.word(at) in ("daily", "weekly", "nightly"):
            return (Decimal(7) if self.word(at) == "weekly" else ONE), at + 1
        end = at
        while self.word(end) in _PER:
            end += 1
        numbers, unit = self.numbers(end), self.word(end + 1)
        if end > at and len(numbers) == 1 and numbers[0] > 0 and unit in w.TIME_UNITS:
            days, end = w.days(numbers[0], unit), end + 2
        elif self.word(end) in w.TIME_UNITS and (end > at or self.word(end) == "day"):
            days, end = w.days(ONE, self.word(end)), end + 1
        else:
            return None, at
        return days, end + (self.word(end) == "period")


class Named(Cursor):
    """What the words of one instruction name, filled while they are read."""

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

    def fail(self, at: int) -> int:
        self.understood = False
        return at + 1

    def add_route(self, word: str) -> None:
        route = w.ROUTES.get(word)
        if self.route is None or route == "injection":
            self.route = route or self.route
