"""`two-stage`: metric learning for the encoder, then a re-balanced classifier on it.

Zeng et al., "Learning discriminative representation via metric learning for imbalanced medical
image classification" (arXiv 2207.06975). docs/methods/two-stage.md says what is verified and what
had to be reconstructed. The second stage leaves the encoder as it is, to the bit, and works on the
encoder of any other run too.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.events import Event
from ..checkpoints.card import ModelCard
from ..data.preprocessing import Preprocessing
from ..data.sampling import ClassBatchSampler
from ..losses.imageclass import cross_entropy
from .extractor import load_extractor
from .imageclass import ImageRun
from .metric_learning import MetricLoss, retrieval
from .priors import Shares, weighed_prior
from .run import Batch, Moment, Setup, StepResult
from .second_head import NEEDS_FIRST, ShortenedHead
from .second_stage import SecondStage
from .settings import read_settings
from .settings_contrast import TwoStageSettings
from .two_stage_report import StageReport

CLASSES_AT_ONCE = 8
PROXY_RATE = 10.0
METRIC_STREAM = 19
TAU_CHOICES = 10


def build(setup: Setup) -> "TwoStageRun":
    """Make the run of a spec."""
    settings = read_settings(TwoStageSettings, setup.spec.settings)
    assert isinstance(settings, TwoStageSettings)
    return TwoStageRun(setup, settings)


class TwoStageRun(ImageRun):
    """First the encoder, then the classifier; tau-norm needs no second stage."""

    def __init__(self, setup: Setup, settings: TwoStageSettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings
        self.report = StageReport(self.spec)

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the images, build the network, take another run's encoder where that is wished."""
        taken = load_extractor(self.setup.project, self.spec, self.choice) if not card else None
        self._taken_preprocessing = taken.preprocessing if taken else None
        yield from super().prepare(card)
        if taken:
            body: nn.Module = self.network.body  # type: ignore[assignment]
            body.load_state_dict(taken.network.body.state_dict())  # type: ignore[union-attr]
        width: int = self.network.width  # type: ignore[assignment]
        self.metric = MetricLoss(self.choice, width, len(self.spec.classes)).to(self.device)
        self.second = SecondStage(self, self.choice)
        self.second.active = self._starts_second_at == 0.0
        self.shortened = ShortenedHead(self.network.head, self.choice.tau)  # type: ignore[arg-type]

    @property
    def phases(self) -> tuple[float, ...]:
        """Where the second stage begins."""
        start = self._starts_second_at
        return (0.0, start) if 0 < start < 1 else (0.0,)

    def paced(self, moment: Moment) -> Moment:
        """Let the learning rate rise and fall in each stage."""
        first = self._first_steps(moment)
        if moment.step < first:
            return Moment(moment.step, first)
        return Moment(moment.step - first, moment.total - first)

    def trained_parameters(self) -> Iterator[nn.Parameter]:
        """Give the weights of both classifiers and of the metric loss too."""
        yield from super().trained_parameters()
        yield from self.metric.parameters()
        yield from self.second.head.parameters()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the second classifier and the proxies learning rates of their own."""
        rates = {
            self.metric: PROXY_RATE,
            self.second.head: self.choice.head_learning_rate / self.choice.learning_rate,
        }
        own = [
            {"params": list(module.parameters()), "weight_decay": 0.0, "rate": rate}
            for module, rate in rates.items()
        ]
        return [*super().parameter_groups(), *(group for group in own if group["params"])]

    def batch(self, step: int) -> Batch:
        """Give images as they are drawn, with some of each of several classes in stage 1."""
        if self.second.active:
            return self.second.batch(step)
        batch = super().batch(step)
        if self.choice.extractor or self.choice.metric == "none":
            return batch
        rows = self._class_batches.draw(step, self.sampler.resting)
        return {
            **batch,
            "metric_image": self.varied(rows, step, METRIC_STREAM),
            "metric_target": self.targets_at(rows),
        }

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on cross-entropy and metric loss, or in stage 2 on the classifier's loss."""
        if not self.second.active and moment.step >= self._first_steps(moment):
            self._enter_second()
        if self.second.active:
            return self.second.result(batch)
        return self._first_result(batch, moment)

    def after_step(self, moment: Moment) -> None:
        """Let the predicting classifier follow; enter stage 2 in time."""
        if self.second.active:
            self.second.after_step()
        elif moment.step + 1 >= self._first_steps(moment) < moment.total:
            self._enter_second()
        elif self.choice.head == "tau-norm":
            self._shorten(moment)

    def news(self, step: int) -> Iterator[Event]:
        """Tell how well features retrieve, and how the classifier was before and after."""
        yield from super().news(step)
        if step == self.spec.iterations_planned:
            self._judge("after", self.average.head)
        yield from self.report.news(step)

    def class_centres(self, features: Tensor, classes: Tensor) -> Tensor:
        """Give the class means; the same features tell how well they retrieve."""
        self.report.retrieved(*retrieval(features, classes, len(self.spec.classes)))
        return super().class_centres(features, classes)

    def labels_changed(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Read labels again."""
        labelled = super().labels_changed(case_ids)
        self.__dict__.pop("_class_batches", None)
        self.second.forget_images()
        return labelled

    def prior(self) -> Shares:
        """Give what the classifier of this stage takes for granted."""
        factors = self.class_factors.double().numpy()
        if self.second.active:
            return weighed_prior(self.second.prior(), factors, several=False)
        shares = self.sampler.class_shares
        if self.choice.head == "tau-norm":
            shares = np.where(shares > 0, shares, 1.0) ** (1 - self.shortened.tau) * (shares > 0)
        return weighed_prior(np.asarray(shares / shares.sum(), float), factors, several=False)

    def state(self) -> dict[str, Any]:
        """Give the stage, both classifiers and the proxies too."""
        return {
            **super().state(),
            "metric": self.metric.state_dict(),
            "second": self.second.state(),
            "shortened": self.shortened.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        super().load_state(state)
        self.metric.load_state_dict(state["metric"])
        self.second.load_state(state["second"])
        self.shortened.load_state(state["shortened"])
        self.report = StageReport(self.spec)

    @property
    def _starts_second_at(self) -> float:
        if self.choice.head == "tau-norm":
            return 1.0
        if self.choice.extractor and self.choice.head not in NEEDS_FIRST:
            return 0.0
        return 1.0 - self.choice.head_share

    def _first_steps(self, moment: Moment) -> int:
        return round(self._starts_second_at * moment.total)

    @cached_property
    def _class_batches(self) -> ClassBatchSampler:
        count = self.choice.classes_at_once or CLASSES_AT_ONCE
        return ClassBatchSampler(
            self.sampler.presence, count, self.choice.images_a_class, self.spec.seed
        )

    def _first_result(self, batch: Batch, moment: Moment) -> StepResult:
        images, target = batch["image"], batch["target"]
        paired = batch.get("metric_image")
        features = self._first_features(images if paired is None else torch.cat([images, paired]))
        own = self.network.dropout(features[: len(images)])  # type: ignore[operator]
        logits = self.network.head(own).float()  # type: ignore[operator]
        loss = self.weighed(cross_entropy(logits, target), target).mean()
        parts = {"cross_entropy": float(loss.detach())}
        if paired is not None:
            apart = self.metric(features[len(images) :], batch["metric_target"])
            loss = loss + self._metric_weight(moment) * apart
            parts["metric"] = float(apart.detach())
        return StepResult(loss, self.tally(logits.detach(), target), parts)

    def _first_features(self, images: Tensor) -> Tensor:
        """Features that learn, or those of another run's encoder, which do not."""
        if self.choice.extractor:
            return self.second.frozen(images)
        features: Tensor = self.network.features(images)  # type: ignore[operator]
        return features

    def _metric_weight(self, moment: Moment) -> float:
        ramp = self.choice.metric_ramp * self._first_steps(moment)
        return self.choice.metric_weight * min(1.0, (moment.step + 1) / max(1.0, ramp))

    def _enter_second(self) -> None:
        self._judge("before", self.average.head)
        self.second.enter()

    def _shorten(self, moment: Moment) -> None:
        """Predict with the shortened classifier; choose its tau now and then on validation."""
        head: nn.Linear = self.network.head  # type: ignore[assignment]
        self.shortened.follow(head, moment.step, self.common.ema)
        done, every = moment.step + 1, -(-moment.total // TAU_CHOICES)
        last = done >= moment.total
        if len(self.val_rows) and (last or done % every == 0):
            self.shortened.choose(self.features_of(self.val_rows), self.val_targets)
        if last:
            self._judge("before", self.shortened.plain)
        self.shortened.write_to(self.average.head)

    def _judge(self, when: str, head: Any) -> None:
        """Note what a classifier says of validation images, or without those of training images."""
        stored, classes = self.val_rows, self.val_targets
        if not len(stored):
            rows, classes = self.learned.chosen(self.sampler.presence)
            stored = self.image_rows[rows]
        with torch.no_grad():
            answers = head(self.features_of(stored).to(self.device)).argmax(1).cpu()
        self.report.classifier(when, answers, classes)

    def _preprocessing(self) -> Preprocessing:
        return self._taken_preprocessing or super()._preprocessing()
