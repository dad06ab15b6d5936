"""`fixmatch`: learn from what the teacher is sure of on scans without labels.

Sohn et al., NeurIPS 2020 (arXiv 2001.07685), as Yang et al., CVPR 2023 (arXiv 2208.09910) use it
for label maps: pseudo-labels of the weak view, the strong view with CutMix.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ..project.records import NOT_LABELLED
from .run import Batch, Moment, Setup, StepResult
from .semi_supervised import (
    UNKNOWN,
    SemiSupervisedRun,
    Tensors,
    as_guesses,
    mix_all,
    neighbours,
    with_known,
    with_unlabelled,
)
from .settings import read_settings
from .settings_semi import FixMatchSettings


def build(setup: Setup) -> "FixMatchRun":
    """Make the run of a spec."""
    settings = read_settings(FixMatchSettings, setup.spec.settings)
    assert isinstance(settings, FixMatchSettings)
    return FixMatchRun(setup, settings)


class FixMatchRun(SemiSupervisedRun):
    """Supervised loss, and cross-entropy to the teacher's sure answers."""

    def __init__(self, setup: Setup, settings: FixMatchSettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on the labels and on sure pseudo-labels."""
        known = batch["known"]
        confidence, pseudo = self.teach(batch["weak"]).max(1)
        self.count(pseudo, confidence >= self.choice.confidence, known == UNKNOWN)
        pseudo, confidence = with_known(pseudo, confidence, known)
        own: Tensors = (batch["strong"], pseudo, confidence, known != NOT_LABELLED)
        if self.choice.cutmix:
            labelled_ones = as_guesses(batch["image"], batch["label"])
            own = mix_all(own, neighbours(own, labelled_ones), batch["mask"])
        strong, pseudo, confidence, inside = own
        logits = self.network(torch.cat([batch["image"], strong])).float()
        labelled, unlabelled = logits.split([len(batch["image"]), len(strong)])
        result = self.supervised_loss(labelled, batch["label"])
        loss = sure_cross_entropy(unlabelled, pseudo, confidence, inside, self.choice.confidence)
        return with_unlabelled(
            result, loss, self.semi.unlabelled_weight * self.ramp(moment), "pseudo"
        )


def sure_cross_entropy(
    logits: Tensor, pseudo: Tensor, confidence: Tensor, inside: Tensor, threshold: float
) -> Tensor:
    """Cross-entropy of the sure pixels, averaged over all pixels inside; a scalar.

    Parameters
    ----------
    logits
        (batch, class, *space).
    pseudo, confidence, inside
        (batch, *space): long, float, bool.
    """
    entropy = functional.cross_entropy(logits, pseudo, reduction="none")
    counts = inside & (confidence >= threshold)
    return (entropy * counts).sum() / inside.sum().clamp_min(1)
