"""`cross-entropy`: an encoder, with the losses and samplers made for uneven classes."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..data.sampling import ImageSampler
from ..losses import imageclass as losses
from ..nets.encoders import CosineHead, ImageClassifier
from .imageclass import ImageRun
from .priors import Shares, mixed_shares, several_prior, single_prior, weighed_prior
from .run import Batch, Moment, Setup, StepResult
from .settings import CrossEntropySettings, read_settings

DEFERRED_SHARE = 0.8
"""LDAM weighs the classes in what is left of the run after this share (DRW)."""

LARGEST_POSITIVE_WEIGHT = 20.0
BLEND_STREAM = 7


def build(setup: Setup) -> "CrossEntropyRun":
    """Make the run of a spec."""
    settings = read_settings(CrossEntropySettings, setup.spec.settings)
    assert isinstance(settings, CrossEntropySettings)
    return CrossEntropyRun(setup, settings)


class CrossEntropyRun(ImageRun):
    """One encoder, one of many losses."""

    def __init__(self, setup: Setup, settings: CrossEntropySettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings
        self.head = "cosine" if settings.loss == "ldam" else "linear"

    def batch(self, step: int) -> Batch:
        """Give varied images and targets, blended with evenly drawn ones where that is wished."""
        batch = super().batch(step)
        if self.choice.mixup == "none" or self.several:
            return batch
        return self._blended(batch, step)

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on the chosen loss."""
        self._scale_head()
        logits = self.network(batch["image"]).float()
        target = batch["target"]
        if self.several:
            loss = losses.known_mean(self.weighed(self._several(logits, target), target), target)
        else:
            loss = self.weighed(self._single(logits, target, moment), target).mean()
        return StepResult(loss, self.tally(logits.detach(), target), {})

    def prior(self) -> Shares:
        """Give what the logits take for granted when the run has ended."""
        factors = _array(self.class_factors)
        return weighed_prior(self._plain_prior(), factors, several=self.several)

    def _plain_prior(self) -> Shares:
        if self.several:
            weights = self._positive_weights()
            return several_prior(*self._answers(), None if weights is None else _array(weights))
        weights = self._weights(deferred=True)
        return single_prior(
            self.choice.loss,
            self._shares(),
            None if weights is None else _array(weights),
            self._tau,
        )

    def _single(self, logits: Tensor, target: Tensor, moment: Moment) -> Tensor:
        choice, smoothing = self.choice, self.choice.label_smoothing
        if choice.loss in ("balanced-softmax", "logit-adjustment"):
            prior = torch.tensor(self._shares(), dtype=torch.float32, device=logits.device)
            return losses.balanced_softmax(logits, target, prior, self._tau, smoothing)
        if choice.loss == "focal":
            return losses.focal_loss(logits, target, choice.focal_gamma)
        weights = self._weights(deferred=moment.share >= DEFERRED_SHARE)
        if choice.loss == "ldam":
            margins = losses.ldam_margins(self.counts)
            return losses.ldam(logits, target, margins, choice.ldam_scale, weights)
        if weights is not None:
            return losses.weighted_cross_entropy(logits, target, weights, smoothing)
        return losses.cross_entropy(logits, target, smoothing)

    def _several(self, logits: Tensor, target: Tensor) -> Tensor:
        weights = self._positive_weights()
        if self.choice.loss == "focal-bce":
            return losses.focal_binary_cross_entropy(logits, target, self.choice.focal_gamma)
        return losses.binary_cross_entropy(logits, target, weights)

    def _weights(self, *, deferred: bool) -> Tensor | None:
        """Weights of the classes in the loss; LDAM has them only late in the run."""
        if self.choice.loss == "weighted":
            return losses.inverse_weights(self.counts)
        if self.choice.loss == "class-balanced" or (self.choice.loss == "ldam" and deferred):
            return losses.class_balanced_weights(self.counts, self.choice.class_balanced_beta)
        return None

    def _positive_weights(self) -> Tensor | None:
        if self.choice.loss != "weighted":
            return None
        yes, known = (torch.tensor(each, device=self.device) for each in self._answers())
        weights = losses.positive_weights(yes, known - yes, LARGEST_POSITIVE_WEIGHT)
        return weights.float()

    def _answers(self) -> tuple[Shares, Shares]:
        """How often each class was answered yes, and how often it was answered at all."""
        targets = self.targets.numpy()
        return (targets == 1).sum(0).astype(float), (targets >= 0).sum(0).astype(float)

    def _shares(self) -> Shares:
        shares = self.sampler.class_shares
        if self.choice.mixup == "none":
            return shares
        return mixed_shares(shares, self.choice.mixup_alpha, (shares > 0).astype(float))

    @property
    def _tau(self) -> float:
        return 1.0 if self.choice.loss == "balanced-softmax" else self.choice.adjustment_tau

    def _blended(self, batch: Batch, step: int) -> Batch:
        even = ImageSampler(self.sampler.presence, "class-balanced", self.spec.seed + 1)
        even.rest(self.sampler.resting)
        rows = even.draw(step, self.settings.batch)
        other = self.varied(rows, step, BLEND_STREAM)
        random = np.random.default_rng([self.spec.seed, step, BLEND_STREAM])
        drawn = random.beta(self.choice.mixup_alpha, 1.0, self.settings.batch)
        amount = torch.tensor(drawn, dtype=torch.float32, device=self.device)
        images = torch.lerp(batch["image"], other, amount.view(-1, *([1] * (other.ndim - 1))))
        classes = len(self.spec.classes)
        own = functional.one_hot(batch["target"], classes).float()
        added = functional.one_hot(self.targets_at(rows), classes).float()
        return {"image": images, "target": torch.lerp(own, added, amount[:, None])}

    def _scale_head(self) -> None:
        network = self.network
        if isinstance(network, ImageClassifier) and isinstance(network.head, CosineHead):
            network.head.scale.fill_(self.choice.ldam_scale)


def _array(values: Tensor) -> Shares:
    return values.double().cpu().numpy()
