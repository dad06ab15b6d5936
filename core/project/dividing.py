"""Splits of the project's cases, and the labelled subset that compared runs share."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import LongtailError
from .cases import Cases
from .catalogue import YES, Catalogue, read_catalogue
from .records import Split
from .rows import SPLIT_CODES
from .splits import (
    counts_patients,
    draw_split,
    labelled_order,
    parse_split,
    share_out,
    subset_size,
)

Rows = np.ndarray[Any, np.dtype[np.intp]]


class Dividing(Cases):
    """The part of a project that lists its cases in columns and divides them."""

    def catalogue(self) -> Catalogue:
        """Read all cases in columns: the state of this moment."""
        ids = [record.id for record in self.classes]
        with self._database.reading() as connection:
            return read_catalogue(connection, self.task, ids)

    def assign_splits(self, shares: str, seed: int, ids: Iterable[str] | None = None) -> None:
        """Draw the parts anew: `a/b/c` is train/val/test, as counts or as shares.

        Cases of one patient stay together; rare classes are spread over the parts. The draw
        depends on the cases, their labels and the seed, not on the order of their import.

        Parameters
        ----------
        shares
            Counts where they add up to the number of cases, else shares.
        seed
            Draws with one seed are equal.
        ids
            Only these cases; patients of whom others have a part already join it.
        """
        catalogue = self.catalogue()
        rows = _rows_by_name(catalogue, ids)
        counts = parse_split(shares, len(rows))
        settled = _settled(catalogue, rows)
        parts = np.array([settled.get(catalogue.patients[row], -1) for row in rows.tolist()], int)
        free = rows[parts < 0]
        if len(free) < len(rows):
            left = np.maximum(np.array(counts) - np.bincount(parts[parts >= 0], minlength=3), 0)
            counts = share_out(left.tolist(), len(free)) if left.any() else (len(free), 0, 0)
        parts[parts < 0] = draw_split(
            _groups(catalogue, free), _present(catalogue, free), counts, seed
        )
        self._write_splits(catalogue.numbers[rows], parts)

    def labelled_subset(self, wish: str, seed: int) -> list[str]:
        """Choose labelled training cases: `10` or `5%` of them, or all of `3 patients`.

        The choice depends on seed and number alone, is nested, and holds every class as soon as
        the number allows it. A case without a patient counts as one of its own.

        Raises
        ------
        LongtailError
            There are not as many.
        """
        catalogue = self.catalogue()
        train = catalogue.split == SPLIT_CODES[Split.TRAIN]
        rows = np.flatnonzero(catalogue.labelled & train)
        units: dict[str, list[int]] = {}
        for name, row in sorted((catalogue.ids[row], row) for row in rows.tolist()):
            patient = catalogue.patients[row] if counts_patients(wish) else None
            units.setdefault(patient or name, []).append(row)
        size = subset_size(wish, len(units))
        listed = [units[unit] for unit in sorted(units)]
        presence = np.array([(catalogue.presence[one] == YES).any(axis=0) for one in listed])
        chosen = labelled_order(presence, seed)[:size].tolist()
        return [catalogue.ids[row] for place in chosen for row in listed[place]]

    def folds(self, count: int, seed: int = 0) -> list[list[str]]:
        """Deal all labelled cases into `count` folds of about one size, whatever their part is.

        Cases of one patient stay together; rare classes are spread over the folds.

        Raises
        ------
        LongtailError
            There are fewer patients with labelled cases than folds.
        """
        catalogue = self.catalogue()
        rows = _rows_by_name(catalogue, None)
        rows = rows[catalogue.labelled[rows]]
        groups = _groups(catalogue, rows)
        if len(set(groups)) < count:
            raise LongtailError(
                f"{count} folds need labelled cases of {count} patients at least, and there are "
                f"{len(set(groups))}.",
                "Ask for fewer folds, or label more.",
            )
        sizes = [len(rows) // count + (number < len(rows) % count) for number in range(count)]
        parts = draw_split(groups, _present(catalogue, rows), sizes, seed)
        return [[catalogue.ids[row] for row in rows[parts == number]] for number in range(count)]

    def _write_splits(self, numbers: np.ndarray[Any, Any], parts: np.ndarray[Any, Any]) -> None:
        pairs = zip(numbers.tolist(), parts.tolist(), strict=True)
        with self._writing() as connection:
            self._write_changes(connection, {row: {"split": part} for row, part in pairs})


def _rows_by_name(catalogue: Catalogue, ids: Iterable[str] | None) -> Rows:
    if ids is None:
        names = [(name, row) for row, name in enumerate(catalogue.ids)]
    else:
        wanted = set(ids)
        names = [(name, row) for row, name in enumerate(catalogue.ids) if name in wanted]
    return np.array([row for _, row in sorted(names)], np.intp)


def _settled(catalogue: Catalogue, rows: Rows) -> dict[str | None, int]:
    """Give the part of each patient of whom there are cases beside those drawn now."""
    others = np.setdiff1d(np.arange(len(catalogue)), rows)
    known: dict[str | None, int] = {}
    for row in others.tolist():
        patient = catalogue.patients[row]
        if patient is not None:
            # Where a patient is in several parts, test wins: its cases must not be trained on.
            known[patient] = max(known.get(patient, 0), int(catalogue.split[row]))
    return known


def _groups(catalogue: Catalogue, rows: Rows) -> Sequence[int]:
    numbers: dict[object, int] = {}
    keys = [catalogue.patients[row] or row for row in rows.tolist()]
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _present(catalogue: Catalogue, rows: Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Give the presence of each class, and of none in a labelled case, which is dealt out too."""
    present = catalogue.presence[rows] == YES
    nothing = catalogue.labelled[rows] & ~present.any(axis=1)
    return np.column_stack([present, nothing])
