"""Boxes on a batch of images are measured as the same pixels are by the other faces."""

import numpy as np
import pytest
import torch

from longtail.core.radiomics.boxes import WITHOUT_SHAPE, measure_boxes
from longtail.core.radiomics.extraction import measure_regions
from longtail.core.radiomics.regions import Region
from longtail.core.radiomics.settings import RadiomicSettings


@pytest.fixture
def images():
    return torch.from_numpy(np.random.default_rng(0).integers(0, 255, (3, 40, 50))).float()


def expected(pixels, settings):
    pixels = pixels.double().numpy()[None]
    region = Region(1, pixels, np.ones(pixels.shape, dtype=bool), (1.0, 1.0, 1.0), True)
    (found,) = measure_regions([region], settings)
    return [np.nan if value is None else value for value in found.features.values()]


@pytest.mark.parametrize("settings", [WITHOUT_SHAPE, RadiomicSettings(bin_count=8)])
def test_boxes_equal_regions_without_shape(images, settings):
    boxes = torch.tensor([[0, 0, 50, 40], [3, 5, 20, 9], [30, 20, 7, 15], [41, 30, 30, 30]])
    found = measure_boxes(images, boxes, settings, torch.tensor([0, 2, 2, 1]), torch.float64)
    assert len(found.names) == 93
    assert not any("shape" in name for name in found.names)
    cut = [images[0], images[2, 5:14, 3:23], images[2, 20:35, 30:37], images[1, 30:40, 41:50]]
    without = settings.model_copy(update={"classes": WITHOUT_SHAPE.classes})
    np.testing.assert_allclose(found.values, [expected(one, without) for one in cut], rtol=1e-9)


def test_a_box_an_image_in_order_with_a_channel(images):
    boxes = torch.tensor([[1, 1, 9.6, 9.2]]).repeat(3, 1)
    found = measure_boxes(images[:, None], boxes)
    assert found.values.dtype == torch.float32
    mean = found.values[:, found.names.index("original_firstorder_Mean")]
    torch.testing.assert_close(mean, images[:, 1:10, 1:11].mean(dim=(1, 2)))


def test_boxes_without_texture_are_nan(images):
    images[0, :10, :10] = 7
    images[1, 3, 3] = torch.nan
    boxes = torch.tensor([[0, 0, 8, 8], [0, 0, 8, 8], [0, 0, 8, 1], [60, 60, 8, 8], [20, 20, 8, 8]])
    found = measure_boxes(images, boxes, image_of=torch.tensor([0, 1, 2, 2, 2]))
    assert found.values[1:4].isnan().all()
    assert found.values[4].isfinite().all()
    missing = {found.names[column] for column in found.values[0].isnan().nonzero()[:, 0]}
    assert "original_glcm_Correlation" in missing
    assert "original_firstorder_Mean" not in missing
    assert measure_boxes(images, boxes[:0]).values.shape == (0, 93)
