"""Codes and what they mean: loads and checks the tables, and answers what a concept stands for."""

from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from cds.condition_table import ICD, NEUROPATHIC, ConditionRow, load_conditions, plain_code, systems_of
from cds.condition_text import UNSPECIFIC, TextMeaning, load_condition_texts
from cds.observation_table import LOINC, Scale, load_observations
from cds.words import tokens_of

CACHE_SIZE = 4096
CACHED_CHARACTERS = 2000
"""Longer concepts are read each time: the caches stay small whatever is sent."""
NAME_LENGTH = 80
ADMINISTRATIVE = ("R97", "V", "W", "X", "Y", "Z")
"""Chapters of ICD-10-CM for contacts, circumstances and causes. A disease that a title there names is screened for, or
somebody else's, or over."""
NOT_BESIDE_THEM = frozenset(
    {
        "cancer_active",
        "palliative",
        "sickle_cell",
        "acute_or_surgical",
        "trauma_recent",
        "hiv",
        "dialysis",
        "ckd_stage_5d",
    }
)
"""What the text beside such a code does not tell: what excludes the ladder has codes of its own."""
OBSTRUCTIVE, CPAP = "obstructive_sleep_apnea", "cpap"


class Coding(Struct, frozen=True):
    """One code of a terminology, as sent. ``system`` is the FHIR URI, or None where the record names none."""

    system: str | None
    code: str | None
    display: str | None = None


class Concept(Struct, frozen=True):
    """A CodeableConcept: codings in the order sent, and the text beside them."""

    codings: tuple[Coding, ...] = ()
    text: str | None = None

    def texts(self) -> tuple[str, ...]:
        """The text and the displays that say something, each once."""
        said = (self.text, *(coding.display for coding in self.codings))
        return tuple(dict.fromkeys(text.strip() for text in said if text and text.strip()))

    def short(self) -> bool:
        """Whether the concept is small enough to be remembered."""
        size = len(self.text or "")
        for coding in self.codings:
            size += len(coding.display or "") + len(coding.code or "")
        return size <= CACHED_CHARACTERS


class ConditionMeaning(Struct, frozen=True):
    """What a condition's code or text means: values of conditions.csv (column ``meaning``).

    ``localized`` is the column of that name (None: not said). ``usable`` is False for an unspecific reason
    ("pain", "chronic pain", "as directed") and for an empty one. ``name`` is printable.
    ``negated``: the text only denies, rules out or tells the past ("no sciatica", "history of sciatica").
    ``unread``: a code of a terminology that the site leaves out, and nothing else tells what it means.
    """

    meanings: frozenset[str]
    name: str
    localized: bool | None = None
    usable: bool = True
    negated: bool = False
    unread: bool = False


_CONDITIONS = load_conditions()
_TEXTS = load_condition_texts(_CONDITIONS.meanings)
_OBSERVATIONS = load_observations()


def condition_meaning(concept: Concept) -> ConditionMeaning:
    """Meanings of a condition, reason, reaction or procedure. Longest match per family; codes first, then text."""
    return _remembered_condition(concept) if concept.short() else _condition_meaning(concept)


def leave_out_snomed() -> None:
    """Reads the table of conditions again without SNOMED CT, for a site without its licence: at start, for good."""
    global _CONDITIONS
    _CONDITIONS = load_conditions(snomed=False)
    _remembered_condition.cache_clear()


def _condition_meaning(concept: Concept) -> ConditionMeaning:
    codes = [
        (system, coding.code)
        for coding in concept.codings
        if coding.code
        for system in systems_of(coding.system, coding.code)
    ]
    read = [(system, code) for system, code in codes if system in _CONDITIONS.systems]
    meaning = _meaning_of(concept, read)
    return replace(meaning, unread=True) if len(read) < len(codes) and not meaning.meanings else meaning


def _meaning_of(concept: Concept, codes: list[tuple[str, str]]) -> ConditionMeaning:
    rows = [row for system, code in codes for row in _CONDITIONS.rows(system, code)]
    meanings = _CONDITIONS.with_implied(row.meaning for row in rows)
    if meanings & NEUROPATHIC:
        meanings = meanings.difference(*(_TEXTS.meaning(text).takes_away for text in concept.texts()))
    if OBSTRUCTIVE in meanings and any(CPAP in _TEXTS.meaning(text).meanings for text in concept.texts()):
        meanings |= {CPAP}  # no code of sleep apnoea tells how it is treated
    if meanings - {UNSPECIFIC}:
        return ConditionMeaning(meanings, printable(concept, rows[0].display), _localized(rows))
    if not rows and any(_CONDITIONS.knows(system, code) for system, code in codes):
        return ConditionMeaning(frozenset(), printable(concept))
    read = [_TEXTS.meaning(text) for text in concept.texts()]
    said = next((text for text in read if text.specific and text.meanings), None)
    if said is None and rows:
        return ConditionMeaning(meanings, printable(concept, rows[0].display), usable=False)
    if not read:
        return ConditionMeaning(frozenset(), printable(concept), usable=bool(codes))
    said = said or _most_telling(read)
    meanings = _CONDITIONS.with_implied(said.meanings)
    if any(system == ICD and plain_code(code).startswith(ADMINISTRATIVE) for system, code in codes):
        meanings -= NOT_BESIDE_THEM
    return ConditionMeaning(meanings, printable(concept), said.localized, said.specific, said.negated)


_remembered_condition = lru_cache(CACHE_SIZE)(_condition_meaning)


def _most_telling(read: list[TextMeaning]) -> TextMeaning:
    """Of texts of which none has a specific meaning: a denial, else one about something specific, else the first."""
    return min(read, key=lambda text: (not text.negated, not text.specific))


def _localized(rows: list[ConditionRow]) -> bool | None:
    """What the neuropathic rows of a code agree on, else what all rows of pain do."""
    pain = [row for row in rows if row.family == "pain"]
    neuropathic = {row.localized for row in pain if row.meaning in NEUROPATHIC} - {None}
    said = neuropathic or {row.localized for row in pain} - {None}
    return said.pop() if len(said) == 1 else None


def printable(concept: Concept, display: str | None = None) -> str:
    """What to call a concept: its text, else a display, else the table's, else its code. At most 80 characters."""
    texts = concept.texts()
    codes = [coding.code for coding in concept.codings if coding.code]
    name = texts[0] if texts else display or (codes[0] if codes else "")
    plain = " ".join("".join(character if character.isprintable() else " " for character in name[:400]).split())
    return plain if len(plain) <= NAME_LENGTH else plain[: NAME_LENGTH - 1].rstrip() + "…"


def observation_meaning(concept: Concept) -> str | None:
    """The meaning of observations.csv (``egfr``, ...) of an observation's code or text; None: no use for it."""
    return _remembered_observation(concept) if concept.short() else _observation_meaning(concept)


def _observation_meaning(concept: Concept) -> str | None:
    code = _loinc_code(concept)
    if code is not None:
        return _OBSERVATIONS.by_code[code][0]
    for text in concept.texts():
        for match in _OBSERVATIONS.texts.find(tokens_of(text)):
            return match.meaning
    return None


_remembered_observation = lru_cache(CACHE_SIZE)(_observation_meaning)


def observation_scale(meaning: str, concept: Concept) -> Scale | None:
    """How the values of an observation that means this are read; None where values of it are not.

    Oxygen in percent is told as what exceeds that of air, so that any value above zero means that oxygen was given.
    """
    return _OBSERVATIONS.scale(meaning, _loinc_code(concept))


def _loinc_code(concept: Concept) -> str | None:
    """The first LOINC code of the concept that the table lists."""
    for coding in concept.codings:
        system = (coding.system or LOINC).strip().lower().rstrip("/")
        if system in _LOINC_NAMES and coding.code and coding.code.strip() in _OBSERVATIONS.by_code:
            return coding.code.strip()
    return None


_LOINC_NAMES = frozenset({LOINC, "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1", "loinc"})
