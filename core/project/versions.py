"""Versions of labels in the database: adding one, and where the older ones lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from .bulk import run_many
from .folder import next_number
from .records import ImageLabels, Status
from .rows import STATUS_CODES, now, pack_labels, pack_volumes
from .schema import annotations, cases

CHUNK = 900
"""Values in one statement; old builds of SQLite allow 999."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a version of a case's labels is to say; `file` is the label map it has, if any."""

    labels: ImageLabels | None
    status: Status
    author: str
    file: str | None = None
    volumes: Mapping[int, float] = field(default_factory=dict)
    autosave: bool = False

    def follows(self, latest: Row[Any] | None) -> bool:
        """Tell whether it takes the place of the latest version instead of coming after it."""
        return (
            self.autosave
            and latest is not None
            and bool(latest.autosave)
            and latest.author == self.author
        )


def latest_version(connection: Connection, row: int) -> Row[Any] | None:
    """Read the newest version of a case's labels."""
    query = select(annotations).where(annotations.c.case_row == row)
    return connection.execute(query.order_by(annotations.c.version.desc()).limit(1)).first()


def keep_version(connection: Connection, row: int, version: int, file: str | None) -> None:
    """Say where an older version's label map lies now; without a place the version is dropped."""
    chosen = (annotations.c.case_row == row, annotations.c.version == version)
    if file is None:
        connection.execute(delete(annotations).where(*chosen))
    else:
        connection.execute(update(annotations).where(*chosen).values(file=file))


def add_versions(connection: Connection, entries: Mapping[int, NewVersion]) -> None:
    """Record new labels of cases by row number: the case, its history, the label version."""
    if not entries:
        return
    time = now()
    before = _version_numbers(connection, list(entries))
    older = [
        _history_row(row, before.get(row, 0) + 1, entry, time) for row, entry in entries.items()
    ]
    run_many(connection, insert(annotations), older)
    changed = [_case_row(row, entry, time) for row, entry in entries.items()]
    run_many(connection, _CASE_CHANGE, changed)
    next_number(connection, "label_version")


def _version_numbers(connection: Connection, rows: list[int]) -> dict[int, int]:
    newest = func.max(annotations.c.version)
    numbers: dict[int, int] = {}
    for start in range(0, len(rows), CHUNK):
        chosen = annotations.c.case_row.in_(rows[start : start + CHUNK])
        query = select(annotations.c.case_row, newest).where(chosen)
        found = connection.execute(query.group_by(annotations.c.case_row))
        numbers.update((row, version) for row, version in found)
    return numbers


def _history_row(row: int, version: int, entry: NewVersion, time: float) -> dict[str, Any]:
    return {
        "case_row": row,
        "version": version,
        "author": entry.author,
        "status": STATUS_CODES[entry.status],
        "time": time,
        "labels": pack_labels(entry.labels),
        "file": entry.file,
        "autosave": entry.autosave,
    }


def _case_row(row: int, entry: NewVersion, time: float) -> dict[str, Any]:
    return {
        "b_row": row,
        "b_labels": pack_labels(entry.labels),
        "b_status": STATUS_CODES[entry.status],
        "b_author": entry.author,
        "b_changed": time,
        "b_has_mask": entry.file is not None,
        "b_volumes_mm3": pack_volumes(entry.volumes),
    }


_CASE_CHANGE = (
    update(cases)
    .where(cases.c.row == bindparam("b_row"))
    .values(
        {
            name: bindparam(f"b_{name}")
            for name in ("labels", "status", "author", "changed", "has_mask", "volumes_mm3")
        }
    )
)
