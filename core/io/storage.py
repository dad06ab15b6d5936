"""Where the pixels of an uncompressed volume file lie: for lazy reading and to see a cut file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import LongtailError
from .image_paths import image_suffix, is_inside
from .nifti import cut_off, parse_header

HEADER_LINES_AT_MOST = 500
HEADER_BYTES_AT_MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class RawPixels:
    """Uncompressed pixels in a file; `sizes` are in the order of the file (x first)."""

    file: Path
    offset: int
    dtype: np.dtype[np.generic]
    sizes: tuple[int, ...]
    scaled: bool = False

    @property
    def byte_count(self) -> int:
        """Bytes that the file must hold behind the offset."""
        return int(np.prod(self.sizes)) * self.dtype.itemsize


def raw_pixels(path: Path) -> RawPixels | None:
    """Find the pixels of `path`; None where they are compressed or laid out unusually.

    Raises
    ------
    LongtailError
        The header names a data file outside of its own folder.
    """
    find = _FINDERS.get(image_suffix(path.name))
    return find(path) if find is not None else None


def check_stored_whole(path: Path) -> None:
    """Refuse a file that ends before its last pixel: ITK reads those as if nothing were missing.

    Raises
    ------
    LongtailError
        The file is cut off, its data file is missing or lies outside of its folder.
    """
    raw = raw_pixels(path)
    if raw is not None and raw.file.stat().st_size < raw.offset + raw.byte_count:
        raise cut_off(raw.file)


def _find_nifti(path: Path) -> RawPixels | None:
    header = parse_header(path)
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if header is None or header.dtype is None or packed:
        return None
    return RawPixels(path, header.offset, header.dtype, header.sizes, header.scaled)


def _find_meta(path: Path) -> RawPixels | None:
    fields, header_end = _meta_fields(path)
    data = fields.get("elementdatafile", "")
    file = path if data.upper() == "LOCAL" else _beside(path, data)
    code = META_TYPES.get(fields.get("elementtype", "").upper())
    plain = (
        code is not None
        and fields.get("compresseddata", "false").lower() != "true"
        and fields.get("binarydata", "true").lower() == "true"
        and fields.get("elementnumberofchannels", "1") == "1"
        and fields.get("headersize", "0") == "0"
    )
    if file is None or code is None or not plain:
        return None
    high_first = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "false"))
    dtype = np.dtype((">" if high_first.lower() == "true" else "<") + code)
    sizes = tuple(int(word) for word in fields.get("dimsize", "").split())
    return RawPixels(file, header_end if file == path else 0, dtype, sizes)


def _find_nrrd(path: Path) -> RawPixels | None:
    fields, header_end = _nrrd_fields(path)
    data = fields.get("data file") or fields.get("datafile") or ""
    file = _beside(path, data) if data else path
    code = NRRD_TYPES.get(fields.get("type", ""))
    skips = {"line skip", "lineskip", "byte skip", "byteskip"} & fields.keys()
    kinds = fields.get("kinds", "domain").split()
    spatial = all(kind in ("domain", "space") for kind in kinds)
    if file is None or code is None or fields.get("encoding") != "raw" or skips or not spatial:
        return None
    dtype = np.dtype((">" if fields.get("endian") == "big" else "<") + code)
    sizes = tuple(int(word) for word in fields.get("sizes", "").split())
    return RawPixels(file, header_end if file == path else 0, dtype, sizes)


def _meta_fields(path: Path) -> tuple[Mapping[str, str], int]:
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        for _ in range(HEADER_LINES_AT_MOST):
            key, equals, value = _text(file.readline(HEADER_BYTES_AT_MOST)).partition("=")
            if not equals:
                break
            fields[key.strip().lower()] = value.strip()
            if key.strip().lower() == "elementdatafile":  # by the format the last line
                break
        return fields, file.tell()


def _nrrd_fields(path: Path) -> tuple[Mapping[str, str], int]:
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        for _ in range(HEADER_LINES_AT_MOST):
            line = _text(file.readline(HEADER_BYTES_AT_MOST))
            if not line.strip():
                break
            key, colon, value = line.partition(":")
            if colon and not value.startswith("="):
                fields[key.strip().lower()] = value.strip()
        return fields, file.tell()


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r\n")


def _beside(header: Path, name: str) -> Path | None:
    """Resolve the data file that a header names; None for a list or pattern of files."""
    if not name or name.upper().startswith("LIST") or "%" in name:
        return None
    file = header.parent / name
    if not is_inside(file, header.parent):
        raise LongtailError(
            f"{header.name} names a data file outside of its folder ({name}), which Longtail does "
            "not follow.",
            "Put both files into one folder and correct the name in the header.",
        )
    if not file.is_file():
        raise LongtailError(
            f"{header.name} needs the data file {name}, which is not there.",
            "Copy it into the same folder.",
        )
    return file


META_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
NRRD_TYPES = {
    "signed char": "i1",
    "int8": "i1",
    "int8_t": "i1",
    "uchar": "u1",
    "unsigned char": "u1",
    "uint8": "u1",
    "uint8_t": "u1",
    "short": "i2",
    "int16": "i2",
    "int16_t": "i2",
    "signed short": "i2",
    "ushort": "u2",
    "unsigned short": "u2",
    "uint16": "u2",
    "uint16_t": "u2",
    "int": "i4",
    "int32": "i4",
    "int32_t": "i4",
    "signed int": "i4",
    "uint": "u4",
    "unsigned int": "u4",
    "uint32": "u4",
    "uint32_t": "u4",
    "float": "f4",
    "double": "f8",
}
_FINDERS = {
    ".nii": _find_nifti,
    ".mha": _find_meta,
    ".mhd": _find_meta,
    ".nrrd": _find_nrrd,
    ".nhdr": _find_nrrd,
}
