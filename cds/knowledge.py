"""Loads and checks the knowledge beside each rule group: numbers, words, sources, dates (TOML).

A wrong file is refused when the program starts: ``KnowledgeError`` names the file, the key and the remedy.
"""

import string
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from msgspec import Struct

from cds.outcome import Indicator

RULES_FOLDER = Path(__file__).parent / "rules"
GROUPS = ("sedation", "interaction", "organ", "dose", "safety", "ladder")
"""The card groups, in clinical order."""

UNITS = (
    "days", "months", "years", "mg", "mg_per_day", "mcg_per_day", "mcg_per_hour", "mme_per_day", "percent", "points",
    "count", "ml_per_min", "ms", "kg", "kg_per_m2", "hours", "mmhg", "times", "per_week", "mmol_per_l", "mg_per_dl",
    "mcg", "minutes", "patches",
)  # fmt: skip
SUMMARY_LIMIT = 139
FLAT_KEYS = {"title", "indicator", "reviewed", "next_review", "seed", "looks_at", "cannot_know", "strength"}
TABLE_KEYS = {"thresholds", "local", "words", "source", "changes"}


class KnowledgeError(Exception):
    """A knowledge file or table is wrong. The message names the file, the key and what to do."""

    def __init__(self, file: str, key: str, remedy: str) -> None:
        super().__init__(f"{file}: {key}: {remedy}")


class Words(Struct, frozen=True):
    """One wording of a rule: the card's summary (at most 139 characters), its detail, and the line it is in the card
    of another finding. ``{name}`` stands for the fact of that name."""

    summary: str
    detail: str
    line: str


class Source(Struct, frozen=True):
    """Where a rule comes from: short label, address, and what it says in our own words."""

    label: str
    url: str
    says: str


class Change(Struct, frozen=True):
    """One entry of a rule's change log."""

    on: date
    what: str


class Knowledge(Struct, frozen=True):
    """Everything about one rule that is not a condition."""

    id: str
    group: str
    title: str
    indicator: Indicator | None
    words: Mapping[str, Words]
    thresholds: Mapping[str, Decimal]
    local: frozenset[str]
    """Names of the thresholds that no source confirms: shown as local numbers."""
    sources: tuple[Source, ...]
    seed: tuple[str, ...]
    looks_at: str
    cannot_know: str
    strength: str
    reviewed: date
    next_review: date
    changes: tuple[Change, ...]
    file: str

    def number(self, name: str) -> Decimal:
        """The threshold of this name; a name that the file lacks is refused."""
        try:
            return self.thresholds[name]
        except KeyError:
            raise KnowledgeError(
                self.file, f"{self.id}.thresholds.{name}", "add this number; the rule reads it"
            ) from None

    def days(self, name: str) -> int:
        """The threshold of this name as a whole number of days (or years, or a count)."""
        value = self.number(name)
        if value != value.to_integral_value():
            raise KnowledgeError(self.file, f"{self.id}.thresholds.{name}", "write a whole number")
        return int(value)


def load_group(group: str, folder: Path = RULES_FOLDER) -> Mapping[str, Knowledge]:
    """Reads ``<group>.toml``: one table per rule id. Raises ``KnowledgeError``."""
    file = f"{group}.toml"
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except OSError:
        raise KnowledgeError(file, "file", "put the knowledge of this group beside its rules") from None
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(file, "file", f"correct the TOML: {error}") from None
    return MappingProxyType({rule: _read_rule(file, group, rule, table) for rule, table in tables.items()})


def _read_rule(file: str, group: str, rule: str, table: Any) -> Knowledge:
    if not isinstance(table, dict):
        raise KnowledgeError(file, rule, "a rule is a table: write [" + rule + "]")
    for key in table:
        if key not in FLAT_KEYS | TABLE_KEYS:
            raise KnowledgeError(file, f"{rule}.{key}", "unknown key: remove it or correct its spelling")
    read = _Reader(file, rule, table)
    reviewed, next_review = read.day("reviewed"), read.day("next_review")
    if next_review <= reviewed:
        raise KnowledgeError(file, f"{rule}.next_review", "must be after reviewed")
    indicator = read.text("indicator")
    if indicator not in (*get_args(Indicator), "none"):
        raise KnowledgeError(file, f"{rule}.indicator", "one of critical, warning, info, none")
    thresholds = read.thresholds()
    local = frozenset(read.strings("local"))
    for name in sorted(local - thresholds.keys()):
        raise KnowledgeError(file, f"{rule}.local", f"names {name}, which is not among the thresholds")
    return Knowledge(
        id=rule,
        group=group,
        title=read.text("title"),
        indicator=None if indicator == "none" else indicator,  # type: ignore[arg-type]
        words=read.words(required=indicator != "none"),
        thresholds=thresholds,
        local=local,
        sources=read.sources(),
        seed=read.strings("seed"),
        looks_at=read.text("looks_at"),
        cannot_know=read.text("cannot_know"),
        strength=read.text("strength"),
        reviewed=reviewed,
        next_review=next_review,
        changes=read.changes(),
        file=file,
    )


class _Reader:
    """Reads the keys of one rule's table, refusing what is missing or of the wrong type."""

    def __init__(self, file: str, rule: str, table: dict[str, Any]) -> None:
        self.file, self.rule, self.table = file, rule, table

    def refuse(self, key: str, remedy: str) -> KnowledgeError:
        return KnowledgeError(self.file, f"{self.rule}.{key}", remedy)

    def text(self, key: str, table: dict[str, Any] | None = None, at: str = "") -> str:
        value = (self.table if table is None else table).get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(at + key, "write a text that is not empty")
        return value.strip()

    def day(self, key: str, table: dict[str, Any] | None = None, at: str = "") -> date:
        value = (self.table if table is None else table).get(key)
        if type(value) is not date:
            raise self.refuse(at + key, "write a date, as 2026-01-31 without quotes")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise self.refuse(key, "write a list of texts")
        return tuple(value)

    def tables(self, key: str) -> list[dict[str, Any]]:
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.refuse(key, f"write [[{self.rule}.{key}]]")
        return value

    def thresholds(self) -> Mapping[str, Decimal]:
        value = self.table.get("thresholds", {})
        if not isinstance(value, dict):
            raise self.refuse("thresholds", f"write [{self.rule}.thresholds]")
        numbers = {}
        for name, number in value.items():
            if isinstance(number, bool) or not isinstance(number, int | Decimal):
                raise self.refuse(f"thresholds.{name}", "write a number")
            if not any(name == unit or name.endswith("_" + unit) for unit in UNITS):
                raise self.refuse(f"thresholds.{name}", f"end the name with its unit: {', '.join(UNITS)}")
            if number < 0:
                raise self.refuse(f"thresholds.{name}", "write a number that is not negative")
            numbers[name] = Decimal(number)
        return MappingProxyType(numbers)

    def words(self, required: bool) -> Mapping[str, Words]:
        value = self.table.get("words", {})
        if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
            raise self.refuse("words", f"write [{self.rule}.words.default]")
        if required and "default" not in value:
            raise self.refuse("words.default", "add the rule's usual wording")
        return MappingProxyType({name: self._wording(f"words.{name}.", entry) for name, entry in value.items()})

    def _wording(self, at: str, entry: dict[str, Any]) -> Words:
        for key in entry:
            if key not in ("summary", "detail", "line"):
                raise self.refuse(at + key, "a wording has summary, detail and line")
        line = self.text("line", entry, at)
        words = Words(
            # What is only ever a line of another card needs no more than its line.
            summary=self.text("summary", entry, at) if "summary" in entry else line,
            detail=self.text("detail", entry, at) if "detail" in entry else line,
            line=line,
        )
        for key in ("summary", "detail", "line"):
            try:
                fields = [
                    field for _, field, _, _ in string.Formatter().parse(getattr(words, key)) if field is not None
                ]
            except ValueError:
                raise self.refuse(at + key, "close every brace: {name}") from None
            if not all(field.isidentifier() for field in fields):
                raise self.refuse(at + key, "a brace holds the name of a fact: {name}")
        if "summary" in entry and len(words.summary) > SUMMARY_LIMIT + 40:
            raise self.refuse(at + "summary", f"a summary has at most {SUMMARY_LIMIT} characters: shorten it")
        return words

    def sources(self) -> tuple[Source, ...]:
        entries = self.tables("source")
        if not entries:
            raise self.refuse("source", f"add [[{self.rule}.source]] with label, url and says")
        return tuple(
            Source(*(self.text(key, entry, "source.") for key in ("label", "url", "says"))) for entry in entries
        )

    def changes(self) -> tuple[Change, ...]:
        entries = self.tables("changes")
        if not entries:
            raise self.refuse("changes", f"add [[{self.rule}.changes]] with on and what")
        return tuple(
            Change(self.day("on", entry, "changes."), self.text("what", entry, "changes.")) for entry in entries
        )
