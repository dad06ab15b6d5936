"""DICOM files of a folder sorted into series, and the slices of a series into a stack."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import LongtailError
from .dicom_file import DicomFile, Vector, parse_file
from .geometry import Geometry
from .image_paths import DICOM_SUFFIXES, image_suffix

EVEN = 0.01
"""Relative difference of slice distances that counts as even."""

TILT_DEGREES = 0.5
SAME_PLACE_MM = 1e-3
SAME_DIRECTION = 1e-3
THREADS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """The images of one series in one folder, in the order of their instance numbers."""

    uid: str
    files: tuple[DicomFile, ...]

    @property
    def title(self) -> str:
        """Words by which a person knows the series."""
        first = self.files[0]
        name = first.description or f"series {first.series_number}"
        return f"{name} ({first.modality or 'DICOM'}, {self.image_count} images)"

    @property
    def image_count(self) -> int:
        """Slices of the series, counting the frames of a file."""
        return sum(file.frames for file in self.files)

    @property
    def is_stack(self) -> bool:
        """Whether the images have a place, so that they can be slices of one volume."""
        return len(self.files) > 1 and any(file.positions for file in self.files)


@dataclass(frozen=True, slots=True)
class Folder:
    """The DICOM content of one folder; `refused` are files that hold no image or are broken."""

    path: Path
    series: tuple[Series, ...]
    refused: tuple[DicomFile, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices in the order of space: `order` are indices into the images as given."""

    order: tuple[int, ...]
    geometry: Geometry | None
    notes: tuple[str, ...]


def scan_folder(folder: Path) -> Folder:
    """Read the headers of all DICOM files right inside `folder`."""
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_file() and _may_be_dicom(e.name))
    with ThreadPoolExecutor(THREADS) as pool:
        parsed = pool.map(parse_file, [folder / name for name in names])
    files = [file for file in parsed if file is not None]
    grouped: dict[str, list[DicomFile]] = {}
    for file in files:
        if not file.refusal:
            grouped.setdefault(file.series, []).append(file)
    series = tuple(_series(uid, members) for uid, members in grouped.items())
    refused = tuple(file for file in files if file.refusal)
    return Folder(folder, tuple(sorted(series, key=_series_order)), refused)


def choose_series(folder: Folder, uid: str) -> Series:
    """Give the series `uid`, or the only one when `uid` is empty.

    Raises
    ------
    LongtailError
        There is no image, no such series, or more than one and none was named; or a file of the
        folder is cut off, so that the series would lack slices.
    """
    broken = [file for file in folder.refused if file.damaged and file.series in ("", uid)]
    broken += [file for file in folder.refused if file.damaged and not uid]
    if broken:
        raise LongtailError(
            f"{broken[0].path.name} in {folder.path.name} cannot be opened: {broken[0].refusal}.",
            "Export the series again from where it came.",
        )
    if not folder.series:
        raise LongtailError(
            f"The folder {folder.path.name} holds no image that Longtail can read.",
            _why_none(folder),
        )
    chosen = [series for series in folder.series if not uid or series.uid == uid]
    if not chosen:
        raise LongtailError(
            f"The folder {folder.path.name} no longer holds the series that was imported.",
            "Put the files back, or import the folder again.",
        )
    if len(chosen) > 1:
        raise LongtailError(
            f"The folder {folder.path.name} holds {len(chosen)} series: "
            f"{', '.join(series.title for series in chosen[:6])}.",
            "Import the folder: each series becomes a case of its own.",
        )
    return chosen[0]


def stack(positions: Sequence[Vector], orientation: Vector, spacing_mm: Vector, name: str) -> Stack:
    """Sort slices along their normal and measure the distance between them.

    Parameters
    ----------
    positions
        Centre of the first pixel of each slice in mm, LPS.
    orientation
        Direction of the rows, then of the columns.
    spacing_mm
        Row to row, then column to column.
    name
        Name of the series for sentences.

    Raises
    ------
    LongtailError
        Several slices lie at one place: a time series, or several echoes in one series.
    """
    places = np.array(positions, dtype=np.float64)
    row, column = np.array(orientation[:3]), np.array(orientation[3:6])
    normal = np.cross(row, column)
    depth = places @ normal
    order = np.argsort(depth, kind="stable")
    gaps = np.diff(depth[order])
    if len(gaps) and gaps.min() <= SAME_PLACE_MM:
        raise LongtailError(
            f"{name} holds several images at one place: it is a time series, or several scans in "
            "one series, and Longtail does not read those yet.",
            "Export each scan as a series of its own.",
        )
    between = float(gaps.mean()) if len(gaps) else 1.0
    geometry = Geometry(
        spacing_mm=(between, *spacing_mm),
        origin=tuple(float(v) for v in places[order[0]]),
        direction=tuple(float(v) for v in np.column_stack([row, column, normal]).ravel()),
    )
    notes = (*_gap_notes(gaps, name), *_tilt_notes(places[order], normal, name))
    return Stack(tuple(int(i) for i in order), geometry, notes)


def stack_of(series: Series) -> Stack:
    """Stack the files of a series; see `stack` for what it raises."""
    name = f"{series.files[0].description or 'The series'} in {series.files[0].path.parent.name}"
    first = series.files[0]
    _check_alike(series, name)
    positions = [file.positions[0] for file in series.files]
    return stack(positions, first.orientation, first.pixel_spacing_mm or (1.0, 1.0), name)


def _check_alike(series: Series, name: str) -> None:
    first = series.files[0]
    for file in series.files:
        if (file.rows, file.columns, file.samples) != (first.rows, first.columns, first.samples):
            raise LongtailError(
                f"{name} is not one volume: {file.path.name} has {file.rows} x {file.columns} "
                f"pixels, {first.path.name} {first.rows} x {first.columns}.",
                "Export its parts as series of their own.",
            )
        if len(file.positions) != 1 or len(file.orientation) != 6:
            raise LongtailError(
                f"{name} is not one volume: {file.path.name} does not say where it lies.",
                "Import the folder: such images become cases of their own.",
            )
        if not np.allclose(file.orientation, first.orientation, atol=SAME_DIRECTION):
            raise LongtailError(
                f"{name} is not one volume: its slices lie in different directions, as in a scout.",
                "Leave this series out, or export each direction as a series of its own.",
            )


def _gap_notes(gaps: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", name: str) -> list[str]:
    if len(gaps) < 2:
        return []
    usual = float(np.median(gaps))
    steps = gaps / usual
    if np.all(np.abs(steps - 1) <= EVEN):
        return []
    whole = np.rint(steps)
    if np.all(np.abs(steps - whole) <= 0.05) and np.all(whole >= 1):
        return [
            f"{name} lacks {int(np.sum(whole - 1))} slices: the distance between slices is "
            f"{usual:.3g} mm but {gaps.max():.3g} mm at the gap. It is shown with the mean "
            f"distance of {gaps.mean():.3g} mm."
        ]
    return [
        f"The slices of {name} lie unevenly, {gaps.min():.3g} to {gaps.max():.3g} mm apart; it is "
        f"shown with the mean distance of {gaps.mean():.3g} mm."
    ]


def _tilt_notes(
    places: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    normal: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    name: str,
) -> list[str]:
    along = places[-1] - places[0]
    length = float(np.linalg.norm(along))
    if length == 0:
        return []
    degrees = float(np.degrees(np.arccos(np.clip(along @ normal / length, -1, 1))))
    if degrees <= TILT_DEGREES:
        return []
    return [
        f"{name} was taken with the gantry tilted by {degrees:.1f} degrees; it is shown upright, "
        "so that structures appear sheared from slice to slice."
    ]


def _series(uid: str, files: list[DicomFile]) -> Series:
    return Series(uid, tuple(sorted(files, key=lambda file: (file.instance, file.path.name))))


def _series_order(series: Series) -> tuple[int, str]:
    return series.files[0].series_number, series.uid


def _may_be_dicom(name: str) -> bool:
    if name.startswith(".") or name.upper() == "DICOMDIR":
        return False
    suffix = image_suffix(name)
    return suffix in DICOM_SUFFIXES or (not suffix and not name.lower().endswith(NOT_DICOM))


def _why_none(folder: Folder) -> str:
    if not folder.refused:
        return "Choose a folder with DICOM files, or a file."
    first = folder.refused[0]
    return f"It has {len(folder.refused)} DICOM files, but of {first.path.name}: {first.refusal}."


NOT_DICOM = (".txt", ".csv", ".json", ".xml", ".md", ".pdf", ".zip", ".gz", ".py", ".html", ".yaml")
