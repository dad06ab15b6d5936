"""Boxes: what was drawn in a case, and every older version of it."""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision: str | None = "001"


def upgrade() -> None:
    """Count the boxes of a case beside its labels, and give them a history of their own."""
    op.add_column("cases", sa.Column("box_counts", sa.Text))
    op.create_table(
        "box_versions",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("case_row", sa.Integer, sa.ForeignKey("cases.row"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("counts", sa.Text),
        sa.Column("file", sa.Text),
    )
    op.create_index("box_versions_by_case", "box_versions", ["case_row", "version"], unique=True)
