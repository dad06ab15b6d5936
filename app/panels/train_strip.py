"""Reads the strip of a run: a few followed images whose maps and boxes were drawn each epoch.

It lies in the run's folder and is a stranger's file until it is checked: the names, types and
sizes of its arrays are read from their headers before anything is unpacked.
"""

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ...core.errors import LongtailError
from ...core.project.records import Case

KIND = "strip"
MOST_IMAGES, MOST_CLASSES, MOST_SIDE = 24, 1_000, 1_024
PICTURE_PX = 192
"""Side of the square that an image is brought to, twice its size on the screen."""

_PLACE = re.compile(r"strip/step-(\d{1,12})\.npz")
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_REMEDY = "The other steps of this run can still be looked at."

Floats = np.ndarray[Any, np.dtype[np.float32]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class StripImage:
    """A followed image: its case, its picture, the boxes that people drew, by class name.

    `picture` is (side, side, 3), the whole image in its true proportions on black; None where it
    cannot be read.
    """

    case_id: str
    shape: tuple[int, int]
    picture: Pixels | None
    drawn: Mapping[str, tuple[tuple[float, float, float, float], ...]]


@dataclass(frozen=True)
class StripFrame:
    """One moment of the followed images, in the order of the strip.

    Parameters
    ----------
    step
        When it was made.
    maps
        (image, y, x), 0 to 1, each over its whole image.
    boxes
        (image, 4) x, y, width, height in pixels of the file; not a number without a box.
    names, shares
        The class that each map is of, and how likely the run held it to be.
    """

    step: int
    maps: Floats
    boxes: Floats
    names: tuple[str, ...]
    shares: tuple[float, ...]


def strip_step(path: str) -> int | None:
    """Give the step of a frame by its path in the run's folder; None if it is no such path."""
    found = _PLACE.fullmatch(path)
    return int(found.group(1)) if found else None


def read_about(run_folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read which cases are followed, and the names of the run's classes.

    Raises
    ------
    LongtailError
        It is gone or damaged.
    """
    path = run_folder / "strip" / "about.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        cases = tuple(str(each) for each in told["cases"])[:MOST_IMAGES]
        return cases, tuple(str(each) for each in told["classes"])[:MOST_CLASSES]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LongtailError("What the strip shows cannot be read.", _REMEDY) from error


def read_strip(run_folder: Path, path: str) -> StripFrame:
    """Read a frame of a run.

    Raises
    ------
    LongtailError
        It is gone, damaged, or not what a frame is.
    """
    step = strip_step(path)
    if step is None:
        raise LongtailError("This is not the name of a step.", _REMEDY)
    _, classes = read_about(run_folder)
    try:
        arrays = _arrays(run_folder / path)
        return _frame(step, arrays, classes)
    except FileNotFoundError:
        raise LongtailError(f"What was kept of step {step:,} is gone.", _REMEDY) from None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError) as e:
        raise LongtailError(f"What was kept of step {step:,} cannot be read.", _REMEDY) from e


def strip_image(
    case: Case, drawn: Mapping[str, tuple[tuple[float, float, float, float], ...]]
) -> StripImage:
    """Read the picture of a followed case; takes a moment, so ask in a thread."""
    from ...core.io.image import read_header
    from ...core.io.thumbnails import thumbnail

    try:
        shape = case.shape or read_header(case.channels[0]).shape
        picture = thumbnail(case.channels, size=PICTURE_PX)
    except LongtailError:
        # The maps and their figures are worth seeing without it.
        shape, picture = case.shape or (1, 1), None
    return StripImage(case.id, (shape[-2], shape[-1]), picture, drawn)


def _arrays(path: Path) -> dict[str, Any]:
    most = {
        "maps": ("f", (MOST_IMAGES, MOST_SIDE, MOST_SIDE)),
        "boxes": ("f", (MOST_IMAGES, 4)),
        "chosen": ("iu", (MOST_IMAGES,)),
        "probabilities": ("f", (MOST_IMAGES, MOST_CLASSES)),
    }
    with zipfile.ZipFile(path) as archive:
        for name, (kinds, longest) in most.items():
            with archive.open(f"{name}.npy") as member:
                shape, _, dtype = _HEADERS[npy.read_magic(member)](member)
            fits = len(shape) == len(longest) and all(
                0 < side <= limit for side, limit in zip(shape, longest, strict=True)
            )
            if dtype.kind not in kinds or dtype.itemsize > 8 or not fits:
                raise ValueError(f"its {name} are not of the right kind")
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in most}


def _frame(step: int, arrays: Mapping[str, Any], classes: tuple[str, ...]) -> StripFrame:
    count = len(arrays["maps"])
    chosen, shares = arrays["chosen"], arrays["probabilities"]
    if {len(array) for array in arrays.values()} != {count} or arrays["boxes"].shape[1] != 4:
        raise ValueError("its parts do not fit each other")
    columns = [int(column) for column in chosen]
    if any(not 0 <= column < min(len(classes), shares.shape[1]) for column in columns):
        raise ValueError("it names classes that the run does not have")
    maps = np.nan_to_num(arrays["maps"].astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return StripFrame(
        step,
        np.clip(maps, 0.0, 1.0),
        arrays["boxes"].astype(np.float32),
        tuple(classes[column] for column in columns),
        tuple(float(shares[row, column]) for row, column in enumerate(columns)),
    )
