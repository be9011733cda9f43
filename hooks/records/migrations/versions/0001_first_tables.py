"""The first tables. There is no way back: an older program does not write in newer tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
INSTANT = sa.DateTime(timezone=True)


def _of_answer() -> sa.Column[int]:
    return sa.Column("answer_id", ID, sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("hook", sa.String(100), nullable=False),
        sa.Column("knowledge", sa.String(100), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("ms", sa.Float, nullable=False),
        sa.Column("in_scope", sa.Integer, nullable=False),
        sa.Column("patient", sa.String(64)),
        sa.Index("answers_at", "at"),
    )
    op.create_table(
        "outcomes",
        _of_answer(),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("fires", sa.Integer, nullable=False),
        sa.Column("cannot_tell", sa.Integer, nullable=False),
        sa.Index("outcomes_answer", "answer_id"),
    )
    op.create_table(
        "causes",
        _of_answer(),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Index("causes_answer", "answer_id"),
    )
    op.create_table(
        "cards",
        _of_answer(),
        sa.Column("uuid", sa.String(36), nullable=False),
        sa.Column("card_group", sa.String(20), nullable=False),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("indicator", sa.String(10), nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Index("cards_answer", "answer_id"),
        sa.Index("cards_uuid", "uuid"),
    )
    op.create_table(
        "findings",
        sa.Column("id", ID, primary_key=True),
        _of_answer(),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("card_group", sa.String(20), nullable=False),
        sa.Column("indicator", sa.String(10), nullable=False),
        sa.Column("card", sa.String(36)),
        sa.Column("withheld", sa.String(20)),
        sa.Column("shown_key", sa.String(64)),
        sa.Column("finding_key", sa.String(64)),
        sa.Index("findings_answer", "answer_id"),
        sa.Index("findings_card", "card"),
    )
    op.create_table(
        "feedback",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("card", sa.String(36), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("outcome_at", INSTANT, nullable=False),
        sa.Column("suggestions", sa.JSON, nullable=False),
        sa.Column("has_reason", sa.Boolean, nullable=False),
        sa.Column("reason_system", sa.String(200)),
        sa.Column("reason_code", sa.String(64)),
        sa.Column("comment", sa.Text),
        sa.Index("feedback_at", "at"),
        sa.Index("feedback_card", "card"),
    )
    op.create_table(
        "tokens",
        sa.Column("jti_hash", sa.String(64), primary_key=True),
        sa.Column("expires", INSTANT, nullable=False),
        sa.Index("tokens_expires", "expires"),
    )
    op.create_table(
        "keys",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("value", sa.String(64), nullable=False),
    )
