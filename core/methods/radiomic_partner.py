"""The second encoder, of regions, and the projections by which images and regions are compared."""

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from ..losses.radiomic_contrast import balancing_scale
from ..nets.projection import Projection

MEAN_KEPT = 0.9
STEPS_TOLD = 100
LARGEST_SCALE = 10.0
"""More than this would follow the noise of comparisons that have nothing left to learn."""


class RadiomicPartner(nn.Module):
    """Encoder of regions f_r, and both projections g_i and g_r.

    Parameters
    ----------
    features
        Radiomic features of a region.
    image_width
        Length of the image encoder's features.
    hidden
        Length of the region encoder's features.
    width
        Length in which both are compared.
    """

    def __init__(self, features: int, image_width: int, hidden: int, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.image_projection = Projection(image_width, width)
        self.region_projection = Projection(hidden, width)

    def of_images(self, features: Tensor) -> Tensor:
        """Project features of images (image, image_width) to z_i, (image, width)."""
        projected: Tensor = self.image_projection(features)
        return projected

    def of_regions(self, features: Tensor) -> Tensor:
        """Encode scaled features of regions (region, feature), and project to z_r."""
        with torch.autocast(features.device.type, enabled=False):
            projected: Tensor = self.region_projection(self.encoder(features.float()))
        return projected


class GradientBalance:
    """Holds the comparisons' gradient at a share of the classes', by running means of both.

    Attributes
    ----------
    classes, contrast
        Running means of the lengths of both gradients before any scaling.
    applied
        For each of the last steps, the length of the classes' gradient and of the comparisons' as
        it was scaled.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.classes = self.contrast = 0.0
        self.applied: deque[tuple[float, float]] = deque(maxlen=STEPS_TOLD)
        self._steps = 0

    @property
    def ratio(self) -> float:
        """The comparisons' gradient as a share of the classes', over the last steps."""
        classes = sum(ours for ours, _ in self.applied)
        contrast = sum(theirs for _, theirs in self.applied)
        return contrast / classes if classes > 0 else 0.0

    def scale(self, classes: float, contrast: float) -> float:
        """Give the factor of the comparisons in a step with gradients of these lengths."""
        ours, theirs = self._moved(self.classes, classes), self._moved(self.contrast, contrast)
        return balancing_scale(ours, theirs, self.share, LARGEST_SCALE)

    def take(self, lengths: Sequence[tuple[float, float, float]]) -> None:
        """Follow a step: lengths of both gradients and the factor, for each portion of it."""
        classes = fmean(ours for ours, _, _ in lengths)
        contrast = fmean(theirs for _, theirs, _ in lengths)
        self.applied.append((classes, fmean(theirs * factor for _, theirs, factor in lengths)))
        self.classes = self._moved(self.classes, classes)
        self.contrast = self._moved(self.contrast, contrast)
        self._steps += 1

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {
            "classes": self.classes,
            "contrast": self.contrast,
            "applied": [list(lengths) for lengths in self.applied],
            "steps": self._steps,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        self.classes, self.contrast = float(state["classes"]), float(state["contrast"])
        self.applied.clear()
        self.applied.extend((float(ours), float(theirs)) for ours, theirs in state["applied"])
        self._steps = int(state["steps"])

    def _moved(self, running: float, value: float) -> float:
        """Move a running mean, which starts as a plain one."""
        kept = min(MEAN_KEPT, self._steps / (self._steps + 1))
        return kept * running + (1 - kept) * value


def last_block(body: nn.Module) -> list[nn.Parameter]:
    """Give the weights of an encoder's last convolution and of what follows it.

    Parameters
    ----------
    body
        With its parts in the order in which they are passed, as all of Longtail's encoders.
    """
    weights = [each for each in body.parameters() if each.requires_grad]
    convolutions = [at for at, each in enumerate(weights) if each.ndim >= 4]
    return weights[convolutions[-1] if convolutions else 0 :]
