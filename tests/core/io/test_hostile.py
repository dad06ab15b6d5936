"""Files with random damage: each opens or gets a sentence, nothing else ever comes out."""

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from pydicom.data import get_testdata_file

from longtail.core.errors import LongtailError
from longtail.core.io.hostile import reading
from longtail.core.io.image import open_lazily, read_header, read_image
from longtail.core.io.labelmap import read_label_map

READERS = (read_header, read_image, open_lazily, read_label_map)


@pytest.fixture
def sound(tmp_path, voxels, volume_at):
    files = [
        volume_at(tmp_path / f"{packed}{suffix}", voxels, packed=packed)
        for suffix in (".nii", ".nii.gz", ".nrrd", ".mha")
        for packed in (False, True)
    ]
    pixels = np.arange(400, dtype=np.uint8).reshape(20, 20)
    for name in ("a.png", "a.jpg", "a.bmp", "a.tif"):
        PillowImage.fromarray(pixels).save(tmp_path / name)
        files.append(tmp_path / name)
    np.save(tmp_path / "a.npy", pixels)
    np.savez_compressed(tmp_path / "a.npz", a=pixels)
    names = ("MR_small.dcm", "MR_small_RLE.dcm", "SC_rgb_jpeg_dcmtk.dcm")
    return [*files, tmp_path / "a.npy", tmp_path / "a.npz", *map(get_testdata_file, names)]


def damaged(rng, content):
    if rng.random() < 0.3:
        return content[: rng.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(rng.choice([1, 3, 20])):
        changed[rng.randrange(min(len(changed), rng.choice([400, 2000, 1 << 30])))] = rng.randrange(
            256
        )
    return bytes(changed)


def complaint(read, path):
    try:
        read(path)
    except LongtailError as error:
        return error.reason
    return ""


def test_damage_never_surprises(sound, tmp_path):
    rng = random.Random(0)
    told = []
    for path in map(Path, sound):
        content = path.read_bytes()
        copy = tmp_path / f"copy{''.join(path.suffixes[-2:])}"
        for _ in range(8):
            copy.write_bytes(damaged(rng, content))
            told += [complaint(read, str(copy)) for read in READERS]
    reasons = [reason for reason in told if reason]
    assert len(reasons) > 100
    assert all(reason.endswith(".") for reason in reasons)


def test_memory_and_permission_are_told():
    with pytest.raises(LongtailError, match=r"a\.nii needs more memory"), reading(Path("a.nii")):
        raise MemoryError
    with pytest.raises(LongtailError, match=r"not allowed to open"), reading(Path("a.nii")):
        raise PermissionError
