"""HDF5 files, held against those that the library itself wrote; see `h5/README.md`."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.errors import LongtailError
from longtail.core.io.image import open_lazily, read_header, read_image
from longtail.core.io.labelmap import check_mask, read_label_map

MADE = Path(__file__).parent / "h5"
IMAGE = (np.arange(144).reshape(3, 8, 6) / 4).astype(np.float32)
LABEL = (np.arange(144).reshape(3, 8, 6) % 4).astype(np.uint8)


@pytest.mark.parametrize("name", ["gzip.h5", "shuffled.h5", "since-1.8.h5"])
def test_what_the_library_wrote(name):
    image = read_image(f"{MADE / name}#image")
    np.testing.assert_array_equal(image.array, IMAGE[None])
    assert image.geometry is None
    header = read_header(f"{MADE / name}#image")
    assert (header.shape, header.channel_count, header.dtype) == ((3, 8, 6), 1, "float32")
    mask = read_label_map(f"{MADE / name}#label")
    np.testing.assert_array_equal(mask.array, LABEL)
    assert mask.array.dtype.isnative


def test_an_image_and_its_mask():
    path = MADE / "gzip.h5"
    assert read_header(str(path)).shape == (3, 8, 6)
    np.testing.assert_array_equal(open_lazily(f"{path}#image").array, IMAGE[None])
    array = check_mask(f"{path}#label", (3, 8, 6), None, {1: 1, 2: 2, 3: 3})
    np.testing.assert_array_equal(array, LABEL)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64, np.int64])
@pytest.mark.parametrize("packed", [False, True])
def test_what_itk_writes(tmp_path, dtype, packed):
    array = np.arange(4 * 50 * 60).reshape(4, 50, 60).astype(dtype)
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(tmp_path / "a.hdf5"))
    writer.SetImageIO("HDF5ImageIO")
    writer.SetUseCompression(packed)
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
    ("links.h5", "image", "image is a link to elsewhere"),
    ("links.h5", "label", "label is a link to elsewhere"),
    ("elsewhere.h5", "image", "lie in another file, which is not opened"),
    ("unwritten.h5", "image", "parts of its image were never written"),
    ("latest.h5", "image", "in the newest form of HDF5"),
    ("odd.h5", "image", "something other than plain numbers"),
    ("odd.h5", "label", "something other than plain numbers"),
    ("odd.h5", "group", "group is no array"),
    ("odd.h5", "huge", "1048576 x 1048576 x 1024, which it cannot hold"),
    ("gzip.h5", "scribble", "holds no array called scribble, but image, label"),
    ("gzip.h5", "image/deeper", "holds no array called deeper"),
]


@pytest.mark.parametrize(("file", "name", "words"), REFUSED)
def test_what_is_not_opened(file, name, words):
    with pytest.raises(LongtailError, match=words):
        read_image(f"{MADE / file}#{name}")


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n\x09" * 9]
)
def test_rubbish_gets_a_sentence(content, tmp_path):
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(LongtailError, match=r"a\.h5 (cannot be read|is cut off)"):
        read_header(str(tmp_path / "a.h5"))


@pytest.mark.parametrize("name", ["gzip.h5", "shuffled.h5", "since-1.8.h5"])
def test_damage_never_surprises(name, tmp_path):
    rng = random.Random(0)
    whole, copy = (MADE / name).read_bytes(), tmp_path / name
    told = []
    for _ in range(400):
        changed = bytearray(whole[: rng.choice([len(whole), rng.randrange(len(whole))])])
        for _ in range(rng.choice([1, 3, 20]) if changed else 0):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        copy.write_bytes(bytes(changed))
        try:
            assert read_image(f"{copy}#image").array.shape[0] == 1
        except LongtailError as error:
            told.append(error.reason)
    assert len(told) > 100
    assert all(reason.endswith(".") for reason in told)


def test_an_index_that_leads_in_circles(tmp_path):
    copy = tmp_path / "gzip.h5"
    shutil.copyfile(MADE / "gzip.h5", copy)
    content = bytearray(copy.read_bytes())
    tree = content.index(b"TREE")
    content[tree + 5] = 1  # the leaf says that it is a level above
    content[tree + 32 : tree + 40] = tree.to_bytes(8, "little")  # and that it lies below itself
    copy.write_bytes(bytes(content))
    with pytest.raises(LongtailError, match="its index is damaged"):
        read_image(f"{copy}#image")
