"""Running averages of weights: of the network for prediction, of the heads of a teacher."""

import torch
from torch import Tensor, nn

AVERAGE_DELAY = 10


def average_share(step: int, most: float) -> float:
    """Give the share of the average that is kept: little at first, so that it starts well."""
    return min(most, (1 + step) / (AVERAGE_DELAY + step))


class Follower:
    """Moves the average of a network's weights.

    The tensors of both are listed once, since a walk over all modules in each step takes longer
    than the averaging; so neither may be given other parts or another device afterwards.
    """

    def __init__(self, average: nn.Module, network: nn.Module) -> None:
        self._mine: list[Tensor] = list(average.parameters())
        self._theirs: list[Tensor] = list(network.parameters())
        self._buffers = list(zip(average.buffers(), network.buffers(), strict=True))

    @torch.no_grad()
    def follow(self, kept: float) -> None:
        """Move the averaged weights towards the network's; buffers are copied."""
        if kept == 0.0:
            for own, other in zip(self._mine, self._theirs, strict=True):
                own.copy_(other)
        elif self._mine:
            torch._foreach_lerp_(self._mine, self._theirs, 1 - kept)
        for own, other in self._buffers:
            own.copy_(other)

    @torch.no_grad()
    def take_back(self) -> None:
        """Give the network the buffers that its average took over at the last step that counted.

        A batch norm moves its running figures at every look, also at one that came to nothing; a
        single one that is no number would stay in them for good.
        """
        for own, other in self._buffers:
            other.copy_(own)


def follow(average: nn.Module, network: nn.Module, kept: float) -> None:
    """Move averaged weights once; see `Follower`."""
    Follower(average, network).follow(kept)
