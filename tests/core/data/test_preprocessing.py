"""From an image to the network's tensor and back."""

import json

import numpy as np
import pytest
import torch

from longtail.core.data.intensity import fit_intensity, picture_intensity
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.errors import LongtailError
from longtail.core.io.geometry import plain_geometry
from longtail.core.io.image import Image


def volume(shape=(6, 8, 10), spacing=(1.0, 1.0, 1.0), seed=0, dtype=np.float32):
    array = np.random.default_rng(seed).normal(100, 20, size=(1, *shape)).astype(dtype)
    return Image(array, plain_geometry(spacing))


def test_z_scores_ignore_outliers():
    image = volume()
    image.array[0, 0, 0, 0] = 1e6
    result = Preprocessing(3, 1).apply(image)
    assert abs(float(result.mean())) < 1e-4
    assert abs(float(result.std()) - 1) < 0.01
    assert float(result.max()) < 4


def test_empty_surroundings_do_not_count():
    image = volume((10, 20, 20))
    image.array[0, :, :14] = 0
    result = Preprocessing(3, 1).apply(image)
    inside = result[0, :, 14:]
    assert abs(float(inside.mean())) < 0.1


def test_spacing_is_brought_to_the_network_and_back():
    rule = Preprocessing(3, 1, spacing_mm=(1.0, 1.0, 1.0))
    image = volume((6, 8, 10), (2.0, 1.0, 0.5))
    assert rule.apply(image).shape == (1, 12, 8, 5)
    scores = torch.rand(3, 12, 8, 5)
    assert rule.restore(scores, image.shape).shape == (3, 6, 8, 10)
    labels = torch.randint(0, 3, (12, 8, 5), dtype=torch.uint8)
    assert rule.restore_labels(labels, image.shape).shape == (6, 8, 10)


def test_labels_keep_their_values():
    rule = Preprocessing(3, 1, spacing_mm=(1.0, 1.0, 1.0))
    labels = np.random.default_rng(0).choice([0, 1, 7, 255], size=(6, 8, 10)).astype(np.uint8)
    moved = rule.apply_labels(labels, (2.0, 1.0, 1.0))
    assert moved.shape == (12, 8, 10)
    assert moved.dtype == torch.uint8
    np.testing.assert_array_equal(moved.numpy()[::2], labels)
    np.testing.assert_array_equal(rule.restore_labels(moved, labels.shape).numpy(), labels)


def test_slices_come_first_for_a_flat_network():
    rule = Preprocessing(2, 1, slice_axis=2, spacing_mm=(1.0, 1.0, 0.0))
    image = volume((6, 8, 10), (1.0, 1.0, 5.0))
    result = rule.apply(image)
    assert result.shape == (1, 10, 6, 8)
    back = rule.restore(result, image.shape)
    plain = Preprocessing(3, 1).apply(image)
    torch.testing.assert_close(back, plain)
    labels = (image.array[0] > 100).astype(np.uint8)
    moved = rule.apply_labels(labels, (1.0, 1.0, 5.0))
    np.testing.assert_array_equal(rule.restore_labels(moved, labels.shape).numpy(), labels)


def test_pictures_are_kept_as_bytes_and_finished_later():
    array = np.random.default_rng(0).integers(0, 256, (3, 20, 30)).astype(np.uint8)
    rule = Preprocessing(2, 3, picture_intensity(3), network_channels=3, size=(16, 16))
    prepared = rule.prepare(Image(array, None, colour=True))
    assert prepared.dtype == torch.uint8
    assert prepared.shape == (3, 16, 16)
    single = rule.normalise(prepared)
    batch = rule.normalise(torch.stack([prepared, prepared]), channel_axis=1)
    torch.testing.assert_close(batch[1], single)
    expected = (prepared[1] / 255 - 0.456) / 0.224
    torch.testing.assert_close(single[1], expected)


def test_grey_is_repeated_for_a_colour_network():
    rule = Preprocessing(2, 1, picture_intensity(1), network_channels=3, size=(8, 8))
    array = np.arange(64, dtype=np.uint16).reshape(1, 8, 8) * 500
    result = rule.apply(Image(array, None))
    assert result.shape == (3, 8, 8)
    torch.testing.assert_close(result[0], result[2])
    assert result[0, -1, -1] > result[0, 0, 0]


def test_colour_and_grey_pictures_mix():
    colour = Image(np.full((3, 8, 8), 200, np.uint8), None, colour=True)
    grey = Image(np.full((1, 8, 8), 200, np.uint8), None)
    to_colour = Preprocessing(2, 3, picture_intensity(3), network_channels=3, size=(8, 8))
    to_grey = Preprocessing(2, 1, picture_intensity(1), size=(8, 8))
    torch.testing.assert_close(to_colour.apply(grey), to_colour.apply(colour))
    torch.testing.assert_close(to_grey.apply(colour), to_grey.apply(grey))


def test_no_number_becomes_zero():
    image = volume()
    image.array[0, 1, 1, 1] = np.nan
    assert torch.isfinite(Preprocessing(3, 1).apply(image)).all()


def test_a_constant_image_is_finite():
    image = Image(np.full((1, 4, 4, 4), 7.0, np.float32), None)
    assert torch.isfinite(Preprocessing(3, 1).apply(image)).all()


@pytest.mark.parametrize("intensity", [Intensity(), picture_intensity(3)])
def test_it_survives_plain_data(intensity):
    rule = Preprocessing(2, 3, intensity, 3, (0.5, 0.5), (32, 32), 1)
    text = json.dumps(rule.to_mapping())
    assert Preprocessing.from_mapping(json.loads(text)) == rule


def test_a_newer_one_is_refused():
    mapping = {**Preprocessing(2, 1).to_mapping(), "format": 9}
    with pytest.raises(LongtailError, match="newer Longtail"):
        Preprocessing.from_mapping(mapping)


def test_other_channels_and_dimensions_are_refused():
    with pytest.raises(LongtailError, match="has 1 channels"):
        Preprocessing(3, 2).apply(volume())
    flat = Image(np.zeros((1, 8, 8), np.float32), None)
    with pytest.raises(LongtailError, match="has 2 dimensions"):
        Preprocessing(3, 1).apply(flat)


def test_hounsfield_units_get_one_window():
    random = np.random.default_rng(0)
    images, wheres = [], []
    for _ in range(3):
        array = random.normal(40, 10, (1, 8, 8, 8)).astype(np.int16)
        array[0, 0] = -1000
        array[0, 1, 0, 0] = 2000
        images.append(Image(array, None))
        wheres.append(np.zeros((8, 8, 8), bool))
        wheres[-1][3:5] = True
    rule = fit_intensity(images, wheres)
    assert rule.kind == "window"
    assert 0 < rule.low < rule.mean[0] < rule.high < 100
    result = Preprocessing(3, 1, rule).apply(images[0])
    assert float(result[0, 0].max()) == pytest.approx(float(result.min()))


def test_other_volumes_get_z_scores():
    assert fit_intensity([volume()], [None]).kind == "zscore"
