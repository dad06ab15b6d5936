"""Look at an image window by window, and blend what the network says where windows overlap."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..backend.devices import autocast_dtype
from ..backend.memory import give_back_memory, is_out_of_memory

Windows: TypeAlias = Generator[tuple[int, int], None, Tensor]
"""Gives (done, total) after each batch of windows; returns probabilities (k, *grid)."""

Place: TypeAlias = tuple[slice, ...]

OVERLAP = 0.5
# The Gaussian that MONAI and nnU-Net weigh windows by.
SIGMA_SHARE = 0.125
WINDOWS_AT_ONCE = {2: 16, 3: 4}


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """How to look at images larger than the network's window.

    Parameters
    ----------
    size
        The window on the network's grid, as the network takes it: (z, y, x) or (y, x).
    overlap
        Share of a window that the next one repeats.
    flips
        Look at each window mirrored along every axis as well and average: slower, steadier.
        Wrong where left and right are classes of their own.
    at_once
        Windows in one batch, None for the usual number; halved by itself where memory runs out.
    """

    size: tuple[int, ...]
    overlap: float = OVERLAP
    flips: bool = False
    at_once: int | None = None

    def slide(self, network: nn.Module, values: Tensor, device: str) -> Windows:
        """Give the class probabilities of every voxel.

        Parameters
        ----------
        network
            On `device`, in evaluation mode; gives logits (batch, k, *window).
        values
            (channel, *grid), float32, on the CPU. A grid with one axis more than the window is
            looked at slice by slice along its first axis.
        device
            Where the network computes.

        Returns
        -------
        Tensor
            (k, *grid), float32, on the CPU; adds up to one over k.
        """
        by_slices = values.ndim - 1 > len(self.size)
        window = (1, *self.size) if by_slices else self.size
        padded, inner = _padded(values, window)
        places = list(_places(padded.shape[1:], window, self.overlap))
        weight = _gaussian(window)
        look = _Look(network, device, flips=self.flips, squeeze=by_slices)
        total: Tensor | None = None
        mass = torch.zeros(padded.shape[1:])
        done, at_once = 0, self.at_once or WINDOWS_AT_ONCE[len(self.size)]
        while done < len(places):
            now = places[done : done + at_once]
            seen, at_once = _with_less_memory(look, padded, now, at_once)
            if total is None:
                total = torch.zeros(seen.shape[1], *padded.shape[1:])
            for place, probabilities in zip(now, seen, strict=False):
                total[(slice(None), *place)] += probabilities * weight
                mass[place] += weight
            done += len(seen)
            yield done, len(places)
        if total is None:
            raise ValueError("an image without voxels has no windows")
        return (total / mass)[(slice(None), *inner)]


class _Look:
    """Shows windows to the network and gives probabilities (window, k, *window) on the CPU."""

    def __init__(self, network: nn.Module, device: str, *, flips: bool, squeeze: bool) -> None:
        self._network, self._device = network, device
        self._flips, self._squeeze = flips, squeeze
        self._dtype = autocast_dtype(device)

    @torch.no_grad()
    def __call__(self, values: Tensor, places: Sequence[Place]) -> Tensor:
        batch = torch.stack([values[(slice(None), *place)] for place in places]).to(self._device)
        if self._squeeze:
            batch = batch.squeeze(2)
        axes = range(2, batch.ndim)
        mirrored = _subsets(axes) if self._flips else [()]
        seen = [self._probabilities(batch, flipped) for flipped in mirrored]
        average = torch.stack(seen).mean(dim=0) if len(seen) > 1 else seen[0]
        return (average.unsqueeze(2) if self._squeeze else average).cpu()

    def _probabilities(self, batch: Tensor, flipped: tuple[int, ...]) -> Tensor:
        shown = batch.flip(flipped) if flipped else batch
        kind = self._device.partition(":")[0]
        with torch.autocast(kind, dtype=self._dtype, enabled=self._dtype is not None):
            logits: Tensor = self._network(shown)
        probabilities = torch.softmax(logits.float(), dim=1)
        return probabilities.flip(flipped) if flipped else probabilities


def _with_less_memory(
    look: Callable[[Tensor, Sequence[Place]], Tensor],
    values: Tensor,
    places: Sequence[Place],
    at_once: int,
) -> tuple[Tensor, int]:
    """Look at as many of `places` as memory allows; give what was seen and how many that were."""
    while True:
        try:
            return look(values, places[:at_once]), at_once
        except (RuntimeError, MemoryError) as error:
            if at_once <= 1 or not is_out_of_memory(error):
                raise
        # Outside the handler, because the trace of the exception holds the tensors.
        at_once = min(at_once, len(places)) // 2 or 1
        give_back_memory()


def _padded(values: Tensor, window: Sequence[int]) -> tuple[Tensor, Place]:
    """Pad an image that is smaller than the window; give it and the place of the image in it."""
    before = [max(0, w - n) // 2 for w, n in zip(window, values.shape[1:], strict=True)]
    after = [max(0, w - n) - b for w, n, b in zip(window, values.shape[1:], before, strict=True)]
    inner = tuple(slice(b, b + n) for b, n in zip(before, values.shape[1:], strict=True))
    if not any(before) and not any(after):
        return values, inner
    pairs = [side for both in zip(before, after, strict=True) for side in both]
    # `pad` wants the last axis first. Zeros are what training puts around an image.
    reversed_pairs = [n for i in range(len(pairs) - 2, -1, -2) for n in pairs[i : i + 2]]
    return functional.pad(values, reversed_pairs), inner


def _places(grid: Sequence[int], window: Sequence[int], overlap: float) -> Iterator[Place]:
    """Give windows that cover the grid, the last one of each axis flush with its end."""
    from monai.data.utils import dense_patch_slices

    steps = tuple(max(1, int(size * (1 - overlap))) for size in window)
    places: Iterator[Place] = iter(dense_patch_slices(grid, window, steps))
    return places


def _gaussian(window: Sequence[int]) -> Tensor:
    from monai.data.utils import compute_importance_map

    weight: Tensor = compute_importance_map(
        tuple(window), mode="gaussian", sigma_scale=SIGMA_SHARE, dtype=torch.float32
    )
    return weight


def _subsets(axes: Sequence[int]) -> list[tuple[int, ...]]:
    return [some for count in range(len(axes) + 1) for some in combinations(axes, count)]
