"""``firstline terminology``: loads a release that the site is licensed for, and tells what is loaded."""

import argparse
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cds.drug_tables import NDC, RXNORM, load_drugs
from cds.site_codes import SiteCodes
from hooks.settings import Settings, load
from hooks.terminology.load import load as load_release
from hooks.terminology.sites import read_sites
from hooks.terminology.store import Store

OWN_STORE = "terminology.db"
MOST_LOOK_UPS = 2000


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``terminology load`` and ``terminology status`` to the commands."""
    terminology = commands.add_parser("terminology", help="the RxNorm release and the local codes of the site")
    of_terminology = terminology.add_subparsers(required=True, metavar="COMMAND")
    loading = of_terminology.add_parser("load", help="read an RxNorm release (RRF) into the local store")
    loading.add_argument("folder", type=Path, metavar="DIR", help="the unpacked release, or its folder rrf")
    loading.add_argument("--smaller", action="store_true", help="accept less than half of what the store holds")
    loading.set_defaults(run=_load)
    status = of_terminology.add_parser("status", help="what is loaded, and whether the tables agree with it")
    status.add_argument("--time", action="store_true", help="how long look-ups take")
    status.set_defaults(run=_status)
    for command in (loading, status):
        command.add_argument("--store", type=Path, help=f"the store (default: the setting terminology, or {OWN_STORE})")


def _store_of(asked: argparse.Namespace, settings: Settings) -> Path:
    return Path(asked.store or settings.terminology or OWN_STORE)


def _load(asked: argparse.Namespace, console: Console) -> None:
    settings = load()
    path = _store_of(asked, settings)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def told(file: str, offset: int, size: int) -> None:
            if file not in tasks:
                tasks[file] = progress.add_task(file, total=size)
            progress.update(tasks[file], completed=offset)

        loaded = load_release(asked.folder, path, told, asked.smaller)
    console.print(f"{loaded.drugs} codes of RxNorm and {loaded.ndc} NDC, {loaded.size / 1e6:.1f} MB.")
    if settings.terminology is None:
        console.print(Text(f'To use it, write terminology = "{path}" in the settings.'), soft_wrap=True)
    console.print("A running service goes on with the old store until it is started again.")


def _status(asked: argparse.Namespace, console: Console) -> None:
    settings = load()
    console.print(f"SNOMED CT: {'read' if settings.snomed else 'left out'}.")
    for client, site in read_sites(settings).items():
        console.print(f"Client {client}: {site.count} local codes.")
    path = _store_of(asked, settings)
    if asked.store is None and settings.terminology is None and not path.exists():
        console.print("No RxNorm release is loaded.")
        return
    store = Store(path)
    console.print(Text(f"{path}: {store.about['release']}, {path.stat().st_size / 1e6:.1f} MB"), soft_wrap=True)
    console.print(f"{store.about['drugs']} codes of RxNorm, {store.about['NDC']} NDC.")
    differing = sorted(_differing(store))
    console.print(f"Products that the tables and the release tell differently: {', '.join(differing) or 'none'}.")
    if asked.time:
        console.print(_times(store))
    store.close()


def _differing(store: Store) -> Iterator[str]:
    """Product codes of the tables of which the release tells other ingredients or strengths."""
    tables, site = load_drugs(), SiteCodes({}, store)
    for code, drug in tables.products.items():
        said = site.released(RXNORM, code, tables)
        if said is not None and set(said.drug.ingredients) != set(drug.ingredients):
            yield code


def _times(store: Store) -> Table:
    """Microseconds of one look-up, from the store and remembered."""
    table = Table("Look-up", "From the store", "Remembered", title="Microseconds each")
    chosen = random.Random(1)  # noqa: S311 - a sample, no secret
    for system, codes in ((RXNORM, store.codes()), (NDC, store.packages())):
        sample = chosen.sample(codes, min(len(codes), MOST_LOOK_UPS))
        table.add_row(system, *(f"{_micros(store, system, sample):.1f}" for _ in range(2)))
    return table


def _micros(look_up: Callable[[str, str], object], system: str, codes: list[str]) -> float:
    begun = time.perf_counter()
    for code in codes:
        look_up(system, code)
    return (time.perf_counter() - begun) * 1e6 / len(codes)
