"""Reads the maps of what a run has learned; knows neither Qt nor torch.

A map lies in the run's folder and is a stranger's file until it is checked: the names, types and
sizes of its arrays are read from their headers before anything is unpacked.
"""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from ...core.errors import LongtailError

KIND = "map"
MOST_POINTS, MOST_CENTRES = 20_000, 4_096
_PLACE = re.compile(r"maps/step-(\d{1,12})\.npz")
_REMEDY = "The other maps of this run can still be looked at."

Floats = np.ndarray[Any, np.dtype[np.float32]]
Whole = np.ndarray[Any, np.dtype[np.int16]]


@dataclass(frozen=True)
class MapFrame:
    """One moment: sampled features as points, and the centres of the classes.

    Parameters
    ----------
    step
        When it was made.
    points, point_classes
        (n, 2) and (n,): where features lie, and their classes: 0 background, from 1 on the classes
        in the order of the run's plan.
    centres, centre_classes
        (k, 2) and (k,).
    """

    step: int
    points: Floats
    point_classes: Whole
    centres: Floats
    centre_classes: Whole

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not len(self.points) and not len(self.centres)


class _Wanted(NamedTuple):
    """What an array must be: the kinds of its numbers, its dimensions, how long it may be."""

    kinds: str
    ndim: int
    most: int


_ARRAYS = {
    "points": _Wanted("f", 2, MOST_POINTS),
    "point_classes": _Wanted("iu", 1, MOST_POINTS),
    "centres": _Wanted("f", 2, MOST_CENTRES),
    "centre_classes": _Wanted("iu", 1, MOST_CENTRES),
    "step": _Wanted("iu", 0, 1),
}


def map_step(path: str) -> int | None:
    """Give the step of a map by its path in the run's folder; None if it is no such path.

    Only `maps/step-<number>.npz` is one, so that no path leads out of the folder.
    """
    found = _PLACE.fullmatch(path)
    return int(found.group(1)) if found else None


def read_map(run_folder: Path, path: str) -> MapFrame:
    """Read a map of a run.

    Raises
    ------
    LongtailError
        It is gone, damaged, or not what a map is.
    """
    step = map_step(path)
    if step is None:
        raise LongtailError("This is not the name of a map.", _REMEDY)
    try:
        arrays = _arrays(run_folder / path)
    except FileNotFoundError:
        raise LongtailError(f"The map of step {step:,} is gone.", _REMEDY) from None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError) as e:
        reason = f"The map of step {step:,} cannot be read: {_words(e)}."
        raise LongtailError(reason, _REMEDY) from e
    points, point_classes = _finite(arrays["points"], arrays["point_classes"])
    centres, centre_classes = _finite(arrays["centres"], arrays["centre_classes"])
    return MapFrame(step, points, point_classes, centres, centre_classes)


def _arrays(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        for name, wanted in _ARRAYS.items():
            with archive.open(f"{name}.npy") as member:
                _check_header(name, member, wanted)
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in _ARRAYS}
    for what in ("point", "centre"):
        places, classes = arrays[f"{what}s"], arrays[f"{what}_classes"]
        if places.shape != (len(classes), 2):
            raise _Unfit(f"its {what}s and their classes do not fit each other")
    return arrays


def _check_header(name: str, member: IO[bytes], wanted: _Wanted) -> None:
    version = npy.read_magic(member)
    if version not in _HEADERS:
        raise _Unfit("it was written by something else")
    shape, _, dtype = _HEADERS[version](member)
    if dtype.kind not in wanted.kinds or dtype.itemsize > 8 or len(shape) != wanted.ndim:
        raise _Unfit(f"its {name.replace('_', ' ')} are not of the right kind")
    if any(length > wanted.most for length in shape):
        raise _Unfit(f"it holds more than {wanted.most:,} {name.replace('_', ' ')}")


_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def _finite(places: Any, classes: Any) -> tuple[Floats, Whole]:
    """Leave out what has no place; a huge number would be one when it is drawn."""
    with np.errstate(over="ignore"):
        places = places.astype(np.float32)
    there = (np.abs(places) < 1e30).all(axis=1)
    return places[there], np.clip(classes[there], -1, np.iinfo(np.int16).max).astype(np.int16)


class _Unfit(ValueError):
    """The file is whole but no map; its words are ours."""


def _words(error: Exception) -> str:
    if isinstance(error, _Unfit):
        return str(error)
    if isinstance(error, KeyError):
        return "a part of it is missing"
    return "the file is damaged"
