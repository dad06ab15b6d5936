"""MedMNIST: `train_images`, `train_labels`, `val_...` and `test_...` in one `.npz`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import LongtailError
from ..image_paths import Source
from ..numpy_file import ArrayInfo, members, read_header, read_member
from .plan import FoundCase, ImportPlan
from .request import CLASSIFICATION, MULTILABEL, Request

SPLITS = ("train", "val", "test")
IntArray = np.ndarray[Any, np.dtype[Any]]


def is_medmnist(path: Path) -> bool:
    """Tell whether an `.npz` holds arrays of images by split."""
    return any(f"{split}_images" in members(path) for split in SPLITS)


def plan_medmnist(request: Request) -> ImportPlan:
    """Plan the import of a MedMNIST file, or of the only one in a folder.

    Raises
    ------
    LongtailError
        It is no such file, or its labels do not fit its images.
    """
    path = _file_of(request.source)
    found = members(path)
    splits = [split for split in SPLITS if f"{split}_images" in found]
    if not splits:
        raise LongtailError(
            f"{path.name} is not a MedMNIST file: it holds {', '.join(list(found)[:6])}.",
            "It needs train_images and train_labels.",
        )
    labels = {split: _labels(path, split, found) for split in splits}
    several = _is_multilabel(labels.values())
    names = _names(labels.values(), request, several=several)
    prefix = f"{path.stem}/" if request.source.is_dir() else ""
    cases = [
        case
        for split in splits
        for case in _cases(path, split, labels[split], names, prefix=prefix, several=several)
    ]
    return ImportPlan(
        format="npz",
        cases=tuple(cases),
        notes=tuple(_notes(names, request)),
        class_names=tuple(dict.fromkeys(name for name in names.values() if name)),
        task=MULTILABEL if several else CLASSIFICATION,
    )


def _file_of(source: Path) -> Path:
    if source.is_file():
        return source
    files = sorted(source.glob("*.npz"))
    if len(files) != 1:
        raise LongtailError(
            f"The folder {source} holds {len(files)} .npz files.", "Choose one of the files."
        )
    return files[0]


def _labels(path: Path, split: str, found: Mapping[str, ArrayInfo]) -> IntArray | None:
    """Give (case, column) whole numbers, None without labels."""
    if f"{split}_labels" not in found:
        return None
    labels = read_member(path, f"{split}_labels")
    count = found[f"{split}_images"].shape[0]
    if len(labels) != count or labels.dtype.kind not in "buif" or labels.ndim > 2:
        raise LongtailError(
            f"{path.name} cannot be imported: {split}_labels has {len(labels)} rows for {count} "
            "images.",
            "Save one row of labels for each image.",
        )
    return np.nan_to_num(labels.reshape(count, -1), nan=-1).astype(np.int64)


def _is_multilabel(labels: Any) -> bool:
    """Several columns of zeros and ones, unless every row has exactly one 1."""
    tables = [table for table in labels if table is not None]
    if not tables or tables[0].shape[1] == 1:
        return False
    return not all((table.sum(axis=1) == 1).all() for table in tables)


def _names(labels: Any, request: Request, *, several: bool) -> dict[int, str | None]:
    """Give the class of each number or column; None beyond the project's classes."""
    tables = [table for table in labels if table is not None]
    if not tables:
        return {}
    one_column = tables[0].shape[1] == 1
    values = np.unique(np.concatenate([table.ravel() for table in tables]))
    numbers = [int(v) for v in values if v >= 0] if one_column else list(range(tables[0].shape[1]))
    if not request.classes:
        return {number: f"class {number}" for number in numbers}
    named = dict(enumerate(request.classes))
    return {number: named.get(number) for number in numbers}


def _notes(names: Mapping[int, str | None], request: Request) -> Iterator[str]:
    if not names:
        yield "The file holds no labels."
    elif request.classes:
        told = ", ".join(f"{number} is {name}" for number, name in names.items() if name)
        yield f"The numbers of the file are taken in the order of the classes: {told}."
    dropped = [str(number) for number, name in names.items() if name is None]
    if dropped:
        yield f"Dropped the labels {', '.join(dropped)}: the project has no class for them."


def _cases(
    path: Path,
    split: str,
    labels: IntArray | None,
    names: Mapping[int, str | None],
    *,
    prefix: str,
    several: bool,
) -> Iterator[FoundCase]:
    member = f"{split}_images"
    file = path.as_posix()
    header = read_header(Source(path, f"{member}:0"))
    count = members(path)[member].shape[0]
    for row in range(count):
        classes = None if labels is None else _classes_of(labels[row], names)
        yield FoundCase(
            id=f"{prefix}{split}/{row:05d}",
            channels=(f"{file}#{member}:{row}",),
            shape=header.shape,
            channel_count=header.channel_count,
            spacing_mm=None,
            split=split,
            class_names=classes if classes or several else None,
            no_class=several and classes == (),
        )


def _classes_of(row: IntArray, names: Mapping[int, str | None]) -> tuple[str, ...]:
    numbers: Sequence[int] = [int(row[0])] if len(row) == 1 else np.flatnonzero(row > 0).tolist()
    found = (names.get(number) for number in numbers)
    return tuple(name for name in found if name)
