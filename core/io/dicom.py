"""DICOM: a folder that holds a series, or one file; pixels through SimpleITK's GDCM."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ..errors import LongtailError
from .dicom_file import DicomFile, check_usable, parse_file
from .dicom_series import THREADS, Series, Stack, choose_series, scan_folder, stack, stack_of
from .geometry import Geometry, plain_geometry
from .image_paths import Source
from .image_types import AnyArray, Header, Image


def read_header(source: Source) -> Header:
    """Read size, spacing and pixel type; see `image.read_header`."""
    header, _, _ = _plan(source)
    return header


def read_notes(source: Source) -> tuple[str, ...]:
    """Tell what is odd about a series without its pixels: tilt, uneven or missing slices."""
    _, _, arranged = _plan(source)
    return arranged.notes


def read_image(source: Source) -> Image:
    """Read a series or a file; see `image.read_image`."""
    header, files, arranged = _plan(source)
    if len(files) > 1:
        with ThreadPoolExecutor(THREADS) as pool:
            planes = list(pool.map(_pixels, [files[index] for index in arranged.order]))
        array = np.stack(planes, axis=1)
    else:
        array = _pixels(files[0])
        array = array[:, list(arranged.order)] if files[0].frames > 1 else array
    return Image(array, header.geometry, header.colour, arranged.notes)


def _plan(source: Source) -> tuple[Header, tuple[DicomFile, ...], Stack]:
    series = _series_at(source)
    first = series.files[0]
    if len(series.files) > 1:
        arranged = stack_of(series)
        shape: tuple[int, ...] = (len(series.files), first.rows, first.columns)
    elif first.frames > 1:
        arranged = _frames_of(first)
        shape = (first.frames, first.rows, first.columns)
    else:
        arranged = Stack((0,), _flat_geometry(first), ())
        shape = (first.rows, first.columns)
    colour = _colour(first)
    dtype = _itk_dtype(first)
    header = Header(shape, 3 if colour else first.samples, dtype, arranged.geometry, colour)
    return header, series.files, arranged


def _series_at(source: Source) -> Series:
    if source.path.is_dir():
        return choose_series(scan_folder(source.path), source.part)
    file = parse_file(source.path)
    if file is None:
        raise LongtailError(
            f"{source.path.name} is not a DICOM file, or its start is broken.",
            "Export it again from where it came.",
        )
    check_usable(file)
    return Series(file.series, (file,))


def _frames_of(file: DicomFile) -> Stack:
    """Arrange the frames of one file as slices."""
    if file.moving:
        raise LongtailError(
            f"{file.path.name} is a film of {file.frames} pictures, and Longtail does not read "
            "time series yet.",
            "Save the picture that you want to work on as a file of its own.",
        )
    in_order = tuple(range(file.frames))
    if len(file.positions) == file.frames and len(file.orientation) == 6:
        spacing = file.pixel_spacing_mm or (1.0, 1.0)
        return stack(file.positions, file.orientation, spacing, file.path.name)
    if file.pixel_spacing_mm and file.frame_spacing_mm:
        spacing_mm = (file.frame_spacing_mm, *file.pixel_spacing_mm)
        return Stack(in_order, plain_geometry(spacing_mm), ())
    return Stack(in_order, None, (f"{file.path.name} gives no distance between its slices",))


def _flat_geometry(file: DicomFile) -> Geometry | None:
    """Give the geometry of a single picture: its spacing, not its place in the body."""
    return plain_geometry(file.pixel_spacing_mm) if file.pixel_spacing_mm else None


def _pixels(file: DicomFile) -> AnyArray:
    """Read one file as (channel, y, x), or (channel, z, y, x) of several frames.

    GDCM rescales, looks palette colours up, and turns MONOCHROME1, where the least value is white.
    """
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(file.path))
    except RuntimeError as error:
        raise _unreadable(file.path) from error
    array: AnyArray = sitk.GetArrayFromImage(image)
    array = np.moveaxis(array, -1, 0) if image.GetNumberOfComponentsPerPixel() > 1 else array[None]
    shape = (file.rows, file.columns) if file.frames == 1 else array.shape[1:]
    array = array.reshape(len(array), *shape)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return array


def _colour(file: DicomFile) -> bool:
    return file.samples == 3 or file.palette


def _itk_dtype(file: DicomFile) -> str:
    from .volume import read_type

    try:
        dtype = read_type(file.path)
    except RuntimeError as error:
        raise _unreadable(file.path) from error
    return "float32" if dtype == "float64" else dtype


def _unreadable(path: Path) -> LongtailError:
    return LongtailError(
        f"{path.name} cannot be read: its pixels are broken, or packed in a way that Longtail does "
        "not know.",
        "Export it again from where it came, uncompressed if there is a choice.",
    )
