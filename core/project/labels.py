"""Labels: label maps with their strokes, image-level classes, and every older version of both."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from ..errors import LongtailError
from ..io.geometry import Geometry
from ..io.image import read_header
from ..io.labelmap import read_label_map, write_label_map
from .cases import Cases, Presence
from .folder import read_fact
from .journal import StrokeJournal
from .labelrules import (
    LabelArray,
    count_values,
    labels_problem,
    map_status,
    merge_table,
    volumes_of,
)
from .mapfiles import current_map, exchanging, kept_map
from .paths import file_stem, inside
from .records import NOT_LABELLED, Annotation, Case, ImageLabels, Status, Task
from .rows import to_annotation
from .schema import annotations
from .versions import NewVersion, add_versions, keep_version, latest_version


class Labels(Cases):
    """The part of a project that keeps labels."""

    @property
    def label_version(self) -> int:
        """Counts the changes of labels; every prediction and run knows the one it came from."""
        with self._database.reading() as connection:
            return int(read_fact(connection, "label_version") or 0)

    def journal(self, case_id: str) -> StrokeJournal:
        """Give the journal of a case's strokes; the same one for every caller."""
        if case_id not in self._journals:
            path = self.path / "journal" / f"{file_stem(case_id)}.log"
            self._journals[case_id] = StrokeJournal(path, writable=self.writable)
        return self._journals[case_id]

    def read_label_map(self, case_id: str) -> LabelArray:
        """Read a case's label map with its waiting strokes.

        Returns
        -------
        uint8, (z, y, x) or (y, x)
            Class ids, 0 background, 255 not labelled; all 255 where nobody labelled yet.
        """
        case = self._segmented(case_id)
        array = self._stored_map(case)
        self.journal(case_id).apply(array)
        return array

    def write_label_map(
        self,
        case_id: str,
        array: np.ndarray[Any, Any],
        *,
        author: str,
        status: Status | None = None,
        autosave: bool = False,
        mark: int | None = None,
    ) -> None:
        """Replace a case's label map; the former one goes to the history.

        Parameters
        ----------
        case_id
            The case.
        array
            Class ids, (z, y, x) or (y, x) like the image; 0 background, 255 not labelled.
        author
            Who labelled.
        status
            None keeps draft or reviewed, and makes a case with its first labels a draft.
        autosave
            Replaces the version before if the same author saved that automatically too, so that
            the history holds work and not minutes.
        mark
            Strokes up to this `StrokeJournal.mark` are in `array`; None says that all are.

        Raises
        ------
        LongtailError
            The map does not fit the image or the classes, or could not be written: the former
            map and the strokes are intact then.
        """
        self.require_writable()
        case = self._segmented(case_id)
        with self._saving:
            self._save_map(case, self._checked_map(case, array), author, status, autosave)
            self.journal(case_id).clear(mark)

    def set_labels(
        self,
        case_ids: Iterable[str],
        labels: ImageLabels | None,
        *,
        author: str,
        status: Status = Status.REVIEWED,
    ) -> None:
        """Give cases their image-level classes; None takes all labels away.

        In a segmentation project only None is possible: it moves the label map to the history.
        """
        ids = list(case_ids)
        if self.task is Task.SEGMENTATION:
            self._clear_maps(ids, labels, author)
            return
        self.check_labels(labels)
        chosen = Status.UNLABELLED if labels is None else status
        entry = NewVersion(labels, chosen, author)
        with self._saving, self._writing() as connection:
            rows = self._rows(connection, ids)
            add_versions(connection, {row.row: entry for row in rows})

    def history(self, case_id: str) -> list[Annotation]:
        """List every version of a case's labels, the oldest first."""
        with self._database.reading() as connection:
            row = self._row(connection, case_id).row
            query = select(annotations).where(annotations.c.case_row == row)
            found = connection.execute(query.order_by(annotations.c.version))
            return [to_annotation(entry, case_id) for entry in found]

    def read_history_map(self, case_id: str, version: int) -> LabelArray:
        """Read one version of a case's label map, without waiting strokes.

        Classes that have been merged since are given as what they are now.

        Raises
        ------
        LongtailError
            There is no such version, or it has no label map.
        """
        for entry in self.history(case_id):
            if entry.version == version and entry.file is not None:
                return self._as_merged(_read_map(inside(self.path, entry.file)))
        raise LongtailError(f"The history of {case_id} has no label map of version {version}.")

    def label_map_path(self, case_id: str) -> Path:
        """Give the file of a case's label map, absolute; waiting strokes are not in it."""
        return self.path / current_map(self.case(case_id).id)

    def check_labels(self, labels: ImageLabels | None) -> None:
        """Refuse image-level labels that the task and the classes do not allow.

        Raises
        ------
        LongtailError
            An unknown class, several of them where one is allowed, or yes and no at once.
        """
        problem = labels_problem(labels, {record.id for record in self.classes}, self.task)
        if problem:
            raise LongtailError(problem)

    def _segmented(self, case_id: str) -> Case:
        if self.task is not Task.SEGMENTATION:
            raise LongtailError(
                f"The project {self.name} gives classes to whole images, so it has no label maps."
            )
        return self.case(case_id)

    def _stored_map(self, case: Case) -> LabelArray:
        shape = self._shape(case)
        if not case.has_mask:
            return np.full(shape, NOT_LABELLED, np.uint8)
        path = self.path / current_map(case.id)
        array = _read_map(path)
        if array.size != math.prod(shape):
            raise LongtailError(
                f"The label map {path.name} has the size {array.shape}, its image {shape}.",
                "Restore the label map from a backup or from annotations/history.",
            )
        # A volume of one slice may come back as a picture.
        return array.reshape(shape)

    def _shape(self, case: Case) -> tuple[int, ...]:
        # Very large tables are imported without a look into each file.
        return case.shape or read_header(case.channels[0]).shape

    def _checked_map(self, case: Case, array: np.ndarray[Any, Any]) -> LabelArray:
        shape = self._shape(case)
        if array.shape != shape:
            raise LongtailError(
                f"The label map of {case.id} has the size {array.shape}, its image {shape}."
            )
        known = np.zeros(256, bool)
        known[[0, NOT_LABELLED, *(record.id for record in self.all_classes)]] = True
        if array.dtype != np.uint8:
            raise LongtailError(f"The label map of {case.id} is {array.dtype} and not uint8.")
        stray = [value for value in count_values(array) if not known[value]]
        if stray:
            raise LongtailError(
                f"The label map of {case.id} holds the values {stray}, which are no classes.",
                "Add the classes first.",
            )
        return self._as_merged(array)

    def _as_merged(self, array: LabelArray) -> LabelArray:
        """Give merged classes, which an older version or an undo step may hold, their new id."""
        table = merge_table(self.all_classes)
        return array if table is None else table[array]

    def _save_map(
        self,
        case: Case,
        array: LabelArray,
        author: str,
        status: Status | None,
        autosave: bool = False,
    ) -> None:
        counts = count_values(array)
        entry = NewVersion(
            labels=None,
            status=map_status(case, counts, status),
            author=author,
            file=current_map(case.id),
            volumes=volumes_of(counts, case.spacing_mm),
            autosave=autosave,
        )
        geometry = self._geometry(case)
        self._exchange(case.id, entry, lambda path: write_label_map(path, array, geometry))

    def _exchange(self, case_id: str, entry: NewVersion, change: Callable[[Path], None]) -> None:
        """Change the file of a case's label map and the record of it together, or neither."""
        with self._database.reading() as connection:
            row = self._row(connection, case_id).row
            latest = latest_version(connection, row)
        former = latest.version if latest is not None and latest.file is not None else None
        merged = entry.follows(latest)
        with exchanging(self.path, case_id, former) as path:
            change(path)
            with self._writing() as connection:
                if former is not None:
                    kept = None if merged else kept_map(case_id, former)
                    keep_version(connection, row, former, kept)
                add_versions(connection, {row: entry})
        if merged and former is not None:
            (self.path / kept_map(case_id, former)).unlink(missing_ok=True)

    def _clear_maps(self, ids: list[str], labels: ImageLabels | None, author: str) -> None:
        if labels is not None:
            raise LongtailError(
                f"The project {self.name} is for segmentation: its cases have no image-level "
                "classes.",
                "Draw the classes, or import masks.",
            )
        self.require_writable()
        with self._saving:
            for case in self.cases(ids=ids, labelled=True):
                self._clear_map(case, author)

    def _clear_map(self, case: Case, author: str) -> None:
        if self.journal(case.id).pending:
            self._save_map(case, self.read_label_map(case.id), author, None)
        entry = NewVersion(labels=None, status=Status.UNLABELLED, author=author)
        self._exchange(case.id, entry, _remove)
        self.journal(case.id).clear()

    def _geometry(self, case: Case) -> Geometry | None:
        """Give the image's grid; where the image is away, that of the label map it had."""
        current = self.path / current_map(case.id)
        away = case.has_mask and not Presence().has(case.channels[0])
        return read_header(str(current) if away else case.channels[0]).geometry


def _read_map(path: Path) -> LabelArray:
    return np.array(read_label_map(path).array, dtype=np.uint8)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
