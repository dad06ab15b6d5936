"""The surface of a region of voxels: marching cubes and squares, counted by kind of corner.

What a cube adds depends only on which of its eight corners lie inside, so the cubes are counted by
kind and the 128 kinds are measured once a spacing.
"""

from functools import lru_cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CORNERS = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0))
EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)
)  # fmt: skip
KINDS = 16
"""Of squares of pixels: which of the four lie inside."""

TRIANGLES = (
    "- 083 019 183981 12a 08312a 92a029 2832a8a98 3b2 0b28b0 19023b 1b219b98b 3a1ba3 "
    "0a108a8ba 3903b9ba9 98aa8b 478 430734 019847 419471731 12a847 34730412a 92a902847 "
    "2a9297273794 8473b2 b47b24204 90184723b 47b94b9b2921 3a13ba784 1ba14b1047b4 "
    "47890b9bab03 47b4b99ba 954 954083 054150 854835315 12a954 30812a495 52a542402 "
    "2a5325354348 95423b 0b208b495 05401523b 21525828b485 a3ba13954 4950818a18ba "
    "54050b5bab03 54858aa8b 978579 930953573 078017157 153357 978957a12 a12950530573 "
    "802825857a52 2a5253357 7957893b2 95797292027b 23b018178157 b21b17715 958857a13a3b "
    "5705097b010aba0 ba0b03a50807570 ba57b5 a65 0835a6 9015a6 1831985a6 165261 165126308 "
    "965906026 598582526328 23ba65 b08b20a65 01923b5a6 5a61929b298b 63b653513 08b0b50515b6 "
    "3b6036065059 65969bb98 5a6478 43047365a 1905a6847 a65197173794 612651478 125526304347 "
    "847905065026 739794329596269 3b2784a65 5a647242027b 01947823b5a6 9219b294b7b45a6 "
    "8473b53515b6 51b5b610b7b404b 059065036b63847 65969b4797b9 a4964a 4a649a083 a01a60640 "
    "83181686461a 149124264 308129249264 024426 832824426 a49a64b23 08228b49a4a6 "
    "3b201606461a 64161a48121b8b1 964936913b63 8b1810b61914641 3b6360064 648b68 7a678a89a "
    "0730a709a67a a671a7178180 a67a71173 126168189867 269291679093739 780706602 732672 "
    "23ba68a89867 20727b09767a9a7 1801781a767a23b b21b17a61671 896867916b63136 091b67 "
    "7807063b0b60 7b6 "
).split()
"""For each kind of cube the edges on which its triangles end, a hexadecimal digit each.

The table of Lorensen and Cline (1987) as P. Bourke published it, taken from scikit-image's
`CASESCLASSIC` (BSD-3-Clause); the other 128 kinds are these with inside and outside exchanged.
"""


def volume_and_area(mask: Array, spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
    """Volume (mm3) and area (mm2) of the mesh around a region.

    Parameters
    ----------
    mask
        (z, y, x) bool with a rim of nothing. The volume is the sum of the tetrahedra between the
        triangles and the first voxel of the rim, as PyRadiomics counts it.
    """
    kinds = _kinds(mask)
    place = np.nonzero((kinds > 0) & (kinds < 255))
    kind = kinds[place]
    turned = np.where(kind > 127, 255 - kind, kind)
    sign = np.where(kind > 127, -1.0, 1.0)
    area, own, outward = _measured(spacing_mm)
    corner = np.stack(place, axis=1) * np.asarray(spacing_mm)
    volume = sign * (own[turned] + (corner * outward[turned]).sum(axis=1))
    return float(volume.sum()) / 6, float(area[turned].sum())


def area_and_perimeter(number: Array, spacing_mm: Array) -> tuple[Array, Array]:
    """Areas (mm2) and lengths (mm) of the outlines around flat regions, (region,) each.

    Pixels that touch at a corner alone stay apart.

    Parameters
    ----------
    number
        (region, KINDS) squares of each kind: 1 if the pixel above left is inside, and 2 above
        right, and 4 below right, and 8 below left.
    spacing_mm
        (region, 2) height and width of a pixel.
    """
    high, wide = spacing_mm.T
    slant = np.hypot(high, wide) / 2
    one, three = number[:, [1, 2, 4, 8]].sum(axis=1), number[:, [7, 11, 13, 14]].sum(axis=1)
    diagonal = number[:, [5, 10]].sum(axis=1)
    along_x, along_y = number[:, [3, 12]].sum(axis=1), number[:, [6, 9]].sum(axis=1)
    squares = (one + 2 * diagonal + 7 * three) / 8 + (along_x + along_y) / 2 + number[:, 15]
    length = slant * (one + 2 * diagonal + three) + wide * along_x + high * along_y
    return squares * high * wide, length


def _kinds(mask: Array) -> Array:
    bits = mask.astype(np.uint8)
    kinds = np.zeros([size - 1 for size in mask.shape], dtype=np.uint8)
    for number, (z, y, x) in enumerate(CORNERS):
        ends = [None if part else -1 for part in (z, y, x)]
        kinds |= bits[z : ends[0], y : ends[1], x : ends[2]] << np.uint8(number)
    return kinds


@lru_cache(maxsize=64)
def _measured(spacing_mm: tuple[float, float, float]) -> tuple[Array, Array, Array]:
    """For each kind its area, its volume seen from its first corner and the normal it adds."""
    middle = [np.mean([CORNERS[a], CORNERS[b]], axis=0) * spacing_mm for a, b in EDGES]
    area, own, outward = np.zeros(128), np.zeros(128), np.zeros((128, 3))
    for kind, ends in enumerate(TRIANGLES):
        points = [middle[int(digit, 16)] for digit in ends if digit != "-"]
        for a, b, c in zip(points[::3], points[1::3], points[2::3], strict=True):
            area[kind] += np.linalg.norm(np.cross(a - c, b - c)) / 2
            own[kind] += np.dot(np.cross(a, b), c)
            outward[kind] += np.cross(a, b) + np.cross(b, c) + np.cross(c, a)
    return area, own, outward
