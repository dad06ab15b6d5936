import pytest
import torch
from torch import nn

from longtail.core.nets.encoders import ImageClassifier

CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}
NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def tiny_classifier(dims, classes=3, seed=0):
    """A small classifier in float64, in training mode, whose later layer writes in place."""
    torch.manual_seed(seed)
    body = nn.Sequential(
        CONVOLUTION[dims](1, 4, 3, stride=2, padding=1),
        NORM[dims](4),
        nn.ReLU(inplace=True),
        CONVOLUTION[dims](4, 5, 3, padding=1),
        nn.Tanh(),
        nn.ReLU(),
    )
    network = ImageClassifier(body, nn.Linear(5, classes), 5, dropout=0.5).double()
    network(torch.randn(4, 1, *[8] * dims, dtype=torch.float64))
    return network


class TinySegmenter(nn.Module):
    """Two stages whose first gives the maps."""

    def __init__(self, dims, classes=3):
        super().__init__()
        self.first = CONVOLUTION[dims](1, 4, 3, padding=1)
        self.last = CONVOLUTION[dims](4, classes, 3, padding=1)

    def forward(self, images):
        return self.last(torch.tanh(self.first(images)) ** 2)


@pytest.fixture(params=[2, 3])
def dims(request):
    return request.param


@pytest.fixture
def classifier(dims):
    return tiny_classifier(dims)


@pytest.fixture
def images(dims):
    torch.manual_seed(1)
    return torch.randn(3, 1, *[6, 4, 6][:dims], dtype=torch.float64)


@pytest.fixture
def make_classifier():
    return tiny_classifier


@pytest.fixture
def make_segmenter():
    return TinySegmenter
