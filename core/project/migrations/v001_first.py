"""The first schema.

Written out in full and never changed: what `schema.py` says today is not what it said then.
"""

import sqlalchemy as sa
from alembic import op

revision = "001"
down_revision: str | None = None


def upgrade() -> None:
    """Create every table."""
    _create_settings()
    _create_cases()
    _create_runs()


def _create_settings() -> None:
    op.create_table(
        "facts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "classes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("colour", sa.Text, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("merged_into", sa.Integer, sa.ForeignKey("classes.id")),
    )
    op.create_table(
        "roots",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("folder", sa.Text, nullable=False),
    )
    op.create_table(
        "trash",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("deleted", sa.Float, nullable=False),
    )


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("channels", sa.Text, nullable=False),
        sa.Column("shape", sa.Text, nullable=False),
        sa.Column("channel_count", sa.Integer, nullable=False),
        sa.Column("spacing_mm", sa.Text),
        sa.Column("patient", sa.Text),
        sa.Column("split", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("labels", sa.Text),
        sa.Column("has_mask", sa.Boolean, nullable=False),
        sa.Column("volumes_mm3", sa.Text),
        sa.Column("author", sa.Text),
        sa.Column("changed", sa.Float),
        sa.Column("metadata", sa.Text),
        sa.Column("trash", sa.Text, sa.ForeignKey("trash.id")),
    )
    alive = sa.text("trash IS NULL")
    op.create_index("cases_by_id", "cases", ["id"], unique=True, sqlite_where=alive)
    op.create_table(
        "annotations",
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("case_row", sa.Integer, sa.ForeignKey("cases.row"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("labels", sa.Text),
        sa.Column("file", sa.Text),
        sa.Column("autosave", sa.Boolean, nullable=False),
    )
    op.create_index("annotations_by_case", "annotations", ["case_row", "version"], unique=True)


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("label_version", sa.Integer, nullable=False),
        sa.Column("trash", sa.Text, sa.ForeignKey("trash.id")),
    )
    op.create_table(
        "predictions",
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("case_row", sa.Integer, sa.ForeignKey("cases.row"), primary_key=True),
        sa.Column("weights_hash", sa.Text, nullable=False),
        sa.Column("label_version", sa.Integer, nullable=False),
        sa.Column("file", sa.Text),
        sa.Column("logits", sa.LargeBinary),
        sa.Column("uncertainty", sa.Float),
    )
