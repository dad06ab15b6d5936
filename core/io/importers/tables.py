"""A table of images with classes, several findings, or masks: the rules of contract.md."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...errors import LongtailError
from ..finder import FileFinder
from ..image import image_suffix
from ..table import BAR, NO_CLASS_WORDS, Table, means_no_class, read_table, split_labels
from .folders import SPLIT_FOLDERS
from .headers import Looked, look_into
from .listing import case_id, with_unique_ids
from .masks import settle_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import CLASSIFICATION, MULTILABEL, SEGMENTATION, Request

GUESSED_FROM = 1000
"""Rows looked at to guess what the label column holds."""

MISSING = "the table names it, but it is not there."
NO_MASK = "the mask is not there. The image is imported unlabelled."


def plan_table(request: Request, path: Path) -> ImportPlan:
    """Plan the import of the files that the table at `path` names.

    Raises
    ------
    LongtailError
        It cannot be read, is a table of boxes, or none of its files is there.
    """
    table = read_table(path)
    if table.holds_boxes:
        raise LongtailError(
            f"The table {path.name} holds boxes, and Longtail does not import boxes yet.",
            "Import the table of labels; boxes come in a later version.",
        )
    rows = _Rows(table, request, request.task or guess_task(table))
    cases = rows.cases()
    if not cases:
        raise LongtailError(
            f"None of the {len(table.rows):,} files that {path.name} names is there; the first is "
            f"{table.rows[0][table.columns['file']]}.",
            "Choose the folder of the images as source and give the table as labels.",
        )
    looked = look_into(with_unique_ids(cases))
    if rows.task == SEGMENTATION:
        return _plan_with_masks(request, rows, looked)
    return ImportPlan(
        format="csv",
        cases=looked.cases,
        skipped=(*rows.skipped, *looked.skipped),
        notes=(*rows.notes(), *looked.notes),
        class_names=rows.class_names(),
        task=rows.task,
    )


def guess_task(table: Table) -> str:
    """Guess from the label column: paths of masks, several findings, or one class."""
    column = table.columns["label"]
    cells = [row[column] for row in table.rows[:GUESSED_FROM] if column >= 0 and row[column]]
    if cells and all(image_suffix(cell) for cell in cells):
        return SEGMENTATION
    if any(BAR in cell for cell in cells) or "finding" in table.names[column].lower():
        return MULTILABEL
    return CLASSIFICATION


def _plan_with_masks(request: Request, rows: "_Rows", looked: Looked) -> ImportPlan:
    settled = settle_masks(looked.cases, looked.headers, request)
    return ImportPlan(
        format="csv",
        cases=settled.cases,
        skipped=(*rows.skipped, *looked.skipped, *settled.skipped),
        notes=(*rows.notes(), *looked.notes, *settled.notes),
        class_names=settled.class_names,
        mask_values=settled.mask_values,
        ignore_values=settled.ignore_values,
        task=SEGMENTATION,
    )


class _Rows:
    """Turns rows into cases; keeps count of what it dropped."""

    def __init__(self, table: Table, request: Request, task: str) -> None:
        self.task = task
        self.skipped: list[Skipped] = []
        self._table = table
        self._request = request
        self._finder = FileFinder(table.path.parent, request.root)
        self._roots = [
            f"{folder.resolve().as_posix().rstrip('/')}/"
            for folder in (request.root, table.path.parent)
        ]
        self._known = {name.lower(): name for name in request.classes}
        self._found: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._odd_splits: Counter[str] = Counter()

    def cases(self) -> list[FoundCase]:
        """Make a case of each file; rows about one file are joined."""
        cases: dict[str, FoundCase] = {}
        column = self._table.columns["file"]
        for row in self._table.rows:
            path = self._finder.find(row[column])
            if path is None:
                self.skipped.append(Skipped(row[column], MISSING))
            elif path in cases:
                cases[path] = self._joined(cases[path], row)
            else:
                cases[path] = self._case(path, row)
        return list(cases.values())

    def class_names(self) -> tuple[str, ...]:
        """Give the project's classes, else those found, the most frequent first."""
        if self._request.classes:
            return tuple(self._request.classes)
        return tuple(sorted(self._found, key=lambda name: (-self._found[name], name)))

    def notes(self) -> Iterator[str]:
        """Tell what was dropped."""
        if self._dropped:
            told = ", ".join(f"{name} ({count})" for name, count in self._dropped.most_common())
            yield f"Dropped labels that are no class of the project: {told}."
        if self._odd_splits:
            told = ", ".join(f"{name} ({count})" for name, count in self._odd_splits.most_common(5))
            yield f"The split column holds words that Longtail does not know: {told}."
        if self._table.columns["label"] < 0:
            yield "The table has no column of labels, so all cases are unlabelled."

    def _case(self, path: str, row: list[str]) -> FoundCase:
        names = self._table.names
        case = FoundCase(
            id=case_id(self._relative(path)),
            channels=(path,),
            shape=(),
            channel_count=1,
            spacing_mm=None,
            split=self._split(self._cell(row, "split")),
            patient=self._cell(row, "patient").strip() or None,
            metadata={names[index]: row[index] for index in self._table.others if row[index]},
        )
        return self._labelled(case, self._cell(row, "label"))

    def _labelled(self, case: FoundCase, cell: str) -> FoundCase:
        if not cell.strip():
            return case
        if self.task == SEGMENTATION:
            mask = self._finder.find(cell)
            if mask is None:
                self.skipped.append(Skipped(cell, NO_MASK))
            return replace(case, mask=mask)
        labels = split_labels(cell)
        if means_no_class(labels, self._declared(labels)):
            return replace(case, class_names=(), no_class=True)
        names = self._classes(labels)
        if self.task == CLASSIFICATION and len(names) > 1:
            reason = f"it has {len(names)} classes ({', '.join(names)}), but each case of this "
            self.skipped.append(Skipped(case.id, reason + "project takes one."))
            return case
        if names:
            return replace(case, class_names=names)
        # Whoever listed findings and none of ours has answered no to each of ours.
        return replace(case, class_names=(), no_class=True) if self.task == MULTILABEL else case

    def _declared(self, labels: tuple[str, ...]) -> list[str]:
        """Give the classes by which `none` and `normal` may be classes themselves.

        Where one class must be chosen for each case and none is declared yet, `normal` is one.
        """
        if self._request.classes or self.task == MULTILABEL:
            return list(self._request.classes)
        return [label for label in labels if label.lower() in NO_CLASS_WORDS]

    def _classes(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        names = []
        for label in labels:
            name = self._known.get(label.lower()) if self._known else label
            if name is None:
                self._dropped[label] += 1
            elif self._known or label.lower() not in NO_CLASS_WORDS or len(labels) == 1:
                names.append(name)
                self._found[name] += 1
        return tuple(dict.fromkeys(names))

    def _joined(self, case: FoundCase, row: list[str]) -> FoundCase:
        """Add the labels of a further row about the same file."""
        other = self._labelled(
            replace(case, class_names=None, no_class=False), self._cell(row, "label")
        )
        if other.class_names is None or other.class_names == case.class_names:
            return case
        if self.task == CLASSIFICATION and case.class_names:
            told = ", ".join((*case.class_names, *other.class_names))
            self.skipped.append(
                Skipped(
                    case.id, f"the table gives it different classes ({told}); the first counts."
                )
            )
            return case
        names = tuple(dict.fromkeys((*(case.class_names or ()), *other.class_names)))
        return replace(case, class_names=names, no_class=not names)

    def _cell(self, row: list[str], role: str) -> str:
        column = self._table.columns[role]
        return row[column] if column >= 0 else ""

    def _split(self, cell: str) -> str | None:
        word = cell.strip().lower()
        if word and word not in SPLIT_FOLDERS:
            self._odd_splits[cell.strip()] += 1
        return SPLIT_FOLDERS.get(word)

    def _relative(self, path: str) -> str:
        for root in self._roots:
            if path.startswith(root):
                return path[len(root) :]
        return path.rpartition("/")[2]
