"""The words of a dosage text: what they stand for, and how a text becomes words and numbers."""

import re
from decimal import Decimal

from cds.sig_asides import without_asides
from cds.units import COUNT_WORDS, word_set

MASS = word_set("mg mgs milligram milligrams mcg ug mcgs microgram micrograms g gm gram grams")
VOLUME = word_set(
    "ml mls cc milliliter milliliters millilitre millilitres teaspoon teaspoons tsp teaspoonful tablespoon "
    "tablespoons tbsp tablespoonful teaspoonfuls tablespoonfuls"
)
MILLILITRES = word_set("ml mls cc milliliter milliliters millilitre millilitres")
COUNT = COUNT_WORDS
MEASURES = COUNT | MASS | VOLUME
REPEATED = word_set("times time x")
SIZES = word_set("oral small large whole full")
FORM_PREFIX = word_set("oral er ir xr sr cr extended immediate release - delayed sublingual buccal transdermal")

MINUTES = word_set("minutes minute mins min")
HOURS = word_set("hours hour hrs hr h")
DAYS = word_set("days day d")
WEEKS = word_set("weeks week wks wk w")
MONTHS = word_set("months month")
TIME_UNITS = MINUTES | HOURS | DAYS | WEEKS | MONTHS
SHORT_TIMES, LONG_TIMES = HOURS | MINUTES, DAYS | WEEKS | MONTHS

RATES = {
    "daily": (1, 1), "qd": (1, 1), "qday": (1, 1), "everyday": (1, 1), "bid": (2, 1), "bd": (2, 1), "tid": (3, 1),
    "tds": (3, 1), "qid": (4, 1), "qds": (4, 1), "qod": (1, 2), "weekly": (1, 7), "qwk": (1, 7), "qweek": (1, 7),
    "hourly": (24, 1), "hrly": (24, 1), "monthly": (1, 30),
}  # fmt: skip
"""Times per days."""
TIMES = {"once": Decimal(1), "stat": Decimal(1), "now": Decimal(1), "twice": Decimal(2), "thrice": Decimal(3)}

SLOTS = {
    "morning": "morning", "mornings": "morning", "am": "morning", "qam": "morning", "breakfast": "morning",
    "mane": "morning", "noon": "noon", "midday": "noon", "lunch": "noon", "lunchtime": "noon",
    "afternoon": "afternoon", "evening": "evening", "evenings": "evening", "pm": "evening", "qpm": "evening",
    "dinner": "evening", "supper": "evening", "bedtime": "night", "night": "night", "nights": "night",
    "nightly": "night", "hs": "night", "qhs": "night", "bed": "night", "nocte": "night", "qnight": "night",
}  # fmt: skip
MEALS = word_set("meals meal ac pc")
WEEKDAYS = {
    word: number
    for number, names in enumerate(
        ("monday mon", "tuesday tue tues", "wednesday wed", "thursday thu thurs", "friday fri", "saturday", "sunday")
    )
    for name in names.split()
    for word in (name, name + "s")
}
WEEK_PARTS = {"weekday": range(5), "weekdays": range(5), "weekend": range(5, 7), "weekends": range(5, 7)}
WEEKEND = {"sat": 5, "sun": 6}
"""Short names that are other words elsewhere: read as the end of a range only."""

SKIPPED_BEFORE_SLOT = word_set("at in the with q before every each after on")
JOINING = word_set("and & plus +")
SEVERITY = word_set("mild moderate mod severe sev")
PAIN_SCALE = word_set("pain scale score level severity rating nrs vas")
LIMITS = word_set("max maximum mdd nte nmt exceed exceeding limit")
LIMIT_FILLERS = word_set("dose doses amount of is to be use : = total the at - . ( take")
OTHER_INGREDIENT = word_set("acetaminophen apap tylenol paracetamol ibuprofen aspirin")
SUPPLY = word_set("disp dispense qty quantity refill refills rf # supply")
VERBS = word_set("take give use apply place dissolve chew swallow insert wear sig inhale spray administer")
DENIED = word_set(
    "increase increasing increased increases decrease decreasing decreased reduce reducing titrate titrated "
    "titration taper tapering tapered wean weaning double doubled extra additional another second third repeat "
    "repeated divided alternate alternating except skip thereafter afterwards followed sliding loading load bolus "
    "variable kg instead nostrils both unreadable "
    "differently previously formerly was were reduced discontinue discontinued"
)
"""Words that change what the numbers beside them mean, and "unreadable" for a number in other digits than ours."""

ROUTES = {
    word: route
    for route, spellings in (
        (
            "injection",
            "iv ivp ivpb ivpca intravenous intravenously im intramuscular intramuscularly sc sq subq subcut "
            "subcutaneous subcutaneously pca epidural intrathecal infusion infuse inject injection drip",
        ),
        ("transdermal", "patch patches transdermal transdermally"),
        ("topical", "topical topically tp td skin"),
        ("oral", "po oral orally mouth ng"),
        ("sublingual", "sl sublingual sublingually"),
        ("nasal", "nasal nasally intranasal nostril nostrils"),
    )
    for word in spellings.split()
}

_NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fourteen": "14", "fifteen": "15", "twenty": "20",
    "twenty-four": "24", "thirty": "30", "forty-eight": "48", "sixty": "60", "seventy-two": "72", "half": "1/2",
    "quarter": "1/4",
}  # fmt: skip
_SIGNS = str.maketrans(
    {"½": " 1/2", "¼": " 1/4", "¾": " 3/4", "–": "-", "—": "-", "‑": "-", "−": "-", "μ": "u", "×": "x", "\u00a0": " "}
)
_DOTTED = re.compile(r"\b([a-z])\.([a-z])\.(?:([a-z])\b\.?)?")
_WORD_NUMBER = re.compile(r"\b(?:" + "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True)) + r")\b")
_HALF = re.compile(r"\b(?:one|an?)[ -](half|quarter)\b")
_MIXED = re.compile(r"(?<![\d/.])(\d{1,3})(?: and |[ -])(1/2|1/4|3/4)(?![\d/])")
_FRACTION = re.compile(r"(?<![\d/.])(1/2|1/4|3/4)(?![\d/])")
_RANGE = re.compile(r"(?<=\d) ?(?:-|to|or) ?(?=\.?\d)")
_AGAIN = re.compile(r"(?<![\d/.-])(\d{1,3}) ?\( ?\1 ?\)")
_SPOONFULS = re.compile(r"(?<![\d.])(\d) (?:x )?5 ?ml spoonfuls?\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ARTICLE = re.compile(r"\b(take|give|use|apply|place|dissolve|wear|insert) an? (?=[a-z])")
_TOKEN = re.compile(r"\d*\.?\d+(?:-\d*\.?\d+)*|[a-z]+|\S")
_QUARTERS = {"1/4": ".25", "1/2": ".5", "3/4": ".75"}


def words(text: str) -> list[str]:
    """The words, numbers, ranges (``1-2``) and signs of a text, lower case, numbers in digits."""
    text = " ".join(text.casefold().translate(_SIGNS).replace("(s)", "s").split())
    text = _DOTTED.sub(lambda match: "".join(letter or "" for letter in match.groups()), text)
    text = without_asides(text)
    text = _THOUSANDS.sub("", text)
    text = _WORD_NUMBER.sub(lambda match: _NUMBER_WORDS[match[0]], _HALF.sub(r"\1", text))
    text = _SPOONFULS.sub(r"\1 teaspoons", _AGAIN.sub(r"\1", text))
    if "/" in text:
        text = _MIXED.sub(lambda match: match[1] + _QUARTERS[match[2]], text)
        text = _FRACTION.sub(lambda match: "0" + _QUARTERS[match[1]], text)
    text = _RANGE.sub("-", _ARTICLE.sub(r"\1 1 ", text))
    if not text.isascii() and any(sign.isnumeric() and not sign.isascii() for sign in text):
        return ["unreadable"]
    tokens: list[str] = []
    for word in _TOKEN.findall(text):
        # "Q4HRSPRN" and "Q4HP" are written as one word.
        if word.endswith("prn") and word != "prn":
            tokens += [word[:-3], "prn"]
        elif word in ("hp", "hrp", "hrsp") and len(tokens) > 1 and tokens[-2] == "q":
            tokens += ["h", "prn"]
        else:
            tokens.append(word)
    return tokens


def days(amount: Decimal, unit: str) -> Decimal:
    """A time in days."""
    if unit in MINUTES:
        return amount / 1440
    if unit in HOURS:
        return amount / 24
    return amount * (7 if unit in WEEKS else 30 if unit in MONTHS else 1)


def number(token: str) -> tuple[Decimal, ...]:
    """The numbers of a token: one, the two ends of a range, or more; empty where the token is none."""
    return tuple(Decimal(part) for part in token.split("-")) if token[-1] in "0123456789" else ()
