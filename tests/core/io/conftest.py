"""Files that the tests of reading share, made small and exact."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


NOWHERE = b"\xff" * 8


def write_h5(path: Path, **arrays: np.ndarray) -> Path:
    """Write arrays as h5py does by default: superblock 0, a symbol table, one piece each."""
    names = sorted(arrays)
    text, places = b"\0" * 8, {}
    for name in names:
        places[name] = len(text)
        text += name.encode() + b"\0" * (8 - len(name) % 8)
    tree_at, table_at = 136, 136 + 544
    heap_at = table_at + 328
    at, entries, body = heap_at + 32 + len(text), b"", b""
    for name in names:
        entries += struct.pack("<QQ24x", places[name], at)
        head = _array_head(arrays[name], at)
        body += head + arrays[name].tobytes()
        at += len(head) + arrays[name].nbytes
    root = struct.pack("<QQIIQQ", 0, 96, 1, 0, tree_at, heap_at)
    top = b"\x89HDF\r\n\x1a\n" + struct.pack("<8BHHIQ", 0, 0, 0, 0, 0, 8, 8, 0, 4, 16, 0, 0)
    whole = top + NOWHERE + struct.pack("<Q", at) + NOWHERE + root
    whole += _head(struct.pack("<HHBxxxQQ", 0x11, 16, 0, tree_at, heap_at), 1)
    tree = b"TREE" + struct.pack("<BBH", 0, 0, 1) + NOWHERE * 2
    whole += (tree + struct.pack("<QQQ", 0, table_at, places[names[-1]])).ljust(544, b"\0")
    whole += (b"SNOD" + struct.pack("<BBH", 1, 0, len(names)) + entries).ljust(328, b"\0")
    whole += b"HEAP" + struct.pack("<IQQQ", 0, len(text), 1, heap_at + 32) + text + body
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole)
    return path


def _array_head(array: np.ndarray, at: int) -> bytes:
    size = array.dtype.itemsize
    space = struct.pack(f"<BBB5x{array.ndim}Q", 1, array.ndim, 0, *array.shape)
    if array.dtype.kind == "f":
        mantissa, exponent, bias = {4: (23, 8, 127), 8: (52, 11, 1023)}[size]
        kind = struct.pack("<BBBBIHH", 0x11, 0x20, 8 * size - 1, 0, size, 0, 8 * size)
        kind += struct.pack("<BBBBI4x", mantissa, exponent, 0, mantissa, bias)
    else:
        kind = struct.pack(
            "<BBBBIHH4x", 0x10, 8 * (array.dtype.kind == "i"), 0, 0, size, 0, 8 * size
        )
    parts = [(0x01, space), (0x03, kind), (0x08, b"\0" * 24)]
    length = 16 + sum(8 + len(part) for _, part in parts)
    parts[-1] = (0x08, struct.pack("<BBQQ6x", 3, 1, at + length, array.nbytes))
    told = b"".join(struct.pack("<HHB3x", number, len(part), 0) + part for number, part in parts)
    return _head(told, len(parts))


def _head(told: bytes, count: int) -> bytes:
    return struct.pack("<BBHII4x", 1, 0, count, 1, len(told)) + told


@pytest.fixture
def h5_at() -> Callable[..., Path]:
    return write_h5
