"""Why a drug was stopped: a coded or written reason -> failure, intolerance, or neither (CLINICAL.md section 5)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from cds.table_reading import TABLES_FOLDER, read_table
from cds.terminology import Concept

FILE = "status_reasons.csv"
COLUMNS = ("system", "code", "phrase", "meaning", "source")
SNOMED = "http://snomed.info/sct"
MEANINGS = ("failure", "intolerance", "neither")

StoppedFor = Literal["failure", "intolerance"]


class StatusReasons(Struct, frozen=True):
    """The table: meanings by code (system and code), and by phrase, the longest phrase first."""

    by_code: Mapping[tuple[str, str], str]
    by_phrase: tuple[tuple[re.Pattern[str], str], ...]


def load_status_reasons(folder: Path = TABLES_FOLDER, snomed: bool = True) -> StatusReasons:
    """Reads the table; ``snomed=False`` leaves SNOMED CT out. Raises ``KnowledgeError`` for one that is wrong."""
    by_code: dict[tuple[str, str], str] = {}
    by_phrase: dict[str, str] = {}
    for row in read_table(folder, FILE, COLUMNS):
        meaning = row.one_of("meaning", MEANINGS)
        row.required("source")
        known: dict[tuple[str, str], str] | dict[str, str]
        if row["phrase"]:
            known, key = by_phrase, _plain(row["phrase"])
        else:
            known, key = by_code, (row.required("system"), row.required("code"))  # type: ignore[assignment]
        if key in known:
            raise row.wrong("remove the second row of this code or phrase")
        if snomed or row["system"] != SNOMED:
            known[key] = meaning  # type: ignore[index]
    phrases = sorted(by_phrase, key=lambda phrase: (-len(phrase), phrase))
    return StatusReasons(
        MappingProxyType(by_code),
        tuple((_pattern(phrase), by_phrase[phrase]) for phrase in phrases),
    )


DENIALS = (
    "no", "not", "denies", "denied", "without", "fear of", "afraid of", "worried about", "concern about",
    "concerns about", "concerned about", "risk of", "to avoid", "to prevent", "not due to", "not because of",
)  # fmt: skip
_FOLDED = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "´": "'", "-": " ", "‐": " ", "‑": " ", "–": " "})


def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<denied>\b(?:{'|'.join(DENIALS)})\s+)?\b{re.escape(_plain(phrase))}\b")


def _plain(text: str) -> str:
    """In lower case, apostrophes as on a typewriter, hyphens as spaces."""
    return " ".join(text.translate(_FOLDED).casefold().split())


_REASONS = load_status_reasons()


def leave_out_snomed() -> None:
    """Reads the table again without SNOMED CT, for a site without its licence: at start, for good."""
    global _REASONS
    _REASONS = load_status_reasons(snomed=False)
    stopped_for.cache_clear()


@lru_cache(maxsize=1024)
def stopped_for(reason: Concept) -> StoppedFor | None:
    """ "failure" or "intolerance"; None for a reason that is neither, or that says nothing.

    A known code decides. Without one, the words do: whole words, the longest phrase first, intolerance where both are
    written, and nothing where it is denied ("no drowsiness").
    """
    for coding in reason.codings:
        meaning = _REASONS.by_code.get((coding.system or "", coding.code or ""))
        if meaning is not None:
            return _either({meaning})
    words = (reason.text, *(coding.display for coding in reason.codings))
    return _either({meaning for text in words if text for meaning in _phrases(_plain(text))})


def _phrases(text: str) -> set[str]:
    found: set[str] = set()
    for phrase, meaning in _REASONS.by_phrase:
        if matches := list(phrase.finditer(text)):
            found.update("neither" if match["denied"] else meaning for match in matches)
            text = phrase.sub("|", text)
    return found


def _either(meanings: set[str]) -> StoppedFor | None:
    if "intolerance" in meanings:
        return "intolerance"
    return "failure" if "failure" in meanings else None
