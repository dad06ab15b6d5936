"""A rough idea of what a run needs, before it starts and without torch."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from ..methods.catalogue import METHODS
from ..methods.settings import MethodSettings, SegmentationSettings, read_settings
from ..methods.spec import RunSpec

BYTES = 4
NETWORK_COST = {
    ("unet", 2): (11.0, 25.0),
    ("unet", 3): (5.7, 73.0),
    ("plain-unet", 2): (35.0, 30.0),
    ("plain-unet", 3): (21.0, 86.0),
    ("vnet", 2): (28.0, 50.0),
    ("vnet", 3): (16.0, 139.0),
}
"""Memory of a step in maps of the first level's size and width, as it peaked on a processor in full
precision (half of it in bfloat16); weights for each square of the width, four times as many with
each level."""

DENSE_LAYERS = 3
"""Maps of its own width that the dense head of contrasts keeps."""

ENCODER_COST = {
    "resnet18": (11.7e6, 130.0),
    "resnet50": (25.6e6, 600.0),
    "densenet121": (8.0e6, 520.0),
    "efficientnet-b0": (5.3e6, 470.0),
    "efficientnet-lite0": (4.7e6, 310.0),
}
"""Weights, and kept numbers for each pixel of the image."""

FRAMEWORK_BYTES = 550e6


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will need at its peak, without the images in memory."""

    memory_bytes: int

    @property
    def memory(self) -> str:
        """In words: `1.2 GB`."""
        return f"{self.memory_bytes / 1e9:.1f} GB"


def estimate_run(spec: RunSpec) -> Estimate:
    """Estimate the memory of a planned run; right within a factor of two."""
    settings = read_settings(METHODS.get(spec.method).settings, spec.settings)
    if isinstance(settings, SegmentationSettings) and spec.grid is not None:
        grid = spec.grid
        return Estimate(estimate_patches(settings, grid.patch, len(grid.strides), settings.batch))
    values = settings.model_dump()
    weights, each = ENCODER_COST.get(values["encoder"], ENCODER_COST["resnet18"])
    return Estimate(_total(settings, each * values["size"] ** 2, weights, settings.batch))


def estimate_patches(
    settings: SegmentationSettings, patch: Sequence[int], levels: int, batch: int
) -> int:
    """Estimate the bytes that learning from label maps needs at its peak.

    Parameters
    ----------
    patch
        Sides in voxels.
    levels
        How often the network halves the resolution.
    batch
        Labelled patches a step.
    """
    maps, weights = NETWORK_COST[settings.network, len(patch)]
    voxels = math.prod(patch)
    kept = voxels * (settings.width * maps + _dense_head(settings, levels))
    return _total(settings, kept, weights * settings.width**2 * 4**levels, batch)


def memory_there(device: str) -> int | None:
    """Tell how many bytes of memory a device has; None where that cannot be told without torch."""
    if device in ("cpu", "auto"):
        return int(psutil.virtual_memory().total)
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda") or not torch.cuda.is_available():
        return None
    return int(torch.cuda.get_device_properties(device).total_memory)


def _dense_head(settings: SegmentationSettings, levels: int) -> float:
    """Numbers a voxel that the published head of contrasts keeps: all maps at full size."""
    if getattr(settings, "head", "points") != "dense":
        return 0.0
    maps = settings.width * (2 ** (levels + 1) - 1)
    return float(maps + DENSE_LAYERS * getattr(settings, "width_contrast", 0))


def _total(settings: MethodSettings, kept: float, weights: float, batch: int) -> int:
    # Weights, their average, gradients and two moments.
    step = settings.cost_factor * kept * max(1, batch)
    return int(FRAMEWORK_BYTES + BYTES * (step + 5 * weights))
