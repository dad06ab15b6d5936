"""Images of one size in memory, for image-level classes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor

from ..errors import LongtailError
from ..project.records import Case, Task
from .preprocessing import Preprocessing
from .volumes import read_case

READING_AT_ONCE = 64
SHARE_OF_MEMORY = 0.6
UNKNOWN = -1


class PictureStore:
    """All images of a run in one tensor, (case, channel, *size), uint8 or float32.

    Attributes
    ----------
    rows
        The row of each case, by its id; cases that could not be read have none.
    failed
        Why a case could not be read, by its id.
    """

    def __init__(self, cases: Sequence[Case], preprocessing: Preprocessing, threads: int) -> None:
        self.rows = {case.id: row for row, case in enumerate(cases)}
        self.failed: dict[str, LongtailError] = {}
        self.images = torch.empty(0)
        self._cases = list(cases)
        self._preprocessing = preprocessing
        self._threads = max(1, threads)

    def read(self) -> Iterator[int]:
        """Read everything; yields how many are done.

        Raises
        ------
        LongtailError
            The images do not fit into memory, or none can be read.
        """
        with ThreadPoolExecutor(self._threads) as pool:
            for start in range(0, len(self._cases), READING_AT_ONCE):
                chunk = self._cases[start : start + READING_AT_ONCE]
                for row, read in enumerate(pool.map(self._try_one, chunk), start=start):
                    if read is None:
                        continue
                    if not self.images.numel():
                        self.images = _room_for(len(self._cases), read)
                    self.images[row] = read
                yield start + len(chunk)
        if self.failed and len(self.failed) == len(self._cases):
            raise next(iter(self.failed.values()))

    def add(self, cases: Sequence[Case]) -> None:
        """Read more images behind those that are there."""
        fresh = [case for case in cases if case.id not in self.rows]
        if not fresh:
            return
        for case in fresh:
            read = self._try_one(case)
            if read is not None:
                self.rows[case.id] = len(self._cases)
                self._cases.append(case)
                self.images = torch.cat([self.images, read[None]])

    def take(self, rows: Sequence[int] | np.ndarray[Any, Any]) -> Tensor:
        """Give images by row, as they are stored."""
        return self.images[torch.as_tensor(np.asarray(rows))]

    def _try_one(self, case: Case) -> Tensor | None:
        try:
            return self._preprocessing.prepare(read_case(case))
        except LongtailError as error:
            named = error.reason.startswith(f"{case.id}:")
            reason = error.reason if named else f"{case.id}: {error.reason}"
            self.failed[case.id] = LongtailError(reason, error.remedy)
            self.rows.pop(case.id, None)
            return None


def _room_for(count: int, example: Tensor) -> Tensor:
    needed = count * example.nbytes
    if needed > SHARE_OF_MEMORY * psutil.virtual_memory().available:
        raise LongtailError(
            f"{count} images of this size need {needed / 1e9:.1f} GB of memory, more than is free.",
            "Choose a smaller image size, or fewer cases.",
        )
    return torch.empty((count, *example.shape), dtype=example.dtype)


def single_targets(cases: Sequence[Case], class_ids: Sequence[int]) -> Tensor:
    """Give the place of each case's class among `class_ids`, (case,) int64; -1 without one."""
    place = {class_id: number for number, class_id in enumerate(class_ids)}
    return torch.tensor([_single(case, place) for case in cases], dtype=torch.long)


def several_targets(cases: Sequence[Case], class_ids: Sequence[int]) -> Tensor:
    """Give the answers, (case, class) int8: 1 yes, 0 no, -1 unknown."""
    targets = torch.full((len(cases), len(class_ids)), UNKNOWN, dtype=torch.int8)
    for row, case in enumerate(cases):
        if case.labels is None:
            continue
        for column, class_id in enumerate(class_ids):
            if class_id in case.labels.yes:
                targets[row, column] = 1
            elif class_id in case.labels.no:
                targets[row, column] = 0
    return targets


def targets_of(cases: Sequence[Case], class_ids: Sequence[int], task: Task) -> Tensor:
    """Give `single_targets` or `several_targets`, as the task asks."""
    make = several_targets if task is Task.MULTILABEL else single_targets
    return make(cases, class_ids)


def _single(case: Case, place: dict[int, int]) -> int:
    yes = [place[id_] for id_ in case.labels.yes if id_ in place] if case.labels else []
    return yes[0] if len(yes) == 1 else -1
