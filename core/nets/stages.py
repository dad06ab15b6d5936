"""What V-Net and plain U-Net share: stages down, stages up, every map on the way up open."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Join = Literal["add", "concatenate"]


class StagedNetwork(nn.Module):
    """An encoder and a decoder of full-size stages with a last convolution to logits.

    Parameters
    ----------
    widths
        Feature maps of each level, the finest first.
    strides
        (level, axis), one fewer than there are levels.
    stages
        What is computed at each level on the way down, the bottom included.
    downs, ups
        From each level to the one below, and back up, both the finest level first.
    rises
        What is computed at each level on the way up, the finest first.
    last
        From the finest maps to logits.
    join
        How a level's maps from the way down come in on the way up.
    """

    def __init__(
        self,
        widths: Sequence[int],
        strides: Sequence[Sequence[int]],
        *,
        stages: Sequence[nn.Module],
        downs: Sequence[nn.Module],
        ups: Sequence[nn.Module],
        rises: Sequence[nn.Module],
        last: nn.Module,
        join: Join,
    ) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.strides = tuple(tuple(step) for step in strides)
        self.stages = nn.ModuleList(stages)
        self.downs = nn.ModuleList(downs)
        self.ups = nn.ModuleList(ups)
        self.rises = nn.ModuleList(rises)
        self.last = last
        self.join = join

    @property
    def decoder_widths(self) -> tuple[int, ...]:
        """Channels of the decoder's stages, the finest first."""
        return self.widths[:-1]

    @property
    def map_widths(self) -> tuple[int, ...]:
        """Channels of each entry of `maps`, the bottom first, without the logits."""
        return self.widths[::-1]

    @property
    def divisor(self) -> tuple[int, ...]:
        """What each side of the input must be a multiple of."""
        product = torch.tensor(self.strides).prod(0)
        return tuple(int(value) for value in product)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, class, *space), of images (batch, channel, *space)."""
        return self.maps(images)[-1]

    def maps(self, images: Tensor) -> list[Tensor]:
        """All maps on the way up: the bottom first, each decoder stage, the logits last."""
        x = self.stages[0](images)
        skips = [x]
        for down, stage in zip(self.downs, self.stages[1:], strict=True):
            x = stage(down(x))
            skips.append(x)
        found = [x := skips.pop()]
        for up, rise in zip(reversed(self.ups), reversed(self.rises), strict=True):
            x = rise(self._joined(skips.pop(), up(x)))
            found.append(x)
        return [*found, self.last(x)]

    def _joined(self, skip: Tensor, risen: Tensor) -> Tensor:
        return skip + risen if self.join == "add" else torch.cat([skip, risen], 1)
