"""Write label maps as NIfTI-1; ITK's writer cannot say that the disk is full."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

from .geometry import Geometry, plain_geometry

HEADER_BYTES = 352
PACKING = 1
"""Label maps pack well at the fastest level; level 9 takes ten times as long for a tenth less."""

MM = 2
ALIGNED = 1
DATATYPES = {"uint8": 2, "int16": 4, "int32": 8, "float32": 16, "uint16": 512}

Array = np.ndarray[Any, np.dtype[Any]]


def write_nifti(path: Path, array: Array, geometry: Geometry | None) -> None:
    """Write (z, y, x) or (y, x) to a `.nii.gz` or `.nii`; OSError where the disk refuses.

    The same array gives the same bytes, whenever it is written.
    """
    header = _header(array, geometry or plain_geometry((1.0,) * array.ndim))
    stored = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    with path.open("wb") as file:
        if path.name.endswith(".gz"):
            with gzip.GzipFile("", "wb", PACKING, file, mtime=0) as packed:
                packed.write(header)
                packed.write(stored.data)
        else:
            file.write(header)
            file.write(stored.data)


def _header(array: Array, geometry: Geometry) -> bytes:
    sizes = array.shape[::-1]
    spacing = geometry.spacing_mm[::-1]
    affine = _ras_affine(geometry)
    quaternion, flip = _quaternion(affine[:, :3] / np.linalg.norm(affine[:, :3], axis=0))
    raw = bytearray(HEADER_BYTES)
    _put(raw, 0, "i", 348)
    _put(raw, 40, "8h", len(sizes), *sizes, *[1] * (7 - len(sizes)))
    _put(raw, 70, "2h", DATATYPES[array.dtype.name], array.dtype.itemsize * 8)
    _put(raw, 76, "8f", flip, *spacing, *[1.0] * (7 - len(spacing)))
    _put(raw, 108, "3f", float(HEADER_BYTES), 1.0, 0.0)
    _put(raw, 123, "B", MM)
    _put(raw, 252, "2h", ALIGNED, ALIGNED)
    _put(raw, 256, "6f", *quaternion, *affine[:, 3])
    _put(raw, 280, "12f", *affine.ravel())
    raw[344:348] = b"n+1\0"
    return bytes(raw)


def _put(raw: bytearray, offset: int, form: str, *values: float) -> None:
    struct.pack_into("<" + form, raw, offset, *values)


def _ras_affine(geometry: Geometry) -> Array:
    """Give voxel (x, y, z) to RAS mm, (3, 4)."""
    count = geometry.dimension
    matrix, place = np.eye(3), np.zeros(3)
    direction = np.reshape(geometry.direction, (count, count))
    matrix[:count, :count] = direction * np.array(geometry.spacing_mm[::-1])
    place[:count] = geometry.origin
    turned: Array = np.diag([-1.0, -1.0, 1.0]) @ np.column_stack([matrix, place])
    return turned


def _quaternion(rotation: Array) -> tuple[tuple[float, float, float], float]:
    """Give NIfTI's b, c, d and the sign of the third axis."""
    flip = -1.0 if np.linalg.det(rotation) < 0 else 1.0
    r = rotation * [1.0, 1.0, flip]
    # The eigenvector of Bar-Itzhack's matrix is the quaternion, also where the rotation is rounded.
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
            [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
            [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], 0],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
        ]
    )
    _, vectors = np.linalg.eigh(k)
    vector = vectors[:, -1] * (1.0 if vectors[3, -1] >= 0 else -1.0)
    return (float(vector[0]), float(vector[1]), float(vector[2])), flip
