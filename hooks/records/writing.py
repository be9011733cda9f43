"""Rows of one batch, in one transaction; and what goes when its retention ends."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hooks.records import schema
from hooks.records.keyed import Keyed
from hooks.records.record import AnswerRecord, FeedbackRecord

AT_ONCE = 500
"""Answers that are deleted in one transaction: others wait no longer than for these."""


async def write(
    engine: AsyncEngine, keyed: Keyed, answers: Sequence[AnswerRecord], feedback: Sequence[FeedbackRecord]
) -> None:
    """Keeps all of these, or none."""
    async with engine.begin() as connection:
        if answers:
            await _write_answers(connection, keyed, answers)
        if feedback:
            await connection.execute(insert(schema.feedback), [_feedback(entry) for entry in feedback])


async def _write_answers(connection: AsyncConnection, keyed: Keyed, answers: Sequence[AnswerRecord]) -> None:
    ids = await _new_ids(connection, len(answers))
    rows = [{"id": id_, **_answer(keyed, one)} for id_, one in zip(ids, answers, strict=True)]
    await connection.execute(insert(schema.answers), rows)
    parts: tuple[tuple[Table, Callable[[AnswerRecord], Iterable[dict[str, Any]]]], ...] = (
        (schema.outcomes, _outcomes),
        (schema.causes, _causes),
        (schema.cards, _cards),
        (schema.findings, _findings),
    )
    for part, rows_of in parts:
        rows = [{"answer_id": id_, **row} for id_, one in zip(ids, answers, strict=True) for row in rows_of(one)]
        if rows:
            await connection.execute(insert(part), rows)


async def _new_ids(connection: AsyncConnection, count: int) -> Sequence[int]:
    """Ids of answers to be. SQLite asks for them row by row; this transaction is its only writer."""
    if connection.dialect.name == "sqlite":
        last = (await connection.execute(select(func.max(schema.answers.c.id)))).scalar() or 0
        return range(last + 1, last + 1 + count)
    sequence = func.pg_get_serial_sequence("answers", "id")
    found = await connection.execute(
        select(func.nextval(sequence.cast(REGCLASS))).select_from(func.generate_series(1, count))
    )
    return found.scalars().all()


def _answer(keyed: Keyed, one: AnswerRecord) -> dict[str, Any]:
    return {
        "at": one.at,
        "tenant": one.tenant,
        "service": one.service,
        "hook": one.hook,
        "knowledge": one.knowledge,
        "status": one.status,
        "ms": one.ms,
        "in_scope": one.in_scope,
        "patient": None if one.patient_id is None else keyed.patient(one.tenant, one.patient_id),
    }


def _outcomes(one: AnswerRecord) -> Iterable[dict[str, Any]]:
    return ({"rule": rule, "fires": fires, "cannot_tell": untold} for rule, fires, untold in one.outcomes)


def _causes(one: AnswerRecord) -> Iterable[dict[str, Any]]:
    return ({"kind": kind, "count": count} for kind, count in one.causes)


def _cards(one: AnswerRecord) -> Iterable[dict[str, Any]]:
    for card in one.cards:
        yield {
            "uuid": card.uuid,
            "card_group": card.group,
            "rule": card.rule,
            "indicator": card.indicator,
            "suggestions": list(card.suggestions),
        }


def _findings(one: AnswerRecord) -> Iterable[dict[str, Any]]:
    for finding in one.findings:
        yield {
            "rule": finding.rule,
            "card_group": finding.group,
            "indicator": finding.indicator,
            "card": finding.card,
            "withheld": finding.withheld,
            "shown_key": finding.shown_key,
            "finding_key": finding.finding_key,
        }


def _feedback(entry: FeedbackRecord) -> dict[str, Any]:
    return {
        "at": entry.at,
        "tenant": entry.tenant,
        "service": entry.service,
        "card": entry.card,
        "outcome": entry.outcome,
        "outcome_at": entry.outcome_at,
        "suggestions": list(entry.suggestions),
        "has_reason": entry.has_reason,
        "reason_system": entry.reason_system,
        "reason_code": entry.reason_code,
        "comment": entry.comment,
    }


async def remember_token(engine: AsyncEngine, jti_hash: str, expires: datetime) -> bool:
    """False where it was known already."""
    async with engine.begin() as connection:
        return await _insert_new(connection, schema.tokens, {"jti_hash": jti_hash, "expires": expires})


async def key_of_site(engine: AsyncEngine, chosen: str | None) -> bytes:
    """The site's key; without one a random one, which the first process keeps in the database."""
    if chosen is not None:
        return chosen.encode()
    keys = schema.keys
    async with engine.begin() as connection:
        await _insert_new(connection, keys, {"name": "patient", "value": secrets.token_hex(32)})
        found = await connection.execute(select(keys.c.value).where(keys.c.name == "patient"))
        return bytes.fromhex(found.scalar_one())


async def _insert_new(connection: AsyncConnection, table: Table, row: dict[str, Any]) -> bool:
    """Inserts the row; false where its primary key was there already."""
    inserting = insert_sqlite(table) if connection.dialect.name == "sqlite" else insert_postgresql(table)
    done = await connection.execute(inserting.values(row).on_conflict_do_nothing())
    return bool(done.rowcount)


async def forget(engine: AsyncEngine, before: datetime | None, now: datetime) -> int:
    """Deletes answers and feedback from before this instant, and tokens that have ended. Returns how many."""
    gone = await _delete(engine, schema.tokens, schema.tokens.c.jti_hash, schema.tokens.c.expires < now)
    if before is not None:
        for table in (schema.answers, schema.feedback):
            gone += await _delete(engine, table, table.c.id, table.c.at < before)
        await _delete(engine, schema.counts, schema.counts.c.begins, schema.counts.c.ends < before)
    return gone


async def _delete(engine: AsyncEngine, table: Table, key: Any, old: Any) -> int:
    total = 0
    while True:
        async with engine.begin() as connection:
            gone = (
                await connection.execute(delete(table).where(key.in_(select(key).where(old).limit(AT_ONCE))))
            ).rowcount
        total += gone
        if gone < AT_ONCE:
            return total
