"""Opening the database: SQLite in a file, or PostgreSQL, by one address; and bringing its tables up to date."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
CONNECT_SECONDS = 5
COMMAND_SECONDS = 10
POOL = 3
"""Connections that a process keeps open to PostgreSQL; it may open 10 more for a while."""
BUSY_MS = 5_000
"""How long SQLite waits for another process's commit."""
MIGRATING = 0x46697273
"""The advisory lock of PostgreSQL under which one process at a time brings the tables up to date."""

REFUSALS = ("22", "23")
"""Classes of SQLSTATE: wrong values, broken constraints."""


class DatabaseUrlError(ValueError):
    """The address of the database is none that can be used."""


def read_url(written: str) -> URL:
    """``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``, with the driver. Raises ``DatabaseUrlError``."""
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
        raise DatabaseUrlError from None
    driver = DRIVERS.get(url.drivername, url.drivername)
    if driver not in DRIVERS.values() or not url.database or url.database == ":memory:":
        raise DatabaseUrlError
    url = url.set(drivername=driver)
    if driver == DRIVERS["postgresql"] and "sslmode" in url.query:  # as libpq calls what asyncpg calls ssl
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
    return url


def open_engine(written: str) -> AsyncEngine:
    """An engine for writing: on SQLite every transaction takes the write lock when it begins. Does not connect."""
    url = read_url(written)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, "BEGIN IMMEDIATE", f"PRAGMA busy_timeout={BUSY_MS}")
    return create_async_engine(url, pool_pre_ping=True, connect_args=_patience(), pool_size=POOL)


def file_of(written: str) -> tuple[int, int] | None:
    """Which file a SQLite database is in now; None where it is named by a URI, and for PostgreSQL.

    Raises ``OSError`` where it is gone: SQLite goes on writing to a file that was deleted, and all of it is lost.
    """
    url = read_url(written)
    if url.get_backend_name() != "sqlite" or str(url.database).startswith("file:"):
        return None
    found = Path(str(url.database)).stat()
    return found.st_dev, found.st_ino


def open_reader(written: str) -> AsyncEngine:
    """An engine for queries alone: it cannot change anything, and holds nobody up."""
    url = read_url(written)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, "BEGIN", f"PRAGMA busy_timeout={BUSY_MS}", "PRAGMA query_only=ON")
    return create_async_engine(
        url, pool_pre_ping=True, connect_args=_patience(default_transaction_read_only="on"), pool_size=POOL
    )


def _patience(**server: str) -> dict[str, Any]:
    """A database that hangs is as bad as one that is down: nothing waits for it for ever."""
    return {"timeout": CONNECT_SECONDS, "command_timeout": COMMAND_SECONDS, "server_settings": server}


def _sqlite(url: URL, begin: str, *pragmas: str) -> AsyncEngine:
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin where ``begin`` says, not where the driver thinks
        cursor = connection.cursor()
        # FULL: a commit outlives a loss of power, not only the end of the process.
        for pragma in (*pragmas, "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"):
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


async def migrate(engine: AsyncEngine) -> None:
    """Brings the tables up to date, in one transaction, one process at a time."""
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATING})
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "hooks.records:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def is_refusal(error: BaseException) -> bool:
    """Whether the database is there, and will never take what it was given."""
    cause = getattr(error, "orig", None)
    told = str(getattr(cause, "sqlstate", None) or "")
    return isinstance(error, (DataError, IntegrityError, ProgrammingError, ValueError)) or told[:2] in REFUSALS


def error_name(error: BaseException) -> str:
    """The error's name. Its text may hold an address, a password or a value."""
    return type(getattr(error, "orig", None) or error).__name__
