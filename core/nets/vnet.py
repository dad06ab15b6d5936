"""The V-Net of the semi-supervised literature, from MONAI's blocks."""

from collections.abc import Sequence
from typing import Literal

from torch import nn

from .stages import StagedNetwork

Norm = Literal["batch", "instance"]
HALVINGS = 4
MOST_CONVOLUTIONS = 3


class VNet(StagedNetwork):
    """A V-Net whose decoder maps can be had one by one; `build_vnet` makes it."""


def build_vnet(
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    *,
    width: int = 16,
    strides: Sequence[Sequence[int]] | None = None,
    dropout: float = 0.0,
    norm: Norm = "batch",
) -> VNet:
    """Build the V-Net that is published for the left atrium.

    Yu et al., MICCAI 2019 (UA-MT): 3x3x3 convolutions, one to three a level, skips that are added,
    no residual inside a level. MONAI's own `VNet` is Milletari's (5x5x5, concatenated, 16 filters
    only). The published setting is 16 filters, batch norm, dropout 0.5, patches of 112x112x80.

    Parameters
    ----------
    strides
        How each level shrinks each axis of space; by default four levels that halve everything.
    dropout
        Share of whole maps switched off at the bottom and before the last convolution.
    """
    steps = [tuple(step) for step in strides or [[2] * spatial_dims] * HALVINGS]
    widths = [width * 2**level for level in range(len(steps) + 1)]
    crossings = list(zip(widths, widths[1:], steps, strict=False))
    counts = [min(level + 1, MOST_CONVOLUTIONS) for level in range(len(widths))]
    stages = [
        _convolutions(spatial_dims, inputs, each, count, norm)
        for inputs, each, count in zip([in_channels, *widths[1:]], widths, counts, strict=True)
    ]
    stages[-1].append(_map_dropout(spatial_dims, dropout))
    return VNet(
        widths,
        steps,
        stages=stages,
        downs=[_crossing(spatial_dims, a, b, step, norm, is_up=False) for a, b, step in crossings],
        ups=[_crossing(spatial_dims, b, a, step, norm, is_up=True) for a, b, step in crossings],
        rises=[
            _convolutions(spatial_dims, each, each, count, norm)
            for each, count in zip(widths[:-1], counts, strict=False)
        ],
        last=_last(spatial_dims, width, out_channels, dropout),
        join="add",
    )


def _convolutions(
    spatial_dims: int, in_channels: int, out_channels: int, count: int, norm: Norm
) -> nn.Sequential:
    from monai.networks.blocks import Convolution

    inputs = [in_channels, *[out_channels] * (count - 1)]
    return nn.Sequential(
        *(
            Convolution(spatial_dims, each, out_channels, 1, 3, act="RELU", norm=norm, bias=False)
            for each in inputs
        )
    )


def _crossing(
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    stride: Sequence[int],
    norm: Norm,
    *,
    is_up: bool,
) -> nn.Module:
    """To the level below or above, by blocks of voxels that do not overlap."""
    from monai.networks.blocks import Convolution

    block: nn.Module = Convolution(
        spatial_dims,
        in_channels,
        out_channels,
        stride,
        stride,
        act="RELU",
        norm=norm,
        bias=False,
        padding=0,
        output_padding=0,
        is_transposed=is_up,
    )
    return block


def _last(spatial_dims: int, width: int, out_channels: int, dropout: float) -> nn.Sequential:
    from monai.networks.blocks import Convolution

    return nn.Sequential(
        _map_dropout(spatial_dims, dropout),
        Convolution(spatial_dims, width, out_channels, 1, 1, conv_only=True),
    )


def _map_dropout(spatial_dims: int, share: float) -> nn.Module:
    return nn.Dropout2d(share) if spatial_dims == 2 else nn.Dropout3d(share)
