"""One look at each image: what the doctor remembers of it, a few kilobytes a case."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from ..io.image import read_channels, split_source
from ..io.image_types import AnyArray, Image

SIDE = 24
"""Pixels of the small picture's side; what it alone can tell is a figure of the doctor."""

PLANES = 3
DIGEST_BYTES = 16
READ_BYTES = 1 << 20
SAMPLE = 20_000
PERCENTS = (1.0, 50.0, 99.0)

UInt8Array = np.ndarray[Any, np.dtype[np.uint8]]
FloatArray = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Look:
    """What is remembered of one image.

    Attributes
    ----------
    digest
        Equal for files that are byte for byte the same, (16,) uint8.
    small
        The picture squeezed to 24 x 24, (3, 24, 24) uint8: red, green and blue; a grey picture
        three times; of a volume the middle planes across z, y and x.
    shape
        (z, y, x), with z 0 for a picture.
    channels
        How many.
    spacing_mm
        (z, y, x), NaN where the file gives none.
    direction
        SimpleITK's matrix, 9 numbers row by row; NaN where the file gives none.
    levels
        Grey values at 1, 50 and 99 % and their standard deviation, over all channels.
    whole_range
        Whether `small` shows 0 to 255 as stored, rather than each image between its own levels.
    """

    digest: UInt8Array
    small: UInt8Array
    shape: tuple[int, int, int]
    channels: int
    spacing_mm: tuple[float, float, float]
    direction: tuple[float, ...]
    levels: tuple[float, float, float, float]
    whole_range: bool


def look_at(paths: Sequence[str]) -> Look:
    """Read a case's channels and give what is remembered of them.

    Raises
    ------
    LongtailError
        The image cannot be read.
    """
    image = read_channels(paths)
    levels = _levels(image.array)
    whole = image.array.dtype == np.uint8
    low, high = (0.0, 255.0) if whole else (levels[0], levels[2])
    return Look(
        digest=_digest(paths, image),
        small=_small(image, low, high),
        shape=_three(image.shape, 0),
        channels=len(image.array),
        spacing_mm=_spacing(image),
        direction=_direction(image),
        levels=levels,
        whole_range=whole,
    )


def _digest(paths: Sequence[str], image: Image) -> UInt8Array:
    """Hash the files; of a folder, or of a part of a file, what was read from it."""
    made = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for path in paths:
        source = split_source(path)
        if source.part or not source.path.is_file():
            made.update(f"{image.array.dtype}{image.array.shape}".encode())
            made.update(np.ascontiguousarray(image.array).data)
            break
        _add_file(made, source.path)
    return np.frombuffer(made.digest(), np.uint8)


def _add_file(made: Any, path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            made.update(block)


def _levels(array: AnyArray) -> tuple[float, float, float, float]:
    flat = array.reshape(-1)
    sample = flat[:: max(1, flat.size // SAMPLE)].astype(np.float64)
    low, middle, high = np.percentile(sample, PERCENTS).tolist()
    return low, middle, high, float(sample.std())


def _small(image: Image, low: float, high: float) -> UInt8Array:
    array = image.array
    if array.ndim == 3:
        planes = list(array[:PLANES]) if image.colour else [array[0]]
    else:
        volume = array[0]
        middle = [length // 2 for length in volume.shape]
        planes = [volume[middle[0]], volume[:, middle[1]], volume[:, :, middle[2]]]
    small = [_squeezed(plane, low, high) for plane in planes]
    return np.stack(small * (PLANES if len(small) == 1 else 1))


def _squeezed(plane: AnyArray, low: float, high: float) -> UInt8Array:
    if plane.dtype != np.uint8 or (low, high) != (0.0, 255.0):
        scaled = (plane.astype(np.float32) - low) / max(high - low, 1e-6)
        plane = (np.clip(np.nan_to_num(scaled), 0, 1) * 255).astype(np.uint8)
    picture = PillowImage.fromarray(np.ascontiguousarray(plane))
    return np.asarray(
        picture.resize((SIDE, SIDE), PillowImage.Resampling.BOX, reducing_gap=2.0), np.uint8
    )


def _three(values: Sequence[float], missing: float) -> Any:
    return (missing,) * (3 - len(values)) + tuple(values)


def _spacing(image: Image) -> tuple[float, float, float]:
    if image.geometry is None:
        return (np.nan,) * 3
    spacing: tuple[float, float, float] = _three(image.geometry.spacing_mm, np.nan)
    return spacing


def _direction(image: Image) -> tuple[float, ...]:
    if image.geometry is None or image.geometry.dimension != 3:
        return (np.nan,) * 9
    return image.geometry.direction


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks of many cases in columns, one row a case.

    Attributes
    ----------
    ids
        The cases.
    digest, small, shape, channels, spacing_mm, direction, levels, whole_range
        As in `Look`, with a first axis for the case; `digest` is (case,) of 16 bytes.
    """

    ids: tuple[str, ...]
    digest: np.ndarray[Any, Any]
    small: UInt8Array
    shape: np.ndarray[Any, np.dtype[np.int64]]
    channels: np.ndarray[Any, np.dtype[np.int64]]
    spacing_mm: FloatArray
    direction: FloatArray
    levels: FloatArray
    whole_range: np.ndarray[Any, np.dtype[np.bool_]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_volume(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(case,) whether it is a volume."""
        return np.asarray(self.shape[:, 0] > 0)


def stack(ids: Sequence[str], looks: Sequence[Look]) -> Looks:
    """Put looks into columns."""
    count = len(looks)
    digests = np.array([one.digest for one in looks], np.uint8).reshape(count, DIGEST_BYTES)
    small = np.array([one.small for one in looks], np.uint8)
    return Looks(
        ids=tuple(ids),
        digest=np.ascontiguousarray(digests).view(f"V{DIGEST_BYTES}").reshape(count),
        small=small.reshape(count, PLANES, SIDE, SIDE),
        shape=np.array([one.shape for one in looks], np.int64).reshape(count, 3),
        channels=np.array([one.channels for one in looks], np.int64),
        spacing_mm=np.array([one.spacing_mm for one in looks], np.float64).reshape(count, 3),
        direction=np.array([one.direction for one in looks], np.float64).reshape(count, 9),
        levels=np.array([one.levels for one in looks], np.float64).reshape(count, 4),
        whole_range=np.array([one.whole_range for one in looks], bool),
    )
