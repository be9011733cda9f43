"""The words of a card: filled, escaped, shortened. What comes from outside is never markup.

Summaries and labels are plain text; the detail is GitHub-flavoured Markdown without HTML. The words themselves are the
rules' own (``cds/rules/*.toml``); only facts are filled in.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from string import Formatter

from cds.case import number
from cds.knowledge import SUMMARY_LIMIT, UNITS, Knowledge, Source, Words

ENTRIES = ("not_known", "renal_missing", "unknown")
"""The names of facts that list ``notAssessed`` entries."""
LAST_LINE = "Clinical judgment decides."
NO_ALTERNATIVE = "a first-line drug"
QUESTIONS = {
    "patient": "age and sex",
    "encounter": "encounter",
    "conditions": "problem list",
    "medications": "medication list",
    "statements": "reported medicines",
    "dispenses": "dispensing",
    "egfr": "kidney function",
    "vitals": "vital signs",
    "labs": "laboratory values",
    "scores": "scores",
}
"""Prefetch keys and facts of ``notAssessed`` in a prescriber's words."""

_LONGEST_UNITS = sorted(UNITS, key=len, reverse=True)
_UNIT_WORDS = {
    "count": "", "percent": "%", "mg_per_day": "mg a day", "mcg_per_day": "mcg a day", "mcg_per_hour": "mcg/h",
    "mme_per_day": "MME a day", "ml_per_min": "mL/min", "kg_per_m2": "kg/m²", "mmhg": "mmHg", "per_week": "a week",
}  # fmt: skip
_MARKUP = str.maketrans(
    {character: "\\" + character for character in "\\`*_{}[]#+!|~$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
)
_UNUSUAL = re.compile(r"[^A-Za-z0-9 ,;:./%'()-]")
_NUMBERED = re.compile(r"(\d+)([.)])(?= |$)")
"""What would begin a numbered list at the start of a line."""
_WORD_ADDRESS = re.compile(r"(?i)\b(www)\.")
_REFERENCE = re.compile(r"\b([A-Z][A-Za-z]+)/\S+$")
LONGEST_NAME = 120
LONGEST_SENTENCE = 600


def plain(text: str) -> str:
    """One line of plain text: no control characters, no angle brackets, nothing that a browser could take for a tag."""
    line = _one_line(text)
    return line.replace("<", "‹").replace(">", "›") if "<" in line or ">" in line else line


def escape(text: str) -> str:
    """Foreign text inside Markdown: shown as it is, never read as markup, as a link or as HTML."""
    return _escape(text, LONGEST_NAME)


def escape_sentence(text: str) -> str:
    """The same for a whole sentence."""
    return _escape(text, LONGEST_SENTENCE)


def _escape(text: str, limit: int) -> str:
    if _UNUSUAL.search(text) is None and len(text) <= limit and "://" not in text and "www" not in text.lower():
        return _no_list(_one_line(text))
    line = shorten(_one_line(text), limit).replace("://", ": //")
    line = _WORD_ADDRESS.sub(r"\1 .", line)
    return _no_list(line.replace("@", " @").translate(_MARKUP))


def _no_list(line: str) -> str:
    if line[:1] in ("-", "="):
        return "\\" + line
    return _NUMBERED.sub(r"\1\\\2", line, count=1) if line[:1].isdigit() and _NUMBERED.match(line) else line


def _one_line(text: str) -> str:
    if text.isprintable():
        if "  " not in text and text[:1] != " " and text[-1:] != " ":  # nearly always: it is one already
            return text
    else:
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())


def shorten(text: str, limit: int = SUMMARY_LIMIT) -> str:
    """At most ``limit`` characters, cut at a word with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > limit // 2 else cut).rstrip(" ,;:.-") + "…"


def fill(template: str, facts: Mapping[str, str], fit: Callable[[str], str], alternative: str = "") -> str:
    """The wording with its facts, made fit by ``plain`` or ``escape_sentence``; a fact that opens it, or one of its
    lines, begins with a capital. The ``alternative`` that is proposed is a fact as well. Raises ``KeyError`` for a fact
    that is missing."""
    fitted: dict[str, str] = {}
    for name in _names(template):
        if name == "alternative" and alternative and name not in facts:
            fitted[name] = fit(alternative)
        else:
            value = facts[name]
            fitted[name] = fit(_worded(value) if name in ENTRIES else value)
    text = template.format_map(fitted)
    if template[:1] == "{":
        text = sentence_start(text)
    return "\n".join(map(sentence_start, text.split("\n"))) if "\n{" in template else text


@lru_cache(maxsize=4096)
def _names(template: str) -> tuple[str, ...]:
    """The facts that a wording takes up."""
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def sentence_start(text: str) -> str:
    """The text with a capital; a name that begins with one small letter keeps it (eGFR)."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def _worded(value: str) -> str:
    """A fact that lists ``notAssessed`` entries, in a prescriber's words."""
    return "; ".join(": ".join(part for part in _split(entry) if part) for entry in value.split("; "))


def wording(rule: Knowledge, words: str, alternative: str | None) -> Words:
    """The wording of this name; without an alternative to name, the one made for that case where there is one."""
    chosen = rule.words.get(f"{words}_no_alternative") if alternative is None else None
    return chosen or rule.words.get(words) or rule.words["default"]


def not_known(entries: Iterable[str]) -> str | None:
    """One sentence of what was not known, from ``notAssessed`` entries; None where there are none."""
    named = []
    for entry in entries:
        fact, why = _split(entry)
        named.append(f"{escape(fact)} ({escape(why)})" if why else escape(fact))
    return f"Not known: {'; '.join(dict.fromkeys(named))}." if named else None


def _split(entry: str) -> tuple[str, str]:
    """A ``notAssessed`` entry as what is not known and why, without the reference of a resource."""
    fact, _, why = entry.partition(": ")
    return QUESTIONS.get(fact) or _REFERENCE.sub(r"\1", fact), why


def not_recognised(names: Iterable[str]) -> str | None:
    """One line that names the drugs that could not be judged; None where there are none."""
    listed = [escape(name) for name in names]
    return f"Not recognised, so not checked: {', '.join(listed)}." if listed else None


def basis(rule: Knowledge) -> str:
    """What the card rests on: its sources by name, and their strength. The evidence text says what each of them says,
    and which numbers are ours alone."""
    return f"Basis: {', '.join(map(_link, rule.sources))}. {_sentence(sentence_start(rule.strength))}"


def own_numbers(rule: str, numbers: Mapping[str, Decimal]) -> str | None:
    """The numbers of this rule that the site has set for itself; None where there are none."""
    if not numbers:
        return None
    own = [
        _quantity(name, value) for key, value in numbers.items() for of, _, name in [key.partition(".")] if of == rule
    ]
    return f"Numbers of this site in place of the standard ones: {', '.join(own)}." if own else None


def _link(source: Source) -> str:
    return f"[{source.label}]({source.url})"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


def _quantity(name: str, value: Decimal) -> str:
    """``gap_days`` 14 as "gap 14 days"."""
    unit = next(unit for unit in _LONGEST_UNITS if name.endswith(unit))
    what = name[: -len(unit)].rstrip("_").replace("_", " ")
    return " ".join(filter(None, (what, number(value), _UNIT_WORDS.get(unit, unit.replace("_", " ")))))


def detail(
    paragraphs: Iterable[str | None], lines: Iterable[str], also: Sequence[str], ending: Iterable[str | None]
) -> str:
    """The parts of a detail in their order, as Markdown paragraphs and lists."""
    blocks = [*filter(None, paragraphs)]
    listed = dict.fromkeys(lines)
    if listed:
        blocks.append(_listing(listed))
    further = [line for line in dict.fromkeys(also) if line not in listed] if also else ()
    if further:
        blocks += ["Also:", _listing(further)]
    blocks += filter(None, ending)
    return "\n\n".join(blocks)


def _listing(lines: Iterable[str]) -> str:
    return "- " + "\n- ".join(lines)
