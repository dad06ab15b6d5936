import numpy as np
import torch
from torch import nn

from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.explain.cam import MapKind, class_maps
from longtail.core.explain.whole import map_of_picture, map_of_scan
from longtail.core.io.image import Image
from longtail.core.nets.encoders import ImageClassifier

PLAIN = Intensity("window", 0.0, 100.0, (0.0,), (1.0,))


def blob_classifier():
    """Its only class is how bright an image is; the map is the image, blurred."""
    body = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    body.weight.data.fill_(1 / 9)
    network = ImageClassifier(body, nn.Linear(1, 1), 1)
    network.head.weight.data.fill_(1.0)
    return network


def picture(array):
    return Image(np.asarray(array, dtype=np.float32)[None], None)


def test_the_box_of_a_picture_is_in_pixels_of_the_source():
    array = np.zeros((48, 96))
    array[8:16, 60:84] = 50
    network = blob_classifier()
    shrunk = Preprocessing(2, 1, PLAIN, size=(24, 24))
    found = map_of_picture(network, shrunk, picture(array), 0, "cpu")
    assert found.values.shape == (48, 96)
    assert found.kind is MapKind.GRADED
    (box,) = found.boxes()
    np.testing.assert_allclose(box.xywh, (60, 8, 24, 8), atol=3)
    y, x = found.point()
    assert 8 <= y < 16
    assert 60 <= x < 84
    assert found.logits.shape == (1,)


def test_a_picture_without_evidence_has_no_box_and_no_point():
    found = map_of_picture(
        blob_classifier(),
        Preprocessing(2, 1, PLAIN, size=(8, 8)),
        picture(np.zeros((8, 8))),
        0,
        "cpu",
    )
    assert found.kind is MapKind.EMPTY
    assert found.boxes() == []
    assert found.point() is None


class Bright(nn.Module):
    """Class 1 is what is brighter than 5."""

    def __init__(self, dims):
        super().__init__()
        kind = {2: nn.Conv2d, 3: nn.Conv3d}[dims]
        self.maps, self.last = kind(1, 2, 1), kind(2, 2, 1)
        self.maps.weight.data[:] = 1.0
        self.maps.bias.data[:] = 0.0
        self.last.weight.data[:] = torch.tensor([[0.0, 0.0], [0.5, 0.5]]).view(2, 2, *[1] * dims)
        self.last.bias.data[:] = torch.tensor([5.0, 0.0])

    def forward(self, images):
        return self.last(self.maps(images))


def scan():
    array = np.zeros((10, 20, 16), dtype=np.float32)
    array[3:7, 12:18, 2:9] = 10
    return picture(array)


def test_windows_of_a_volume_are_put_together_on_one_scale():
    found = map_of_scan(
        Bright(3), Preprocessing(3, 1, PLAIN), scan(), 1, (8, 8, 8), "cpu", layer="maps"
    )
    (box,) = found.boxes(most=9)
    assert (box.start, box.size) == ((3, 12, 2), (4, 6, 7))
    assert found.kind is MapKind.GRADED
    assert found.logits is None


def test_one_window_over_all_is_the_plain_map():
    image = scan()
    network, about = Bright(3), Preprocessing(3, 1, PLAIN)
    windowed = map_of_scan(network, about, image, 1, (10, 20, 16), "cpu", layer="maps")
    whole = class_maps(network, about.apply(image)[None], [1], layer="maps")
    np.testing.assert_allclose(windowed.values, whole.values[0, 0].numpy(), atol=1e-6)


def test_a_flat_network_looks_at_a_volume_slice_by_slice_along_its_axis():
    about = Preprocessing(2, 1, PLAIN, slice_axis=2)
    found = map_of_scan(Bright(2), about, scan(), 1, (8, 8), "cpu", layer="maps")
    assert found.values.shape == (10, 20, 16)
    (box,) = found.boxes(most=9)
    assert (box.start, box.size) == ((3, 12, 2), (4, 6, 7))


def test_a_class_outlined_nowhere_is_said_to_be_absent():
    empty = picture(np.zeros((10, 12, 9)))
    found = map_of_scan(
        Bright(3), Preprocessing(3, 1, PLAIN), empty, 1, (8, 8, 8), "cpu", layer="maps"
    )
    assert found.kind is MapKind.ABSENT
    assert found.values.max() == 0
