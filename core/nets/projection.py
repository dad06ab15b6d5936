"""From pooled features to the directions in which images are compared."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Projection(nn.Module):
    """A perceptron F-F-D with ReLU; what it gives has length 1.

    It computes in full precision whatever surrounds it.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, features), nn.ReLU(), nn.Linear(features, width)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(batch, features) to (batch, width) float32."""
        with torch.autocast(features.device.type, enabled=False):
            return functional.normalize(self.layers(features.float()), dim=1)
