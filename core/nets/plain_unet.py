"""The plain U-Net of the semi-supervised literature on ACDC, from MONAI's blocks."""

from collections.abc import Sequence

from torch import nn

from .stages import StagedNetwork

HALVINGS = 4
DROPOUT_SHARES = (0.1, 0.2, 0.4, 0.6, 1.0)
"""Dropout of each level as a share of the bottom's: 0.05, 0.1, 0.2, 0.3, 0.5 as published."""


class PlainUNet(StagedNetwork):
    """A U-Net whose decoder maps can be had one by one; `build_plain_unet` makes it."""


def build_plain_unet(
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    *,
    width: int = 16,
    strides: Sequence[Sequence[int]] | None = None,
    dropout: float = 0.0,
) -> PlainUNet:
    """Build the U-Net that is published for ACDC.

    Luo et al., SSL4MIS, whose network ACTION and BCP take: two 3x3 convolutions a level, batch
    norm, LeakyReLU, maximum pooling, transposed convolutions, skips that are concatenated.
    MONAI's `BasicUNet` drops out after both convolutions of a level and on the way up too.

    Parameters
    ----------
    strides
        How each level shrinks each axis of space; by default four levels that halve everything.
    dropout
        Share of features switched off at the bottom, less further up; 0.5 as published.
    """
    from monai.networks.blocks import Convolution

    steps = [tuple(step) for step in strides or [[2] * spatial_dims] * HALVINGS]
    widths = [width * 2**level for level in range(len(steps) + 1)]
    inputs = [in_channels, *widths]
    shares = _dropouts(len(widths), dropout)
    return PlainUNet(
        widths,
        steps,
        stages=[
            _two_convolutions(spatial_dims, inputs[i], each, shares[i])
            for i, each in enumerate(widths)
        ],
        downs=[_pooling(spatial_dims, step) for step in steps],
        ups=[_rise(spatial_dims, widths[i + 1], widths[i], step) for i, step in enumerate(steps)],
        rises=[_two_convolutions(spatial_dims, 2 * each, each, 0.0) for each in widths[:-1]],
        last=Convolution(spatial_dims, width, out_channels, 1, 3, conv_only=True),
        join="concatenate",
    )


def _dropouts(levels: int, bottom: float) -> list[float]:
    """Dropout of each level, the finest first."""
    known = DROPOUT_SHARES[-levels:]
    shares = [DROPOUT_SHARES[0]] * (levels - len(known)) + list(known)
    return [bottom * share for share in shares]


def _two_convolutions(
    spatial_dims: int, in_channels: int, out_channels: int, dropout: float
) -> nn.Sequential:
    """Two convolutions with dropout between them."""
    from monai.networks.blocks import Convolution

    return nn.Sequential(
        *(
            Convolution(
                spatial_dims,
                inputs,
                out_channels,
                1,
                3,
                adn_ordering="NAD",
                act="LEAKYRELU",
                norm="BATCH",
                dropout=share or None,
                bias=False,
            )
            for inputs, share in ((in_channels, dropout), (out_channels, 0.0))
        )
    )


def _pooling(spatial_dims: int, stride: Sequence[int]) -> nn.Module:
    # A kernel of its stride: no voxel is looked at twice.
    return nn.MaxPool2d(tuple(stride)) if spatial_dims == 2 else nn.MaxPool3d(tuple(stride))


def _rise(
    spatial_dims: int, in_channels: int, out_channels: int, stride: Sequence[int]
) -> nn.Module:
    from monai.networks.blocks import Convolution

    block: nn.Module = Convolution(
        spatial_dims,
        in_channels,
        out_channels,
        stride,
        stride,
        conv_only=True,
        padding=0,
        output_padding=0,
        is_transposed=True,
    )
    return block
