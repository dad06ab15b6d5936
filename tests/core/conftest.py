"""Networks whose answer is known, for tests of what predicts."""

import pytest
import torch

from longtail.core.checkpoints.card import ModelCard
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.nets.recipe import NetworkRecipe
from longtail.core.project.records import Task


class NearestValue(torch.nn.Module):
    """A network whose answer is known: the class whose number is nearest to the grey value."""

    def __init__(self, dims, classes):
        super().__init__()
        kind = {2: torch.nn.Conv2d, 3: torch.nn.Conv3d}[dims]
        self.conv = kind(1, classes, 1)
        number = torch.arange(classes, dtype=torch.float32)
        self.conv.weight.data[:] = (20 * number).reshape(-1, 1, *[1] * dims)
        self.conv.bias.data[:] = -10 * number**2

    def forward(self, values):
        return self.conv(values)


class NearestMean(NearestValue):
    """The same for whole images."""

    def forward(self, values):
        return self.conv(values).flatten(2).mean(dim=2)


def build_known(recipe):
    kind = NearestMean if recipe.kind == "encoder" else NearestValue
    return kind(recipe.spatial_dims, recipe.out_channels)


@pytest.fixture
def known_networks(monkeypatch):
    """Networks with a known answer in place of those that are trained; gives their builder."""
    monkeypatch.setattr("longtail.core.checkpoints.store.build_network", build_known)
    monkeypatch.setattr("longtail.core.predict.package.build_network", build_known)
    return build_known


AS_IT_IS = Intensity("window", 0.0, 100.0, (0.0,), (1.0,))


@pytest.fixture
def volume_card():
    return ModelCard(
        task=Task.SEGMENTATION,
        class_ids=(1, 2),
        class_names=("core", "rim"),
        network=NetworkRecipe("unet", 3, 1, 3),
        preprocessing=Preprocessing(3, 1, AS_IT_IS),
        patch_size=(4, 6, 6),
        label_version=5,
    )


@pytest.fixture
def image_card():
    return ModelCard(
        task=Task.CLASSIFICATION,
        class_ids=(1, 2, 3),
        class_names=("low", "mid", "high"),
        network=NetworkRecipe("encoder", 2, 1, 3),
        preprocessing=Preprocessing(2, 1, AS_IT_IS, size=(8, 8)),
        prior=(0.8, 0.15, 0.05),
    )
