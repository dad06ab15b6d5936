"""Where the body is in a picture: what stands out from the ground around it. numpy and scipy."""

from typing import Any, TypeAlias

import numpy as np
from scipy import ndimage

Grey: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

WORK_PX = 128
"""Longest side that the body is looked for on."""

SMALLEST, LARGEST = 0.02, 0.98
"""A body that fills less or more of the picture than this was not found."""

PIECE = 0.1
"""A piece with this share of the largest one belongs to the body; a tag in a corner has less."""

AIR = 0.35
"""How far from the darkest towards the middle threshold a grey picture counts as air."""

BINS = 128
GREY_ALIKE = 0.02
"""Channels that differ by less than this share of the range make a grey picture."""


def body_of(pixels: np.ndarray[Any, Any]) -> Mask | None:
    """Find the body in a picture or volume; None where nothing stands out.

    A grey picture is an X-ray or a scan: the body is brighter than the air around it, and what it
    encloses, such as lungs, belongs to it. In a colour picture the ground is the commonest colour.

    Parameters
    ----------
    pixels
        (channel, *space), any numbers.

    Returns
    -------
    (*space) bool
    """
    values = np.nan_to_num(np.asarray(pixels, dtype=np.float32))
    small = _reduced(values)
    grey = _is_grey(small)
    contrast = _brightness(small) if grey else _difference(small)
    cut = otsu(contrast)
    if cut is None:
        return None
    if grey:
        # Dark lungs are part of the body: only what is nearly as dark as air is not.
        darkest = float(contrast.min())
        cut = darkest + AIR * (cut - darkest)
    mask = _whole(contrast > cut)
    return _enlarged(mask, values.shape[1:]) if SMALLEST < mask.mean() < LARGEST else None


def otsu(values: Grey) -> float | None:
    """Give the threshold that parts values best in two (Otsu, 1979); None of a single value."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-6 * max(abs(high), abs(low), 1e-12):
        return None
    counts, edges = np.histogram(values, BINS, (low, high))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    means = np.divide(sums, below, out=np.zeros(BINS), where=below > 0)
    others = np.divide(sums[-1] - sums, above, out=np.zeros(BINS), where=above > 0)
    between = below.astype(float) * above * (means - others) ** 2
    # All cuts through a gap are alike: the middle one stays off both sides.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(edges[best[len(best) // 2] + 1])


def _is_grey(pixels: Grey) -> bool:
    span = float(pixels.max() - pixels.min()) or 1.0
    return len(pixels) != 3 or float(np.ptp(pixels, axis=0).mean()) < GREY_ALIKE * span


def _brightness(pixels: Grey) -> Grey:
    """Give the mean of the channels without the few brightest, which would move the threshold."""
    mean: Grey = pixels.mean(axis=0)
    clipped: Grey = np.minimum(mean, np.quantile(mean, 0.99)).astype(np.float32)
    return clipped


def _difference(pixels: Grey) -> Grey:
    """Give how far each pixel is from the ground, the brightest of the common colours."""
    light = pixels.mean(axis=0)
    bright = light >= np.quantile(light, 0.6)
    ground = np.median(pixels[:, bright], axis=1).reshape(-1, *[1] * light.ndim)
    found: Grey = np.sqrt(((pixels - ground) ** 2).sum(axis=0)).astype(np.float32)
    return found


def _whole(mask: Mask) -> Mask:
    """Close gaps, fill what is enclosed, and leave small pieces out."""
    closed = ndimage.binary_closing(np.pad(mask, 2, mode="edge"), iterations=2)
    inner = tuple(slice(2, -2) for _ in mask.shape)
    filled: Mask = ndimage.binary_fill_holes(closed)[inner]
    labels, count = ndimage.label(filled)
    if not count:
        return filled
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept: Mask = np.isin(labels, np.flatnonzero(sizes >= PIECE * sizes.max())) & filled
    return kept


def _reduced(values: Grey) -> Grey:
    space = values.shape[1:]
    picks = [np.linspace(0, n - 1, min(n, WORK_PX)).round().astype(int) for n in space]
    small: Grey = values[np.ix_(np.arange(len(values)), *picks)]
    return small


def _enlarged(mask: Mask, space: tuple[int, ...]) -> Mask:
    picks = [
        np.minimum(np.arange(full) * small // full, small - 1)
        for full, small in zip(space, mask.shape, strict=True)
    ]
    return mask[np.ix_(*picks)]
