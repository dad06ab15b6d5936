"""`bcp`: bidirectional copy-paste between labelled and unlabelled scans.

Bai et al., CVPR 2023 (arXiv 2305.00673): a box of a labelled scan is pasted into an unlabelled one
and the other way round; the labelled part of each mixture learns from labels, the other from the
teacher's answers. At first, labelled scans are mixed with each other.
"""

import torch
from torch import Tensor

from ..data.mixing import border_kept_masks, mix
from ..project.records import NOT_LABELLED
from .mean_teacher import SURE_ABOVE
from .run import Batch, Moment, Setup, StepResult
from .semi_supervised import MASK_STREAM, UNKNOWN, SemiSupervisedRun, partners, with_known
from .settings import read_settings
from .settings_semi import CopyPasteSettings


def build(setup: Setup) -> "CopyPasteRun":
    """Make the run of a spec."""
    settings = read_settings(CopyPasteSettings, setup.spec.settings)
    assert isinstance(settings, CopyPasteSettings)
    return CopyPasteRun(setup, settings)


class CopyPasteRun(SemiSupervisedRun):
    """Cross-entropy and Dice over both parts of both mixtures."""

    def __init__(self, setup: Setup, settings: CopyPasteSettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings

    @property
    def phases(self) -> tuple[float, ...]:
        """Where the work of a step changes."""
        return (0.0, self.choice.ramp_share) if self.choice.ramp_share else (0.0,)

    def batch(self, step: int) -> Batch:
        """Give the views, with the published kind of box."""
        batch = super().batch(step)
        generator = self.random(step, MASK_STREAM)
        size, side = len(batch["mask"]), self.choice.pasted_side
        mask = border_kept_masks(size, self.grid.patch, generator, side)
        return {**batch, "mask": mask.to(self.device)}

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on both mixtures."""
        if moment.share < self.choice.ramp_share:
            return self._labelled_only(batch)
        image, label, mask = batch["image"], batch["label"], batch["mask"]
        pseudo = self._pseudo(batch)
        mixed = torch.cat([mix(image, batch["strong"], mask), mix(batch["strong"], image, mask)])
        logits = self.network(mixed).float()
        # In the first mixture the labelled scan surrounds the box, in the second it fills it.
        mine = self._part(logits, label, torch.cat([~mask, mask]))
        theirs = self._part(logits, pseudo, torch.cat([mask, ~mask]))
        parts = {**mine.parts, "pseudo": float(theirs.loss.detach())}
        return StepResult(mine.loss + self.semi.unlabelled_weight * theirs.loss, mine.tally, parts)

    def _labelled_only(self, batch: Batch) -> StepResult:
        image, label, mask = batch["image"], batch["label"], batch["mask"]
        mixed = torch.cat([image, mix(image, partners(image), mask)])
        labels = torch.cat([label, mix(label, partners(label), mask)])
        return self.supervised_loss(self.network(mixed).float(), labels)

    def _pseudo(self, batch: Batch) -> Tensor:
        """Give the teacher's answers, (batch, *space) uint8, 255 outside."""
        known = batch["known"]
        confidence, pseudo = self.teach(batch["weak"]).max(1)
        self.count(pseudo, confidence >= SURE_ABOVE, known == UNKNOWN)
        pseudo, _ = with_known(pseudo, confidence, known)
        return pseudo.to(torch.uint8).masked_fill_(known == NOT_LABELLED, NOT_LABELLED)

    def _part(self, logits: Tensor, labels: Tensor, where: Tensor) -> StepResult:
        """Supervise both mixtures where `where` says, (2 batch, *space)."""
        twice = torch.cat([labels, labels])
        return self.supervised_loss(logits, twice.masked_fill(~where, NOT_LABELLED))
