"""The part of `radiomic-contrast` that learns the classes, with and without the comparisons."""

import numpy as np
import torch
from torch import Tensor

from ..losses import imageclass as losses
from ..losses.long_tail import asymmetric_loss
from ..losses.radiomic_contrast import PUBLISHED_ALPHA, PUBLISHED_GAMMA, published_focal
from .imageclass import ImageRun
from .priors import Shares, several_prior, single_prior, weighed_prior
from .run import Setup
from .settings_radiomic import RadiomicContrastSettings


class ClassifierRun(ImageRun):
    """A run with one of the losses on classes that `radiomic-contrast` has."""

    def __init__(self, setup: Setup, settings: RadiomicContrastSettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings
        self.published = settings.mix == "published"

    def prior(self) -> Shares:
        """Give what the logits take for granted."""
        if self.several:
            plain = several_prior(*self._answers(), None)
        else:
            loss = "focal" if self.published else self.choice.loss
            plain = single_prior(loss, self.sampler.class_shares, None, 1.0)
        factors = self.class_factors.double().cpu().numpy()
        return weighed_prior(plain, factors, several=self.several)

    def class_loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Give the loss of the classes, a scalar."""
        if self.published:
            return self._published(logits, target)
        if self.several:
            of_each = asymmetric_loss if self.choice.loss == "asymmetric" else _plain_loss
            # Summed over the classes, so that a rare one among many still counts.
            return self.weighed(of_each(logits, target), target).sum(1).mean()
        if self.choice.loss == "balanced-softmax":
            shares = self.sampler.class_shares
            prior = torch.tensor(shares, dtype=torch.float32, device=logits.device)
            each = losses.balanced_softmax(logits, target, prior)
        else:
            each = losses.cross_entropy(logits, target)
        return self.weighed(each, target).mean()

    def _published(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.several:
            each = self.weighed(published_focal(logits, target), target)
            return losses.known_mean(each, target)
        each = losses.focal_loss(logits, target, PUBLISHED_GAMMA)
        return PUBLISHED_ALPHA * self.weighed(each, target).mean()

    def start_at_prior(self) -> None:
        """Let the classifier begin with the shares of the classes, which it need not learn."""
        bias: Tensor = self.network.head.bias.data  # type: ignore[union-attr,assignment]
        if self.several:
            yes, known = self._answers()
            share = (yes + 1) / (known + 2)
            start = np.log(share / (1 - share))
        elif self.choice.loss == "ce":
            start = np.log(np.maximum(self.sampler.class_shares, 1 / (1 + len(self.train_ids))))
        else:
            start = np.zeros(len(bias))
        bias.copy_(torch.as_tensor(start))

    def _answers(self) -> tuple[Shares, Shares]:
        """How often each class was answered yes, and how often it was answered at all."""
        targets = self.targets.numpy()
        return (targets == 1).sum(0).astype(float), (targets >= 0).sum(0).astype(float)


def _plain_loss(logits: Tensor, target: Tensor) -> Tensor:
    return losses.binary_cross_entropy(logits, target)
