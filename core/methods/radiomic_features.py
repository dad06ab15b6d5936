"""Radiomic features of boxes for a loop that trains: grey values, measuring, one scale for all."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..radiomics.extraction import measure_regions
from ..radiomics.names import CLASSES
from ..radiomics.regions import GREY, FloatArray, Region
from ..radiomics.settings import RadiomicSettings
from .radiomic_regions import Box, halves

LOW, HIGH = 1.0, 99.0
"""Percentiles of the body that become 0 and 255."""

TOP = 255.0
KEPT = 0.99
FARTHEST = 10.0
"""Deviations beyond which a feature says no more than that it is extreme."""

SMALLEST_DEVIATION = 1e-6


class BoxMeasurer:
    """Measures boxes on images as they are stored, before they are varied.

    Parameters
    ----------
    bin_width
        Width of a grey level.
    scaled
        Grey values are scaled by percentiles of the body; else they stay as they are stored.
    dims
        Axes of space, 2 or 3.
    device
        Where features are computed.
    """

    def __init__(self, bin_width: float, *, scaled: bool, dims: int, device: str = "cpu") -> None:
        # The shape of a box is its width and height, which the map gave it and not the image.
        without_shape = tuple(one for one in CLASSES if one != "shape")
        self.settings = RadiomicSettings(bin_width=bin_width, classes=without_shape)
        self._scaled = scaled
        self._device = device
        self._flat = dims == 2
        self._ranges: dict[int, tuple[float, float]] = {}
        self.names = self.settings.names(flat=self._flat)

    def measure(self, images: Tensor, boxes: Sequence[Box], rows: Sequence[int]) -> Tensor:
        """Give the features of one box an image, (image, feature) float32; NaN without a value.

        Parameters
        ----------
        images
            (image, channel, *space) as stored, on the processor.
        rows
            (image,), where they are stored: the body of each is looked for once.
        """
        regions = [self._region(*one) for one in zip(images, boxes, rows, strict=True)]
        found = measure_regions(regions, self.settings, device=self._device)
        values = [[one.features[name] for name in self.names] for one in found]
        return torch.tensor(
            [[math.nan if value is None else value for value in row] for row in values]
        ).view(-1, len(self.names))

    def _region(self, image: Tensor, box: Box, row: int) -> Region:
        cut = tuple(slice(start, start + size) for start, size in zip(*halves(box), strict=True))
        values = grey_of(image[(slice(None), *cut)])
        if self._scaled:
            if row not in self._ranges:
                self._ranges[row] = body_range(grey_of(image))
            values = scaled_by(values, self._ranges[row])
        if self._flat:
            values = values[None]
        mask = np.ones(values.shape, np.bool_)
        return Region(1, np.ascontiguousarray(values), mask, (1.0, 1.0, 1.0), self._flat)


class RunningScale:
    """Brings features onto one scale: signed logarithm, then running mean and deviation.

    Attributes
    ----------
    mean, square
        (feature,) float64, running means of the logarithm and of its square.
    batches
        (feature,) float64, how many batches had a value.
    """

    def __init__(self, features: int) -> None:
        self.mean = torch.zeros(features, dtype=torch.float64)
        self.square = torch.zeros(features, dtype=torch.float64)
        self.batches = torch.zeros(features, dtype=torch.float64)

    @torch.no_grad()
    def take(self, features: Tensor) -> None:
        """Follow a batch of features (region, feature), leaving out what is no number."""
        self.mean, self.square, self.batches = self._followed(features)

    @torch.no_grad()
    def __call__(self, features: Tensor) -> Tensor:
        """Scale features (region, feature) to about -3 ... 3, float32; no number becomes 0.

        A feature that no earlier batch had is scaled by this one.
        """
        logs, known = _known_logs(features)
        mean, square, _ = self._followed(features)
        new = self.batches == 0
        mean, square = torch.where(new, mean, self.mean), torch.where(new, square, self.square)
        deviation = (square - mean.square()).clamp_min(0).sqrt()
        varies = deviation > SMALLEST_DEVIATION
        scaled = (logs - mean) / deviation.clamp_min(SMALLEST_DEVIATION)
        kept = torch.where(known & varies, scaled, 0.0)
        return kept.clamp(-FARTHEST, FARTHEST).float()

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint keeps."""
        return {
            "mean": self.mean.clone(),
            "square": self.square.clone(),
            "batches": self.batches.clone(),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Continue from `state()`."""
        self.mean, self.square = state["mean"].clone(), state["square"].clone()
        self.batches = state["batches"].clone()

    def _followed(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give mean, square and number of batches as they are after a batch."""
        logs, known = _known_logs(features)
        counts = known.sum(0)
        seen = counts > 0
        kept = torch.where(seen, (self.batches / (self.batches + 1)).clamp_max(KEPT), 1.0)
        fresh = [values.sum(0) / counts.clamp_min(1) for values in (logs, logs.square())]
        mean = torch.lerp(fresh[0], self.mean, kept)
        return mean, torch.lerp(fresh[1], self.square, kept), self.batches + seen


def grey_of(image: Tensor) -> FloatArray:
    """Give (*space) float64 of (channel, *space): colours as grey, else the first channel."""
    values = image.numpy().astype(np.float64)
    if len(values) == len(GREY) and image.dtype == torch.uint8:
        grey: FloatArray = np.tensordot(np.array(GREY), values, axes=1)
        return grey
    first: FloatArray = values[0]
    return first


def body_range(grey: FloatArray) -> tuple[float, float]:
    """Give percentiles 1 and 99 of the body: of all above the image's lowest value.

    So collimation and padding are left out. Both are 0 where the whole image has one value.
    """
    inside = grey[grey > grey.min()]
    if not len(inside):
        return 0.0, 0.0
    low, high = np.percentile(inside, (LOW, HIGH))
    return float(low), float(high)


def scaled_by(grey: FloatArray, body: tuple[float, float]) -> FloatArray:
    """Scale grey values so that the range of the body is 0 to 255; cut off beyond."""
    low, high = body
    if high <= low:
        return np.zeros_like(grey)
    scaled: FloatArray = np.clip((grey - low) * (TOP / (high - low)), 0, TOP)
    return scaled


def _known_logs(features: Tensor) -> tuple[Tensor, Tensor]:
    """Signed logarithms in float64, 0 where a feature is no number, and where it is one."""
    values = features.double()
    known = values.isfinite()
    values = torch.where(known, values, 0.0)
    return values.sign() * values.abs().log1p(), known
