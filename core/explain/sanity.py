"""Whether a map depends on what was learned: with random weights it must be another one."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from .cam import class_maps
from .looking import DEFAULT_VARIANT

How = Literal["cascade", "independent", "whole"]


@dataclass(frozen=True, slots=True)
class Randomised:
    """How alike the maps remain when a part of the network forgets what it learned.

    Parameters
    ----------
    part
        The name of the part; in a cascade all parts after it are random too; `network` is all.
    correlation
        Mean rank correlation with the maps of the trained network, over the maps that are graded
        in both; 1 means that nothing changed. None where there is no such map.
    maps
        How many maps that are.
    """

    part: str
    correlation: float | None
    maps: int


def parts_of(network: nn.Module) -> tuple[str, ...]:
    """List the parts with weights that can be made random one by one, in the order of the flow."""
    return tuple(_parts(network, ""))


def randomised_maps(
    network: nn.Module,
    images: Tensor,
    classes: Sequence[int],
    *,
    how: How = "cascade",
    parts: Sequence[str] | None = None,
    variant: str = DEFAULT_VARIANT,
    layer: str | None = None,
    seed: int = 0,
) -> Iterator[Randomised]:
    """Compare the maps of a network with those of its copies with random weights.

    Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS 2018. Each weight tensor is drawn anew
    from a normal distribution with its own mean and deviation, so that activations keep their
    scale and only what was learned is gone.

    Parameters
    ----------
    network
        The trained network; it is copied, not changed.
    images
        (image, channel, *space) on the network's device.
    classes
        Outputs of the network.
    how
        `cascade` makes the parts random one after the other from the output down, `independent`
        one at a time, `whole` all at once.
    parts
        Names of parts in the order of the flow; None takes `parts_of`.
    """
    look = partial(class_maps, images=images, classes=classes, variant=variant, layer=layer)
    learned = look(network)
    generator = torch.Generator().manual_seed(seed)
    copied = copy.deepcopy(network)
    names = [""] if how == "whole" else list(reversed(parts or parts_of(network)))
    for name in names:
        if how == "independent":
            copied = copy.deepcopy(network)
        _forget(copied.get_submodule(name), generator)
        random = look(copied)
        both = learned.usable & random.usable
        yield _compared(name or "network", learned.values[both], random.values[both])


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Give Spearman's correlation of two maps of one shape."""
    a, b = (values.flatten().cpu().numpy() for values in (first, second))
    return float(stats.spearmanr(a, b).statistic)


def _compared(part: str, first: Tensor, second: Tensor) -> Randomised:
    alike = [rank_correlation(a, b) for a, b in zip(first, second, strict=True)]
    return Randomised(part, float(np.mean(alike)) if alike else None, len(alike))


@torch.no_grad()
def _forget(module: nn.Module, generator: torch.Generator) -> None:
    for weight in module.parameters():
        drawn = torch.randn(weight.shape, generator=generator).to(weight)
        deviation, mean = torch.std_mean(weight.float(), correction=0)
        weight.copy_(drawn * deviation + mean)


def _parts(module: nn.Module, prefix: str) -> Iterator[str]:
    """Look through lists and wrappers of one module; anything else is a part."""
    inner = _with_weights(module)
    for name, child in inner:
        whole, below = f"{prefix}{name}", _with_weights(child)
        alone = len(inner) == 1 or len(below) == 1
        if below and (alone or isinstance(child, nn.ModuleList)):
            yield from _parts(child, f"{whole}.")
        else:
            yield whole


def _with_weights(module: nn.Module) -> list[tuple[str, nn.Module]]:
    named = module.named_children()
    return [(name, child) for name, child in named if any(True for _ in child.parameters())]
