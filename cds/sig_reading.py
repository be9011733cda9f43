"""One pass over the words of a dosage text: what it names, read where it begins."""

from cds import sig_words as w
from cds.sig_limits import HowLong


class Reading(HowLong):
    """What the words of one instruction name. ``understood`` is False where a number or a word could not be placed."""

    def __init__(self, tokens: list[str]) -> None:
        super().__init__(tokens)
        at = 0
        while at < len(tokens) and self.understood:
            at = self.read(at)
        # "Mon, Wed and Fri 3/3/26": whether the last is one of the days is not clear
        self.understood = self.understood and not (self.of_a_date and self.weekdays)

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
