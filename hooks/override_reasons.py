"""Override reasons that fit the finding, from ``override_reasons.toml``; checked when the program starts."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cds.knowledge import GROUPS, KnowledgeError

FILE = Path(__file__).with_suffix(".toml")
Coding = Mapping[str, str]


def load(file: Path = FILE) -> Mapping[str, tuple[Coding, ...]]:
    """Codings by rule id and by card group. Raises ``KnowledgeError``."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(file.name, "file", f"correct the TOML: {error}") from None
    systems, reasons = table.get("systems", {}), table.get("reasons", {})
    codings: dict[str, Coding] = {}
    for code, reason in reasons.items():
        if not isinstance(reason, dict) or reason.get("system") not in systems or not reason.get("display"):
            raise KnowledgeError(file.name, f"reasons.{code}", "give it one of the systems and a display")
        codings[code] = {"code": code, "system": systems[reason["system"]], "display": reason["display"]}
    for group in GROUPS:
        if group not in table.get("groups", {}):
            raise KnowledgeError(file.name, f"groups.{group}", "list the reasons of this group")
    return {
        name: _codings(file.name, f"{part}.{name}", codes, codings)
        for part in ("groups", "rules")
        for name, codes in table.get(part, {}).items()
    }


def _codings(file: str, key: str, codes: Any, codings: Mapping[str, Coding]) -> tuple[Coding, ...]:
    for code in codes:
        if code not in codings:
            raise KnowledgeError(file, key, f"{code} is not among the reasons: add it or correct its spelling")
    return tuple(codings[code] for code in codes)


REASONS = load()


def reasons_for(rule: str, group: str) -> tuple[Coding, ...]:
    """What a prescriber may answer to a card led by this rule."""
    return REASONS.get(rule) or REASONS[group]
