import numpy as np
import pytest
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io.thumbnails import thumbnail


def test_true_proportions_on_black(tmp_path, volume_at):
    array = np.full((3, 20, 20), 50, np.int16)
    array[1, 5:15, 5:15] = 100
    picture = thumbnail([str(volume_at(tmp_path / "a.nii", array, spacing=(1, 1, 2)))], 40)
    assert picture.shape == (40, 40, 3)
    assert picture.dtype == np.uint8
    assert not picture[:10].any()  # twice as wide as high: bars above and below
    assert not picture[30:].any()
    assert picture[20, 20].tolist() == [255, 255, 255]


def test_outliers_do_not_spoil_the_window(tmp_path, volume_at):
    array = np.tile(np.linspace(0, 100, 50, dtype=np.float32), (1, 50, 1))
    array[0, 0, 0] = 1e6
    picture = thumbnail([str(volume_at(tmp_path / "a.nii", array, spacing=(1, 1, 1)))], 50)
    assert 100 < picture[25, 25, 0] < 150


def test_colour_stays_colour(tmp_path):
    colours = np.zeros((30, 30, 3), np.uint8)
    colours[..., 0] = 200
    PillowImage.fromarray(colours).save(tmp_path / "a.png")
    assert thumbnail([str(tmp_path / "a.png")])[22, 22].tolist() == [200, 0, 0]


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_flat_and_empty_images(value, tmp_path, volume_at):
    path = volume_at(tmp_path / "a.nii", np.full((3, 8, 8), value, np.float32))
    assert thumbnail([str(path)]).shape == (44, 44, 3)


def test_a_broken_image_raises(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"x")
    with pytest.raises(LongtailError):
        thumbnail([str(tmp_path / "a.nii")])
