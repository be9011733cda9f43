"""Keeps what was counted of weeks that ended long ago: counted once, by whichever process first asks."""

import logging
from collections import Counter
from typing import Any

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hooks.insight.queries import Tallies
from hooks.insight.tally import Card, Place, Tally
from hooks.insight.weeks import Week
from hooks.records.database import error_name
from hooks.records.schema import counts

SHAPE = 1
"""Raise it with every change of what is counted."""
_KEYS: dict[str, Any] = {"findings": tuple[str, str, str], "cards": Card, "milliseconds": float}
"""What is counted by something else than a text."""

log = logging.getLogger("firstline.insight")


async def kept(connection: AsyncConnection, week: Week) -> Tallies | None:
    """What was counted of this week; None: it is not kept."""
    query = select(counts.c.counted).where(
        counts.c.begins == week.begins, counts.c.ends == week.ends, counts.c.shape == SHAPE
    )
    found = (await connection.execute(query)).scalar()
    return None if found is None else _tallies(found)


async def keep(engine: AsyncEngine, week: Week, tallies: Tallies) -> None:
    """Keeps it. Where that cannot be, the week is counted again the next time."""
    row = {"begins": week.begins, "ends": week.ends, "shape": SHAPE, "counted": _told(tallies)}
    try:
        async with engine.begin() as connection:
            await connection.execute(insert(counts), row)
    except IntegrityError:
        pass  # another process was quicker
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("what was counted of a week could not be kept: %s", error_name(error))


def _told(tallies: Tallies) -> list[Any]:
    return [[place.tenant, place.service, _fields(tally)] for place, tally in tallies.items()]


def _fields(tally: Tally) -> dict[str, Any]:
    values = {name: getattr(tally, name) for name in tally.__struct_fields__}
    return {
        name: [[msgspec.to_builtins(key), count] for key, count in value.items()]
        if isinstance(value, Counter)
        else value
        for name, value in values.items()
    }


def _tallies(told: list[Any]) -> Tallies:
    return {Place(tenant, service): _tally(fields) for tenant, service, fields in told}


def _tally(fields: dict[str, Any]) -> Tally:
    read: dict[str, Any] = {
        name: _counter(name, value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Tally(**read)


def _counter(name: str, pairs: list[Any]) -> Counter[Any]:
    kind = _KEYS.get(name, str)
    return Counter({msgspec.convert(key, kind): count for key, count in pairs})
