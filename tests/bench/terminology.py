"""What look-ups cost in SQLite, in LMDB and in a dictionary (``python -m tests.bench.terminology``).

The release is invented and as large as RxNorm's: 125,000 concepts, 250,000 NDC. Each store is measured in a process of
its own. LMDB is measured where it is installed (``pip install lmdb``); Firstline does not need it.
"""

import importlib.util
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from cds.drug_tables import NDC, RXNORM
from cds.site_codes import ReleaseDrug
from hooks.terminology.load import load
from hooks.terminology.store import Store
from tests.releases import many, write_release

PRODUCTS = 25_000
LOOK_UPS = 20_000
LookUp = Callable[[str], ReleaseDrug | None]
decode = msgspec.json.Decoder(ReleaseDrug).decode


def rows(path: Path, table: str) -> list[tuple[int, bytes]]:
    connection = sqlite3.connect(path)
    found = connection.execute(f"SELECT * FROM {table}").fetchall()
    connection.close()
    return found


def as_lmdb(path: Path, codes: Path) -> None:
    import lmdb

    with lmdb.open(str(path), map_size=1 << 30) as environment, environment.begin(write=True) as writing:
        for rxcui, said in rows(codes, "drug"):
            writing.put(b"r%d" % rxcui, said)
        for package, rxcui in rows(codes, "ndc"):
            writing.put(b"n%011d" % package, b"r%d" % int(rxcui))


def in_sqlite(folder: Path) -> tuple[LookUp, LookUp]:
    store = Store(folder / "s.db")
    return lambda code: store(RXNORM, code), lambda code: store(NDC, code)


def in_lmdb(folder: Path) -> tuple[LookUp, LookUp]:
    import lmdb

    reading = lmdb.open(str(folder / "s.lmdb"), readonly=True, lock=False).begin()

    def by_rxcui(code: str) -> ReleaseDrug | None:
        said = reading.get(b"r" + code.encode())
        return None if said is None else decode(said)

    def by_ndc(code: str) -> ReleaseDrug | None:
        rxcui = reading.get(b"n" + code.encode())
        said = None if rxcui is None else reading.get(rxcui)
        return None if said is None else decode(said)

    return by_rxcui, by_ndc


def in_memory(folder: Path) -> tuple[LookUp, LookUp]:
    drugs = {str(rxcui): decode(said) for rxcui, said in rows(folder / "s.db", "drug")}
    packages = {f"{package:011d}": str(rxcui) for package, rxcui in rows(folder / "s.db", "ndc")}
    return drugs.get, lambda code: drugs.get(packages.get(code, ""))


STORES = {"sqlite": in_sqlite, "lmdb": in_lmdb, "dict": in_memory}


def measure(kind: str, folder: Path) -> None:
    memory = psutil.Process().memory_full_info
    chosen = random.Random(1)
    codes = [str(10 * chosen.randrange(PRODUCTS) + chosen.choice((10, 11, 12, 13, 14))) for _ in range(LOOK_UPS)]
    packages = [f"{10 * chosen.randrange(PRODUCTS) + 10:09d}{chosen.randrange(10):02d}" for _ in range(LOOK_UPS)]
    before = memory().uss
    by_rxcui, by_ndc = STORES[kind](folder)
    times = []
    for look_up, sample in ((by_rxcui, codes), (by_ndc, packages)):
        begun = time.perf_counter()
        assert all(look_up(code) is not None for code in sample)
        times.append((time.perf_counter() - begun) * 1e6 / LOOK_UPS)
    grown = (memory().uss - before) / 1e6
    print(f"{kind:8} RxNorm {times[0]:5.1f} us, NDC {times[1]:5.1f} us, memory {grown:6.1f} MB", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        release = write_release(folder / "release", many(PRODUCTS))
        size = sum(path.stat().st_size for path in release.iterdir()) / 1e6
        begun = time.perf_counter()
        loaded = load(release, folder / "s.db")
        taken = time.perf_counter() - begun
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"load     {size:.0f} MB of RRF in {taken:.1f} s, at most {most:.0f} MB of memory")
        print(f"sqlite   {loaded.size / 1e6:.1f} MB: {loaded.drugs} codes, {loaded.ndc} NDC")
        kinds = ["sqlite", "dict"]
        if importlib.util.find_spec("lmdb"):
            as_lmdb(folder / "s.lmdb", folder / "s.db")
            used = sum(path.stat().st_blocks * 512 for path in (folder / "s.lmdb").iterdir()) / 1e6
            print(f"lmdb     {used:.1f} MB")
            kinds.insert(1, "lmdb")
        for kind in kinds:
            subprocess.run([sys.executable, "-m", "tests.bench.terminology", kind, name], check=True)


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 1 else main()
