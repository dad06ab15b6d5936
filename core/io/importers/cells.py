"""What the label cells of a table mean."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..table import NO_CLASS_WORDS, means_no_class, split_labels
from .request import CLASSIFICATION, MULTILABEL


@dataclass(frozen=True, slots=True)
class Cell:
    """The meaning of a label cell.

    `names` None means unlabelled; `no_class` that somebody looked and found none of the classes.
    """

    names: tuple[str, ...] | None = None
    no_class: bool = False
    dropped: tuple[str, ...] = ()
    problem: str = ""


class CellReader:
    """Reads label cells, each different one once, and counts what they hold.

    Parameters
    ----------
    task
        classification or multilabel.
    classes
        The project's classes; empty to take what is found.
    """

    def __init__(self, task: str, classes: Sequence[str]) -> None:
        self._task = task
        self._classes = tuple(classes)
        self._known = {name.lower(): name for name in classes}
        self._cells: dict[str, Cell] = {}
        self._counts: Counter[str] = Counter()

    def read(self, text: str) -> Cell:
        """Give the meaning of a cell."""
        self._counts[text] += 1
        cell = self._cells.get(text)
        if cell is None:
            cell = self._cells[text] = self._parse(text)
        return cell

    def class_names(self) -> tuple[str, ...]:
        """Give the project's classes, else those found, the most frequent first."""
        if self._classes:
            return self._classes
        found: Counter[str] = Counter()
        for text, count in self._counts.items():
            found.update(dict.fromkeys(self._cells[text].names or (), count))
        return tuple(sorted(found, key=lambda name: (-found[name], name)))

    def dropped(self) -> list[tuple[str, int]]:
        """Give the labels outside of the project's classes with their counts."""
        dropped: Counter[str] = Counter()
        for text, count in self._counts.items():
            dropped.update(dict.fromkeys(self._cells[text].dropped, count))
        return dropped.most_common()

    def _parse(self, text: str) -> Cell:
        labels = split_labels(text)
        if not labels:
            return Cell()
        if means_no_class(labels, self._declared(labels)):
            return Cell((), no_class=True)
        ours = [label for label in labels if self._is_class(label, alone=len(labels) == 1)]
        names = tuple(dict.fromkeys(self._known.get(label.lower(), label) for label in ours))
        dropped = tuple(label for label in labels if self._is_foreign(label))
        if self._task == CLASSIFICATION and len(names) > 1:
            told = f"it has {len(names)} classes ({', '.join(names)}), but a case of this project "
            return Cell(None, dropped=dropped, problem=told + "takes one.")
        if names:
            return Cell(names, dropped=dropped)
        # Whoever listed findings and none of ours has answered no to each of ours.
        none = self._task == MULTILABEL
        return Cell(() if none else None, no_class=none, dropped=dropped)

    def _declared(self, labels: Sequence[str]) -> Sequence[str]:
        """Give the classes that `none` and `normal` may be themselves.

        Where each case has one class and none is declared yet, `normal` is one of them.
        """
        if self._classes or self._task == MULTILABEL:
            return self._classes
        return [label for label in labels if label.lower() in NO_CLASS_WORDS]

    def _is_class(self, label: str, *, alone: bool) -> bool:
        if self._known:
            return label.lower() in self._known
        return alone or label.lower() not in NO_CLASS_WORDS

    def _is_foreign(self, label: str) -> bool:
        lower = label.lower()
        return bool(self._known) and lower not in self._known and lower not in NO_CLASS_WORDS
