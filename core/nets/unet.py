"""A residual U-Net from MONAI's blocks whose decoder maps can be had one by one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Strides = Sequence[Sequence[int]]


def build_unet(
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    *,
    width: int = 16,
    strides: Strides | None = None,
    dropout: float = 0.0,
) -> "UNet":
    """Build a U-Net.

    Parameters
    ----------
    out_channels
        Classes with the background.
    width
        Feature maps of the first level; each level below has twice as many, at most 320.
    strides
        How each level shrinks each axis of space, such as `[[1, 2, 2], [2, 2, 2]]` for thick
        slices; by default three levels that halve everything.
    """
    steps = tuple(tuple(step) for step in strides or [[2] * spatial_dims] * 3)
    widths = tuple(min(width * 2**level, 320) for level in range(len(steps) + 1))
    return UNet(spatial_dims, in_channels, out_channels, widths, steps, dropout)


class UNet(nn.Module):
    """MONAI's `UNet` with two residual units, unrolled into lists of stages.

    Parameters
    ----------
    widths
        Feature maps of each level, one more than there are strides.
    strides
        (level, axis).
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        widths: Sequence[int],
        strides: Strides,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        from monai.networks.blocks import ResidualUnit

        self.strides = tuple(tuple(step) for step in strides)
        self.widths = tuple(widths)
        self.decoder_widths = (out_channels, *widths[:-2])
        inputs = (in_channels, *widths)
        self.down = nn.ModuleList(
            ResidualUnit(spatial_dims, inputs[i], widths[i], step, 3, 2, dropout=dropout)
            for i, step in enumerate(self.strides)
        )
        self.bottom = ResidualUnit(spatial_dims, widths[-2], widths[-1], 1, 3, 2, dropout=dropout)
        self.up = nn.ModuleList(
            _rise(
                spatial_dims,
                widths[i] + (widths[-1] if i == len(self.strides) - 1 else widths[i]),
                self.decoder_widths[i],
                step,
                dropout,
                is_last=i == 0,
            )
            for i, step in enumerate(self.strides)
        )

    @property
    def divisor(self) -> tuple[int, ...]:
        """What each side of the input must be a multiple of."""
        product = torch.tensor(self.strides).prod(0)
        return tuple(int(value) for value in product)

    @property
    def map_widths(self) -> tuple[int, ...]:
        """Channels of each entry of `maps`, the bottom first, without the logits."""
        return (self.widths[-1], *reversed(self.decoder_widths[1:]))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, class, *space), of images (batch, channel, *space)."""
        return self.maps(images)[-1]

    def maps(self, images: Tensor) -> list[Tensor]:
        """All maps on the way up: the bottom first, each decoder stage, the logits last."""
        skips = []
        x = images
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        found = [x := self.bottom(x)]
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([skips[level], x], 1))
            found.append(x)
        return found


def _rise(
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    stride: Sequence[int],
    dropout: float,
    *,
    is_last: bool,
) -> nn.Sequential:
    from monai.networks.blocks import Convolution, ResidualUnit

    return nn.Sequential(
        Convolution(
            spatial_dims, in_channels, out_channels, stride, 3, dropout=dropout, is_transposed=True
        ),
        ResidualUnit(
            spatial_dims,
            out_channels,
            out_channels,
            1,
            3,
            1,
            dropout=dropout,
            last_conv_only=is_last,
        ),
    )
