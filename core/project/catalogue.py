"""All cases at a glance, in columns: what lists, filters and bars are drawn from."""

import re
from collections.abc import Iterable, Sequence
from sys import intern
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from .records import NOT_LABELLED, Split, Status, Task
from .rows import SPLIT_CODES, STATUS_CODES, unpack_counts, unpack_labels, unpack_volumes
from .schema import cases

HEAD_IMAGES = 100
TAIL_IMAGES = 20
HEAD_SHARE = 0.20
TAIL_SHARE = 0.05

YES, NO, UNKNOWN = 1, 0, -1

Rows = np.ndarray[Any, np.dtype[np.intp]]

_DIGITS = re.compile(r"\d+")


class Catalogue:
    """The cases in columns, one entry a case in the order of their import.

    Attributes
    ----------
    ids
        Their names.
    numbers
        (case,) int64, the row of each case in the database.
    split, status
        (case,) uint8, places in the order of `Split` and `Status`.
    presence
        (case, class) int8: 1 the class is there, 0 it is not, -1 nobody knows.
    volumes
        (case, class) float64: labelled volume in mm3, or pixels without spacing; segmentation
        only, else without rows.
    class_ids
        The class of each column.
    patients
        Whose images these are, None where nobody said.
    box_counts
        (case,) int64: how many boxes were drawn in it, -1 where nobody looked for boxes.
    """

    def __init__(self, task: Task, class_ids: Sequence[int], found: Iterable[Any]) -> None:
        self.task = task
        self.class_ids = tuple(class_ids)
        columns = list(zip(*found, strict=True)) or [()] * 8
        numbers, ids, patients, split, status, labels, volumes, boxes = columns
        self.numbers = np.array(numbers, np.int64)
        self.ids: list[str] = list(ids)
        self.patients: list[str | None] = [intern(one) if one else None for one in patients]
        self.split = np.array(split, np.uint8)
        self.status = np.array(status, np.uint8)
        if task is Task.SEGMENTATION:
            self.volumes, complete = self._volumes(volumes)
            self.presence = self._drawn(complete)
        else:
            self.volumes = np.zeros((0, len(self.class_ids)))
            self.presence = self._answered(labels)
        self._boxes = [unpack_counts(one) for one in boxes]
        self.box_counts = np.array(
            [-1 if one is None else sum(one.values()) for one in self._boxes], np.int64
        )
        self._name_rank = _ranks(self.ids)
        self._patient_rank = _ranks([one or "\uffff" for one in self.patients])

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labelled(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(case,) whether it is draft or reviewed."""
        return np.asarray(self.status != STATUS_CODES[Status.UNLABELLED])

    @property
    def boxed(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(case,) whether it has a box."""
        return np.asarray(self.box_counts > 0)

    def class_boxes(self) -> dict[int, int]:
        """Count the boxes of each class."""
        return {key: sum(one.get(key, 0) for one in self._boxes if one) for key in self.class_ids}

    def find(
        self,
        text: str = "",
        *,
        statuses: Iterable[Status] | None = None,
        splits: Iterable[Split] | None = None,
        class_id: int | None = None,
        boxed: bool | None = None,
    ) -> Rows:
        """Give the rows that satisfy all that is asked.

        Parameters
        ----------
        text
            A part of the name or of the patient; capitals do not matter.
        statuses, splits
            Any of these; None is all.
        class_id
            The class is there.
        boxed
            With at least one box, or without any.
        """
        keep = np.ones(len(self), bool)
        if statuses is not None:
            keep &= np.isin(self.status, [STATUS_CODES[status] for status in statuses])
        if splits is not None:
            keep &= np.isin(self.split, [SPLIT_CODES[split] for split in splits])
        if class_id is not None:
            keep &= self._has_class(class_id)
        if boxed is not None:
            keep &= self.boxed == boxed
        rows = np.flatnonzero(keep)
        return self._with_text(rows, text.strip().casefold())

    def order(self, rows: Rows, key: str = "name") -> Rows:
        """Sort rows by name, status, split or patient, and by name within; numbers count as such.

        Raises
        ------
        ValueError
            There is no such order.
        """
        keys: dict[str, np.ndarray[Any, Any]] = {
            "name": self._name_rank,
            "status": self.status,
            "split": self.split,
            "patient": self._patient_rank,
        }
        if key not in keys:
            raise ValueError(f"cases cannot be ordered by {key!r}")
        return np.asarray(rows[np.lexsort((self._name_rank[rows], keys[key][rows]))])

    def class_counts(self, split: Split | None = None) -> dict[int, int]:
        """Count the labelled cases in which each class is there, in one part or in all."""
        rows = slice(None) if split is None else self.split == SPLIT_CODES[split]
        counts = (self.presence[rows] == YES).sum(axis=0)
        return dict(zip(self.class_ids, counts.tolist(), strict=True))

    def class_volumes(self, split: Split | None = None) -> dict[int, float]:
        """Add up the labelled volume of each class; 0 in projects without label maps."""
        rows = (
            slice(None) if split is None else self.split[: len(self.volumes)] == SPLIT_CODES[split]
        )
        return dict(zip(self.class_ids, self.volumes[rows].sum(axis=0).tolist(), strict=True))

    def tiers(
        self,
        head: float = HEAD_IMAGES,
        tail: float = TAIL_IMAGES,
        *,
        head_share: float = HEAD_SHARE,
        tail_share: float = TAIL_SHARE,
    ) -> dict[int, str]:
        """Put each class into head, medium or tail, by what is labelled in the training part.

        Parameters
        ----------
        head, tail
            Classes of images: more than `head` labelled images, fewer than `tail`.
        head_share, tail_share
            Segmentation: at least, and less than, this share of the labelled foreground volume.
        """
        if self.task is not Task.SEGMENTATION:
            counts = self.class_counts(Split.TRAIN)
            return {key: _tier(n > head, n < tail) for key, n in counts.items()}
        volumes = self.class_volumes(Split.TRAIN)
        total = sum(volumes.values()) or 1.0
        shares = {key: volume / total for key, volume in volumes.items()}
        return {key: _tier(s >= head_share, s < tail_share) for key, s in shares.items()}

    def _has_class(self, class_id: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if class_id not in self.class_ids:
            return np.zeros(len(self), bool)
        return np.asarray(self.presence[:, self.class_ids.index(class_id)] == YES)

    def _with_text(self, rows: Rows, text: str) -> Rows:
        if not text:
            return rows
        ids, patients = self.ids, self.patients
        found = [
            row
            for row in rows.tolist()
            if text in ids[row].casefold() or text in (patients[row] or "").casefold()
        ]
        return np.array(found, np.intp)

    def _answered(self, packed: Sequence[str | None]) -> np.ndarray[Any, np.dtype[np.int8]]:
        """Read the presence of classes out of image-level labels; few different ones occur."""
        different: dict[str | None, int] = {}
        codes = [different.setdefault(one, len(different)) for one in packed]
        table = [self._presence_of(one) for one in different]
        shape = (len(different), len(self.class_ids))  # also right without any class
        return np.array(table, np.int8).reshape(shape)[np.array(codes, np.intp)]

    def _presence_of(self, packed: str | None) -> list[int]:
        labels = unpack_labels(packed)
        if labels is None:
            return [UNKNOWN] * len(self.class_ids)
        # Where an image has one class, that class is the answer for all others too.
        other = NO if self.task is Task.CLASSIFICATION else UNKNOWN
        return [
            YES if key in labels.yes else NO if key in labels.no else other
            for key in self.class_ids
        ]

    def _volumes(
        self, packed: Sequence[str | None]
    ) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.bool_]]]:
        volumes = np.zeros((len(self), len(self.class_ids)))
        complete = np.zeros(len(self), bool)
        for row in np.flatnonzero(self.labelled).tolist():
            parts = unpack_volumes(packed[row])
            volumes[row] = [parts.get(key, 0.0) for key in self.class_ids]
            complete[row] = NOT_LABELLED not in parts
        return volumes, complete

    def _drawn(
        self, complete: np.ndarray[Any, np.dtype[np.bool_]]
    ) -> np.ndarray[Any, np.dtype[np.int8]]:
        absent = np.where(complete, NO, UNKNOWN)[:, None]
        return np.where(self.volumes > 0, YES, absent).astype(np.int8)


def read_catalogue(connection: Connection, task: Task, class_ids: Sequence[int]) -> Catalogue:
    """Read the columns of all cases that are not in the trash."""
    table = cases.c
    query = select(
        table.row,
        table.id,
        table.patient,
        table.split,
        table.status,
        table.labels,
        table.volumes_mm3,
        table.box_counts,
    )
    found = connection.execute(query.where(table.trash.is_(None)).order_by(table.row))
    return Catalogue(task, class_ids, found.all())


def natural_key(name: str) -> str:
    """Give a key that sorts numbers in names by their value: 2 before 10."""
    return _DIGITS.sub(lambda digits: digits.group().zfill(12), name.casefold())


def _ranks(names: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Give the place of each name in natural order; equal names share one."""
    ranks = {name: rank for rank, name in enumerate(sorted(set(names), key=natural_key))}
    return np.array([ranks[name] for name in names], np.int32)


def _tier(head: bool, tail: bool) -> str:
    return "head" if head else "tail" if tail else "medium"
