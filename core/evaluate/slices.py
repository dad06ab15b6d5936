"""Dice of each slice of a scan, kept beside the report: where in a scan a run fails; no torch."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import LongtailError
from ..files import replacing
from .segmentation import LabelMap

MOST_BYTES = 1 << 30
FORMAT = {"case": np.int32, "slice": np.int32, "class_id": np.int32, "dice": np.float32}


@dataclass(frozen=True, slots=True)
class SliceDice:
    """One class in one slice, the first axis of the file; `dice` 0 to 1."""

    case: str
    slice: int
    class_id: int
    dice: float


def score_slices(
    reference: LabelMap, prediction: LabelMap, class_ids: Sequence[int], unlabelled: int = 255
) -> list[tuple[int, int, float]]:
    """Give (slice, class id, Dice) wherever a slice holds the class in either map.

    A slice in which nobody labelled anything is left out, and so is a single picture.

    Parameters
    ----------
    reference, prediction
        Label maps of one shape, (z, y, x).
    """
    if reference.ndim != 3 or reference.shape[0] < 2:
        return []
    known = reference != unlabelled
    found: list[tuple[int, int, float]] = []
    for class_id in class_ids:
        truth, said = reference == class_id, (prediction == class_id) & known
        both = (truth & said).sum(axis=(1, 2))
        sizes = truth.sum(axis=(1, 2)) + said.sum(axis=(1, 2))
        found += [(int(z), class_id, float(2 * both[z] / sizes[z])) for z in np.flatnonzero(sizes)]
    return found


def slices_path(run_folder: Path, split: str) -> Path:
    """Give the file beside the report on a part."""
    return run_folder / f"slices-{split}.npz"


def write_slices(path: Path, scores: Mapping[str, Sequence[tuple[int, int, float]]]) -> None:
    """Replace `path` by the scores of each case, as `score_slices` gives them."""
    rows = [(place, *score) for place, each in enumerate(scores.values()) for score in each]
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    arrays: dict[str, Any] = {
        name: np.array(column, dtype)
        for (name, dtype), column in zip(FORMAT.items(), columns, strict=True)
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, cases=np.array(list(scores), dtype=np.str_), **arrays)
    with replacing(path) as aside:
        aside.write_bytes(buffer.getvalue())


def read_slices(path: Path) -> list[SliceDice]:
    """Read what `write_slices` wrote; nothing where the file is not there.

    Raises
    ------
    LongtailError
        It is damaged.
    """
    if not path.is_file():
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise ValueError("it unpacks to more than slices can fill")
        with np.load(path, allow_pickle=False) as stored:
            cases = [str(name) for name in stored["cases"]]
            columns = [stored[name].tolist() for name in FORMAT]
        return [
            SliceDice(cases[case], int(z), int(class_id), float(dice))
            for case, z, class_id, dice in zip(*columns, strict=True)
            if np.isfinite(dice)
        ]
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
        raise LongtailError(
            f"The scores by slice in {path.name} cannot be read.", "Evaluate the run again."
        ) from error
