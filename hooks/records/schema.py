"""What is kept of answers and feedback: the tables, for whoever queries them. Migrations make them; this names them.

No table holds a name, an order, a token or the id of a patient; ``patient`` is a keyed hash (HMAC-SHA-256, hex).
Times are instants in UTC. What belongs to one answer (``outcomes``, ``causes``, ``cards``, ``findings``) goes with it
when its retention ends. ``feedback`` names a card by its uuid: the card may be unknown, and it may come again.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, in UTC; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        told = value.astimezone(UTC)
        return told.replace(tzinfo=None) if dialect.name == "sqlite" else told

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        told: datetime = value
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")


def _of_answer() -> Column[Any]:
    return Column("answer_id", _Id, ForeignKey("answers.id", ondelete="CASCADE"), nullable=False)


answers = Table(
    "answers",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("tenant", String(200), nullable=False),
    Column("service", String(100), nullable=False),
    Column("hook", String(100), nullable=False),
    Column("knowledge", String(100), nullable=False, doc="version, as every answer names it"),
    Column("status", Integer, nullable=False, doc="200, or 412 where nothing of the chart could be had"),
    Column("ms", Float, nullable=False, doc="milliseconds from the whole request to the whole answer"),
    Column("in_scope", Integer, nullable=False, doc="orders in scope; 0: there was nothing to review"),
    Column("patient", String(64), doc="keyed hash"),
    Index("answers_at", "at"),
)
"""One row for each answer of a hook: with cards or without, in scope or not."""

outcomes = Table(
    "outcomes",
    metadata,
    _of_answer(),
    Column("rule", String(20), nullable=False),
    Column("fires", Integer, nullable=False, doc="orders in scope that the rule fired for"),
    Column("cannot_tell", Integer, nullable=False, doc="orders in scope that the rule could not tell about"),
    Index("outcomes_answer", "answer_id"),
)
"""One row for each rule that fired or could not tell. Every rule is asked about every order in scope: it did not apply
to ``answers.in_scope - fires - cannot_tell`` of them, and to all of them where there is no row."""

causes = Table(
    "causes",
    metadata,
    _of_answer(),
    Column("kind", String(200), nullable=False, doc='"egfr: not provided", "dose: no unit", ...: never a reference'),
    Column("count", Integer, nullable=False),
    Index("causes_answer", "answer_id"),
)
"""Why something could not be assessed: the kinds of ``notAssessed``, each once for an answer, with how many."""

cards = Table(
    "cards",
    metadata,
    _of_answer(),
    Column("uuid", String(36), nullable=False),
    Column("card_group", String(20), nullable=False),
    Column("rule", String(20), nullable=False, doc="the rule that leads the card"),
    Column("indicator", String(10), nullable=False),
    Column("suggestions", JSON, nullable=False, doc="uuids, in their order"),
    Index("cards_answer", "answer_id"),
    Index("cards_uuid", "uuid"),
)
"""One row for each card that was shown. The same call sent twice (same ``hookInstance``) has the same uuids again."""

findings = Table(
    "findings",
    metadata,
    Column("id", _Id, primary_key=True),
    _of_answer(),
    Column("rule", String(20), nullable=False),
    Column("card_group", String(20), nullable=False),
    Column("indicator", String(10), nullable=False),
    Column("card", String(36), doc="uuid of the card that shows it; NULL: no card does"),
    Column("withheld", String(20), doc='why no card may show it: "shown before" or "overridden"; else NULL'),
    Column("shown_key", String(64), doc="keyed hash of patient, reader, finding and drafts (shown before)"),
    Column("finding_key", String(64), doc="keyed hash of patient and finding (respected overrides)"),
    Index("findings_answer", "answer_id"),
    Index("findings_card", "card"),
)
"""One row for each finding: a rule that met a chart, shown on a card or not."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", Instant, nullable=False, doc="when it came"),
    Column("tenant", String(200), nullable=False),
    Column("service", String(100), nullable=False),
    Column("card", String(36), nullable=False, doc="uuid, perhaps of no card that is known"),
    Column("outcome", String(10), nullable=False, doc='"accepted" or "overridden"'),
    Column("outcome_at", Instant, nullable=False, doc="when the prescriber decided, as the client says"),
    Column("suggestions", JSON, nullable=False, doc="uuids of what was accepted"),
    Column("has_reason", Boolean, nullable=False, doc="an override that gave a coded reason or a comment"),
    Column("reason_system", String(200)),
    Column("reason_code", String(64), doc='NULL: no coded reason; "other": one that is no plain code'),
    Column("comment", Text, doc="only where the site asks (record_comments)"),
    Index("feedback_at", "at"),
    Index("feedback_card", "card"),
)
"""One row for each entry as it came, repeats included: what counts for a card is its row with the latest ``outcome_at``
(then ``id``). It belongs to the cards of the same uuid whose answer has the same ``tenant``; a card that was shown and
has none was ignored, or its client sends no feedback."""

tokens = Table(
    "tokens",
    metadata,
    Column("jti_hash", String(64), primary_key=True),
    Column("expires", Instant, nullable=False),
    Index("tokens_expires", "expires"),
)
"""Client tokens that were used, until they expire: each is good for one call."""

keys = Table(
    "keys",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("value", String(64), nullable=False),
)
"""The key of the hashes where the site sets none (``patient_key``)."""

marks = Table(
    "marks",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("value", String(200), nullable=False),
)
"""What is said of the whole database: "synthetic" where ``firstline demo`` filled it, with the instant."""

counts = Table(
    "counts",
    metadata,
    Column("begins", Instant, primary_key=True),
    Column("ends", Instant, primary_key=True),
    Column("shape", Integer, primary_key=True, doc="of ``counted``: another program version may count other things"),
    Column("counted", JSON, nullable=False),
)
"""What the dashboard counted of a week that ended long ago (hooks/insight/stored.py), so that it counts it once."""
