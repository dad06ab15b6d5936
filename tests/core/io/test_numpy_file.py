import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.image import read_header, read_image

SHAPES = [
    ((5, 6), np.float32, (1, 5, 6), False),
    ((4, 5, 6), np.int16, (1, 4, 5, 6), False),
    ((5, 6, 3), np.uint8, (3, 5, 6), True),
    ((4, 5, 6, 3), np.uint8, (3, 4, 5, 6), True),
    ((2, 4, 5, 6), np.float64, (2, 4, 5, 6), False),
    ((5, 6), bool, (1, 5, 6), False),
]


@pytest.mark.parametrize(("stored", "dtype", "shape", "colour"), SHAPES)
def test_axes(stored, dtype, shape, colour, tmp_path):
    array = np.arange(np.prod(stored)).reshape(stored).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    header, image = read_header(str(tmp_path / "a.npy")), read_image(str(tmp_path / "a.npy"))
    assert image.array.shape == shape == (header.channel_count, *header.shape)
    assert header.dtype == image.array.dtype.name
    assert image.colour == header.colour == colour
    expected = np.moveaxis(array, -1, 0) if colour else array
    np.testing.assert_array_equal(image.array.reshape(expected.shape), expected)


def test_a_row_of_an_archive(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (7, 4, 5, 3)).astype(np.uint8)
    np.savez_compressed(tmp_path / "a.npz", train_images=images, train_labels=np.zeros(7))
    image = read_image(f"{tmp_path}/a.npz#train_images:6")
    np.testing.assert_array_equal(image.array, np.moveaxis(images[6], -1, 0))
    assert image.array.flags.writeable
    assert read_header(f"{tmp_path}/a.npz#train_images:6").shape == (4, 5)


def test_a_lone_array_needs_no_name(tmp_path):
    np.savez(tmp_path / "a.npz", scan=np.zeros((3, 4, 5), np.int16))
    assert read_image(str(tmp_path / "a.npz")).array.shape == (1, 3, 4, 5)


def test_rows_follow_the_file_when_it_changes(tmp_path):
    for value in (1, 2):
        np.savez(tmp_path / "a.npz", x=np.full((2, 3, 3), value, np.uint8))
        assert read_image(f"{tmp_path}/a.npz#x:0").array.max() == value


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_python_objects_are_never_opened(name, tmp_path):
    objects = np.array([{"a": 1}], dtype=object)
    save = np.save if name == "a.npy" else np.savez
    save(tmp_path / name, objects)
    with pytest.raises(LongtailError, match="Python objects"):
        read_image(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY\x01\x00", b"PK\x03\x04"])
def test_rubbish_gets_a_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LongtailError, match=r"cannot be read"):
        read_header(str(tmp_path / name))


@pytest.mark.parametrize("part", ["nothing:0", "x:9", "x:zero"])
def test_a_row_that_is_not_there(part, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 3, 3)))
    with pytest.raises(LongtailError):
        read_image(f"{tmp_path}/a.npz#{part}")


def test_an_array_that_is_no_image(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((20, 3, 4, 5), np.float32))
    with pytest.raises(LongtailError, match="20 x 3 x 4 x 5"):
        read_header(str(tmp_path / "a.npy"))
