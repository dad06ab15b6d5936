"""More like these: the points of an embedding that lie nearest to some, by exact search."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...core.explain.embedding_file import read_embedding
from ...core.explain.nearest import unit_rows

MOST = 24
AT_ONCE = 16_384

Rows = np.ndarray[Any, np.dtype[np.intp]]


def alike(path: Path, rows: Sequence[int], most: int = MOST) -> Rows:
    """Read an embedding and give the points most like some of its points, the most alike first.

    Reading and searching 100,000 points takes a second, so ask in a thread.

    Raises
    ------
    LongtailError
        The file is gone or damaged.
    """
    return nearest_to(read_embedding(path).features, rows, most)


def nearest_to(features: Any, rows: Sequence[int], most: int = MOST) -> Rows:
    """Give the points whose direction is nearest to the mean direction of some, those left out.

    Parameters
    ----------
    features
        (point, width), of any float type.
    rows
        The points to begin with.
    """
    own = unit_rows(features[list(rows)])
    goal = unit_rows(own.mean(axis=0, keepdims=True))[0]
    parts = [
        unit_rows(features[start : start + AT_ONCE]) @ goal
        for start in range(0, len(features), AT_ONCE)
    ]
    near = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    near[list(rows)] = -np.inf
    count = min(most, len(near) - len(set(rows)))
    if count <= 0:
        return np.zeros(0, np.intp)
    best = np.argpartition(-near, count - 1)[:count]
    return np.asarray(best[np.argsort(-near[best], kind="stable")])
