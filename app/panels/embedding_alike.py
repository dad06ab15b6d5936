"""More like these: the points of an embedding that a network finds most like some."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...core.explain.embedding_file import read_embedding
from ...core.review.neighbours import Neighbours

MOST = 24

Rows = np.ndarray[Any, np.dtype[np.intp]]


def alike(path: Path, rows: Sequence[int], most: int = MOST) -> Rows:
    """Read an embedding and give the points most like some of its points, the most alike first.

    Reading and searching 100,000 points takes a second, so ask in a thread.

    Raises
    ------
    LongtailError
        The file is gone or damaged.
    """
    features = read_embedding(path).features
    there = [row for row in rows if 0 <= row < len(features)]
    if len(there) >= len(features):
        return np.zeros(0, np.intp)
    return Neighbours(features).more_like(there, most).rows.astype(np.intp)
