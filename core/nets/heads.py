"""Heads on a network's maps: features of single points for contrastive losses, never predictions.

They compute in full precision whatever surrounds them: their features end in cosines divided by a
temperature down to 0.04, and in bfloat16 such logits were off by up to 0.1 (1,024 features of width
128), while at some thousand points full precision costs nothing.
"""

import math
from collections.abc import Sequence
from itertools import product
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
        """Features of as many points in each image.

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
        return self.at(maps, *_listed(points), size).reshape(*points.shape[:2], -1)

    def at(
        self, maps: Sequence[Tensor], image: Tensor, points: Tensor, size: Sequence[int]
    ) -> Tensor:
        """Features of listed points, (point, width) float32.

        Parameters
        ----------
        image
            (point,), the row of the batch that each lies in.
        points
            (point, axis), as in `forward`.
        """
        sampled = [sample(each, image, points, size) for each in maps]
        features: Tensor = self.layers(torch.cat(sampled, 1))
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
        """Features of as many points in each image, as `PointHead.forward` gives them."""
        return self.at(maps, *_listed(points), size).reshape(*points.shape[:2], -1)

    def at(
        self, maps: Sequence[Tensor], image: Tensor, points: Tensor, size: Sequence[int]
    ) -> Tensor:
        """Features of listed points, as `PointHead.at` gives them."""
        return sample(self.dense(maps, size), image, points, size)

    def dense(self, maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
        """Features of every voxel, (batch, width, *size), float32."""
        with torch.autocast(maps[0].device.type, enabled=False):
            resized = [
                functional.interpolate(each.float(), tuple(size), mode=LINEAR[len(size)])
                for each in maps
            ]
            features: Tensor = self.last(self.first(torch.cat(resized, 1)))
            return features


def sample(values: Tensor, image: Tensor, points: Tensor, size: Sequence[int]) -> Tensor:
    """Interpolate a map linearly at listed points of the full grid.

    Equal to resizing the map to `size` (corners not aligned, the border repeated) and reading
    there; like `grid_sample`, which is slower and asks for as many points in each image.

    Parameters
    ----------
    values
        (batch, channel, *space).
    image
        (point,), the row of the batch that each lies in.
    points
        (point, axis), voxels of the full grid.
    size
        Sides of the full grid, voxels.

    Returns
    -------
    Tensor
        (point, channel), float32.
    """
    space = values.shape[2:]
    corners, weights = _corners(points, size, space)
    with torch.autocast(values.device.type, enabled=False):
        rows = values.movedim(1, -1).reshape(-1, values.shape[1]).float()
        found: Tensor = functional.embedding_bag(
            corners + (image * math.prod(space)).unsqueeze(1),
            rows,
            per_sample_weights=weights,
            mode="sum",
        )
        return found


def _corners(points: Tensor, size: Sequence[int], space: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Voxels of a map around each point, as places in the flattened map, and their weights.

    Both (point, 2 to the power of the axes).
    """
    device, axes = points.device, len(size)
    shrunk = torch.tensor([have / full for have, full in zip(space, size, strict=True)])
    last = torch.tensor(space, device=device) - 1
    places = ((points.float() + 0.5) * shrunk.to(device) - 0.5).clamp_min(0).minimum(last)
    low = places.floor()
    part = (places - low).unsqueeze(1)
    side = torch.tensor(list(product((0, 1), repeat=axes)), device=device)
    voxels = (low.long().unsqueeze(1) + side).minimum(last)
    strides = torch.tensor([math.prod(space[axis + 1 :]) for axis in range(axes)], device=device)
    weights = torch.where(side.bool(), part, 1 - part).prod(2)
    return (voxels * strides).sum(2), weights


def _listed(points: Tensor) -> tuple[Tensor, Tensor]:
    """Points (batch, point, axis) one after the other, with the image of each."""
    batch, count = points.shape[:2]
    image = torch.arange(batch, device=points.device).repeat_interleave(count)
    return image, points.flatten(0, 1)
