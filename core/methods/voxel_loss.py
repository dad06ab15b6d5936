"""What a mistake on a labelled voxel costs, and by how much each class counts in it."""

import torch
from torch import Tensor

from ..losses.imageclass import inverse_weights
from ..losses.labelmap import class_overlap, labelled_mean, soft_dice, voxel_cross_entropy
from ..project.records import NOT_LABELLED
from .run import StepResult

LARGEST_WEIGHT = 10.0


class VoxelLoss:
    """Cross-entropy and Dice over the labelled voxels of a batch.

    Attributes
    ----------
    factors
        (1 + classes,), by how much mistakes on each output count more, for the user wished it.
    """

    def __init__(self, outputs: int) -> None:
        self.factors = torch.ones(outputs)
        self._balance: Tensor | None = None

    def balance(self, counts: Tensor) -> None:
        """Let a class count the more, the fewer voxels of it are labelled: (1 + classes,)."""
        weights = inverse_weights(counts).float()
        self._balance = weights.clamp(1 / LARGEST_WEIGHT, LARGEST_WEIGHT)

    @property
    def weights(self) -> Tensor | None:
        """How much each output counts in the cross-entropy; None where all are equal."""
        if self._balance is None:
            return None if bool((self.factors == 1).all()) else self.factors
        return self._balance * self.factors

    def __call__(self, logits: Tensor, labels: Tensor) -> StepResult:
        """Give the loss with its tally.

        Parameters
        ----------
        logits
            (batch, 1 + classes, *space) float32.
        labels
            (batch, *space) uint8, 255 not labelled.
        """
        weights, factors = self.weights, self.factors.to(logits.device)
        if weights is not None:
            weights = weights.to(logits.device)
        entropy = labelled_mean(voxel_cross_entropy(logits, labels, weights), labels)
        if weights is not None:
            entropy = entropy / labelled_mean(_weight_map(weights, labels), labels).clamp_min(1e-6)
        inside, predicted, labelled = (part.sum(0)[1:] for part in class_overlap(logits, labels))
        share = (labelled > 0) * factors[1:]
        dice = (soft_dice(inside, predicted, labelled) * share).sum() / share.sum().clamp_min(1)
        tally = torch.stack([2 * inside, predicted + labelled]).detach() * (labelled > 0)
        parts = {"cross_entropy": float(entropy.detach()), "dice_loss": float(dice.detach())}
        return StepResult(entropy + dice, tally, parts)


def _weight_map(weights: Tensor, labels: Tensor) -> Tensor:
    """Weight of each voxel's class, 0 where it is not labelled."""
    known = labels != NOT_LABELLED
    return weights[torch.where(known, labels, 0).long()] * known
