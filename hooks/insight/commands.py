"""``firstline demo`` and ``firstline signs``."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from hooks.addresses import NO_DATABASE, OWN_DATABASE
from hooks.insight.reading import Read, Reader, newest
from hooks.insight.signs import LOOK_BACK, signs
from hooks.insight.words import advice, sentence, title
from hooks.knowledge_version import all_knowledge
from hooks.records.database import DatabaseUrlError, error_name, read_url
from hooks.settings import load

DEMO_DATABASE = "sqlite:///firstline-demo.db"
WRITE_URL = "--database: write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"


class InsightError(Exception):
    """What was asked cannot be done; the message says what to do."""


def add_commands(commands: Any) -> None:
    demo = commands.add_parser("demo", help="fill an empty database with a synthetic month, to look at /insight")
    demo.add_argument("--database", default=DEMO_DATABASE, help=f"where to (default: {DEMO_DATABASE})")
    demo.set_defaults(run=_demo)
    told = commands.add_parser("signs", help="signs of a malfunction in the records; the exit status is 1 with any")
    told.add_argument("--database", help="which records (default: those of the settings)")
    told.set_defaults(run=_signs)


def _demo(asked: argparse.Namespace, console: Console) -> int:
    from hooks.insight.demo import NoFixturesError, NotEmptyError, fill  # it brings the whole service along

    _check(asked.database)
    try:
        filled = asyncio.run(fill(asked.database, datetime.now(UTC)))
    except NotEmptyError:
        raise InsightError("the database holds records already: name an empty one with --database") from None
    except NoFixturesError:
        raise InsightError("the stored requests (fixtures/) are not there: run this in a checkout") from None
    except (SQLAlchemyError, OSError) as error:
        raise InsightError(f"the database cannot be written: {error_name(error)}") from None
    since = filled.since.date()
    console.print(
        f"{filled.answers} synthetic answers since {since}, {filled.feedback} of their cards with feedback.\n"
    )
    shown = read_url(asked.database).set(drivername=asked.database.partition(":")[0]).render_as_string()
    console.print(Text(f"Look at them:  FIRSTLINE_DATABASE_URL={shown} make serve"), soft_wrap=True)
    console.print("and open /insight.")
    return 0


def _signs(asked: argparse.Namespace, console: Console) -> int:
    settings = load()
    url = asked.database or settings.database_url or OWN_DATABASE
    if url == NO_DATABASE:
        raise InsightError("database_url: none: nothing is recorded")
    _check(url)
    told = read_url(url)
    if told.get_backend_name() == "sqlite" and not Path(told.database or "").is_file():
        raise InsightError(f"{Path(told.database or '').name}: there is no such database: name it with --database")
    try:
        read = asyncio.run(_read(Reader(url, settings.zone, lambda: datetime.now(UTC))))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise InsightError(f"the records cannot be read: {error_name(error)}") from None
    if read.synthetic:
        console.print("Synthetic records.")
    known, found = all_knowledge(), signs(newest(read.weeks, LOOK_BACK)) if read.weeks else []
    for sign in found:
        words = f"{title(sign, known)} ({sign.place.tenant}, {sign.place.service}). {sentence(sign)} {advice(sign)}"
        console.print(Text(words), soft_wrap=True)
    if not found:
        console.print("No answer is recorded." if read.empty else "No sign of a malfunction.")
    return 1 if found else 0


async def _read(reader: Reader) -> Read:
    try:
        return await reader.read(LOOK_BACK)
    finally:
        await reader.aclose()


def _check(url: str) -> None:
    try:
        read_url(url)
    except DatabaseUrlError:
        raise InsightError(WRITE_URL) from None
