"""Segmentation cases in memory, on the network's grid, with label maps as output numbers."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil
from torch import Tensor

from ..errors import LongtailError
from ..io.image import AnyArray, Image, read_channels
from ..project.records import NOT_LABELLED, Case
from ..project.store import Project
from .preprocessing import Preprocessing

PLACES_PER_CLASS = 512
"""Voxels remembered of each class of a case, around which patches are taken."""

SHARE_OF_MEMORY = 0.4

Places = Mapping[int, np.ndarray[Any, np.dtype[np.int32]]]


@dataclass(frozen=True, slots=True)
class VolumeCase:
    """A case as the sampler needs it.

    Parameters
    ----------
    image
        (channel, slices or z, y, x), as `Preprocessing.prepare` gives it; a 2D image has one slice.
    labels
        (slices or z, y, x) uint8: outputs of the network, 255 not labelled; None: unlabelled.
    places
        For each output that is there, and for -1 (any labelled voxel), some of its voxels
        (n, 3).
    """

    id: str
    image: Tensor
    labels: Tensor | None
    places: Places

    @property
    def size_bytes(self) -> int:
        """Memory that the case takes."""
        labels = 0 if self.labels is None else self.labels.nbytes
        return self.image.nbytes + labels + sum(at.nbytes for at in self.places.values())


class VolumeStore:
    """Reads cases when they are asked for and keeps them as long as memory lasts.

    Parameters
    ----------
    outputs
        Class id to output of the network, background included: `{0: 0, 1: 1, 4: 2}`. Voxels of
        other classes count as not labelled.
    hidden
        Cases whose labels are never looked at, so that they are unlabelled in every respect.
    """

    def __init__(
        self,
        project: Project,
        preprocessing: Preprocessing,
        class_ids: Sequence[int],
        limit_bytes: int | None = None,
        hidden: Collection[str] = (),
    ) -> None:
        self._project = project
        self._preprocessing = preprocessing
        self._table = output_table(class_ids)
        self._kept: OrderedDict[str, VolumeCase] = OrderedDict()
        self._limit = limit_bytes or int(SHARE_OF_MEMORY * psutil.virtual_memory().available)
        self._bytes = 0
        self.hidden = set(hidden)
        self._places: dict[str, Places] = {}

    def get(self, case_id: str) -> VolumeCase:
        """Give a case, from memory or from the disk."""
        if case_id in self._kept:
            self._kept.move_to_end(case_id)
            return self._kept[case_id]
        case = self._read(self._project.case(case_id))
        self._keep(case)
        return case

    def places(self, case_id: str) -> Places:
        """Where the classes of a case are; stays in memory when the case itself does not."""
        if case_id not in self._places:
            self._places[case_id] = self.get(case_id).places
        return self._places[case_id]

    def forget(self, case_ids: Sequence[str]) -> None:
        """Read these cases again when they are asked for next: their labels changed."""
        for case_id in case_ids:
            self._places.pop(case_id, None)
            if (case := self._kept.pop(case_id, None)) is not None:
                self._bytes -= case.size_bytes

    def _keep(self, case: VolumeCase) -> None:
        self._kept[case.id] = case
        self._bytes += case.size_bytes
        while self._bytes > self._limit and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.size_bytes

    def _read(self, case: Case) -> VolumeCase:
        image = read_case(case)
        prepared = self._preprocessing.prepare(image)
        labels = None
        if case.has_mask and case.id not in self.hidden:
            spacing = image.geometry.spacing_mm if image.geometry else None
            stored = self._table[self._project.read_label_map(case.id)]
            if stored.shape != image.shape:
                raise LongtailError(
                    f"The labels of {case.id} do not have the size of its image.",
                    "Import its labels again.",
                )
            labels = self._preprocessing.apply_labels(stored, spacing)
        if prepared.ndim == 3:
            prepared = prepared.unsqueeze(1)
            labels = None if labels is None else labels.unsqueeze(0)
        return VolumeCase(case.id, prepared, labels, find_places(labels, case.id))


def read_case(case: Case) -> Image:
    """Read the image of a case; an error names the case."""
    try:
        return read_channels(case.channels)
    except LongtailError as error:
        raise LongtailError(f"{case.id}: {error.reason}", error.remedy) from error


def output_table(class_ids: Sequence[int]) -> AnyArray:
    """Give the network's output of each value of a label map, (256,) uint8, 255 for unknown."""
    table = np.full(256, NOT_LABELLED, np.uint8)
    table[0] = 0
    for output, class_id in enumerate(class_ids, start=1):
        table[class_id] = output
    return table


def find_places(labels: Tensor | None, seed: str) -> Places:
    """Remember some voxels of each output, and under -1 some of all labelled voxels."""
    if labels is None:
        return {}
    array = labels.numpy()
    random = np.random.default_rng(list(seed.encode()))
    found = {
        int(output): _some_of(array == output, random)
        for output in np.unique(array)
        if output not in (0, NOT_LABELLED)
    }
    if (array != NOT_LABELLED).any():
        found[-1] = _some_of(array != NOT_LABELLED, random)
    return found


def _some_of(mask: AnyArray, random: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int32]]:
    flat = np.flatnonzero(mask)
    if len(flat) > PLACES_PER_CLASS:
        flat = random.choice(flat, PLACES_PER_CLASS, replace=False)
    return np.stack(np.unravel_index(flat, mask.shape), axis=1).astype(np.int32)


def cut(
    case: VolumeCase,
    centre: Sequence[int],
    size: Sequence[int],
    image: Tensor,
    labels: Tensor,
    unknown: int = NOT_LABELLED,
) -> None:
    """Copy the box of `size` around `centre` into `image` and `labels`, which hold the padding.

    Parameters
    ----------
    image, labels
        (channel, *size) and (*size), filled with what lies outside of the case.
    unknown
        What voxels of the case get that are not labelled, where outside is to be told from them.
    """
    inside, outside = [], []
    for at, length, have in zip(centre, size, case.image.shape[1:], strict=True):
        start = box_start(int(at), int(length), int(have))
        low, high = max(start, 0), min(start + length, have)
        inside.append(slice(low, high))
        outside.append(slice(low - start, high - start))
    image[(slice(None), *outside)] = case.image[(slice(None), *inside)]
    if case.labels is not None:
        labels[tuple(outside)] = case.labels[tuple(inside)]
    if unknown != NOT_LABELLED:
        box = labels[tuple(outside)]
        box[box == NOT_LABELLED] = unknown


def box_start(centre: int, length: int, have: int) -> int:
    """Start of a box on an axis: inside where it fits, the axis in its middle where not."""
    if length >= have:
        return -((length - have) // 2)
    return min(max(centre - length // 2, 0), have - length)
