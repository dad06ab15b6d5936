"""HDF5 files as the semi-supervised literature keeps its data, whole and hostile."""

import random
from pathlib import Path

import h5py
import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.errors import LongtailError
from longtail.core.io.image import open_lazily, read_header, read_image
from longtail.core.io.labelmap import check_mask, read_label_map

IMAGE = (np.arange(144).reshape(3, 8, 6) / 4).astype(np.float32)
LABEL = (np.arange(144).reshape(3, 8, 6) % 4).astype(np.uint8)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "packed.h5", "w") as file:
        file.create_dataset("image", data=IMAGE, compression="gzip", shuffle=True)
        file.create_dataset("label", data=LABEL.astype(">i2"), chunks=(2, 4, 4))
    return tmp_path / "packed.h5"


def test_an_image_and_its_mask(packed):
    image = read_image(f"{packed}#image")
    np.testing.assert_array_equal(image.array, IMAGE[None])
    assert image.geometry is None
    header = read_header(f"{packed}#image")
    assert (header.shape, header.channel_count, header.dtype) == ((3, 8, 6), 1, "float32")
    mask = read_label_map(f"{packed}#label")
    np.testing.assert_array_equal(mask.array, LABEL)
    assert mask.array.dtype.isnative
    np.testing.assert_array_equal(open_lazily(f"{packed}#image").array, IMAGE[None])
    array = check_mask(f"{packed}#label", (3, 8, 6), None, {1: 1, 2: 2, 3: 3})
    np.testing.assert_array_equal(array, LABEL)
    assert read_header(str(packed)).shape == (3, 8, 6)


def test_the_newest_form_is_read(tmp_path):
    with h5py.File(tmp_path / "new.h5", "w", libver="latest") as file:
        file["image"] = IMAGE
    np.testing.assert_array_equal(read_image(f"{tmp_path / 'new.h5'}#image").array[0], IMAGE)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64, np.int64])
@pytest.mark.parametrize("compressed", [False, True])
def test_what_itk_writes(tmp_path, dtype, compressed):
    array = np.arange(4 * 50 * 60).reshape(4, 50, 60).astype(dtype)
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(tmp_path / "a.hdf5"))
    writer.SetImageIO("HDF5ImageIO")
    writer.SetUseCompression(compressed)
    writer.Execute(sitk.GetImageFromArray(array))
    image = read_image(f"{tmp_path / 'a.hdf5'}#ITKImage/0/VoxelData")
    np.testing.assert_array_equal(image.array[0], array)


def test_axes_the_other_way_round(tmp_path, h5_at):
    path = h5_at(tmp_path / "mri_norm2.h5", image=IMAGE, label=LABEL)
    assert read_header(f"{path}#image:xyz").shape == (6, 8, 3)
    image = read_image(f"{path}#image:xyz")
    np.testing.assert_array_equal(image.array[0], IMAGE.T)
    assert image.array.flags.c_contiguous
    np.testing.assert_array_equal(read_label_map(f"{path}#label:xyz").array, LABEL.T)
    with pytest.raises(LongtailError, match="order of axes 'zxy'"):
        read_image(f"{path}#image:zxy")


def test_a_slice(tmp_path, h5_at):
    path = h5_at(tmp_path / "a.h5", image=IMAGE[0].astype(np.float64), label=LABEL[0])
    np.testing.assert_array_equal(read_image(f"{path}#image").array, IMAGE[:1])
    path = h5_at(tmp_path / "b.h5", image=np.zeros(5, np.uint8))
    with pytest.raises(LongtailError, match="array of 5, which is not one image"):
        read_header(f"{path}#image")


REFUSED = [
    ("outside", "outside is a link to elsewhere"),
    ("soft", "soft is a link to elsewhere"),
    ("external", "lie in another file, which is not opened"),
    ("virtual", "lie in another file, which is not opened"),
    ("words", "something other than plain numbers"),
    ("pairs", "something other than plain numbers"),
    ("references", "something other than plain numbers"),
    ("group", "group is no array"),
    ("huge", "claims an array of 1048576 x 1048576 x 1024"),
    ("scribble", "holds no array called scribble, but "),
    ("image/deeper", "holds no array called image/deeper"),
]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        other["image"] = IMAGE
    (tmp_path / "raw.bin").write_bytes(IMAGE.tobytes())
    layout = h5py.VirtualLayout(IMAGE.shape, IMAGE.dtype)
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "image", IMAGE.shape)
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file["image"] = IMAGE
        file["outside"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "image")
        file["soft"] = h5py.SoftLink("/image")
        raw = [(str(tmp_path / "raw.bin"), 0, IMAGE.nbytes)]
        file.create_dataset("external", IMAGE.shape, IMAGE.dtype, external=raw)
        file.create_virtual_dataset("virtual", layout)
        file["words"] = np.full((3, 3), b"abc")
        file["pairs"] = np.zeros((3, 3), [("a", "u1"), ("b", "u1")])
        file.create_dataset("references", (3, 3), h5py.ref_dtype)
        file.create_group("group")
        file.create_dataset("huge", (2**20, 2**20, 2**10), "u1", chunks=(64, 64, 64))
    return tmp_path / "odd.h5"


@pytest.mark.parametrize(("name", "words"), REFUSED)
def test_what_is_not_opened(odd, name, words):
    with pytest.raises(LongtailError, match=words):
        read_image(f"{odd}#{name}")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + b"\x09" * 40])
def test_rubbish_gets_a_sentence(content, tmp_path):
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(LongtailError, match=r"a\.h5 cannot be read"):
        read_header(str(tmp_path / "a.h5"))


def test_damage_never_surprises(packed):
    rng = random.Random(0)
    whole = packed.read_bytes()
    told = 0
    for _ in range(300):
        changed = bytearray(whole[: rng.choice([len(whole), rng.randrange(len(whole))])])
        for _ in range(rng.choice([1, 3, 20]) if changed else 0):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        packed.write_bytes(bytes(changed))
        try:
            assert read_image(f"{packed}#image").array.shape[0] == 1
        except LongtailError:
            told += 1
    assert told > 50
