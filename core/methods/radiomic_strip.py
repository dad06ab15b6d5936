"""A few chosen images whose maps and boxes are drawn again each epoch, for replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..backend.events import Artifact
from ..files import replacing, write_json

FOLDER = "strip"
ABOUT = f"{FOLDER}/about.json"
IMAGES = 6
FRAMES = 40
"""Frames of a run at most: of a long run not every epoch is kept."""

STREAM = 23
SIDE_MOST = 128
"""Pixels along a side of a kept map."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Followed:
    """An image that is followed: its row in the store, its class's column, its size in the file."""

    case_id: str
    row: int
    column: int
    shape: tuple[int, ...]


class Turns:
    """Tells when another epoch is over, for at most `FRAMES` of them."""

    def __init__(self) -> None:
        self._drawn = -1

    def is_next(self, step: int, epoch: int, planned: int | None) -> bool:
        """Tell whether a frame is to be drawn after `step`; each is told once.

        Parameters
        ----------
        epoch
            Steps in which each image is seen once.
        """
        between = max(1, epoch, (planned or 0) // FRAMES)
        turn = step // between
        if turn <= self._drawn and step != planned:
            return False
        self._drawn = turn
        return True

    def state(self) -> int:
        """Give what a checkpoint keeps."""
        return self._drawn

    def load_state(self, drawn: int) -> None:
        """Continue from `state()`."""
        self._drawn = int(drawn)


def followed_rows(presence: Array, boxed: Sequence[int], seed: int) -> list[tuple[int, int]]:
    """Choose rows of images to follow, with the column of a class that each has.

    Parameters
    ----------
    presence
        (image, class) bool.
    boxed
        Rows in which a person drew a box: they come first. Then the classes take turns, the
        rarest first.
    """
    order = np.random.default_rng([seed, STREAM]).permutation(len(presence)).tolist()
    first = set(boxed)
    order.sort(key=lambda row: row not in first)
    columns = np.argsort(presence.sum(0), kind="stable").tolist()
    of_class = [[(row, column) for row in order if presence[row, column]] for column in columns]
    chosen: dict[int, int] = {}
    for pair in (pair for turn in zip_longest(*of_class) for pair in turn if pair is not None):
        if len(chosen) < IMAGES:
            chosen.setdefault(*pair)
    return list(chosen.items())


def small(values: Array) -> Array:
    """Bring (image, y, x) maps to at most `SIDE_MOST` pixels along a side, float16."""
    size = [min(SIDE_MOST, side) for side in values.shape[1:]]
    resized = functional.interpolate(
        torch.from_numpy(values)[None].float(), size=size, mode="area"
    )[0]
    return resized.numpy().astype(np.float16)


def write_about(folder: Path, cases: Sequence[str], classes: Sequence[str]) -> None:
    """Write once which images are followed."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    write_json(folder / ABOUT, {"cases": list(cases), "classes": list(classes)})


def write_frame(
    folder: Path,
    step: int,
    *,
    maps: Array,
    boxes: Array,
    chosen: Sequence[int],
    probabilities: Array,
) -> Artifact:
    """Write how the followed images are seen after a step.

    Parameters
    ----------
    maps
        (image, y, x), 0 to 1.
    boxes
        (image, 4) x, y, width, height in pixels of the file; not-a-number without a region.
    chosen
        (image,) columns of the classes that the maps are of.
    probabilities
        (image, class).
    """
    name = f"{FOLDER}/step-{step:07d}.npz"
    with replacing(folder / name) as aside, aside.open("wb") as file:
        np.savez_compressed(
            file,
            maps=small(maps),
            boxes=boxes.astype(np.float32),
            chosen=np.asarray(chosen, np.int16),
            probabilities=probabilities.astype(np.float32),
            step=np.asarray(step, np.int64),
        )
    return Artifact(name, "strip")
