"""Pictures of an embedding over the steps of a run, laid out so that what moves has learned."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from ..errors import LongtailError
from .nearest import Floats, directions
from .projection import align, principal
from .projection_ways import STEPS, flatten, scaled

Features = np.ndarray[Any, np.dtype[Any]]


def flatten_frames(
    frames: Sequence[Features], way: str, seed: int = 0
) -> Generator[tuple[int, int], None, Floats]:
    """Bring the features of the same cases at several steps into one plane.

    PCA takes the directions in which all frames together spread most. UMAP and t-SNE lay out the
    last frame first and start each earlier one from the one after it. Then each frame is turned,
    mirrored and scaled onto the one after it.

    Parameters
    ----------
    frames
        (case, width) each, in the order of the steps.
    way
        `pca`, `umap` or `tsne`.

    Returns
    -------
    (frame, case, 2)
    """
    if not frames:
        return np.zeros((0, 0, 2), np.float32)
    if len({one.shape for one in frames}) > 1:
        raise LongtailError(
            "The frames of this run do not fit each other.", "Train again to see how it learns."
        )
    flat = yield from (_together(frames) if way == "pca" else _backwards(frames, way, seed))
    for place in range(len(flat) - 2, -1, -1):
        flat[place] = align(flat[place], flat[place + 1])
    return np.stack(flat)


def _together(frames: Sequence[Features]) -> Generator[tuple[int, int], None, list[Floats]]:
    points, _ = principal(np.concatenate([directions(one) for one in frames]), 2)
    yield STEPS, STEPS
    return np.split(points, len(frames))


def _backwards(
    frames: Sequence[Features], way: str, seed: int
) -> Generator[tuple[int, int], None, list[Floats]]:
    flat: list[Floats] = []
    for done, features in enumerate(reversed(frames)):
        steps = flatten(features, way, seed, start=flat[-1] if flat else None)
        found = yield from scaled(steps, done / len(frames), (done + 1) / len(frames))
        flat.append(found.points)
    return flat[::-1]
