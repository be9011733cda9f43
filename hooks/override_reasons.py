"""Override reasons that fit the finding, from ``override_reasons.toml``; checked when the program starts."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cds.knowledge import GROUPS, KnowledgeError

FILE = Path(__file__).with_suffix(".toml")
OWN = "own"
"""The system of Firstline's own codes."""
Coding = Mapping[str, str]


def load(file: Path = FILE, plain: bool = False) -> Mapping[str, tuple[Coding, ...]]:
    """Codings by rule id and by card group; ``plain``: in codes of letters and digits only. Raises
    ``KnowledgeError``."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(file.name, "file", f"correct the TOML: {error}") from None
    systems, reasons = table.get("systems", {}), table.get("reasons", {})
    codings: dict[str, Coding] = {}
    for code, reason in reasons.items():
        if not isinstance(reason, dict) or reason.get("system") not in systems or not reason.get("display"):
            raise KnowledgeError(file.name, f"reasons.{code}", "give it one of the systems and a display")
        own = code if code.isalnum() else reason.get("plain", "")
        if not (isinstance(own, str) and own.isalnum() and own.isascii()):
            raise KnowledgeError(file.name, f"reasons.{code}.plain", "give it a second code of letters and digits only")
        system = OWN if plain and own != code else reason["system"]
        codings[code] = {
            "code": own if plain else code,
            "system": systems[system],
            "display": reason["display"],
        }
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
PLAIN_REASONS = load(plain=True)


def reasons_for(rule: str, group: str, plain: bool = False) -> tuple[Coding, ...]:
    """What a prescriber may answer to a card led by this rule; ``plain``: to a client that takes no other codes."""
    reasons = PLAIN_REASONS if plain else REASONS
    return reasons.get(rule) or reasons[group]
