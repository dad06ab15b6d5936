"""A table of images with classes, several findings, or masks: the rules of contract.md."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from ...errors import LongtailError
from ..finder import FileFinder
from ..image_paths import image_suffix
from ..table import BAR, Table
from .cells import Cell, CellReader
from .folders import SPLIT_FOLDERS
from .headers import Looked, look_into
from .listing import case_id, with_unique_ids
from .maskplan import NO_MASK
from .masks import settle_masks
from .named_files import MISSING
from .plan import FoundCase, ImportPlan, Skipped
from .request import CLASSIFICATION, MULTILABEL, SEGMENTATION, Request

GUESSED_FROM = 1000
"""Rows looked at to guess what the label column holds."""


def plan_table(request: Request, table: Table) -> ImportPlan:
    """Plan the import of the files that `table` names.

    Raises
    ------
    LongtailError
        None of its files is there.
    """
    rows = _Rows(table, request, request.task or guess_task(table))
    cases = rows.cases()
    if not cases:
        raise LongtailError(
            f"None of the {len(table.rows):,} files that {table.path.name} names is there; the "
            f"first is {table.rows[0][table.columns['file']]}.",
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
        class_names=rows.reader.class_names(),
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
        self.reader = CellReader(task, request.classes)
        self._table = table
        self._finder = FileFinder(table.path.parent, request.root)
        folders = (request.root, table.path.parent)
        self._roots = [f"{folder.as_posix().rstrip('/')}/" for folder in folders]
        self._odd_splits: Counter[str] = Counter()
        names = table.names
        self._metadata = [(names[index], index) for index in table.others]

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

    def notes(self) -> Iterator[str]:
        """Tell what was dropped."""
        dropped = [f"{name} ({count:,})" for name, count in self.reader.dropped()]
        if dropped:
            yield f"Dropped labels that are no class of the project: {', '.join(dropped)}."
        if self._odd_splits:
            told = ", ".join(f"{name} ({count})" for name, count in self._odd_splits.most_common(5))
            yield f"The split column holds words that Longtail does not know: {told}."
        if self._table.columns["label"] < 0:
            yield "The table has no column of labels, so all cases are unlabelled."

    def _case(self, path: str, row: list[str]) -> FoundCase:
        identity = case_id(self._relative(path))
        label = self._cell(row, "label")
        cell = Cell() if self.task == SEGMENTATION else self.reader.read(label)
        if cell.problem:
            self.skipped.append(Skipped(identity, cell.problem))
        return FoundCase(
            id=identity,
            channels=(path,),
            shape=(),
            channel_count=1,
            spacing_mm=None,
            split=self._split(self._cell(row, "split")),
            patient=self._cell(row, "patient").strip() or None,
            class_names=cell.names,
            no_class=cell.no_class,
            mask=self._mask(label) if self.task == SEGMENTATION else None,
            metadata={name: row[index] for name, index in self._metadata if row[index]},
        )

    def _mask(self, name: str) -> str | None:
        if not name.strip():
            return None
        mask = self._finder.find(name)
        if mask is None:
            self.skipped.append(Skipped(name, NO_MASK))
        return mask

    def _joined(self, case: FoundCase, row: list[str]) -> FoundCase:
        """Add the labels of a further row about the same file."""
        if self.task == SEGMENTATION:
            self.skipped.append(Skipped(case.id, "the table names it again; the first row counts."))
            return case
        cell = self.reader.read(self._cell(row, "label"))
        if cell.names is None or cell.names == case.class_names:
            return case
        if self.task == CLASSIFICATION and case.class_names:
            told = ", ".join((*case.class_names, *cell.names))
            reason = f"the table gives it different classes ({told}); the first counts."
            self.skipped.append(Skipped(case.id, reason))
            return case
        names = tuple(dict.fromkeys((*(case.class_names or ()), *cell.names)))
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
