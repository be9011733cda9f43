"""Loads and checks what codes of conditions mean (conditions*.csv, implied.csv)."""

import re
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from cds.table_reading import TABLES_FOLDER, Row, read_table

FILES = ("conditions.csv", "conditions_added.csv", "conditions_icd9.csv")
COLUMNS = (
    "system", "code", "display", "meaning", "family", "localized", "match", "seventh", "verified", "source", "note",
)  # fmt: skip
ICD, ICD9, SNOMED = "ICD-10-CM", "ICD-9-CM", "SNOMED CT"
YES_NO = {"yes": True, "no": False, "": None}
NEUROPATHIC = frozenset({"neuropathic_definite", "neuropathic_probable", "neuropathic_possible"})

_ICD_SHAPE = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}", re.ASCII)
_ICD9_SHAPE = re.compile(r"[0-9]{3,5}|V[0-9]{2,4}|E[0-9]{3,4}", re.ASCII)
_ICD9_DOTTED = re.compile(r"(?:[0-9]{3}|V[0-9]{2})\.[0-9]{1,2}", re.ASCII)
_SNOMED_SHAPE = re.compile(r"[0-9]{6,18}", re.ASCII)
_SHAPES = {ICD: _ICD_SHAPE, ICD9: _ICD9_SHAPE, SNOMED: _SNOMED_SHAPE}
_SEVENTH = re.compile(r"!?[0-9A-Z]+", re.ASCII)
_SEMANTIC_TAG = re.compile(r" \([a-z/ ]+\)$")


class ConditionRow(Struct, frozen=True):
    """One meaning of one code. ``seventh``: seventh characters with which the row holds (``not_seventh``: fails)."""

    display: str
    meaning: str
    family: str
    localized: bool | None
    prefix: bool
    seventh: frozenset[str] = frozenset()
    not_seventh: bool = False

    def holds(self, code: str) -> bool:
        """Whether the row holds with the seventh character of this code (which has no dot)."""
        return not self.seventh or (code[6:7] in self.seventh) != self.not_seventh


class ConditionTable:
    """Rows by code, and the meanings that follow from others."""

    def __init__(
        self, rows: dict[tuple[str, str], list[ConditionRow]], implied: dict[str, frozenset[str]], snomed: bool = True
    ) -> None:
        self._rows = rows
        self._implied = implied
        self.systems = frozenset({ICD, ICD9, SNOMED} if snomed else {ICD, ICD9})
        """Whose codes it was read with."""

    def rows(self, system: str, code: str) -> list[ConditionRow]:
        """The rows of a code: the longest match of each family (CLINICAL.md section 13, "Longest match")."""
        code = plain_code(code)
        found: list[ConditionRow] = []
        families: set[str] = set()
        for length in range(len(code), 2, -1):
            match = [
                row
                for row in self._rows.get((system, code[:length]), ())
                if row.family not in families and (row.prefix or length == len(code)) and row.holds(code)
            ]
            families.update(row.family for row in match)
            found += match
            if system == SNOMED:
                break
        return found

    def knows(self, system: str, code: str) -> bool:
        """Whether the table lists this code, if only with other seventh characters: its silence then is an answer."""
        code = plain_code(code)
        return any(
            row.prefix or length == len(code)
            for length in range(len(code), 2, -1)
            for row in self._rows.get((system, code[:length]), ())
        )

    def with_implied(self, meanings: Iterable[str]) -> frozenset[str]:
        """These meanings and those that follow from them."""
        every = set(meanings)
        for meaning in tuple(every):
            every |= self._implied.get(meaning, frozenset())
        return frozenset(every)

    @property
    def meanings(self) -> frozenset[str]:
        """Every meaning that a code of the table has."""
        return frozenset(row.meaning for rows in self._rows.values() for row in rows)


def plain_code(code: str) -> str:
    """A code as the table keys it: upper case, without dots, spaces and the marks of ICD-10's dagger system."""
    return code.strip().upper().replace(".", "").replace(" ", "").rstrip("+*†-")


def systems_of(system: str | None, code: str) -> tuple[str, ...]:
    """Which of the table's systems a FHIR system URI (or OID) is; without one, which the code's shape allows."""
    known = (system or "").strip().lower().removeprefix("urn:oid:").rstrip("/")
    plain = plain_code(code)
    if known.endswith(("sid/icd-10-cm", "sid/icd-10")) or known in _ICD_NAMES:
        return (ICD,) if _ICD_SHAPE.match(plain) else ()
    if known.startswith(("http://snomed.info/sct", "https://snomed.info/sct")) or known in _SNOMED_NAMES:
        return (SNOMED,)
    if known.endswith("sid/icd-9-cm") or known in _ICD9_NAMES:
        return (ICD9,) if _ICD9_SHAPE.fullmatch(plain) else ()
    if not known and _ICD9_DOTTED.fullmatch(code.strip().upper()):
        return (ICD9, ICD) if plain[0] == "V" else (ICD9,)
    if not known and _ICD_SHAPE.fullmatch(plain):
        return (ICD,)
    return (SNOMED,) if not known and _SNOMED_SHAPE.fullmatch(plain) else ()


_ICD_NAMES = frozenset(
    {"2.16.840.1.113883.6.90", "2.16.840.1.113883.6.3", "icd-10-cm", "icd10cm", "icd-10", "icd10", "icd-10cm"}
)
_ICD9_NAMES = frozenset(
    {"2.16.840.1.113883.6.103", "2.16.840.1.113883.6.42", "icd-9-cm", "icd9cm", "icd-9", "icd9", "icd-9cm"}
)
_SNOMED_NAMES = frozenset({"2.16.840.1.113883.6.96", "snomed", "snomed ct", "snomedct", "sct"})


def load_conditions(folder: Path = TABLES_FOLDER, snomed: bool = True) -> ConditionTable:
    """Reads the tables. ``snomed=False`` leaves the SNOMED CT rows out, for a site without its licence."""
    rows: dict[tuple[str, str], list[ConditionRow]] = {}
    seen: set[tuple[str, str, str]] = set()
    for file in FILES:
        for row in read_table(folder, file, COLUMNS):
            system = row.one_of("system", (ICD, ICD9, SNOMED))
            read = _read_row(row, system)
            code = plain_code(row["code"])
            if (system, code, read.meaning) in seen:
                raise row.wrong("this meaning of this code is listed already: delete one")
            seen.add((system, code, read.meaning))
            if snomed or system != SNOMED:
                rows.setdefault((system, code), []).append(read)
    return ConditionTable(rows, _load_implied(folder, {meaning for _, _, meaning in seen}), snomed)


def _read_row(row: Row, system: str) -> ConditionRow:
    code, shape = plain_code(row["code"]), _SHAPES[system]
    if not shape.fullmatch(code):
        raise row.wrong(f"{row['code']!r} has not the shape of a code of {system}")
    prefix = row.one_of("match", ("exact", "prefix")) == "prefix"
    seventh = row["seventh"]
    if system == SNOMED and (prefix or seventh):
        raise row.wrong("a SNOMED CT code matches exactly and has no seventh character")
    if seventh and not _SEVENTH.fullmatch(seventh):
        raise row.wrong("column seventh holds characters, with ! before them for none of these")
    row.one_of("verified", ("yes", "no"))
    return ConditionRow(
        display=_SEMANTIC_TAG.sub("", row.required("display")),
        meaning=row.required("meaning"),
        family=row.required("family"),
        localized=YES_NO[row.one_of("localized", tuple(YES_NO))],
        prefix=prefix,
        seventh=frozenset(seventh.removeprefix("!")),
        not_seventh=seventh.startswith("!"),
    )


def _load_implied(folder: Path, meanings: set[str]) -> dict[str, frozenset[str]]:
    direct: dict[str, set[str]] = {}
    for row in read_table(folder, "implied.csv", ("meaning", "also", "note")):
        for column in ("meaning", "also"):
            if row[column] not in meanings:
                raise row.wrong(f"{row[column]!r} is no meaning of conditions.csv")
        direct.setdefault(row["meaning"], set()).add(row["also"])
    return {meaning: _closure(meaning, direct) for meaning in direct}


def _closure(meaning: str, direct: dict[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [meaning]
    while waiting:
        for also in direct.get(waiting.pop(), ()):
            if also not in found:
                found.add(also)
                waiting.append(also)
    return frozenset(found)
