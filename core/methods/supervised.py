"""`supervised`: a U-Net on the labelled voxels alone."""

from .run import Batch, Moment, Setup, StepResult
from .segmentation import SegmentationRun
from .settings import SupervisedSettings, read_settings


def build(setup: Setup) -> "SupervisedRun":
    """Make the run of a spec."""
    settings = read_settings(SupervisedSettings, setup.spec.settings)
    assert isinstance(settings, SupervisedSettings)
    return SupervisedRun(setup, settings)


class SupervisedRun(SegmentationRun):
    """Cross-entropy and Dice over labelled voxels."""

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on cross-entropy and Dice of the batch."""
        return self.supervised_loss(self.network(batch["image"]).float(), batch["label"])
