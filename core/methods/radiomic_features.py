"""Radiomic features of boxes for a loop that trains: grey values, measuring, one scale for all."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..radiomics import fast
from ..radiomics.boxes import measure_boxes
from ..radiomics.names import CLASSES
from ..radiomics.regions import GREY, Region, problem_of
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
        self.names = self.settings.names(flat=self._flat)

    def measure(self, images: Tensor, boxes: Sequence[Box]) -> Tensor:
        """Give the features of one box an image, (image, feature) float32; NaN without a value.

        Parameters
        ----------
        images
            (image, channel, *space) as stored, on the processor.
        """
        grey = grey_of(images)
        if self._scaled:
            grey = np.stack([body_scaled(one) for one in grey])
        if self._flat:
            return self._flat_boxes(grey, boxes)
        return self._solid_boxes(grey, boxes)

    def _flat_boxes(self, grey: fast.Array, boxes: Sequence[Box]) -> Tensor:
        xywh = torch.tensor([(x, y, width, height) for y, x, height, width in boxes])
        images = torch.from_numpy(grey).to(self._device)
        return measure_boxes(images, xywh.view(-1, 4), self.settings).values.cpu()

    def _solid_boxes(self, grey: fast.Array, boxes: Sequence[Box]) -> Tensor:
        regions = [_region(one, box) for one, box in zip(grey, boxes, strict=True)]
        sound = [n for n, one in enumerate(regions) if problem_of(one, self.settings) is None]
        values = torch.full((len(regions), len(self.names)), torch.nan)
        if sound:
            found = fast.measure([regions[n] for n in sound], self.settings, self._device)
            values[sound] = found.float().cpu()
        return values


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


def grey_of(images: Tensor) -> fast.Array:
    """Give (image, *space) float64 of (image, channel, *space): colours as grey, else channel 1."""
    values = images.numpy().astype(np.float64)
    if values.shape[1] == len(GREY) and images.dtype == torch.uint8:
        grey: fast.Array = np.tensordot(np.array(GREY), np.moveaxis(values, 1, 0), axes=1)
        return grey
    first: fast.Array = values[:, 0]
    return first


def body_scaled(grey: fast.Array) -> fast.Array:
    """Scale an image so that percentiles 1 and 99 of the body are 0 and 255; cut off beyond.

    The body is what is above the image's lowest value: collimation and padding are left out.
    """
    inside = grey[grey > grey.min()]
    if not len(inside):
        return np.zeros_like(grey)
    low, high = np.percentile(inside, (LOW, HIGH))
    if high <= low:
        return np.zeros_like(grey)
    scaled: fast.Array = np.clip((grey - low) * (TOP / (high - low)), 0, TOP)
    return scaled


def _known_logs(features: Tensor) -> tuple[Tensor, Tensor]:
    """Signed logarithms in float64, 0 where a feature is no number, and where it is one."""
    values = features.double()
    known = values.isfinite()
    values = torch.where(known, values, 0.0)
    return values.sign() * values.abs().log1p(), known


def _region(grey: fast.Array, box: Box) -> Region:
    cut = tuple(slice(start, start + size) for start, size in zip(*halves(box), strict=True))
    values = np.ascontiguousarray(grey[cut])
    return Region(1, values, np.ones(values.shape, np.bool_), (1.0, 1.0, 1.0), flat=False)
