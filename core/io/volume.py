"""Volume files through SimpleITK: NIfTI, NRRD, MetaImage and Analyze."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import SimpleITK as sitk

from ..errors import LongtailError
from . import nifti
from .fourth_axis import channels_in
from .geometry import Geometry
from .image_paths import Source, image_suffix
from .image_types import AnyArray, Header, Image
from .pixels import finite
from .storage import check_stored_whole

NIFTI_SUFFIXES = (".nii", ".nii.gz")
COLOUR_TYPES = (sitk.sitkVectorUInt8,)


def read_header(source: Source) -> Header:
    """Read size, spacing and pixel type; see `image.read_header`."""
    check_stored_whole(source.path)
    own = _nifti_header(source.path)
    if own is None:
        return _itk_header(source)
    return _nifti_in_our_words(own, source)


def read_image(source: Source) -> Image:
    """Read the whole image; see `image.read_image`."""
    check_stored_whole(source.path)
    own = _nifti_header(source.path)
    if own is None:
        return _itk_image(source)
    header = _nifti_in_our_words(own, source)
    return _image_of(nifti.read_pixels(own, source.path), header, vector=False)


def _nifti_header(path: Path) -> nifti.NiftiHeader | None:
    """Give the header of a NIfTI file of real numbers, None for all else."""
    if image_suffix(path.name) not in NIFTI_SUFFIXES:
        return None
    header = nifti.parse_header(path)
    return None if header is None or header.dtype is None else header


def _nifti_in_our_words(own: nifti.NiftiHeader, source: Source) -> Header:
    # ITK's choice between the two transforms of NIfTI is the one that other programs share; it
    # refuses NIfTI-2 and sheared grids.
    if own.needs_own_reader:
        return nifti.header_of(own, source)
    return replace(_itk_header(source), dtype=own.dtype_name)


def _itk_header(source: Source) -> Header:
    with _itk_words(source.path):
        return _header_of(_reader_at(source.path), source)


def _itk_image(source: Source) -> Image:
    with _itk_words(source.path):
        reader = _reader_at(source.path)
        header = _header_of(reader, source)
        array = sitk.GetArrayFromImage(reader.Execute())
    return _image_of(array, header, vector=reader.GetNumberOfComponents() > 1)


def read_type(path: Path) -> str:
    """Give NumPy's name of the pixel type that ITK reads `path` to; RuntimeError if it cannot."""
    return _dtype_of(_reader_at(path), Source(path, ""))


def geometry_of(info: Any, dimension: int) -> Geometry:
    """Take the geometry of the first `dimension` axes off an ITK image or reader."""
    direction = np.array(info.GetDirection()).reshape(info.GetDimension(), -1)
    kept = direction[:dimension, :dimension]
    return Geometry(
        spacing_mm=tuple(float(v) for v in info.GetSpacing()[:dimension][::-1]),
        origin=tuple(float(v) for v in info.GetOrigin()[:dimension]),
        direction=tuple(float(v) + 0.0 for v in kept.ravel()),
    )


def _reader_at(path: Path) -> Any:
    # ITK warns on standard error of every Analyze file and every rounded direction.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader


def _header_of(info: Any, source: Source) -> Header:
    size = tuple(info.GetSize())
    components = _components(info)
    count = channels_in(size[3:], source, timed=_has_time_unit(info)) * components
    dimension = min(len(size), 3)
    colour = info.GetPixelIDValue() in COLOUR_TYPES and components in (3, 4)
    return Header(
        shape=size[:dimension][::-1],
        channel_count=3 if colour else count,
        dtype=_dtype_of(info, source),
        geometry=geometry_of(info, dimension),
        colour=colour,
    )


def _components(info: Any) -> int:
    if isinstance(info, sitk.Image):
        return int(info.GetNumberOfComponentsPerPixel())
    return int(info.GetNumberOfComponents())


def _has_time_unit(info: Any) -> bool:
    if not info.HasMetaDataKey("xyzt_units"):
        return False
    return nifti.is_time(int(info.GetMetaData("xyzt_units")))


def _dtype_of(info: Any, source: Source) -> str:
    name = PIXEL_TYPES.get(info.GetPixelIDValue())
    if name is None:
        kind = sitk.GetPixelIDValueAsString(info.GetPixelIDValue())
        raise LongtailError(
            f"{source.path.name} holds pixels of a kind that Longtail does not read ({kind}).",
            "Save it with real numbers, for example the magnitude of a complex image.",
        )
    return name


def _image_of(array: AnyArray, header: Header, *, vector: bool) -> Image:
    if vector:
        array = np.moveaxis(array, -1, 0)
    notes = []
    if header.colour and len(array) == 4:
        array = array[:3]
        notes.append("transparency was left out")
    whole, changed = finite(array.reshape(header.channel_count, *header.shape))
    return Image(whole, header.geometry, header.colour, (*notes, *changed))


@contextmanager
def _itk_words(path: Path) -> Iterator[None]:
    """Turn ITK's complaint into a sentence."""
    try:
        yield
    except RuntimeError as error:
        raise LongtailError(
            f"{path.name} cannot be read: it is broken, or not what its suffix says.",
            f"Export it again from where it came. (ITK says: {_last_line(str(error))})",
        ) from error


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("ITK ERROR: ").removeprefix("sitk::ERROR: ") if lines else ""


PIXEL_TYPES = cast(
    "dict[int, str]",
    {
        getattr(sitk, f"sitk{vector}{itk}"): name
        for vector in ("", "Vector")
        for itk, name in (
            ("UInt8", "uint8"),
            ("Int8", "int8"),
            ("UInt16", "uint16"),
            ("Int16", "int16"),
            ("UInt32", "uint32"),
            ("Int32", "int32"),
            ("UInt64", "uint64"),
            ("Int64", "int64"),
            ("Float32", "float32"),
            ("Float64", "float64"),
        )
    },
)
