"""Boxes drawn in cases, with every older version; they never change image-level labels.

A change is one small file that is replaced as a whole, so that nothing has to wait in a journal;
its record in the database is the switch: a file without one is taken back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from ..errors import LongtailError
from ..io.image import read_header
from .boxfiles import DrawnBox, current_boxes, kept_boxes, read_boxes, write_boxes
from .boxrules import as_merged, box_counts, box_problem, cut_to_image
from .bulk import run_many
from .cases import ALIVE, CHUNK, Cases
from .folder import next_number, read_fact
from .mapfiles import exchanging_files
from .paths import inside
from .records import Case, ClassRecord
from .rows import now, pack_counts, to_time, unpack_counts
from .schema import box_versions, cases

__all__ = ["BoxVersion", "Boxes", "DrawnBox"]

WRITERS = 16

Entries = Mapping[str, Sequence[DrawnBox] | None]


@dataclass(frozen=True, slots=True)
class BoxVersion:
    """One version in the history of a case's boxes.

    `counts` has the number of boxes of each class; None says that they were taken away, so that
    nobody has looked.
    """

    case: str
    version: int
    author: str
    time: datetime
    counts: Mapping[int, int] | None
    file: str | None


class Boxes(Cases):
    """The part of a project that keeps boxes."""

    @property
    def box_version(self) -> int:
        """Counts the changes of boxes, which are none of the labels."""
        with self._database.reading() as connection:
            return int(read_fact(connection, "box_version") or 0)

    def boxes(self, case_id: str) -> tuple[DrawnBox, ...] | None:
        """Read the boxes of a case; none of them where somebody looked and found nothing.

        Returns
        -------
        tuple of DrawnBox, or None
            None where nobody has looked for boxes.

        Raises
        ------
        LongtailError
            There is no such case, or its boxes are damaged.
        """
        return self.boxes_of([case_id]).get(case_id)

    def boxes_of(self, case_ids: Sequence[str] | None = None) -> dict[str, tuple[DrawnBox, ...]]:
        """Read the boxes of many cases, only of those that somebody looked at.

        Parameters
        ----------
        case_ids
            None for all cases.
        """
        with self._database.reading() as connection:
            query = select(cases).where(ALIVE).order_by(cases.c.row)
            looked = [
                row
                for row in self._select(connection, query, case_ids)
                if row.box_counts is not None
            ]
            latest = _latest(connection, [row.row for row in looked])
        classes = self.all_classes
        return {row.id: self._read(row.id, latest[row.row], classes) for row in looked}

    def set_boxes(self, case_id: str, boxes: Sequence[DrawnBox] | None, *, author: str) -> None:
        """Replace the boxes of a case; the former ones go to the history.

        Parameters
        ----------
        case_id
            The case.
        boxes
            All boxes of the case. None of them says that somebody looked and found nothing; None
            takes them away, as if nobody had looked.
        author
            Who drew; a box with an author of its own keeps it.

        Raises
        ------
        LongtailError
            A box has no area, lies outside of the image or has an unknown class.
        """
        self.set_boxes_of({case_id: boxes}, author=author)

    def set_boxes_of(self, entries: Entries, *, author: str) -> int:
        """Replace the boxes of many cases, all or none of them; see `set_boxes`.

        Returns
        -------
        int
            How many cases have other boxes now than before.
        """
        self.require_writable()
        with self._saving:
            before = self.boxes_of(list(entries))
            in_use = {record.id for record in self.classes}
            wanted = {
                case.id: _checked(case, entries[case.id], before.get(case.id), in_use, author)
                for case in self.cases(ids=list(entries))
            }
            changed = {key: boxes for key, boxes in wanted.items() if boxes != before.get(key)}
            self._exchange_boxes(changed, author)
        return len(changed)

    def box_history(self, case_id: str) -> list[BoxVersion]:
        """List every version of a case's boxes, the oldest first."""
        with self._database.reading() as connection:
            row = self._row(connection, case_id).row
            query = select(box_versions).where(box_versions.c.case_row == row)
            found = connection.execute(query.order_by(box_versions.c.version))
            return [_to_version(case_id, one) for one in found]

    def read_history_boxes(self, case_id: str, version: int) -> tuple[DrawnBox, ...] | None:
        """Read one version of a case's boxes; None where that version took them away.

        Raises
        ------
        LongtailError
            There is no such version.
        """
        for entry in self.box_history(case_id):
            if entry.version == version:
                if entry.file is None:
                    return None
                found = read_boxes(inside(self.path, entry.file))[1]
                return as_merged(found, self.all_classes)
        raise LongtailError(f"The history of {case_id} has no boxes of version {version}.")

    def _merge_boxes(self, source: int, author: str, ids: Sequence[str] | None) -> None:
        """Save the boxes of a class that was merged under what it is now."""
        with self._database.reading() as connection:
            query = select(cases).where(ALIVE, cases.c.box_counts.is_not(None))
            found = [
                row.id
                for row in self._select(connection, query, ids)
                if source in (unpack_counts(row.box_counts) or {})
            ]
        # Reading gives boxes their present class.
        self._exchange_boxes(self.boxes_of(found), author)

    def _read(
        self, case_id: str, latest: Row[Any], classes: Sequence[ClassRecord]
    ) -> tuple[DrawnBox, ...]:
        version, boxes = read_boxes(inside(self.path, latest.file))
        kept = self.path / kept_boxes(case_id, latest.version)
        if version != latest.version and kept.exists():
            # A process was killed before it could record the file: what it replaced still counts.
            boxes = read_boxes(kept)[1]
        return as_merged(boxes, classes)

    def _exchange_boxes(
        self, entries: Mapping[str, tuple[DrawnBox, ...] | None], author: str
    ) -> None:
        """Change the files of boxes and the records of them together, or none of them."""
        if not entries:
            return
        with self._database.reading() as connection:
            rows = {row.id: row.row for row in self._rows(connection, list(entries))}
            latest = _latest(connection, list(rows.values()))
        with ExitStack() as stack:
            changes = []
            for case_id, boxes in entries.items():
                before = latest.get(rows[case_id])
                path = stack.enter_context(self._exchanging(case_id, before))
                changes.append(partial(_write_or_remove, path, boxes, _next(before)))
            _do_all(changes)
            with self._writing() as connection:
                told = {rows[key]: (key, boxes) for key, boxes in entries.items()}
                _record(connection, told, latest, author)

    def _exchanging(self, case_id: str, before: Row[Any] | None) -> AbstractContextManager[Path]:
        former = None
        if before is not None and before.file is not None:
            former = self.path / kept_boxes(case_id, before.version)
        return exchanging_files(self.path / current_boxes(case_id), former)


def _write_or_remove(path: Path, boxes: Sequence[DrawnBox] | None, version: int) -> None:
    if boxes is None:
        path.unlink(missing_ok=True)
    else:
        write_boxes(path, boxes, version)


def _do_all(changes: Sequence[Callable[[], None]]) -> None:
    """Change many files side by side, since each waits for the disk."""
    if len(changes) == 1:
        changes[0]()
        return
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(change) for change in changes]:
            done.result()


def _checked(
    case: Case,
    boxes: Sequence[DrawnBox] | None,
    before: Sequence[DrawnBox] | None,
    in_use: set[int],
    author: str,
) -> tuple[DrawnBox, ...] | None:
    if boxes is None:
        return None
    # Very large tables are imported without a look into each file.
    shape = case.shape or read_header(case.channels[0]).shape
    # A box of a class that was retired since may stay.
    known = in_use | {box.class_id for box in before or ()}
    for box in boxes:
        problem = box_problem(box, shape, known)
        if problem:
            raise LongtailError(f"A box of {case.id} cannot be kept: {problem}")
    return tuple(replace(cut_to_image(box, shape), author=box.author or author) for box in boxes)


def _latest(connection: Connection, rows: Sequence[int]) -> dict[int, Row[Any]]:
    """Read the newest version of the boxes of cases, by row number."""
    found: dict[int, Row[Any]] = {}
    for start in range(0, len(rows), CHUNK):
        chosen = box_versions.c.case_row.in_(rows[start : start + CHUNK])
        newest = (
            select(box_versions.c.case_row, func.max(box_versions.c.version).label("version"))
            .where(chosen)
            .group_by(box_versions.c.case_row)
            .subquery()
        )
        query = select(box_versions).join(
            newest,
            (box_versions.c.case_row == newest.c.case_row)
            & (box_versions.c.version == newest.c.version),
        )
        found.update((row.case_row, row) for row in connection.execute(query))
    return found


def _record(
    connection: Connection,
    changes: Mapping[int, tuple[str, tuple[DrawnBox, ...] | None]],
    latest: Mapping[int, Row[Any]],
    author: str,
) -> None:
    """Write down new boxes of cases by row number, and where the former ones lie now."""
    time = now()
    counts = {
        row: None if boxes is None else pack_counts(box_counts(boxes))
        for row, (_, boxes) in changes.items()
    }
    kept = [
        {"b_row": latest[row].row, "b_file": kept_boxes(case_id, latest[row].version)}
        for row, (case_id, _) in changes.items()
        if row in latest and latest[row].file is not None
    ]
    run_many(connection, _MOVED, kept)
    run_many(
        connection, insert(box_versions), list(_history(changes, latest, counts, author, time))
    )
    run_many(
        connection, _COUNTED, [{"b_row": row, "b_counts": told} for row, told in counts.items()]
    )
    next_number(connection, "box_version")


def _history(
    changes: Mapping[int, tuple[str, tuple[DrawnBox, ...] | None]],
    latest: Mapping[int, Row[Any]],
    counts: Mapping[int, str | None],
    author: str,
    time: float,
) -> Iterator[dict[str, Any]]:
    for row, (case_id, boxes) in changes.items():
        yield {
            "case_row": row,
            "version": _next(latest.get(row)),
            "author": author,
            "time": time,
            "counts": counts[row],
            "file": None if boxes is None else current_boxes(case_id),
        }


def _next(latest: Row[Any] | None) -> int:
    return 1 if latest is None else int(latest.version) + 1


def _to_version(case_id: str, row: Row[Any]) -> BoxVersion:
    return BoxVersion(
        case=case_id,
        version=row.version,
        author=row.author,
        time=to_time(row.time),
        counts=unpack_counts(row.counts),
        file=row.file,
    )


_MOVED = (
    update(box_versions)
    .where(box_versions.c.row == bindparam("b_row"))
    .values(file=bindparam("b_file"))
)
_COUNTED = (
    update(cases).where(cases.c.row == bindparam("b_row")).values(box_counts=bindparam("b_counts"))
)
