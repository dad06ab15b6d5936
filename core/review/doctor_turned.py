"""Pictures that are mirrored or turned against the others, told from the pixels themselves."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .doctor_looks import Looks
from .doctor_robust import TO_DEVIATION

LEAST_CASES = 12
SURE = 4.5
"""Deviations between how pictures as they are and turned ones score; less tells nothing."""

LEAST_GAIN = 0.08
HALF_WAY = 0.5

Planes = np.ndarray[Any, np.dtype[np.float32]]
Rows = np.ndarray[Any, np.dtype[np.intp]]
Turn = Callable[[Planes], Planes]


def turned(looks: Looks) -> dict[str, Rows]:
    """Give the rows of pictures that look like the rest only when they are turned, by the way.

    The mean of all pictures is compared with itself turned: what differs between the two tells
    which way a picture lies. Where pictures have no up and down, such as cells, nothing differs
    and nothing is said.
    """
    found: dict[str, Rows] = {}
    for volumes in (False, True):
        rows = np.flatnonzero(looks.is_volume == volumes)
        if len(rows) >= LEAST_CASES:
            unit = _normalised(looks.small[rows].astype(np.float32))
            ways = VOLUME_WAYS if volumes else PICTURE_WAYS
            for way, chosen in _by_way(unit, ways).items():
                found[way] = rows[chosen]
    return found


def _by_way(unit: Planes, ways: dict[str, Turn]) -> dict[str, Rows]:
    mean = unit.mean(axis=0, keepdims=True)
    gains = np.stack([_gain(unit, mean - turn(mean)) for turn in ways.values()])
    best = np.argmax(np.where(_convincing(gains), gains, -np.inf), axis=0)
    hit = _convincing(gains).any(axis=0)
    chosen = {name: np.flatnonzero(hit & (best == place)) for place, name in enumerate(ways)}
    return {name: rows for name, rows in chosen.items() if len(rows)}


def _gain(unit: Planes, differing: Planes) -> Any:
    """Give by how much each picture resembles the mean more when it is turned."""
    return -np.einsum("npyx,npyx->n", unit, np.broadcast_to(differing, unit.shape))


def _convincing(gains: Any) -> Any:
    usual = np.median(gains, axis=1, keepdims=True)
    spread = TO_DEVIATION * np.median(np.abs(gains - usual), axis=1, keepdims=True)
    sure = (usual < -LEAST_GAIN) & (-usual * (1 + HALF_WAY) > SURE * spread)
    return sure & (gains > -HALF_WAY * usual)


def _normalised(planes: Planes) -> Planes:
    flat = planes.reshape(len(planes), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(lengths, 1e-6), np.float32).reshape(planes.shape)


def _mirrored(*flips: tuple[int, ...]) -> Turn:
    """Flip each plane along its own axes: 0 is its rows, 1 its columns."""

    def turn(planes: Planes) -> Planes:
        parts = [
            np.flip(planes[:, place], axis=tuple(axis + 1 for axis in axes))
            for place, axes in enumerate(flips)
        ]
        return np.stack(parts, axis=1)

    return turn


def _quarter(times: int) -> Turn:
    return lambda planes: np.rot90(planes, times, axes=(2, 3))


PICTURE_WAYS: dict[str, Turn] = {
    "upside down": _mirrored((0,), (0,), (0,)),
    "mirrored left to right": _mirrored((1,), (1,), (1,)),
    "turned by 180 degrees": _quarter(2),
    "turned by 90 degrees": _quarter(1),
    "turned by 270 degrees": _quarter(3),
}

# The planes of a volume are (y, x), (z, x) and (z, y).
VOLUME_WAYS: dict[str, Turn] = {
    "mirrored along z": _mirrored((), (0,), (0,)),
    "mirrored along y": _mirrored((0,), (), (1,)),
    "mirrored along x": _mirrored((1,), (1,), ()),
    "mirrored along y and x": _mirrored((0, 1), (1,), (1,)),
    "mirrored along z and x": _mirrored((1,), (0, 1), (0,)),
    "mirrored along z and y": _mirrored((0,), (0,), (0, 1)),
    "mirrored along z, y and x": _mirrored((0, 1), (0, 1), (0, 1)),
}
