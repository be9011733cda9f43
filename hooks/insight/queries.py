"""The questions to the records (hooks/records/schema.py): one week at a time, everything by client and service.

A week is a range of instants, which the index of ``answers.at`` finds; no database has to know a calendar. What belongs
to its answers is then asked for by the range of their ids, so that no database takes to reading a whole table.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hooks.insight.tally import FATES, IGNORED, NO_CARD, OVERRIDDEN, SHOWN, Card, Place, Tally
from hooks.insight.weeks import Week
from hooks.records.schema import answers, cards, causes, feedback, findings, marks, outcomes

INCOMPLETE = 412
SYNTHETIC = "synthetic"
_PLACE = (answers.c.tenant, answers.c.service)

Tallies = dict[Place, Tally]


async def tallies_of(connection: AsyncConnection, week: Week) -> Tallies:
    """What was counted at each place that answered anything in this week."""
    found: Tallies = defaultdict(Tally)
    within = and_(answers.c.at >= week.begins, answers.c.at < week.ends)
    first, last = (await _rows(connection, _ids(within)))[0]
    if first is None:
        return {}

    def of(table: Table) -> ColumnElement[bool]:
        return and_(within, table.c.answer_id.between(first, last))

    for row in await _rows(connection, _calls(within)):
        _add_calls(found[Place(row.tenant, row.service)], row)
    for row in await _rows(connection, _outcomes(of(outcomes))):
        tally = found[Place(row.tenant, row.service)]
        tally.fires[row.rule] += int(row.fires)
        tally.untold[row.rule] += int(row.cannot_tell)
    for row in await _rows(connection, _causes(of(causes))):
        tally = found[Place(row.tenant, row.service)]
        (tally.causes if row.reviewed else tally.unread)[row.kind] += row.count_
    for row in await _rows(connection, _findings(of(findings))):
        found[Place(row.tenant, row.service)].findings[(row.card_group, row.rule, row.fate)] += row.count_
    for row in await _rows(connection, _cards(of(cards))):
        found[Place(row.tenant, row.service)].cards[_card(row)] += row.count_
    for row in await _rows(connection, _milliseconds(within)):
        found[Place(row.tenant, row.service)].milliseconds[float(row.tenths) / 10] += row.count_
    return dict(found)


def _ids(within: ColumnElement[bool]) -> Select[Any]:
    """The first and last id. ``+ 0``: PostgreSQL would look for them along all ids, from either end."""
    return select(func.min(answers.c.id + 0), func.max(answers.c.id + 0)).where(within)


async def _rows(connection: AsyncConnection, query: Select[Any]) -> Sequence[Row[Any]]:
    return (await connection.execute(query)).all()


def _calls(within: ColumnElement[bool]) -> Select[Any]:
    by = (*_PLACE, answers.c.status, answers.c.knowledge)
    reviewed = case((answers.c.in_scope > 0, 1), else_=0)
    counted = (func.count().label("count_"), func.sum(answers.c.in_scope).label("orders"), func.sum(reviewed))
    return select(*by, *counted[:2], counted[2].label("reviewed")).where(within).group_by(*by)


def _add_calls(tally: Tally, row: Row[Any]) -> None:
    tally.answers += row.count_
    tally.orders += int(row.orders)
    tally.reviewed += int(row.reviewed)
    tally.incomplete += row.count_ if row.status == INCOMPLETE else 0
    tally.knowledge[row.knowledge] += row.count_


def _outcomes(within: ColumnElement[bool]) -> Select[Any]:
    by = (*_PLACE, outcomes.c.rule)
    fires, untold = func.sum(outcomes.c.fires), func.sum(outcomes.c.cannot_tell)
    return (
        select(*by, fires.label("fires"), untold.label("cannot_tell")).join_from(answers, outcomes).where(within)
    ).group_by(*by)


def _causes(within: ColumnElement[bool]) -> Select[Any]:
    reviewed = case((answers.c.in_scope > 0, 1), else_=0).label("reviewed")
    by = (*_PLACE, causes.c.kind, reviewed)
    return select(*by, func.count().label("count_")).join_from(answers, causes).where(within).group_by(*by)


def _findings(within: ColumnElement[bool]) -> Select[Any]:
    fate = case(
        (findings.c.withheld.is_not(None), findings.c.withheld), (findings.c.card.is_not(None), SHOWN), else_=NO_CARD
    ).label("fate")
    by = (*_PLACE, findings.c.card_group, findings.c.rule, fate)
    return select(*by, func.count().label("count_")).join_from(answers, findings).where(within).group_by(*by)


def _cards(within: ColumnElement[bool]) -> Select[Any]:
    """Cards that were shown, each name once, with the feedback that counts: the latest."""
    of_card = (cards.c.card_group, cards.c.rule)
    shown = (
        select(answers.c.tenant, cards.c.uuid, func.min(answers.c.service).label("service"))
        .add_columns(*(func.min(column).label(column.name) for column in of_card))
        .join_from(answers, cards)
        .where(within)
        .group_by(answers.c.tenant, cards.c.uuid)
        .subquery()
    )
    latest = func.row_number().over(
        partition_by=(shown.c.tenant, shown.c.uuid),
        order_by=(feedback.c.outcome_at.desc(), feedback.c.id.desc()),
    )
    told = (
        select(shown, feedback.c.outcome, feedback.c.has_reason, feedback.c.reason_code, latest.label("nth"))
        .outerjoin_from(shown, feedback, and_(feedback.c.card == shown.c.uuid, feedback.c.tenant == shown.c.tenant))
        .subquery()
    )
    names = ("tenant", "service", "card_group", "rule", "outcome", "has_reason", "reason_code")
    by = [told.c[name] for name in names]
    return select(*by, func.count().label("count_")).where(told.c.nth == 1).group_by(*by)


def _card(row: Row[Any]) -> Card:
    fate = row.outcome if row.outcome in FATES else IGNORED
    reason = (row.reason_code or "") if fate == OVERRIDDEN and row.has_reason else None
    return Card(row.card_group, row.rule, fate, reason)


def _milliseconds(within: ColumnElement[bool]) -> Select[Any]:
    tenths = func.round(answers.c.ms * 10).label("tenths")
    by = (*_PLACE, tenths)
    return select(*by, func.count().label("count_")).where(within).group_by(*by)


async def is_synthetic(connection: AsyncConnection) -> bool:
    """Whether these records were made by ``firstline demo``."""
    found = await connection.execute(select(marks.c.name).where(marks.c.name == SYNTHETIC))
    return found.first() is not None


async def is_empty(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(answers.c.id).limit(1))).first() is None
