"""Reads an RxNorm release into the local store. Broken off, it goes on where it was; a wrong release changes nothing.

What is read is kept in ``STORE.loading`` until all files are through; then the store is written beside the old one and
takes its place at once.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from cds.ndc_packages import packages
from cds.site_codes import PRODUCTS, ReleaseDrug
from hooks.terminology.errors import TerminologyError
from hooks.terminology.resolve import TERM_TYPES, Atom, Release, resolve
from hooks.terminology.rrf import CONSO, GET_AGAIN, REL, SAT, SUBFOLDER, Source, release_files, rows
from hooks.terminology.store import FORMAT, SCHEMA, Store

OWN = "RXNORM"
BATCH = 50_000
"""Lines between two commits: what is read again at most after a break."""
RELATIONS = frozenset({
    "consists_of", "has_ingredient", "has_ingredients", "has_precise_ingredient", "form_of", "tradename_of", "has_part",
    "contains", "has_dose_form",
})  # fmt: skip
"""A release tells each relation in both directions; these are one of them."""
WATCHED_CLASSES = ("N02A", "N01AH", "N07BC", "R05DA", "N05B", "N05C", "N03AA", "N03AE", "N01AF")
"""ATC classes of opioids and sedatives."""
TOLERATED = 0.01
"""The part of drugs or relations that may lead nowhere in a whole release."""
SHRUNK = 0.5
STAGED = """
CREATE TABLE IF NOT EXISTS progress (file TEXT PRIMARY KEY, stamp TEXT NOT NULL, offset INTEGER, line INTEGER);
CREATE TABLE IF NOT EXISTS atom (rxcui INTEGER PRIMARY KEY, kind TEXT, name TEXT, suppressed INTEGER);
CREATE TABLE IF NOT EXISTS watched (rxcui INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS link (one INTEGER, other INTEGER, PRIMARY KEY (one, other)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ndc (package INTEGER PRIMARY KEY, rxcui INTEGER, own INTEGER);
"""
ALONE = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = NORMAL;"
ADD_ATOM = """INSERT INTO atom VALUES (?, ?, ?, ?) ON CONFLICT (rxcui) DO UPDATE SET
    kind = excluded.kind, name = excluded.name, suppressed = excluded.suppressed
    WHERE excluded.suppressed < atom.suppressed"""
ADD_NDC = """INSERT INTO ndc VALUES (?, ?, ?) ON CONFLICT (package) DO UPDATE SET
    rxcui = excluded.rxcui, own = excluded.own WHERE excluded.own > ndc.own"""

Told = Callable[[str, int, int], None]
"""Hears of progress: the file, the bytes read of it, and its size."""


class Loaded(Struct, frozen=True):
    """What the store holds: counts, and the bytes it takes."""

    drugs: int
    ndc: int
    size: int


def load(folder: Path, store: Path, told: Told | None = None, smaller: bool = False, batch: int = BATCH) -> Loaded:
    """Reads the release in ``folder`` and puts it in the place of ``store``. Raises ``TerminologyError``.

    ``smaller``: the release may hold less than half of what the store in place does.
    """
    sources = release_files(folder)
    staged = store.with_name(f"{store.name}.loading")
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(_open_staged(staged, sources)) as connection:
            try:
                for source in sources:
                    _read(connection, source, told, batch)
                drugs = _resolved(connection)
            except TerminologyError:  # these files will not do: nothing read of them is of use
                staged.unlink()
                raise
            loaded = _written(connection, drugs, store, _name_of(folder), smaller)
    except (sqlite3.Error, OSError) as error:
        raise TerminologyError(store.name, "", _cannot_write(error)) from None
    staged.unlink()
    return loaded


def _name_of(folder: Path) -> str:
    """What the release is called: the folder that it was unpacked into."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == SUBFOLDER else folder.name


def _cannot_write(error: Exception) -> str:
    if "locked" in str(error):
        return "another load is under way: wait for it"
    return "cannot be written: look for the right to write in its folder, and for space"


def _open_staged(path: Path, sources: tuple[Source, ...]) -> sqlite3.Connection:
    """What was read so far of exactly these files; anything else is begun anew."""
    try:
        return _staged(path, sources)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        path.unlink()
        return _staged(path, sources)


def _staged(path: Path, sources: tuple[Source, ...]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1, isolation_level=None)
    try:
        connection.executescript(f"{ALONE} BEGIN IMMEDIATE; {STAGED}")
        known = dict(connection.execute("SELECT file, stamp FROM progress"))
        if known != {source.name: source.stamp for source in sources}:
            for table in ("progress", "atom", "watched", "link", "ndc"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            rows = ((source.name, source.stamp) for source in sources)
            connection.executemany("INSERT INTO progress VALUES (?, ?, 0, 0)", rows)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


# Reading


def _read(connection: sqlite3.Connection, source: Source, told: Told | None, batch: int) -> None:
    """The rest of one file, committed batch by batch."""
    place = "SELECT offset, line FROM progress WHERE file = ?"
    offset, line = begun = connection.execute(place, (source.name,)).fetchone()
    take = {CONSO: _take_atom, REL: _take_link, SAT: _take_ndc}[source.name]
    connection.execute("BEGIN")
    try:
        for offset, line, fields in rows(source, b"|NDC|" if source.name == SAT else b"", *begun):
            if fields is not None:
                take(connection, fields)
            if line % batch == 0:
                _commit(connection, source, offset, line)
                if told is not None:
                    told(source.name, offset, source.size)
                connection.execute("BEGIN")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, ValueError):
            raise TerminologyError(source.name, f"line {line}", f"an RxCUI is no number: {GET_AGAIN}") from None
        raise
    _commit(connection, source, offset, line)
    if told is not None:
        told(source.name, offset, source.size)


def _commit(connection: sqlite3.Connection, source: Source, offset: int, line: int) -> None:
    connection.execute("UPDATE progress SET offset = ?, line = ? WHERE file = ?", (offset, line, source.name))
    connection.execute("COMMIT")


def _take_atom(connection: sqlite3.Connection, fields: list[str]) -> None:
    rxcui, vocabulary, kind, code, name, suppressed = (fields[at] for at in (0, 11, 12, 13, 14, 16))
    if vocabulary == OWN and kind in TERM_TYPES:
        connection.execute(ADD_ATOM, (int(rxcui), kind, name, suppressed not in ("", "N")))
    elif vocabulary == "ATC" and code.startswith(WATCHED_CLASSES):
        connection.execute("INSERT OR IGNORE INTO watched VALUES (?)", (int(rxcui),))


def _take_link(connection: sqlite3.Connection, fields: list[str]) -> None:
    one, other, relation, vocabulary = (fields[at] for at in (0, 4, 7, 10))
    if vocabulary == OWN and relation in RELATIONS and one and other:
        connection.execute("INSERT OR IGNORE INTO link VALUES (?, ?)", sorted((int(one), int(other))))


def _take_ndc(connection: sqlite3.Connection, fields: list[str]) -> None:
    rxcui, attribute, vocabulary, value, suppressed = (fields[at] for at in (0, 8, 9, 10, 11))
    found = packages(value) if attribute == "NDC" else ()
    if len(found) == 1 and len(found[0]) == 1:
        own = 2 * (vocabulary == OWN) + (suppressed in ("", "N"))
        connection.execute(ADD_NDC, (found[0][0], int(rxcui), own))


# Resolving and writing


def _resolved(connection: sqlite3.Connection) -> dict[int, ReleaseDrug]:
    """What every concept is made of. Raises ``TerminologyError`` for a release of which a part is missing."""
    atoms: dict[int, Atom] = {}
    current: set[int] = set()
    for rxcui, kind, name, suppressed in connection.execute("SELECT rxcui, kind, name, suppressed FROM atom"):
        atoms[rxcui] = Atom(kind, name)
        if kind in PRODUCTS and not suppressed:
            current.add(rxcui)
    if not current:
        raise TerminologyError(CONSO, "", f"holds no drugs of RxNorm: {GET_AGAIN}")
    links: dict[int, list[int]] = {}
    astray = count = 0
    for one, other in connection.execute("SELECT one, other FROM link"):
        count += 1
        astray += one not in atoms or other not in atoms
        links.setdefault(one, []).append(other)
        links.setdefault(other, []).append(one)
    if astray > TOLERATED * count:
        raise TerminologyError(CONSO, "", f"lacks what {astray} of {count} relations speak of: {GET_AGAIN}")
    watched = frozenset(rxcui for (rxcui,) in connection.execute("SELECT rxcui FROM watched"))
    drugs = resolve(Release(atoms, links, watched))
    empty = len(current - drugs.keys())
    if empty > TOLERATED * len(current):
        raise TerminologyError(REL, "", f"tells no ingredient of {empty} of {len(current)} drugs: {GET_AGAIN}")
    return drugs


def _written(
    staged: sqlite3.Connection, drugs: Mapping[int, ReleaseDrug], store: Path, release: str, smaller: bool
) -> Loaded:
    """The new store, complete on disk before it takes the place of the old one."""
    ndc = [(package, rxcui) for package, rxcui in staged.execute("SELECT package, rxcui FROM ndc") if rxcui in drugs]
    if not ndc:
        raise TerminologyError(SAT, "", f"holds no NDC of these drugs: {GET_AGAIN}")
    _compare(store, {"drugs": len(drugs), "NDC": len(ndc)}, smaller)
    new = store.with_name(f"{store.name}.new")
    new.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(new)) as connection:
            connection.executescript("PRAGMA page_size = 4096; PRAGMA synchronous = FULL;" + SCHEMA)
            connection.executemany("INSERT INTO drug VALUES (?, ?)", _encoded(drugs))
            connection.executemany("INSERT INTO ndc VALUES (?, ?)", ndc)
            about = {"format": FORMAT, "release": release, "drugs": str(len(drugs)), "NDC": str(len(ndc))}
            connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
            connection.commit()
        size = new.stat().st_size
        new.replace(store)
    finally:
        new.unlink(missing_ok=True)
    return Loaded(len(drugs), len(ndc), size)


def _encoded(drugs: Mapping[int, ReleaseDrug]) -> Iterator[tuple[int, bytes]]:
    for rxcui, drug in sorted(drugs.items()):
        yield rxcui, msgspec.json.encode(drug)


def _compare(store: Path, counts: Mapping[str, int], smaller: bool) -> None:
    """A release that holds far less than the last one was probably cut between two lines."""
    try:
        with contextlib.closing(Store(store)) as old:
            known = {name: int(old.about.get(name, 0)) for name in counts}
    except (TerminologyError, sqlite3.Error):
        return
    for name, count in counts.items():
        if count < SHRUNK * known[name] and not smaller:
            raise TerminologyError(
                SAT if name == "NDC" else CONSO,
                "",
                f"holds {count} {name}, the store in place {known[name]}: {GET_AGAIN}, or say --smaller if it is whole",
            )
