"""Merging classes: all examples of one become examples of another, through the history."""

from collections.abc import Sequence

from sqlalchemy import select, update

from ..errors import LongtailError
from .boxes import Boxes
from .cases import ALIVE
from .labelrules import merged_labels, merged_map
from .labels import Labels
from .records import Case, Task
from .rows import STATUSES, unpack_labels
from .schema import cases, classes
from .versions import NewVersion, add_versions


class Merging(Labels, Boxes):
    """The part of a project that merges classes."""

    def merge_classes(self, source: int, into: int, *, author: str = "merge") -> None:
        """Give all examples of one class to another; the former labels go to the history.

        The source is retired. Label maps are rewritten one after the other: after a failure, such
        as a full disk, do it again to finish.

        Raises
        ------
        LongtailError
            A class is unknown or not in use, or a label map could not be written.
        """
        for class_id in (source, into):
            if self.class_with_id(class_id).retired:
                raise LongtailError(f"The class with the number {class_id} is not in use.")
        if source == into:
            raise LongtailError("A class cannot be merged with itself.")
        self.require_writable()
        with self._saving:
            self._merge_examples(source, into, author)
            with self._writing() as connection:
                change = update(classes).where(classes.c.id == source)
                connection.execute(change.values(retired=True, merged_into=into))
            self._merge_boxes(source, author, None)

    def _merge_examples(
        self, source: int, into: int, author: str, ids: Sequence[str] | None = None
    ) -> None:
        if self.task is Task.SEGMENTATION:
            self._merge_maps(source, into, author, ids)
        else:
            self._merge_answers(source, into, author, ids)

    def _merge_maps(self, source: int, into: int, author: str, ids: Sequence[str] | None) -> None:
        for case in self.cases(ids=ids):
            array = self.read_label_map(case.id) if self._has_drawing(case) else None
            if array is not None and (array == source).any():
                self._save_map(case, merged_map(array, source, into), author, None)
                self.journal(case.id).clear()

    def _has_drawing(self, case: Case) -> bool:
        return case.has_mask or self.journal(case.id).path.exists()

    def _merge_answers(
        self, source: int, into: int, author: str, ids: Sequence[str] | None
    ) -> None:
        entries = {}
        with self._writing() as connection:
            query = select(cases).where(ALIVE, cases.c.labels.is_not(None))
            for row in self._select(connection, query, ids):
                before = unpack_labels(row.labels)
                after = merged_labels(before, source, into) if before else before
                if after != before:
                    entries[row.row] = NewVersion(after, STATUSES[row.status], author)
            add_versions(connection, entries)
