"""Files that the tests of reading share, made small and exact."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the real data beside the checkout (../shared/data) are absent")
    return SHARED


@pytest.fixture
def voxels() -> np.ndarray:
    """(z, y, x) with a different value in every voxel, so that any mix-up of axes shows."""
    return np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


def write_volume(path: Path, array: np.ndarray, spacing=(3.0, 2.0, 1.0), **place: Any) -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[::-1])
    if "origin" in place:
        image.SetOrigin(place["origin"])
    if "direction" in place:
        image.SetDirection(place["direction"])
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path), place.get("packed", False))
    return path


@pytest.fixture
def volume_at() -> Callable[..., Path]:
    return write_volume


def write_slice(path: Path, pixels: np.ndarray, **fields: Any) -> Path:
    """Write one DICOM slice; `fields` override the header."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.SeriesInstanceUID = "CT", "P1", "1.2.3"
    data.SeriesDescription, data.SeriesNumber, data.InstanceNumber = "Thorax", 2, 1
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = pixels.dtype.itemsize * 8
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(pixels.dtype.kind == "i")
    data.PixelSpacing, data.ImageOrientationPatient = [2, 1], [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = [0, 0, 0]
    for name, value in fields.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, data)
    return path


def write_series(folder: Path, array: np.ndarray, depths=None, **fields: Any) -> Path:
    """Write a stack of slices, the last one first, so that only the position can sort them."""
    depths = [3.0 * index for index in range(len(array))] if depths is None else depths
    for index, depth in reversed(list(enumerate(depths))):
        here = {"ImagePositionPatient": [10, 20, depth], "InstanceNumber": len(array) - index}
        write_slice(folder / f"{len(array) - index:03d}.dcm", array[index], **{**here, **fields})
    return folder


@pytest.fixture
def slice_at() -> Callable[..., Path]:
    return write_slice


@pytest.fixture
def series_at() -> Callable[..., Path]:
    return write_series


def write_h5(path: Path, **arrays: np.ndarray) -> Path:
    """Write arrays by their names, as the literature's preprocessing does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, compression="gzip")
    return path


@pytest.fixture
def h5_at() -> Callable[..., Path]:
    return write_h5
