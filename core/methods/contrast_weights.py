"""How strongly the contrasts of `action++` count: so that they never pull harder than wished."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .settings_semi import ActionSettings

MEASURE_EVERY = 25
"""Steps of the run between two measurements."""

LARGEST_WEIGHT = 20.0


class ContrastWeights:
    """The weight of each contrast by its name: fixed, or measured now and then.

    The head hangs on every map, while the labels reach the deep ones through all that lies above:
    measured on the last map alone, a contrast can rule the bottom. So the map on which it pulls
    hardest counts.
    """

    def __init__(self, choice: ActionSettings) -> None:
        self._choice = choice
        self._every = max(1, MEASURE_EVERY // choice.contrast_every)
        self._weights: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        """Give the weight of a contrast, 0 before it has pulled at all."""
        return self._weights.get(name, 0.0)

    def items(self) -> Sequence[tuple[str, float]]:
        """Give names and weights."""
        return tuple(self._weights.items())

    def measure(
        self,
        supervised: Tensor,
        contrasts: Mapping[str, Tensor],
        maps: Sequence[Tensor],
        turn: int,
    ) -> None:
        """Set the weights so that on no map a contrast pulls harder than its share of the labels.

        Parameters
        ----------
        supervised, contrasts
            Scalar losses that hang on the maps.
        maps
            All maps of the network on the way up, but the logits.
        turn
            Which step with contrasts this is, from 0.
        """
        choice = self._choice
        if choice.contrast_share == 0:
            self._weights = {"anco": choice.anco_weight, "saacl": choice.saacl_weight}
            return
        known = all(name in self._weights for name in contrasts)
        if not contrasts or (known and turn % self._every):
            return
        pull = pulls(supervised, maps)
        for name, value in contrasts.items():
            pairs = zip(pulls(value, maps), pull, strict=True)
            ratio = max((own / theirs for own, theirs in pairs if theirs > 0), default=0.0)
            # What did not pull at all says nothing of how hard it will.
            if ratio > 0 and math.isfinite(ratio):
                weight = min(LARGEST_WEIGHT, choice.contrast_share / ratio)
                self._weights[name] = 0.5 * (self._weights.get(name, weight) + weight)

    def state(self) -> dict[str, float]:
        """Give what must survive a resume."""
        return dict(self._weights)

    def load_state(self, state: Mapping[str, float]) -> None:
        """Take what `state` gave."""
        self._weights = dict(state)


def pulls(loss: Tensor, maps: Sequence[Tensor]) -> list[float]:
    """Length of the gradient of a loss at each map, 0 where it does not reach it."""
    found = torch.autograd.grad(loss, list(maps), retain_graph=True, allow_unused=True)
    return [0.0 if each is None else float(each.float().norm()) for each in found]
