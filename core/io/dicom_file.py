"""One DICOM file without its pixels: what Longtail must know to read or refuse it."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pydicom

from ..errors import LongtailError
from .hostile import reading
from .image_paths import DICOM_SUFFIXES

Vector = tuple[float, ...]

TAGS = [
    "SOPClassUID",
    "Modality",
    "SeriesInstanceUID",
    "SeriesDescription",
    "SeriesNumber",
    "PatientID",
    "ViewPosition",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "BitsAllocated",
    "PhotometricInterpretation",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "SpacingBetweenSlices",
    "SliceThickness",
    "InstanceNumber",
    "FrameTime",
    "FrameTimeVector",
    "CineRate",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
NOT_IMAGES = {
    "SEG": "it holds a segmentation, which Longtail does not import from DICOM yet",
    "RTDOSE": "it holds a radiation dose, not an image",
    "RTSTRUCT": "it holds contours, which Longtail does not import yet",
    "SM": "it is a whole slide in tiles, which Longtail does not read yet",
}
MOVING_MODALITIES = ("US", "XA", "RF", "IVUS", "ES", "XC")
ITEM, LAST_ITEM = 0xE000, 0xE0DD
UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class DicomFile:
    """The part of a DICOM header that decides how the file is read.

    `positions` and `orientation` are in mm in LPS, one position a frame; empty where the file
    gives none. `pixel_spacing_mm` is (row to row, column to column). `refusal` says why the file
    is no image; empty for one. `damaged` says that it once was one.
    """

    path: Path
    series: str
    rows: int = 0
    columns: int = 0
    frames: int = 1
    samples: int = 1
    modality: str = ""
    description: str = ""
    series_number: int = 0
    instance: int = 0
    patient: str = ""
    view: str = ""
    palette: bool = False
    positions: tuple[Vector, ...] = ()
    orientation: Vector = ()
    pixel_spacing_mm: Vector = ()
    frame_spacing_mm: float = 0.0
    moving: bool = False
    refusal: str = ""
    damaged: bool = False


def parse_file(path: Path) -> DicomFile | None:
    """Read the header of `path`; None when it is no DICOM file.

    A DICOM file that is cut off or holds no image comes back with its `refusal`.
    """
    try:
        with reading(path), path.open("rb") as file:
            header = _read(file, path)
            return None if header is None else _understood(header, file, path)
    except LongtailError:
        return DicomFile(path, "", refusal="its header is broken", damaged=True)


def check_usable(file: DicomFile) -> None:
    """Refuse a file that is cut off or holds no image."""
    if file.refusal:
        raise LongtailError(
            f"{file.path.name} cannot be opened as an image: {file.refusal}.",
            "Export it again from where it came, or leave it out.",
        )


def _read(file: BinaryIO, path: Path) -> Any:
    """Read the header, None where the file is not DICOM."""
    # Otherwise pydicom warns of every odd value; the warnings filter is no place for threads.
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    marked = file.read(132)[128:] == b"DICM"
    if not marked and path.suffix.lower() not in DICOM_SUFFIXES:
        return None
    file.seek(0)  # old files lack the mark at the start
    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS, force=not marked)
    return header if marked or "SOPClassUID" in header or "Rows" in header else None


def _understood(header: Any, file: BinaryIO, path: Path) -> DicomFile:
    modality = str(header.get("Modality") or "")
    series = str(header.get("SeriesInstanceUID") or "")
    if modality in NOT_IMAGES:
        return DicomFile(path, series, modality=modality, refusal=NOT_IMAGES[modality])
    if not (header.get("Rows") and header.get("Columns")):
        damaged = _should_be_image(header)
        refusal = "its header is cut off" if damaged else "it holds no picture"
        return DicomFile(path, series, modality=modality, refusal=refusal, damaged=damaged)
    groups = _FrameGroups(header)
    frames = int(header.get("NumberOfFrames") or 1)
    whole = _is_whole(header, file)
    return DicomFile(
        path=path,
        series=series,
        rows=int(header.Rows),
        columns=int(header.Columns),
        frames=frames,
        samples=int(header.get("SamplesPerPixel") or 1),
        modality=modality,
        description=str(header.get("SeriesDescription") or ""),
        series_number=int(header.get("SeriesNumber") or 0),
        instance=int(header.get("InstanceNumber") or 0),
        patient=str(header.get("PatientID") or ""),
        view=str(header.get("ViewPosition") or ""),
        palette=header.get("PhotometricInterpretation") == "PALETTE COLOR",
        positions=groups.positions(),
        orientation=groups.orientation(),
        pixel_spacing_mm=groups.pixel_spacing_mm(),
        frame_spacing_mm=groups.frame_spacing_mm(),
        moving=frames > 1 and _is_moving(header),
        refusal="" if whole else "it is cut off before its last pixel",
        damaged=not whole,
    )


def _should_be_image(header: Any) -> bool:
    """Tell whether the file's class is one of images, whatever else its header lacks."""
    meta = getattr(header, "file_meta", None)
    uid = header.get("SOPClassUID") or getattr(meta, "MediaStorageSOPClassUID", "")
    return "Image Storage" in pydicom.uid.UID(uid).name


def _is_moving(header: Any) -> bool:
    if "PerFrameFunctionalGroupsSequence" in header:
        return False  # its positions tell
    timed = any(name in header for name in ("FrameTime", "FrameTimeVector", "CineRate"))
    return timed or header.get("Modality") in MOVING_MODALITIES


class _FrameGroups:
    """Place and spacing, from the file itself or from the groups of an enhanced file."""

    def __init__(self, header: Any) -> None:
        self._header = header
        self._shared = _first(header.get("SharedFunctionalGroupsSequence"))
        self._frames = list(header.get("PerFrameFunctionalGroupsSequence") or [])

    def positions(self) -> tuple[Vector, ...]:
        own = _vector(self._header.get("ImagePositionPatient"))
        if own:
            return (own,)
        places = [
            _vector(_in(frame, "PlanePositionSequence", "ImagePositionPatient"))
            for frame in self._frames
        ]
        return tuple(places) if all(places) else ()

    def orientation(self) -> Vector:
        return self._find("PlaneOrientationSequence", "ImageOrientationPatient")

    def pixel_spacing_mm(self) -> Vector:
        found = self._find("PixelMeasuresSequence", "PixelSpacing")
        spacing = found or _vector(self._header.get("ImagerPixelSpacing"))
        return spacing if len(spacing) == 2 and min(spacing) > 0 else ()

    def frame_spacing_mm(self) -> float:
        for name in ("SpacingBetweenSlices", "SliceThickness"):
            found = self._find("PixelMeasuresSequence", name)
            if found and found[0] > 0:
                return found[0]
        return 0.0

    def _find(self, sequence: str, name: str) -> Vector:
        own = _vector(self._header.get(name))
        if own:
            return own
        places = [self._shared, *self._frames[:1]]
        found = (_vector(_in(place, sequence, name)) for place in places)
        return next((vector for vector in found if vector), ())


def _first(sequence: Any) -> Any:
    return sequence[0] if sequence else None


def _in(group: Any, sequence: str, name: str) -> Any:
    inner = _first(group.get(sequence)) if group is not None else None
    return inner.get(name) if inner is not None else None


def _vector(value: Any) -> Vector:
    if value is None or value == "":
        return ()
    try:
        return tuple(float(part) for part in value)
    except TypeError:
        return (float(value),)


def _is_whole(header: Any, file: BinaryIO) -> bool:
    """Tell whether the pixels reach as far as the header says; the stream stands before them."""
    syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is not None and syntax.is_deflated:
        return True  # the decompressor notices
    order = ">" if syntax is not None and not syntax.is_little_endian else "<"
    start = file.read(12)
    if len(start) < 12:
        return False
    explicit = start[4:6] in (b"OW", b"OB", b"UN")
    length = struct.unpack(order + "I", start[8:12] if explicit else start[4:8])[0]
    at = file.tell() if explicit else file.tell() - 4
    size = os.fstat(file.fileno()).st_size
    if length == UNDEFINED:
        return _items_end(file, at, size)
    return bool(at + length <= size and length >= _pixel_bytes(header))


def _pixel_bytes(header: Any) -> int:
    bits = int(header.Rows) * int(header.Columns) * int(header.get("BitsAllocated") or 16)
    samples = float(header.get("SamplesPerPixel") or 1)
    if "422" in str(header.get("PhotometricInterpretation")):
        samples = 2
    return int(bits * samples * int(header.get("NumberOfFrames") or 1) // 8)


def _items_end(file: BinaryIO, at: int, size: int) -> bool:
    """Walk the items of compressed pixels up to their end mark."""
    while at + 8 <= size:
        file.seek(at)
        group, element, length = struct.unpack("<HHI", file.read(8))
        if group != 0xFFFE or element not in (ITEM, LAST_ITEM):
            return False
        if element == LAST_ITEM:
            return True
        at += 8 + int(length)
    return False
