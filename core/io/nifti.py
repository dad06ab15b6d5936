"""NIfTI-1 and NIfTI-2 headers: for lazy reading, and for the files that ITK refuses."""

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from isal import igzip, isal_zlib  # twice as fast as zlib, and faster than ITK

from ..errors import LongtailError
from .fourth_axis import channels_in
from .geometry import Geometry
from .image_paths import Source
from .image_types import AnyArray, Header

BROKEN = (EOFError, OSError, cast("type[Exception]", isal_zlib.IsalError))
"""What reading a packed file raises when it is damaged."""

SHEAR_LIMIT = 0.02
"""Cosine between two axes above which a grid counts as sheared (89 degrees)."""

READ_AHEAD = 1 << 20
GZIP_RATIO_AT_MOST = 1100
"""Deflate cannot pack tighter than about 1032 to 1."""

TIME_BITS = 0x38
TIME_UNITS = (8, 16, 24)  # seconds, milliseconds, microseconds

DTYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """What a NIfTI header says of its pixels and their place.

    `sizes` are in the order of the file (x, y, z, ...); `affine` maps voxel indices to RAS mm.
    `dtype` is None for pixel types other than real numbers (colour, complex).
    """

    sizes: tuple[int, ...]
    dtype: np.dtype[np.generic] | None
    offset: int
    slope: float
    intercept: float
    units: int
    affine: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    version: int

    @property
    def scaled(self) -> bool:
        """Whether stored values differ from true ones."""
        return (self.slope, self.intercept) != (1.0, 0.0)

    @property
    def itemsize(self) -> int:
        """Bytes of a stored pixel."""
        return np.dtype(self.dtype).itemsize

    @property
    def dtype_name(self) -> str:
        """NumPy's name of the type of true values."""
        if self.scaled and self.dtype != np.float64:
            return "float32"
        return np.dtype(self.dtype).name

    @property
    def shear(self) -> float:
        """Largest cosine between two axes; 0 for an upright grid."""
        axes = self.affine[:3, :3] / np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(np.abs(axes.T @ axes - np.eye(3)).max())

    @property
    def needs_own_reader(self) -> bool:
        """Whether ITK refuses the file and we can read it."""
        return self.dtype is not None and (self.version == 2 or self.shear > 1e-4)


def is_time(units: int) -> bool:
    """Tell whether the header's `xyzt_units` give the fourth axis a unit of time."""
    return units & TIME_BITS in TIME_UNITS


def parse_header(path: Path) -> NiftiHeader | None:
    """Read the header of a `.nii` or `.nii.gz`; None when it is not NIfTI.

    Raises
    ------
    LongtailError
        The file cannot be read, or its compressed data are broken.
    """
    raw = _first_bytes(path, 540)
    for order in "<>":
        if len(raw) >= 348 and struct.unpack(order + "i", raw[:4])[0] == 348:
            return _parse(_Fields(raw, order, _NIFTI1), 1)
        if len(raw) >= 540 and struct.unpack(order + "i", raw[:4])[0] == 540:
            return _parse(_Fields(raw, order, _NIFTI2), 2)
    return None


def header_of(header: NiftiHeader, source: Source) -> Header:
    """Turn the file's own header into ours; refuses a time series and a sheared grid."""
    count = channels_in(header.sizes[3:], source, timed=is_time(header.units))
    shape = header.sizes[:3][::-1]
    return Header(shape, count, header.dtype_name, _geometry(header, source.path, len(shape)))


def read_pixels(header: NiftiHeader, path: Path) -> AnyArray:
    """Read all pixels, rescaled, in one axis and this machine's byte order.

    ITK fills the rest of a file that was cut off with whatever lies in memory; this does not.

    Raises
    ------
    LongtailError
        The file ends too early, or its compressed data are broken.
    """
    count = int(np.prod(header.sizes, dtype=np.int64))
    if count * header.itemsize > path.stat().st_size * GZIP_RATIO_AT_MOST:
        raise cut_off(path)  # before a hostile header asks for all the memory
    stored: AnyArray = np.empty(count, dtype=header.dtype)
    with _open(path) as file:
        try:
            file.seek(header.offset)
            read = file.readinto(stored.data.cast("B"))
            file.read(1)  # reads on to the checksum at the end
        except BROKEN as error:
            raise cut_off(path) from error
    if read < stored.nbytes:
        raise cut_off(path)
    return _true_values(header, stored)


def _true_values(header: NiftiHeader, stored: AnyArray) -> AnyArray:
    if not header.scaled:
        native: AnyArray = stored.astype(stored.dtype.newbyteorder("="), copy=False)
        return native
    kind = np.dtype(header.dtype_name)
    true: AnyArray = np.multiply(stored, kind.type(header.slope), dtype=kind)
    true += kind.type(header.intercept)
    return true


def cut_off(path: Path) -> LongtailError:
    """Say that the file ends too early."""
    return LongtailError(
        f"{path.name} is cut off: it ends before its last pixel.",
        "Copy or download it again.",
    )


def _open(path: Path, ahead: int = READ_AHEAD) -> io.BufferedReader:
    if not _is_gzip(path):
        return path.open("rb")
    packed = igzip.open(path, "rb")  # type: ignore[no-untyped-call]
    return io.BufferedReader(packed, ahead)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _first_bytes(path: Path, count: int) -> bytes:
    try:
        with _open(path, ahead=count) as file:
            return file.read(count)
    except BROKEN as error:
        raise LongtailError(
            f"{path.name} cannot be read: {_why(error)}.", "Copy or download it again."
        ) from error


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "its compressed data are broken"


_Layout = dict[str, tuple[int, str]]
_NIFTI1: _Layout = {
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "slope": (112, "f"),
    "inter": (116, "f"),
    "units": (123, "B"),
    "qform": (252, "h"),
    "sform": (254, "h"),
    "quatern": (256, "6f"),
    "srow": (280, "12f"),
}
_NIFTI2: _Layout = {
    "dim": (16, "8q"),
    "datatype": (12, "h"),
    "pixdim": (104, "8d"),
    "vox_offset": (168, "q"),
    "slope": (176, "d"),
    "inter": (184, "d"),
    "units": (500, "i"),
    "qform": (344, "i"),
    "sform": (348, "i"),
    "quatern": (352, "6d"),
    "srow": (400, "12d"),
}


class _Fields:
    """Named fields of a raw header."""

    def __init__(self, raw: bytes, order: str, layout: _Layout) -> None:
        self._raw, self.order, self._layout = raw, order, layout

    def many(self, name: str) -> tuple[float, ...]:
        offset, form = self._layout[name]
        return struct.unpack_from(self.order + form, self._raw, offset)

    def one(self, name: str) -> float:
        return self.many(name)[0]


def _parse(fields: _Fields, version: int) -> NiftiHeader:
    dim = [int(v) for v in fields.many("dim")]
    code = DTYPES.get(int(fields.one("datatype")))
    slope, intercept = fields.one("slope"), fields.one("inter")
    if not np.isfinite(slope) or not np.isfinite(intercept) or slope == 0:
        slope, intercept = 1.0, 0.0
    return NiftiHeader(
        sizes=tuple(max(length, 1) for length in dim[1 : 1 + min(max(dim[0], 1), 7)]),
        dtype=None if code is None else np.dtype(fields.order + code),
        offset=int(fields.one("vox_offset")),
        slope=slope,
        intercept=intercept,
        units=int(fields.one("units")),
        affine=_affine(fields),
        version=version,
    )


def _affine(fields: _Fields) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    affine = np.eye(4)
    if fields.one("sform") > 0:
        affine[:3] = np.reshape(fields.many("srow"), (3, 4))
    elif fields.one("qform") > 0:
        affine[:3] = _from_quaternion(fields)
    if not np.all(np.linalg.norm(affine[:3, :3], axis=0)) or not np.isfinite(affine).all():
        affine = np.eye(4)
    if not fields.one("sform") > 0 and not fields.one("qform") > 0:
        affine[:3, :3] = np.diag([abs(v) or 1.0 for v in fields.many("pixdim")[1:4]])
    return affine


def _from_quaternion(fields: _Fields) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    b, c, d, *place = fields.many("quatern")
    a = np.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    flip, *spacing = fields.many("pixdim")[:4]
    scale = np.array(spacing) * [1, 1, -1 if flip < 0 else 1]
    return np.column_stack([rotation * scale, place])


def _geometry(header: NiftiHeader, path: Path, dimension: int) -> Geometry:
    if header.shear > SHEAR_LIMIT:
        raise LongtailError(
            f"{path.name} has a sheared grid: its axes are not at right angles, so that distances "
            "and volumes measured on it would be wrong.",
            "Resample it to an upright grid, for example with 3D Slicer, and import that file.",
        )
    matrix = np.diag([-1.0, -1.0, 1.0]) @ header.affine[:3, :3]  # RAS to LPS
    spacing = np.linalg.norm(matrix, axis=0)
    left, _, right = np.linalg.svd(matrix / spacing)
    direction = (left @ right)[:dimension, :dimension]  # the nearest upright grid
    origin = header.affine[:3, 3] * [-1.0, -1.0, 1.0]
    return Geometry(
        spacing_mm=tuple(float(v) for v in spacing[:dimension][::-1]),
        origin=tuple(float(v) for v in origin[:dimension]),
        direction=tuple(float(v) for v in direction.ravel()),
    )
