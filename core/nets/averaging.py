"""Running averages of weights: of the network for prediction, of the heads of a teacher."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

AVERAGE_DELAY = 10


def average_share(step: int, most: float) -> float:
    """Give the share of the average that is kept: little at first, so that it starts well."""
    return min(most, (1 + step) / (AVERAGE_DELAY + step))


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, kept: float) -> None:
    """Move the averaged weights towards the network's; buffers are copied."""
    mine: list[Tensor] = list(average.parameters())
    theirs: list[Tensor] = list(network.parameters())
    if kept == 0.0:
        _copy(mine, theirs)
    elif mine:
        torch._foreach_lerp_(mine, theirs, 1 - kept)
    _copy(average.buffers(), network.buffers())


@torch.no_grad()
def take_back(network: nn.Module, average: nn.Module) -> None:
    """Give the network the buffers that its average took over at the last step that counted.

    A batch norm moves its running figures at every look, also at one that came to nothing; a single
    one that is no number would stay in them for good.
    """
    _copy(network.buffers(), average.buffers())


def _copy(mine: Iterable[Tensor], theirs: Iterable[Tensor]) -> None:
    for own, other in zip(mine, theirs, strict=True):
        own.copy_(other)
