"""The nearest neighbours of every point, exactly; with scikit-learn, or with faiss where it is."""

from collections.abc import Callable, Generator
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Search: TypeAlias = Callable[[Floats], tuple[Places, Floats]]

AT_ONCE = 2048


def directions(features: np.ndarray[Any, Any]) -> Floats:
    """Give in which direction each row lies from the mean of all, (row, width) of length 1.

    Distances between directions order rows as cosines do. Without the mean, which pooled features
    have in common, they tell classes apart better: of 640 blood cells before any training 5
    neighbours named 69 % right, and 65 % with it. A row at the mean stays zero.
    """
    rows: Floats = np.array(features, np.float32)
    if len(rows):
        rows -= rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(lengths > 0, lengths, 1.0)[:, None]
    return rows


def nearest(points: Floats, count: int) -> Generator[tuple[int, int], None, tuple[Places, Floats]]:
    """Find for each point those nearest to it, giving (done, total) points on the way.

    Parameters
    ----------
    points
        (point, width).
    count
        How many neighbours, at most one fewer than there are points.

    Returns
    -------
    tuple
        (point, count) int64 the neighbours, the nearest first, never the point itself; and their
        Euclidean distances.
    """
    total = len(points)
    count = max(0, min(count, total - 1))
    search = _search(points, min(count + 1, total)) if total else None
    found = [(np.empty((0, count), np.int64), np.empty((0, count), np.float32))]
    for start in range(0, total, AT_ONCE):
        assert search is not None
        own = np.arange(start, min(start + AT_ONCE, total))
        found.append(_without(own, *search(points[own])))
        yield int(own[-1]) + 1, total
    places, distances = zip(*found, strict=True)
    return np.concatenate(places), np.concatenate(distances)


def _without(own: Places, places: Places, distances: Floats) -> tuple[Places, Floats]:
    """Take each point out of its own neighbours; among equal points it need not be the first."""
    mine = places == own[:, None]
    # Where more equal points than places crowd it out, the last one goes.
    mine[~mine.any(1), -1] = True
    shape = (len(own), places.shape[1] - 1)
    return places[~mine].reshape(shape), distances[~mine].reshape(shape)


def _search(points: Floats, count: int) -> Search:
    return (_with_faiss if find_spec("faiss") else _with_sklearn)(points, count)


def _with_sklearn(points: Floats, count: int) -> Search:
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(points)

    def search(asked: Floats) -> tuple[Places, Floats]:
        distances, places = index.kneighbors(asked)
        return np.asarray(places, np.int64), np.asarray(distances, np.float32)

    return search


def _with_faiss(points: Floats, count: int) -> Search:
    import faiss

    index: Any = faiss.IndexFlatL2(points.shape[1])
    index.add(np.ascontiguousarray(points))

    def search(asked: Floats) -> tuple[Places, Floats]:
        squares, places = index.search(np.ascontiguousarray(asked), count)
        return np.asarray(places, np.int64), np.sqrt(np.maximum(squares, 0), dtype=np.float32)

    return search
