"""Reads the files of an RxNorm release (RRF: one row a line, each field followed by ``|``), and refuses a wrong one."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from hooks.terminology.errors import TerminologyError

CONSO, REL, SAT = "RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF"
FIELDS = {CONSO: 18, REL: 16, SAT: 13}
"""The files that are read, in this order, and how many fields a row of each has."""
SUBFOLDER = "rrf"
SAMPLE = 1 << 20
LONGEST_LINE = 1 << 20
GET_AGAIN = "get the release again"

Row = tuple[int, int, list[str] | None]


class Source(Struct, frozen=True):
    """One file of a release. ``stamp`` tells it from another of the same name."""

    path: Path
    size: int
    stamp: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def fields(self) -> int:
        return FIELDS[self.path.name]


def release_files(folder: Path) -> tuple[Source, ...]:
    """The files of the release in this folder, or in ``rrf`` within it. Raises ``TerminologyError``."""
    inner = folder / SUBFOLDER if (folder / SUBFOLDER).is_dir() else folder
    missing = [name for name in FIELDS if not (inner / name).is_file()]
    if missing:
        raise TerminologyError(
            ", ".join(missing), "", "not in this folder: give the folder of an RxNorm release, unpacked"
        )
    return tuple(_source(inner / name) for name in FIELDS)


def _source(path: Path) -> Source:
    try:
        with path.open("rb") as file:
            beginning = file.read(SAMPLE)
            size = file.seek(0, 2)
            file.seek(max(0, size - SAMPLE))
            digest = hashlib.blake2b(beginning + file.read(), digest_size=16)
        digest.update(f"{size} {path.stat().st_mtime_ns}".encode())
    except OSError:
        raise TerminologyError(path.name, "", "cannot be read") from None
    if not beginning:
        raise TerminologyError(path.name, "", f"is empty: {GET_AGAIN}")
    return Source(path, size, digest.hexdigest())


def rows(source: Source, wanted: bytes = b"", offset: int = 0, line: int = 0) -> Iterator[Row]:
    """From a place in the file: where the next line begins, its number, and the fields of the line before it.

    None instead of the fields where the line holds no ``wanted``; its number of fields is checked all the same.
    Raises ``TerminologyError`` for a line that is cut or has other fields.
    """
    bars = source.fields
    with source.path.open("rb") as file:
        file.seek(offset)
        while raw := file.readline(LONGEST_LINE):
            line += 1
            offset += len(raw)
            row = raw.rstrip(b"\r\n")
            if not raw.endswith(b"\n"):
                raise TerminologyError(source.name, f"line {line}", f"the file is cut here: {GET_AGAIN}")
            if row.count(b"|") != bars or not row.endswith(b"|"):
                raise TerminologyError(
                    source.name, f"line {line}", f"has not {bars} fields, each followed by |: {GET_AGAIN}"
                )
            yield offset, line, _fields(source, line, row) if wanted in row else None


def _fields(source: Source, line: int, row: bytes) -> list[str]:
    try:
        return row.decode("utf-8").split("|")
    except UnicodeDecodeError:
        raise TerminologyError(source.name, f"line {line}", f"is not UTF-8: {GET_AGAIN}") from None
