"""What the dashboard has counted. There is no way back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counts",
        sa.Column("begins", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("ends", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("shape", sa.Integer, primary_key=True),
        sa.Column("counted", sa.JSON, nullable=False),
    )
