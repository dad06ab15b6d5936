"""Images that are the same: byte for byte, or nearly, by perceptual hash and then by embedding."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .doctor_looks import SIDE, Looks, UInt8Array

LOW = 8
"""Frequencies of the cosine transform that the hash keeps along each axis."""

BITS_APART = 10
FARTHEST = 0.02
"""No two pictures farther apart than this, as 1 - correlation of 24 pixels, are nearly the same."""

SHARE_OF_USUAL = 0.12
SHARE_OF_USUAL_EMBEDDED = 0.5
"""How much nearer a copy is than the usual nearest neighbour, which differs from study to study."""

SAMPLED = 400
CHUNK = 1024

Pairs = np.ndarray[Any, np.dtype[np.intp]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


def identical_groups(looks: Looks) -> list[tuple[int, ...]]:
    """Give the rows of files that are the same byte for byte, in groups of two or more."""
    return _grouped(np.unique(looks.digest, return_inverse=True)[1].reshape(-1))


def alike_pairs(looks: Looks, embedded: Floats | None = None) -> Pairs:
    """Find pictures that are nearly the same, (pair, 2) rows, without those the same in every byte.

    A pair must agree in the hash, be far nearer in 24 pixels than pictures of this study usually
    are to their nearest, and be near in the embedding too where there is one.

    Parameters
    ----------
    embedded
        (case, feature) float32; rows without an embedding are NaN.
    """
    if len(looks) < 2:
        return np.zeros((0, 2), np.intp)
    flat = _normalised(looks.small.reshape(len(looks), -1).astype(np.float32))
    same = np.unique(looks.digest, return_inverse=True)[1].reshape(-1)
    limit = min(FARTHEST, SHARE_OF_USUAL * _usual_distance(flat, same))
    found = [_near(pairs, flat, same, limit) for pairs in _hash_pairs(hash_bits(looks.small))]
    pairs = np.concatenate(found) if found else np.zeros((0, 2), np.intp)
    return pairs if embedded is None else _confirmed(pairs, embedded, same)


def hash_bits(small: UInt8Array) -> Floats:
    """Give the perceptual hash of each picture, (case, 63 bits a plane) as -1 and 1.

    The signs of the low frequencies of a cosine transform about their median, without the mean
    (pHash: Zauner 2010).
    """
    grey = bool((small == small[:, :1]).all())
    small = small[:, :1] if grey else small
    at = (np.arange(SIDE) + 0.5) * np.pi / SIDE
    basis = np.cos(np.arange(LOW)[:, None] * at).astype(np.float32)
    low = np.einsum("uy,npyx,vx->npuv", basis, small.astype(np.float32), basis, optimize=True)
    kept = low.reshape(*low.shape[:2], LOW * LOW)[:, :, 1:]
    bits = np.where(kept > np.median(kept, axis=2, keepdims=True), 1.0, -1.0)
    return bits.reshape(len(small), -1).astype(np.float32)


def joined(groups: list[tuple[int, ...]], pairs: Pairs, count: int) -> list[tuple[int, ...]]:
    """Join groups and pairs that share a row; give the groups in the order of their first row."""
    parent = np.arange(count)

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    links = [(group[0], other) for group in groups for other in group[1:]]
    for first, second in [*links, *pairs.tolist()]:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    return _grouped(np.array([root(row) for row in range(count)], np.intp))


def _grouped(keys: np.ndarray[Any, Any]) -> list[tuple[int, ...]]:
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    groups = [tuple(part.tolist()) for part in np.split(order, starts[1:]) if len(part) > 1]
    return sorted(groups)


def _normalised(flat: Floats) -> Floats:
    centred = flat - flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    # A picture of one grey value is like no other.
    return np.asarray(centred / np.maximum(lengths, 1e-6) * (lengths > 1e-3), np.float32)


def _usual_distance(unit: Floats, same: np.ndarray[Any, Any]) -> float:
    """Give the median distance of a picture to its nearest that is not the same file."""
    rows = np.linspace(0, len(unit) - 1, min(len(unit), SAMPLED)).astype(np.intp)
    likeness = unit[rows] @ unit.T
    likeness[same[rows][:, None] == same[None, :]] = -1.0
    return float(np.median(1.0 - likeness.max(axis=1)))


def _hash_pairs(bits: Floats) -> Iterator[Pairs]:
    """Give pairs of rows whose hashes differ in few bits a plane."""
    least = bits.shape[1] - 2 * BITS_APART * bits.shape[1] / (LOW * LOW - 1)
    for start in range(0, len(bits), CHUNK):
        agree = bits[start : start + CHUNK] @ bits[start:].T
        first, second = np.nonzero(agree >= least)
        keep = second > first
        yield np.column_stack([first[keep] + start, second[keep] + start])


def _near(pairs: Pairs, unit: Floats, same: np.ndarray[Any, Any], limit: float) -> Pairs:
    pairs = pairs[same[pairs[:, 0]] != same[pairs[:, 1]]]
    kept = []
    for start in range(0, len(pairs), CHUNK):
        part = pairs[start : start + CHUNK]
        apart = 1.0 - np.einsum("nd,nd->n", unit[part[:, 0]], unit[part[:, 1]])
        kept.append(part[apart <= limit])
    return np.concatenate(kept) if kept else pairs


def _confirmed(pairs: Pairs, embedded: Floats, same: np.ndarray[Any, Any]) -> Pairs:
    known = np.asarray(np.isfinite(embedded).all(axis=1))
    if not len(pairs) or not known.any():
        return pairs
    unit = np.zeros_like(embedded)
    lengths = np.linalg.norm(embedded[known], axis=1, keepdims=True)
    unit[known] = embedded[known] / np.maximum(lengths, 1e-12)
    limit = SHARE_OF_USUAL_EMBEDDED * _usual_distance(unit[known], same[known])
    apart = 1.0 - np.einsum("nd,nd->n", unit[pairs[:, 0]], unit[pairs[:, 1]])
    unknown = ~(known[pairs[:, 0]] & known[pairs[:, 1]])
    return np.asarray(pairs[(apart <= limit) | unknown])
