"""`supervised`: a U-Net on the labelled voxels alone."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..backend.events import Event
from ..checkpoints.card import ModelCard
from ..losses.imageclass import inverse_weights
from ..losses.labelmap import class_overlap, labelled_mean, soft_dice, voxel_cross_entropy
from .run import Batch, Moment, Setup, StepResult
from .segmentation import SegmentationRun
from .settings import SupervisedSettings, read_settings

LARGEST_WEIGHT = 10.0


def build(setup: Setup) -> "SupervisedRun":
    """Make the run of a spec."""
    settings = read_settings(SupervisedSettings, setup.spec.settings)
    assert isinstance(settings, SupervisedSettings)
    return SupervisedRun(setup, settings)


class SupervisedRun(SegmentationRun):
    """Cross-entropy and Dice over labelled voxels."""

    weight: Tensor | None = None

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the cases, build the network, weigh the classes."""
        yield from super().prepare(card)
        if self.settings.class_weights == "balanced":
            weights = inverse_weights(self.output_counts()).float()
            self.weight = weights.clamp(1 / LARGEST_WEIGHT, LARGEST_WEIGHT).to(self.device)

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on cross-entropy and Dice of the batch."""
        labels = batch["label"]
        logits = self.network(batch["image"]).float()
        entropy = labelled_mean(voxel_cross_entropy(logits, labels, self.weight), labels)
        overlap = [part.sum(0)[1:] for part in class_overlap(logits, labels)]
        inside, predicted, labelled = overlap
        present = labelled > 0
        dice = soft_dice(inside, predicted, labelled).sum() / present.sum().clamp_min(1)
        tally = torch.stack([2 * inside, predicted + labelled]).detach() * present
        parts = {"cross_entropy": float(entropy.detach()), "dice_loss": float(dice.detach())}
        return StepResult(entropy + dice, tally, parts)
