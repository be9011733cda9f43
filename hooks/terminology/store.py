"""The local store of a release: one SQLite file, read only, two look-ups by key."""

import logging
import sqlite3
import weakref
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import msgspec

from cds.drug_tables import NDC, RXNORM
from cds.ndc_packages import DIGITS, packages
from cds.site_codes import ReleaseDrug
from hooks.terminology.errors import TerminologyError

FORMAT = "1"
REMEMBERED = 8192
LARGEST_RXCUI_DIGITS = 12
LOAD_AGAIN = "load the release again: firstline terminology load DIR"
SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE drug (rxcui INTEGER PRIMARY KEY, said BLOB NOT NULL);
CREATE TABLE ndc (package INTEGER PRIMARY KEY, rxcui INTEGER NOT NULL);
"""
"""``drug.said``: a ``ReleaseDrug`` as JSON; ``ndc.package``: eleven digits as a number."""

log = logging.getLogger("firstline.terminology")
_said = msgspec.json.Decoder(ReleaseDrug)


class Store:
    """What a release says of a code. Never raises after it was opened: what cannot be read is not known, and logged."""

    def __init__(self, path: Path) -> None:
        """Raises ``TerminologyError`` where there is no store of this form."""
        if not path.is_file():
            raise TerminologyError(
                path.name, "", "is not there: load a release into it: firstline terminology load DIR"
            )
        self._connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        try:
            self.about: Mapping[str, str] = dict(self._connection.execute("SELECT name, value FROM about").fetchall())
        except sqlite3.DatabaseError:
            self.about = {}
        if self.about.get("format") != FORMAT:
            self.close()
            raise TerminologyError(path.name, "", f"is no store of this version: {LOAD_AGAIN}")
        weakref.finalize(self, self._connection.close)
        self._failed = False
        self._remembered = lru_cache(REMEMBERED)(self._drug)

    def __call__(self, system: str, code: str) -> ReleaseDrug | None:
        """What the release says of a code of RxNorm or an NDC; None where it does not know it."""
        return self._remembered(system, code)

    def codes(self) -> list[str]:
        """Every code of RxNorm that it holds."""
        return [str(rxcui) for (rxcui,) in self._connection.execute("SELECT rxcui FROM drug")]

    def packages(self) -> list[str]:
        """Every NDC that it holds, with eleven digits."""
        return [f"{package:0{DIGITS}}" for (package,) in self._connection.execute("SELECT package FROM ndc")]

    def close(self) -> None:
        self._connection.close()

    def _drug(self, system: str, code: str) -> ReleaseDrug | None:
        try:
            rxcui = self._rxcui(code) if system == NDC else _number(code) if system == RXNORM else None
            if rxcui is None:
                return None
            found = self._connection.execute("SELECT said FROM drug WHERE rxcui = ?", (rxcui,)).fetchone()
            return None if found is None else _said.decode(found[0])
        except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError) as error:
            if not self._failed:
                self._failed = True
                log.error("the terminology store cannot be read: %s: %s", type(error).__name__, LOAD_AGAIN)
            return None

    def _rxcui(self, code: str) -> int | None:
        """The product of an NDC; None where the code may mean several."""
        known: set[int] = set()
        for numbers in packages(code):
            found = self._connection.execute(
                "SELECT DISTINCT rxcui FROM ndc WHERE package BETWEEN ? AND ?", (numbers[0], numbers[-1])
            )
            known.update(rxcui for (rxcui,) in found)
        return known.pop() if len(known) == 1 else None


def _number(code: str) -> int | None:
    return int(code) if code.isascii() and code.isdecimal() and len(code) <= LARGEST_RXCUI_DIGITS else None
