"""`mean-teacher` and `ua-mt`: agree with the averaged network on scans without labels.

Tarvainen and Valpola, NeurIPS 2017 (arXiv 1703.01780), with the CutMix of French et al., BMVC 2020
(arXiv 1906.01916); and its variant that leaves out what the teacher is unsure of, Yu et al., MICCAI
2019 (arXiv 1907.07034).
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from ..losses.pseudo import soft_consistency
from ..project.records import NOT_LABELLED
from .run import Batch, Moment, Setup, StepResult
from .semi_supervised import (
    UNKNOWN,
    SemiSupervisedRun,
    Tensors,
    as_guesses,
    mix_all,
    neighbours,
    with_unlabelled,
)
from .settings import read_settings
from .settings_semi import MeanTeacherSettings, UncertaintySettings

SURE_ABOVE = 0.95
"""Confidence from which a pixel counts as sure in what is shown while training."""

LOOKS_STREAM = 31
FIRST_THRESHOLD = 0.75
"""UA-MT: the share of the largest entropy that is accepted at the start; 1 at the end."""


def build(setup: Setup) -> "MeanTeacherRun":
    """Make the run of `mean-teacher`."""
    settings = read_settings(MeanTeacherSettings, setup.spec.settings)
    assert isinstance(settings, MeanTeacherSettings)
    return MeanTeacherRun(setup, settings)


def build_uncertainty(setup: Setup) -> "UncertaintyRun":
    """Make the run of `ua-mt`."""
    settings = read_settings(UncertaintySettings, setup.spec.settings)
    assert isinstance(settings, UncertaintySettings)
    return UncertaintyRun(setup, settings)


class MeanTeacherRun(SemiSupervisedRun):
    """Supervised loss, and the squared difference to the teacher's probabilities."""

    def __init__(self, setup: Setup, settings: MeanTeacherSettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on the labels and on the disagreement with the teacher."""
        taught = self.teach(batch["weak"])
        inside = batch["known"] != NOT_LABELLED
        weight = inside.float() * self.trusted(taught, batch, moment)
        confidence, pseudo = taught.max(1)
        self.count(pseudo, confidence >= SURE_ABOVE, batch["known"] == UNKNOWN)
        own: Tensors = (batch["strong"], taught, weight)
        if self.choice.cutmix:
            own = mix_all(own, neighbours(own, self._labelled(batch)), batch["mask"])
        strong, taught, weight = own
        logits = self.network(torch.cat([batch["image"], strong])).float()
        labelled, unlabelled = logits.split([len(batch["image"]), len(strong)])
        result = self.supervised_loss(labelled, batch["label"])
        loss = soft_consistency(unlabelled, taught, weight)
        return with_unlabelled(
            result, loss, self.semi.unlabelled_weight * self.ramp(moment), "consistency"
        )

    def trusted(self, taught: Tensor, batch: Batch, moment: Moment) -> Tensor:
        """Weigh the pixels by trust in the teacher, (batch, *space); all alike here."""
        return torch.ones_like(taught[:, 0])

    def _labelled(self, batch: Batch) -> Tensors:
        """Give labelled patches, their labels as shares, and weights."""
        images, answers, sure, known = as_guesses(batch["image"], batch["label"])
        shares = functional.one_hot(answers, 1 + len(self.spec.classes)).movedim(-1, 1)
        return images, shares.float(), sure * known


class UncertaintyRun(MeanTeacherRun):
    """Leaves out pixels of which noisy looks of the teacher are unsure."""

    def __init__(self, setup: Setup, settings: UncertaintySettings) -> None:
        super().__init__(setup, settings)
        self.looks = settings

    def trusted(self, taught: Tensor, batch: Batch, moment: Moment) -> Tensor:
        """Give 1 where the entropy of the mean of several looks is below the moving threshold."""
        generator = self.random(moment.step, LOOKS_STREAM)
        total = torch.zeros_like(taught)
        for _ in range(self.looks.passes):
            noise = torch.randn(batch["weak"].shape, generator=generator)
            total += self.teach(batch["weak"] + self.looks.noise * noise.to(self.device))
        mean = total / self.looks.passes
        entropy = -(mean * mean.clamp_min(1e-8).log()).sum(1)
        accepted = FIRST_THRESHOLD + (1 - FIRST_THRESHOLD) * self.ramp(moment)
        return (entropy < accepted * math.log(mean.shape[1])).float()
