"""Heads on a network's maps: features of single points for contrastive losses, never predictions.

They compute in full precision whatever surrounds them: their features end in cosines divided by a
temperature down to 0.04, and in bfloat16 such logits were off by up to 0.1 (1,024 features of width
128), while at some thousand points full precision costs nothing.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Norm = Literal["batch", "layer"]
LINEAR = {2: "bilinear", 3: "trilinear"}


class TwoLayers(nn.Module):
    """Linear, norm, ReLU, linear on the last axis.

    Parameters
    ----------
    norm
        `batch`, over all rows of all examples, or `layer`, each row by itself.
    """

    def __init__(self, in_width: int, hidden: int, width: int, norm: Norm = "batch") -> None:
        super().__init__()
        self.width = width
        # The norm has a shift of its own.
        self.first = nn.Linear(in_width, hidden, bias=norm == "layer")
        self.norm = RowNorm(hidden) if norm == "batch" else nn.LayerNorm(hidden)
        self.last = nn.Linear(hidden, width)

    def forward(self, rows: Tensor) -> Tensor:
        """(..., in) to (..., width), float32."""
        with torch.autocast(rows.device.type, enabled=False):
            flat = rows.reshape(-1, rows.shape[-1]).float()
            answer: Tensor = self.last(functional.relu(self.norm(self.first(flat))))
            return answer.reshape(*rows.shape[:-1], self.width)


class RowNorm(nn.BatchNorm1d):
    """Batch norm of (row, width) that also takes one row or none: those by the running figures."""

    def forward(self, rows: Tensor) -> Tensor:
        """Normalise each column."""
        if self.training and len(rows) < 2:
            return functional.batch_norm(
                rows, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(rows)


class Projector(TwoLayers):
    """From pooled features to the space in which they are compared, (..., in) to (..., width)."""

    def __init__(self, in_width: int, width: int = 128, hidden: int = 128) -> None:
        super().__init__(in_width, hidden, width)


class Predictor(TwoLayers):
    """From the student's projection to the teacher's, (..., width) to (..., width)."""

    def __init__(self, width: int = 128, hidden: int = 128) -> None:
        super().__init__(width, hidden, width)


class PointHead(nn.Module):
    """Features of sampled points: two 1x1 convolutions on all maps, computed at the points only.

    Interpolation is linear, so sampling the maps and then projecting is the same as a 1x1
    convolution on the maps resized and concatenated, without ever making those.

    Parameters
    ----------
    map_widths
        Channels of the maps that `forward` is given, in their order.
    """

    def __init__(
        self,
        map_widths: Sequence[int],
        width: int = 128,
        hidden: int = 128,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        self.layers = TwoLayers(sum(map_widths), hidden, width, norm)

    def forward(self, maps: Sequence[Tensor], points: Tensor, size: Sequence[int]) -> Tensor:
        """Features of points.

        Parameters
        ----------
        maps
            Each (batch, channel, *space), of any resolution of the same field of view.
        points
            (batch, point, axis), in voxels of the full grid, whole numbers at voxel centres.
        size
            Sides of the full grid, voxels.

        Returns
        -------
        Tensor
            (batch, point, width), float32.
        """
        sampled = [sample(each, points, size) for each in maps]
        features: Tensor = self.layers(torch.cat(sampled, 2))
        return features


class DenseHead(nn.Module):
    """The published head: maps at full size and concatenated, 3x3 convolution, 1x1 convolution.

    It costs many times the network on a large image: a choice for graphics cards. It is called
    like `PointHead`.
    """

    def __init__(
        self, map_widths: Sequence[int], width: int = 128, hidden: int = 128, spatial_dims: int = 2
    ) -> None:
        super().__init__()
        from monai.networks.blocks import Convolution

        self.first = Convolution(
            spatial_dims, sum(map_widths), hidden, 1, 3, act="RELU", norm="BATCH", bias=False
        )
        self.last = Convolution(spatial_dims, hidden, width, 1, 1, conv_only=True)

    def forward(self, maps: Sequence[Tensor], points: Tensor, size: Sequence[int]) -> Tensor:
        """Features of points, as `PointHead.forward` gives them."""
        return sample(self.dense(maps, size), points, size)

    def dense(self, maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
        """Features of every voxel, (batch, width, *size), float32."""
        with torch.autocast(maps[0].device.type, enabled=False):
            resized = [
                functional.interpolate(each.float(), tuple(size), mode=LINEAR[len(size)])
                for each in maps
            ]
            features: Tensor = self.last(self.first(torch.cat(resized, 1)))
            return features


def sample(values: Tensor, points: Tensor, size: Sequence[int]) -> Tensor:
    """Interpolate a map linearly at points of the full grid.

    Equal to resizing the map to `size` (corners not aligned, the border repeated) and reading
    there.

    Parameters
    ----------
    values
        (batch, channel, *space).
    points
        (batch, point, axis), voxels of the full grid.
    size
        Sides of the full grid, voxels.

    Returns
    -------
    Tensor
        (batch, point, channel), float32.
    """
    dims = len(size)
    with torch.autocast(values.device.type, enabled=False):
        sides = torch.tensor(size, dtype=torch.float32, device=points.device)
        # From -1 to 1 over the field of view; the last axis comes first.
        places = ((2 * points.float() + 1) / sides - 1).flip(-1)
        grid = places.reshape(*places.shape[:2], *[1] * (dims - 1), dims)
        found = functional.grid_sample(
            values.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return found.flatten(2).transpose(1, 2)
