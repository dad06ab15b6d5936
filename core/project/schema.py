"""The tables of `project.db`; their history is in `migrations`."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

SCHEMA_VERSION = 2
"""Counts the migrations; stored as SQLite's `user_version`. A newer one is refused."""

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single values as JSON: the task, the version of the labels, the last numbers given."""

classes = Table(
    "classes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("retired", Boolean, nullable=False, default=False),
    Column("merged_into", Integer, ForeignKey("classes.id")),
)

roots = Table(
    "roots",
    metadata,
    Column("name", Text, primary_key=True),
    Column("folder", Text, nullable=False),
)
"""Named folders outside the project that stored paths start from; `folder` is absolute."""

trash = Table(
    "trash",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("names", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("deleted", Float, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("channels", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("channel_count", Integer, nullable=False),
    Column("spacing_mm", Text),
    Column("patient", Text),
    Column("split", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("labels", Text),
    Column("has_mask", Boolean, nullable=False, default=False),
    Column("volumes_mm3", Text),
    Column("author", Text),
    Column("changed", Float),
    Column("metadata", Text),
    Column("trash", Text, ForeignKey("trash.id")),
    Column("box_counts", Text),
)
"""`split` and `status` are indices into SPLITS and STATUSES of `rows.py`; `labels` is `yes|no`.

`box_counts` has the number of boxes of each class, NULL where nobody looked for any.
"""

Index("cases_by_id", cases.c.id, unique=True, sqlite_where=text("trash IS NULL"))

annotations = Table(
    "annotations",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("case_row", Integer, ForeignKey("cases.row"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("time", Float, nullable=False),
    Column("labels", Text),
    Column("file", Text),
    Column("autosave", Boolean, nullable=False, default=False),
)
"""Every version of a case's labels; `file` is relative to the project."""

Index("annotations_by_case", annotations.c.case_row, annotations.c.version, unique=True)

box_versions = Table(
    "box_versions",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("case_row", Integer, ForeignKey("cases.row"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("time", Float, nullable=False),
    Column("counts", Text),
    Column("file", Text),
)
"""Every version of a case's boxes; `file` is relative to the project, NULL when taken away."""

Index("box_versions_by_case", box_versions.c.case_row, box_versions.c.version, unique=True)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("method", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("spec", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("label_version", Integer, nullable=False),
    Column("trash", Text, ForeignKey("trash.id")),
)

predictions = Table(
    "predictions",
    metadata,
    Column("run", Text, ForeignKey("runs.id"), primary_key=True),
    Column("case_row", Integer, ForeignKey("cases.row"), primary_key=True),
    Column("weights_hash", Text, nullable=False),
    Column("label_version", Integer, nullable=False),
    Column("file", Text),
    Column("logits", LargeBinary),
    Column("uncertainty", Float),
)
"""`logits` are little-endian float32, one a class of the run."""
