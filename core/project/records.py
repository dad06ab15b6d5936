"""What the project store hands out: frozen records, never a live database row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np

NOT_LABELLED = 255
"""The value of a label map's voxels that nobody has labelled; left out of losses and metrics."""

CLASS_PALETTE = (
    "#56b4e9",
    "#cc79a7",
    "#2fb58a",
    "#f0e442",
    "#9d8cf0",
    "#e8795b",
    "#b5bd61",
    "#c9c9c9",
)


class Task(StrEnum):
    """What the classes of a project are given to."""

    SEGMENTATION = "segmentation"
    CLASSIFICATION = "classification"
    MULTILABEL = "multilabel"


class Split(StrEnum):
    """The part of the cases; test is never used to train, to choose or to tune."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Status(StrEnum):
    """How far a person is with a case; draft and reviewed both train."""

    UNLABELLED = "unlabelled"
    DRAFT = "draft"
    REVIEWED = "reviewed"


@dataclass(frozen=True, slots=True)
class ClassRecord:
    """A class; `id` is its value in label maps (1 and up), never given twice.

    `merged_into` is the id of the class that took over its examples, if it was merged.
    """

    id: int
    name: str
    colour: str
    retired: bool = False
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class ImageLabels:
    """Image-level classes: ids answered yes and ids answered no; all others are unknown.

    A case with neither is labelled with no class only if its status says that it is labelled.
    """

    yes: frozenset[int] = frozenset()
    no: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """One study object on one grid.

    `channels` are resolved paths in channel order (a DICOM series is its folder; an array inside
    an `.npz` is `file.npz#row`). `shape` is (z, y, x) or (y, x) without the channel;
    `spacing_mm` is in the same order, None where the file has none. `volumes_mm3` gives, for a
    case with a label map, the labelled volume (mm3, or pixels without spacing) a class id,
    with `NOT_LABELLED` among the keys. `box_counts` has the number of boxes of each class id,
    None where nobody looked for boxes.
    """

    id: str
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    channel_count: int
    spacing_mm: tuple[float, ...] | None
    split: Split
    status: Status
    patient: str | None = None
    labels: ImageLabels | None = None
    has_mask: bool = False
    volumes_mm3: Mapping[int, float] = field(default_factory=dict)
    author: str | None = None
    changed: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    box_counts: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class NewCase:
    """What an importer found; paths are absolute. `mask` is turned into the project's label map.

    `mask_values` maps values of the mask file to class ids (255 to *not labelled*); values that
    it lacks are an error for that case. `labels` None means unlabelled.
    """

    id: str
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    channel_count: int
    spacing_mm: tuple[float, ...] | None
    split: Split | None = None
    patient: str | None = None
    labels: ImageLabels | None = None
    mask: str | None = None
    mask_values: Mapping[int, int] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One version in the history of a case's labels."""

    case: str
    version: int
    author: str
    status: Status
    time: datetime
    labels: ImageLabels | None
    file: str | None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A training run; `state` is created, running, completed, stopped, cancelled or failed.

    `folder` is relative to the project. `settings` holds what a person chose for the finished run,
    such as the place of the prior slider.
    """

    id: str
    method: str
    state: str
    created: datetime
    spec: Mapping[str, Any]
    result: Mapping[str, Any]
    folder: str
    label_version: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One case predicted by one run's weights under one version of the labels.

    `file` is a label map relative to the project (segmentation). For image-level tasks `logits`
    has one value a class of the run, float32.
    """

    case: str
    run: str
    weights_hash: str
    label_version: int
    file: str | None = None
    logits: np.ndarray[Any, np.dtype[np.float32]] | None = None
    uncertainty: float | None = None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What adding cases came to; `skipped` pairs a case's id with the reason, as a sentence.

    A case whose mask was refused is counted among `added` or `updated` and named in `skipped`.
    `notes` are sentences about the whole import, such as labels that were dropped; `boxed` counts
    the cases that have other boxes now than before.
    """

    added: int
    updated: int
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    boxed: int = 0


@dataclass(frozen=True, slots=True)
class TrashItem:
    """What was deleted together and can be put back: `kind` is cases or run."""

    id: str
    kind: str
    names: tuple[str, ...]
    size_bytes: int
    deleted: datetime
