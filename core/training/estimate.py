"""A rough idea of what a run needs, before it starts and without torch."""

from dataclasses import dataclass

from ..methods.catalogue import METHODS
from ..methods.settings import read_settings
from ..methods.spec import RunSpec
from ..project.records import Task

BYTES = 4
MAPS_KEPT = 14
"""Activations kept for the backward pass, in maps of the first level's size and width."""

ENCODER_COST = {
    "resnet18": (11.7e6, 130.0),
    "resnet50": (25.6e6, 600.0),
    "densenet121": (8.0e6, 520.0),
    "efficientnet-b0": (5.3e6, 470.0),
    "efficientnet-lite0": (4.7e6, 310.0),
}
"""Weights, and kept numbers for each pixel of the image."""

FRAMEWORK_BYTES = 350e6


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
    settings = read_settings(METHODS.get(spec.method).settings, spec.settings).model_dump()
    if spec.task is Task.SEGMENTATION and spec.grid is not None:
        voxels = 1.0
        for side in spec.grid.patch:
            voxels *= side
        kept = voxels * settings["width"] * MAPS_KEPT
        weights = 75.0 * settings["width"] ** 2 * 4 ** len(spec.grid.strides)
    else:
        name = settings["encoder"]
        weights, each = ENCODER_COST.get(name, ENCODER_COST["resnet18"])
        kept = each * settings["size"] ** 2
    batch = max(1, settings["batch"])
    # Weights, their average, gradients and two moments.
    return Estimate(int(FRAMEWORK_BYTES + BYTES * (kept * batch + 5 * weights)))
