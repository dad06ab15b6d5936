"""Add cases in bulk: new ones, and new facts and labels of known ones."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

from ..errors import LongtailError
from .bulk import run_many
from .cases import ALIVE
from .labelrules import labels_problem
from .labels import Labels
from .masks import read_mask
from .paths import file_stem, id_problem
from .records import NOT_LABELLED, ImportResult, NewCase, Split, Status, Task
from .rows import SPLIT_CODES, STATUS_CODES, now, pack_labels, pack_shape, pack_spacing
from .schema import cases, roots
from .versions import NewVersion, add_versions

Tell = Callable[[int, int], None]


class Adding(Labels):
    """The part of a project that takes new cases in."""

    def add_cases(
        self,
        new: Iterable[NewCase],
        *,
        author: str = "import",
        status: Status = Status.REVIEWED,
        tell: Tell | None = None,
    ) -> ImportResult:
        """Add cases, and update those whose ids are known.

        A known case keeps its split, patient and labels where the new one says nothing of them;
        labels that differ become a new version. A mask or labels that do not fit are left out,
        and the case is kept as it would be without them.

        Parameters
        ----------
        new
            The cases; of two with one id the first counts.
        author, status
            Who made the labels, and whether they are draft or reviewed.
        tell
            Called with the number of masks read and their total.
        """
        self.require_writable()
        batch = _Batch(self.task, {record.id for record in self.classes})
        with self._saving:
            with self._writing() as connection:
                batch.sort_out(new, _known_rows(connection))
                self._add_roots(connection, batch.wanted)
                self._insert(connection, batch.fresh)
                self._update(connection, batch.known)
                self._add_labels(connection, batch, author, status)
            self._add_masks(batch, author, status, tell)
        return batch.result()

    def _add_roots(self, connection: Connection, found: Sequence[NewCase]) -> None:
        added = self._paths.add_roots(path for case in found for path in case.channels)
        if added:
            rows = [{"name": name, "folder": folder} for name, folder in added.items()]
            connection.execute(insert(roots), rows)

    def _insert(self, connection: Connection, fresh: Sequence[NewCase]) -> None:
        if fresh:
            time = now()
            run_many(connection, insert(cases), [self._new_row(case, time) for case in fresh])

    def _new_row(self, case: NewCase, time: float) -> dict[str, Any]:
        return {
            "id": case.id,
            **self._facts(case),
            "patient": case.patient,
            "split": SPLIT_CODES[case.split or Split.TRAIN],
            "status": STATUS_CODES[Status.UNLABELLED],
            "has_mask": False,
            "changed": time,
        }

    def _facts(self, case: NewCase) -> dict[str, Any]:
        return {
            "channels": "\n".join(self._paths.store(path) for path in case.channels),
            "shape": pack_shape(case.shape),
            "channel_count": case.channel_count,
            "spacing_mm": pack_spacing(case.spacing_mm),
            "metadata": json.dumps(dict(case.metadata)) if case.metadata else None,
        }

    def _update(self, connection: Connection, known: dict[int, NewCase]) -> None:
        self._write_changes(connection, {row: self._facts(case) for row, case in known.items()})
        splits = {
            row: {"split": SPLIT_CODES[case.split]} for row, case in known.items() if case.split
        }
        self._write_changes(connection, splits)
        patients = {row: {"patient": case.patient} for row, case in known.items() if case.patient}
        self._write_changes(connection, patients)

    def _add_labels(
        self, connection: Connection, batch: "_Batch", author: str, status: Status
    ) -> None:
        if self.task is Task.SEGMENTATION:
            return
        query = select(cases.c.id, cases.c.row, cases.c.labels).where(ALIVE)
        before = {row.id: row for row in connection.execute(query)}
        entries = {
            before[case.id].row: NewVersion(case.labels, status, author)
            for case in batch.labelled
            if pack_labels(case.labels) != before[case.id].labels
        }
        add_versions(connection, entries)

    def _add_masks(self, batch: "_Batch", author: str, status: Status, tell: Tell | None) -> None:
        masked = [case for case in batch.wanted if case.mask is not None]
        for done, case in enumerate(masked, start=1):
            problem = self._add_mask(case, author, status)
            if problem:
                batch.skipped.append((case.id, problem))
            if tell is not None:
                tell(done, len(masked))

    def _add_mask(self, case: NewCase, author: str, status: Status) -> str | None:
        """Turn a mask into the case's label map; say why not, where it does not fit."""
        if self.task is not Task.SEGMENTATION:
            return "Its mask is left out: this project gives classes to whole images."
        stored = self.case(case.id)
        ids = [record.id for record in self.classes]
        try:
            array = read_mask(case, self._shape(stored), ids)
        except LongtailError as error:
            return f"Its mask is left out: {error}"
        if stored.has_mask and np.array_equal(array, self.read_label_map(case.id)):
            return None
        if self.journal(case.id).pending:
            # The strokes become a version of their own before the import takes their place.
            self._save_map(stored, self.read_label_map(case.id), stored.author or author, None)
        empty = not np.any(array != NOT_LABELLED)
        self._save_map(stored, array, author, None if empty else status)
        self.journal(case.id).clear()
        return None


class _Batch:
    """Sorts new cases into fresh ones, known ones and those that cannot be taken."""

    def __init__(self, task: Task, class_ids: set[int]) -> None:
        self.fresh: list[NewCase] = []
        self.known: dict[int, NewCase] = {}
        self.labelled: list[NewCase] = []
        self.skipped: list[tuple[str, str]] = []
        self._task = task
        self._class_ids = class_ids

    @property
    def wanted(self) -> list[NewCase]:
        """All cases that are taken."""
        return [*self.fresh, *self.known.values()]

    def sort_out(self, new: Iterable[NewCase], known: dict[str, int]) -> None:
        """Look at each case; `known` has the row of each id that is there already."""
        stems = {file_stem(case_id).casefold(): case_id for case_id in known}
        seen: set[str] = set()
        for case in new:
            problem = self._problem(case, seen, stems)
            if problem:
                self.skipped.append((case.id, problem))
                continue
            seen.add(case.id)
            stems[file_stem(case.id).casefold()] = case.id
            if case.id in known:
                self.known[known[case.id]] = case
            else:
                self.fresh.append(case)
            self._sort_labels(case)

    def result(self) -> ImportResult:
        """Count what was done."""
        return ImportResult(len(self.fresh), len(self.known), tuple(self.skipped))

    def _problem(self, case: NewCase, seen: set[str], stems: dict[str, str]) -> str | None:
        if case.id in seen:
            return "Another case of this import has the same name."
        other = stems.get(file_stem(case.id).casefold(), case.id)
        if other != case.id:
            return f"Its files would have the same name as those of {other}."
        if not case.channels or any("\n" in path for path in case.channels):
            return "It has no image, or one whose name holds a line break."
        return id_problem(case.id)

    def _sort_labels(self, case: NewCase) -> None:
        if case.labels is None:
            return
        if self._task is Task.SEGMENTATION:
            problem: str | None = "This project is for segmentation and has no image-level classes."
        else:
            problem = labels_problem(case.labels, self._class_ids, self._task)
        if problem:
            self.skipped.append((case.id, f"Its labels are left out: {problem}"))
        else:
            self.labelled.append(case)


def _known_rows(connection: Connection) -> dict[str, int]:
    return {
        row.id: row.row for row in connection.execute(select(cases.c.id, cases.c.row).where(ALIVE))
    }
