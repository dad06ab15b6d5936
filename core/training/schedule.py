"""How large the steps are, and how fast the average follows, as functions of the step alone."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

WARM_UP_STEPS = 25
WARM_UP_SHARE = 0.1
LAST_SHARE = 0.01
AVERAGE_DELAY = 10


def learning_rate_share(step: int, total: int) -> float:
    """Give the share of the learning rate: up in a few steps, then down along a cosine."""
    warm_up = max(1, min(WARM_UP_STEPS, round(WARM_UP_SHARE * total)))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, total - warm_up)
    return LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


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
    else:
        torch._foreach_lerp_(mine, theirs, 1 - kept)
    _copy(average.buffers(), network.buffers())


def _copy(mine: Iterable[Tensor], theirs: Iterable[Tensor]) -> None:
    for own, other in zip(mine, theirs, strict=True):
        own.copy_(other)
