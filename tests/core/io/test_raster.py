import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io import raster
from longtail.core.io.image import read_header, read_image


@pytest.fixture
def grey():
    return np.arange(6 * 8, dtype=np.uint8).reshape(6, 8)


def check_header(path):
    header, image = read_header(str(path)), read_image(str(path))
    assert header.shape == image.array.shape[1:]
    assert header.channel_count == len(image.array)
    assert header.dtype == image.array.dtype.name
    assert header.colour == image.colour
    assert header.geometry is None
    return image


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_grey_picture(name, tmp_path, grey):
    PillowImage.fromarray(grey).save(tmp_path / name)
    np.testing.assert_array_equal(check_header(tmp_path / name).array, grey[None])


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_colour_is_three_channels(name, tmp_path, grey):
    colours = np.stack([grey, grey + 50, grey + 100], axis=-1)
    PillowImage.fromarray(colours).save(tmp_path / name)
    image = check_header(tmp_path / name)
    assert image.colour
    np.testing.assert_array_equal(image.array, np.moveaxis(colours, -1, 0))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits(name, tmp_path, grey):
    deep = grey.astype(np.uint16) * 1000
    PillowImage.fromarray(deep).save(tmp_path / name)
    image = check_header(tmp_path / name)
    assert image.array.dtype == np.uint16
    np.testing.assert_array_equal(image.array[0], deep)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_one_bit(name, tmp_path, grey):
    PillowImage.fromarray(grey > 20).save(tmp_path / name)
    image = check_header(tmp_path / name)
    np.testing.assert_array_equal(image.array[0], np.where(grey > 20, 255, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_followed(orientation, tmp_path):
    upright = np.zeros((40, 60), np.uint8)
    upright[:20, :30] = 200
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    PillowImage.fromarray(np.ascontiguousarray(turned)).save(
        tmp_path / "a.jpg", exif=exif, quality=95
    )
    image = check_header(tmp_path / "a.jpg")
    np.testing.assert_allclose(image.array[0].astype(int), upright, atol=12)


def test_transparent_parts_are_laid_on_black_and_told(tmp_path, grey):
    pixels = np.full((6, 8, 4), 200, np.uint8)
    pixels[:3, :, 3], pixels[3:, :, 3] = 0, 255
    PillowImage.fromarray(pixels).save(tmp_path / "a.png")
    image = check_header(tmp_path / "a.png")
    assert set(image.array[:, :3].ravel()) == {0}
    assert set(image.array[:, 3:].ravel()) == {200}
    assert image.notes == ("transparent parts were laid on black",)


def test_an_opaque_alpha_is_dropped_silently(tmp_path):
    pixels = np.full((6, 8, 4), 255, np.uint8)
    pixels[..., 0] = 7
    PillowImage.fromarray(pixels).save(tmp_path / "a.png")
    image = check_header(tmp_path / "a.png")
    assert image.array[0, 0, 0] == 7
    assert image.notes == ()


def test_grey_with_alpha_stays_one_channel(tmp_path, grey):
    PillowImage.fromarray(np.stack([grey, np.full_like(grey, 255)], -1), "LA").save(
        tmp_path / "a.png"
    )
    np.testing.assert_array_equal(check_header(tmp_path / "a.png").array, grey[None])


def palette_picture(colours):
    picture = PillowImage.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "P")
    picture.putpalette(np.array(colours, np.uint8).tobytes())
    return picture


def test_palette_becomes_colour(tmp_path):
    palette_picture([[0, 0, 0], [255, 0, 0], [0, 0, 9]]).save(tmp_path / "a.png")
    image = check_header(tmp_path / "a.png")
    assert image.colour
    np.testing.assert_array_equal(image.array[0], [[0, 255], [0, 255]])


def test_grey_palette_becomes_grey(tmp_path):
    palette_picture([[0, 0, 0], [90, 90, 90], [255, 255, 255]]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(check_header(tmp_path / "a.png").array, [[[0, 90], [255, 90]]])


def test_cmyk_jpeg_becomes_rgb(tmp_path, grey):
    PillowImage.fromarray(np.full((8, 8, 4), 30, np.uint8), "CMYK").save(tmp_path / "a.jpg")
    assert check_header(tmp_path / "a.jpg").array.shape == (3, 8, 8)


def test_pages_of_a_tiff_are_slices(tmp_path):
    pages = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    np.testing.assert_array_equal(check_header(tmp_path / "a.tif").array, pages[None])


def test_ome_channels_and_depth(tmp_path):
    pixels = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(3, 2, 4, 5)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "ZCYX"})
    image = check_header(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(image.array, pixels.transpose(1, 0, 2, 3))


def test_tiff_time_series_is_refused(tmp_path):
    pixels = np.zeros((7, 4, 5), np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata={"axes": "TYX"})
    with pytest.raises(LongtailError, match="series of 7 points in time"):
        read_header(str(tmp_path / "a.ome.tif"))


def test_tiff_where_white_is_least_is_turned(tmp_path, grey):
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="miniswhite")
    np.testing.assert_array_equal(check_header(tmp_path / "a.tif").array[0], 255 - grey)


def test_tiff_palette_becomes_colour(tmp_path):
    palette_picture([[0, 0, 0], [255, 0, 0], [0, 0, 9]]).save(tmp_path / "a.tif")
    image = check_header(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array[0], [[0, 255], [0, 255]])


@pytest.mark.parametrize("packing", ["tiff_lzw", "jpeg", "tiff_adobe_deflate"])
def test_packed_tiff(packing, tmp_path):
    flat = np.full((16, 16), 77, np.uint8)
    PillowImage.fromarray(flat).save(tmp_path / "a.tif", compression=packing)
    np.testing.assert_allclose(check_header(tmp_path / "a.tif").array[0], flat, atol=2)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
def test_cut_picture_is_named(name, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (60, 60)).astype(np.uint8)
    PillowImage.fromarray(noise).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LongtailError, match=name.replace(".", r"\.")):
        read_image(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp"])
@pytest.mark.parametrize("content", [b"", b"hello", b"II*\0" + b"\xff" * 30, b"\x89PNG\r\n\x1a\n"])
def test_rubbish_gets_a_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LongtailError, match="cannot be read"):
        read_header(str(tmp_path / name))


def test_a_picture_bomb_is_refused_before_it_unpacks(tmp_path, monkeypatch):
    monkeypatch.setattr(raster, "PIXELS_AT_MOST", 1000)
    PillowImage.new("1", (50, 50)).save(tmp_path / "bomb.png")
    with pytest.raises(LongtailError, match=r"bomb\.png has 50 x 50 pixels"):
        read_header(str(tmp_path / "bomb.png"))


def test_pillows_own_guard_is_told_in_a_sentence(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        PillowImage.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(LongtailError, match=r"bomb\.png"):
        read_image(str(tmp_path / "bomb.png"))


def test_a_file_of_another_format_is_not_opened_under_a_false_name(tmp_path, grey):
    PillowImage.fromarray(grey).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    with pytest.raises(LongtailError, match="not what its suffix says"):
        read_header(str(tmp_path / "a.png"))
    PillowImage.fromarray(grey).save(tmp_path / "b.bmp")
    (tmp_path / "b.bmp").rename(tmp_path / "b.png")
    np.testing.assert_array_equal(read_image(str(tmp_path / "b.png")).array[0], grey)


def test_real_pictures(shared):
    cells = shared / "pbc8_sample" / "images" / "basophil" / "BA_100102.jpg"
    image = read_image(str(cells))
    assert image.colour
    assert image.array.shape == (3, 363, 360)
