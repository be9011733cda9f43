"""What stands in a dosage text and is no part of the dose: dates, codes, supply; shorthand is written out.

Every pattern is bounded, so that the time stays proportional to the length of the text.
"""

import re

_CLOCK = r"(?:\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m\b)?|[0-2]\d[0-5]\d\b|\d{1,2} ?[ap]m\b)(?: (?:[cemp][ds]t|utc|gmt)\b)?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_NO_DOSE = r"(?![\d/]| ?(?:mg|mcg|ml|tabs?|tablets?|caps?|capsules?|pills?|patch|films?|of|an?)\b)"
_FULL = (
    rf"(?:\b(?:[1-9]|[0-3]\d)(?:[/.-](?:[1-9]|[0-3]\d)[/.-]20\d\d|/(?:[1-9]|[0-3]\d)/[1-3]\d){_NO_DOSE}"
    rf"|\b20\d\d-[01]\d-[0-3]\d(?!\d)|\b{_MONTH} \d{{1,2}},? 20\d\d\b|\b\d{{1,2}}[ -]{_MONTH}[ -]20\d\d\b)"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
_SHORT = rf"(?:{_WEEKDAY} )?(?:\d{{1,2}}/\d{{1,2}}|{_MONTH} \d{{1,2}})\b{_NO_DOSE}"
_AT = rf"(?:,? (?:at )?{_CLOCK})?"
_SIGN = (
    r"(?:rr|s?bp|dbp|hr|map|pulse|respirations?|resp(?:iratory)? rate|heart rate|blood pressure|spo2|o2 sat[a-z]{0,7}"
    r"|e?gfr|crcl|poss|rass)"
)
_PIECES = r"(?:tab|tablet|cap|capsule|patch|film|pill)(?:s|es)?"

_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        # When the order begins and ends, and when it may be filled
        (rf"{_FULL}{_AT}", " dated "),
        (rf"\b(start(?:s|ing)?|beginning|on|until|ending|ends?|stop|through|thru|fill(?:ed)?|date)(:?) {_SHORT}{_AT}",
         r"\1\2 dated "),
        (rf"\b(?:first|last) dose\b:?(?: \([^()]{{0,40}}\))?(?: on)?(?: (?:today|tomorrow|tonight|now|stat|dated))?"
         rf"(?: ?,? ?at {_CLOCK})?", " dated "),
        (rf"\bstart(?:s|ing)?:? (?:today|tomorrow|tonight|now|dated)\b(?: at {_CLOCK})?", " dated "),
        (r"\b(?:until|till) (?:discontinued|further notice)\b", " "),
        (r"\b(?:must|to|should|needs to) last (?:at least |for )?\d{1,3} (?:days?|weeks?)\b", " "),
        (r"\b\d{1,2} days? early\b", " "),
        (r"\((?:rx |script |prescription |fill |month |# ?)?\d of \d\)", " "),
        (r"\b(?:rx|script|prescription|fill|month) ?#? ?\d of \d\b", " "),
        (r"\bpharmacy:? [a-z' &]{0,30}#? ?\d{3,6}\b", " "),
        # When it is held back
        (rf"\b{_SIGN} ?(?:is |of )?(?:[<>≤≥]=?|less than|greater than|below|under|above|over)(?: or equal to)?"
         r" ?\d{1,3}(?:/\d{1,3})?\b", " "),
        (r"\bnew one\b", "new patch"),
        # What it is for, by code
        (r"\b(?:dx|icd[ -]?(?:9|10)?(?:-?cm)?|diagnos[ei]s)(?: codes?)?[ :#=]{0,3}[a-z]\d[\da-z](?:\.?[\da-z]{1,4})?\b",
         " "),
        (r"\b[a-prsvwyz]\d[\da-z]\.[\da-z]{1,4}\b(?! ?m[gc])", " "),
        # How much is dispensed
        (rf",? #? ?\d{{1,3}} {_PIECES},? (?:r ?[-:]? ?\d{{1,2}}|\d{{1,2}} (?:refills?|rfl?))\b", " "),
        (r"# ?\d{1,3} ?/ ?\d{1,2} days?\b", " "),
        (r"(?<![a-z])(?:r|rf|rfl|refills?)[-:]? ?\d{1,2}(?= *(?:$|[,.;)]))", " "),
        # "in 3 divided doses", "divided q6h": the amount is that of the day
        (r"\b(?:in|into|as|given in)? ?(?:\d |equally ){0,2}divided (?:doses|q ?\d{1,2} ?h(?:rs?|ours?)?\b"
         r"|[bt]id\b|qid\b|every \d{1,2} hours|(?:in)?to \d doses|in \d doses|\d times (?:a day|daily))", " shared "),
        # "5/7" and "2/52" are days and weeks
        (r"\b(?:for |x ?)?(\d{1,2})/7\b(?! ?(?:mg|tab|cap))", r" for \1 days "),
        (r"\b(?:for |x ?)?(\d{1,2})/52\b", r" for \1 weeks "),
        (r"(?<=\d) ?-(?=hourly\b)", " "),
        (r"\bm ?- ?f\b", "mon-fri"),
        (r"\b(\d{1,2}) ?([ap])(?= ?(?:[,);/]|$))", r"\1 \2m"),
        (r"(?<![\d.])(2\.5 ?ml) \((?:1/2|half)(?: a)? (?:tsp|teaspoon)[a-z]{0,4}\)", r"\1"),
        (r"(?<![\d.])(5 ?ml) \((?:1|one|a) (?:tsp|teaspoon)[a-z]{0,4}\)", r"\1"),
        (r"(?<![\d.])(10 ?ml) \((?:2|two) (?:tsp|teaspoon)[a-z]{0,4}\)", r"\1"),
        (r"(?<![\d.])(15 ?ml) \((?:1|one|a) (?:tbsp|tablespoon)[a-z]{0,4}\)", r"\1"),
        # Shorthand of pharmacies: "TK 1 T PO", "T1C", "i-ii tabs", "1 (5 mg) tab"
        (r"\btk\b", "take"),
        (r"\bt ?(\d)t\b", r"take \1 tab"),
        (r"\bt ?(\d)c\b", r"take \1 cap"),
        (r"(?<![\d.])(\d{1,2}(?:\.\d)?) ts?(?= (?:po|qd|bid|tid|qid|q|hs|by|am|pm|every|prn|at)\b)", r"\1 tab"),
        (r"(?<![\d.])(\d{1,2}(?:\.\d)?) cs?(?= (?:po|qd|bid|tid|qid|q|hs|by|am|pm|every|prn|at)\b)", r"\1 cap"),
        (r"\bi( ?- ?| to | or )ii\b(?= (?:tab|cap|po|t\b))", r"1\g<1>2"),
        (r"\biii\b(?= (?:tab|cap|po\b|pill))", "3"),
        (r"\bii\b(?= (?:tab|cap|po\b|pill))", "2"),
        (r"\bi\b(?= (?:tab|cap|po\b|pill))", "1"),
        (rf"(?<![\d.])(\d{{1,2}}) (\(\d[\d.]{{0,6}} ?(?:mg|mcg)\)) ({_PIECES}\b)", r"\1 \3 \2"),
        (r"(?<=\d)°", "h"),
        (r"\bm[,/ -]{0,2}w[,/ -]{0,2}(?:and |& )?f\b", "mon wed fri"),
        (r"\b3rd\b", "third"),
    )
)  # fmt: skip

_ADMONITION = re.compile(
    r"(?:please |caution|warning|note|important|"
    r"(?:do not|don ?t|never|avoid|must not|should not)\b(?! (?:take|exceed|use)\b)|no alcohol|no driving|"
    r"may (?:cause|impair|be habit)|can cause|will cause|this (?:drug|medicine|medication) (?:may|can|is)|"
    r"(?:take|give) (?:with|after|before) (?:a )?(?:food|milk|plenty|water|full glass)|swallow(?:ed)? whole|"
    r"shake well|keep |store |lock|dispose|controlled substance|for external use|drink plenty|high risk|high alert)"
)
"""How a sentence begins that tells nothing of dose or time."""
_TELLING = re.compile(r"\d|directed|instructed|needed|\bprn\b|one|two|half|daily|every|hour|night|morning|bid\b|tid\b")


def without_asides(text: str) -> str:
    """The text (lower case, single spaces) without what tells nothing of the dose. A date leaves the word ``dated``."""
    for pattern, written in _STEPS:
        text = pattern.sub(written, text)
    return " ".join(text.split())


def is_admonition(text: str) -> bool:
    """Whether a text only warns or advises ("Do not drive"), in every sentence, and tells nothing of dose or time."""
    plain = " ".join(text.casefold().replace("'", " ").split())
    sentences = [sentence.strip() for sentence in re.split(r"[.;!]", plain) if sentence.strip()]
    return bool(sentences) and not _TELLING.search(plain) and all(map(_ADMONITION.match, sentences))
