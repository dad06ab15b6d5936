"""From points in many dimensions to the plane: PCA at once, UMAP and t-SNE with progress.

All look at the directions of features from their mean, so that they order points as cosines do,
and give the same for the same seed. Nothing here needs torch.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from .nearest import Floats, directions

if TYPE_CHECKING:
    from collections.abc import Generator

Doubles: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Flattening: TypeAlias = "Generator[tuple[int, int], None, Flat]"
"""Gives (done, total) on the way."""

ROWS_AT_ONCE = 8192


class Flat(NamedTuple):
    """Points in the plane, (point, 2); `explained` is PCA's share of the spread of each axis."""

    points: Floats
    explained: tuple[float, ...] = ()


def flatten_by_pca(features: np.ndarray[Any, Any]) -> Flattening:
    """Show points in the two directions in which they spread most."""
    points, explained = principal(directions(features), 2)
    yield 1, 1
    return Flat(points, tuple(float(share) for share in explained))


def principal(rows: Floats, dims: int) -> tuple[Floats, Doubles]:
    """Give the first principal components.

    Parameters
    ----------
    rows
        (point, width).
    dims
        How many; zeros where there are fewer points or directions.

    Returns
    -------
    tuple
        (point, dims) float32 and (dims,) the share of the variance that each explains. The sign of
        a component is chosen so that its largest loading is positive.
    """
    kept: Floats = np.zeros((len(rows), dims), np.float32)
    shares = np.zeros(dims)
    if len(rows) < 2 or not rows.shape[1]:
        return kept, shares
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    kept_dims = min(dims, *rows.shape)
    axes, variances, total = _axes(rows, mean, kept_dims)
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(kept_dims)] < 0, -1.0, 1.0)
    for part, centred in _parts(rows, mean):
        kept[part, :kept_dims] = centred @ axes.astype(np.float32)
    shares[:kept_dims] = variances / max(total, np.finfo(np.float64).tiny)
    return kept, shares


def _axes(rows: Floats, mean: Floats, dims: int) -> tuple[Doubles, Doubles, float]:
    """Give the directions of largest variance (width, dims), the variances, and their sum."""
    from scipy.linalg import eigh

    count, width = rows.shape
    if count >= width:
        products = sum((part.T @ part for _, part in _parts(rows, mean)), np.zeros((width, width)))
    else:
        products = (rows - mean) @ (rows - mean).T
    variances, vectors = eigh(products, subset_by_index=(len(products) - dims, len(products) - 1))
    variances, vectors = np.clip(variances[::-1], 0, None), vectors[:, ::-1]
    if count < width:
        # The products of points have the same variances; their vectors lead to the directions.
        vectors = (rows - mean).T @ vectors
        lengths = np.linalg.norm(vectors, axis=0)
        vectors = vectors / np.where(lengths > 0, lengths, 1.0)
    return vectors.astype(np.float64), variances, float(np.trace(products))


def _parts(rows: Floats, mean: Floats) -> Iterator[tuple[slice, Floats]]:
    """Give centred rows by portions: a centred copy of very many would not fit into memory."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        yield part, rows[part] - mean


def align(points: Floats, onto: Floats) -> Floats:
    """Turn, mirror, scale and move points so that they lie best on others (Procrustes).

    Gower, Generalized Procrustes analysis, Psychometrika 40 (1975): with both sets around their
    means, the rotation is U V' of the singular value decomposition of points' onto, and the scale
    the sum of the singular values over the sum of squares of the points.

    Parameters
    ----------
    points, onto
        (point, dims), of the same points.
    """
    mean, target = points.mean(axis=0, dtype=np.float64), onto.mean(axis=0, dtype=np.float64)
    own, other = points - mean, onto - target
    left, values, right = np.linalg.svd(own.T @ other)
    size = float((own**2).sum())
    scale = float(values.sum()) / size if size > 0 else 1.0
    return np.asarray(own @ (left @ right) * scale + target, np.float32)
