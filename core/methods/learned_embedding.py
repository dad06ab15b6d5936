"""How the features of some fixed images form over a run: frames for a replay, at small cost."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend.events import Artifact, Event
from ..explain.embedding_arrays import write_arrays
from ..explain.embedding_file import FOLDER
from ..explain.embedding_frames import frame_name, write_about_frames

if TYPE_CHECKING:
    from .imageclass import ImageRun

FRAMES = 12
IMAGES = 2_000
SHARE, MOST_SHARE = 0.015, 0.02
"""Of the time of a run: what is planned for frames, and what they may take at most."""

ENOUGH_IMAGES = 120
FEWEST_IMAGES = 30
FEWEST_FRAMES = 3
TRIED = 32
"""Images whose look is timed."""

STEPS_TIMED, SECONDS_TIMED = 3, 1.0
CHOICE_STREAM = 29

Rows = np.ndarray[Any, np.dtype[np.int64]]


class LearnedEmbedding:
    """Frames of one run: the features of the same images a dozen times, from start to end.

    Of which images, and how often, is settled once it is known how long a step and a look take,
    so that the frames take no more than their share of the run: a very short run has none, and
    frames that turn out dearer are left out, but the last. The images are as many of each class
    as there are, of training and validation.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._left_s = self._frame_s = 0.0
        self._began: tuple[int, float] | None = None
        self._ids: list[str] | None = None
        self._frames = 0
        self._drawn = -1

    def news(self, run: "ImageRun", step: int, planned: int | None) -> Iterator[Event]:
        """Write the frame that is due at `step`, if one is."""
        folder = run.setup.folder
        if folder is None or not planned:
            return
        if self._ids is None and not self._settle(run, step, planned):
            return
        due = step * (self._frames - 1) // planned if self._frames else -1
        if due <= self._drawn or not self._ids:
            return
        self._drawn, is_last = due, due == self._frames - 1
        if self._left_s < self._frame_s * (1 if is_last else 2):
            return
        if not all(id_ in run.store.rows for id_ in self._ids):
            self._ids = []  # an image that cannot be read any more: frames would not fit
            return
        yield self._draw(run, folder, step)

    def state(self) -> dict[str, Any]:
        """Give what a resumed run needs to go on with the same images."""
        return {
            "ids": self._ids,
            "frames": self._frames,
            "drawn": self._drawn,
            "left_s": self._left_s,
            "frame_s": self._frame_s,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        ids = state["ids"]
        self._ids = None if ids is None else [str(id_) for id_ in ids]
        self._frames, self._drawn = int(state["frames"]), int(state["drawn"])
        self._left_s, self._frame_s = float(state["left_s"]), float(state["frame_s"])

    def _draw(self, run: "ImageRun", folder: Path, step: int) -> Artifact:
        assert self._ids is not None
        began = time.perf_counter()
        stored = np.array([run.store.rows[id_] for id_ in self._ids], np.int64)
        name = _write(folder, self._ids, run.features_of(stored).numpy(), step)
        self._frame_s = self._spent(began)
        return Artifact(name, "embedding")

    def _spent(self, began: float) -> float:
        spent = time.perf_counter() - began
        self.seconds += spent
        self._left_s -= spent
        return spent

    def _settle(self, run: "ImageRun", step: int, planned: int) -> bool:
        """Choose images and number of frames as soon as times are known; tell whether it is so."""
        now = time.perf_counter()
        if self._began is None:
            self._began = (step, now)
            return False
        steps, seconds = step - self._began[0], now - self._began[1]
        if steps < STEPS_TIMED or seconds < SECONDS_TIMED:
            return False
        ids, stored = chosen(run)
        total_s = planned * seconds / steps
        self._left_s = MOST_SHARE * total_s
        began = time.perf_counter()
        run.features_of(stored[:TRIED])
        look_s = self._spent(began) / max(1, len(stored[:TRIED]))
        count, self._frames = affordable(len(ids), SHARE * total_s, look_s)
        self._ids, self._frame_s = ids[:count], count * look_s
        return True


def affordable(images: int, seconds: float, look_s: float) -> tuple[int, int]:
    """Give how many images, and how many frames of them, fit into some seconds.

    Fewer images come first, then fewer frames; (0, 0) where too little would be seen.
    """
    looks = seconds / max(look_s, 1e-9)
    most = min(images, IMAGES)
    count = min(most, int(looks / FRAMES))
    if count and count >= min(ENOUGH_IMAGES, most):
        return count, FRAMES
    count = min(ENOUGH_IMAGES, most)
    frames = int(looks / count) if count else 0
    if frames >= FEWEST_FRAMES:
        return count, frames
    count = min(most, int(looks / FEWEST_FRAMES))
    return (count, FEWEST_FRAMES) if count >= FEWEST_IMAGES else (0, 0)


def chosen(run: "ImageRun") -> tuple[list[str], Rows]:
    """Order the images that a run has answers for, class by turns, an image by its rarest class.

    Returns
    -------
    tuple
        Ids and rows of the store: any first part holds about as many of each class as there are.
    """
    names = {row: id_ for id_, row in run.store.rows.items()}
    stored = np.concatenate([run.image_rows, run.val_rows])
    presence = np.concatenate([run.sampler.presence, run.presence_of(run.val_targets)])
    order = by_turns(presence)
    return [names[row] for row in stored[order].tolist()], stored[order]


def by_turns(presence: np.ndarray[Any, Any]) -> Rows:
    """Order the rows of (image, class) bool so that classes take turns; those without come last."""
    counts = presence.sum(0)
    rarest = np.where(presence, counts, counts.max(initial=0) + 1).argmin(1)
    rarest[~presence.any(1)] = presence.shape[1]
    drawn = np.random.default_rng(CHOICE_STREAM).permutation(len(presence))
    drawn = drawn[np.argsort(rarest[drawn], kind="stable")]
    _, first = np.unique(rarest[drawn], return_index=True)
    starts = np.repeat(first, np.diff([*first, len(drawn)]))
    turn = np.arange(len(drawn)) - starts
    turn[rarest[drawn] == presence.shape[1]] += len(drawn)
    return np.asarray(drawn[np.argsort(turn, kind="stable")], np.int64)


def _write(folder: Path, ids: list[str], features: np.ndarray[Any, Any], step: int) -> str:
    """Write a frame into the folder of the run; gives its path inside."""
    name = f"{FOLDER}/{frame_name(step)}"
    largest = np.finfo(np.float16).max
    narrow = np.clip(features, -largest, largest).astype(np.float16)
    write_about_frames(folder / FOLDER, ids)
    write_arrays(folder / name, {"features": narrow, "step": np.asarray(step, np.int64)}, {})
    return name
