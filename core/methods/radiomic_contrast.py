"""`radiomic-contrast`: images compared with the radiomics of the regions that their maps show.

Han et al., "Knowledge-augmented contrastive learning for abnormality classification and
localization in chest X-rays with radiomics using a feedback loop", WACV 2022 (arXiv 2104.04968).
The map of a class gives a region, its radiomic features go through an encoder of their own, and
what comes out is the positive of the image: better features give better regions, and those better
features. docs/methods/radiomic-contrast.md says what is verified and what is our reading.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.events import Event, Metric
from ..checkpoints.card import ModelCard
from ..data.augment import vary
from ..data.sampling import ImageSampler
from ..losses.balance import gradient_norm
from ..losses.radiomic_contrast import paired_contrast
from ..project.records import Case, Status
from .gradient_balance import GradientBalance
from .imageclass import Rows
from .radiomic_classes import ClassifierRun
from .radiomic_features import RunningScale
from .radiomic_finder import Asked, Chooser, Drawn, RegionFinder, on_grid
from .radiomic_followed import FollowedImages
from .radiomic_partner import RadiomicPartner, last_block
from .radiomic_report import TakenOver
from .run import Batch, Moment, Setup, StepResult, layout_of
from .settings import read_settings
from .settings_radiomic import RadiomicContrastSettings

POOL_STREAM = 19
PUBLISHED_MIX = 0.7, 0.3
"""Weights of the focal loss and of the comparisons."""

Lengths: TypeAlias = tuple[float, float, float]
"""Of the gradients of the classes and of the comparisons, and the factor of the latter."""


class Compared(NamedTuple):
    """What a portion of a step leaves for after the step.

    Attributes
    ----------
    rows
        (image,), in the store.
    measured, scaled
        (image, feature), radiomics of their regions.
    projected
        (image, width), z_i.
    """

    rows: Tensor
    measured: Tensor
    scaled: Tensor
    projected: Tensor
    lengths: Lengths


def build(setup: Setup) -> "RadiomicContrastRun":
    """Make the run of a spec."""
    settings = read_settings(RadiomicContrastSettings, setup.spec.settings)
    assert isinstance(settings, RadiomicContrastSettings)
    return RadiomicContrastRun(setup, settings)


class RadiomicContrastRun(ClassifierRun):
    """A classifier, and comparisons of images with the radiomics of their regions."""

    def __init__(self, setup: Setup, settings: RadiomicContrastSettings) -> None:
        super().__init__(setup, settings)
        self.contrasts = self.published or settings.contrast_share > 0
        self.balance = GradientBalance(settings.contrast_share)
        self._parts: dict[str, float] = {}
        self._fresh: list[Compared] = []

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the images, those without labels too; build both encoders."""
        yield from super().prepare(card)
        if not self.published:
            self.start_at_prior()
        space = self.store.images.shape[2:]
        self.finder = RegionFinder(self.choice, space, self.store.take, self.plain, self.device)
        names = self.finder.measurer.names
        self.scale = RunningScale(len(names))
        self.taken_over = TakenOver(names)
        width: int = self.network.width  # type: ignore[assignment]
        partner = RadiomicPartner(len(names), width, self.choice.hidden, self.choice.width)
        self.partner = partner.to(self.device)
        self._count_pool()
        self.followed = FollowedImages(self)

    def read_beside(self) -> Sequence[Case]:
        """Give the cases without labels, where they are learned from."""
        ids = self._unlabelled_ids
        return self.setup.project.cases(ids=ids) if ids else ()

    @property
    def phases(self) -> tuple[float, ...]:
        """Where the comparisons come in."""
        late = self.contrasts and self.choice.warm_up > 0
        return (0.0, self.choice.warm_up) if late else (0.0,)

    def trained_parameters(self) -> Iterator[nn.Parameter]:
        """Give the weights of the second encoder and of both projections too."""
        yield from super().trained_parameters()
        yield from self.partner.parameters()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the second encoder and the projections a group of their own."""
        decay = self.common.weight_decay
        own = {"params": list(self.partner.parameters()), "weight_decay": decay}
        return [*super().parameter_groups(), own]

    def batch(self, step: int) -> Batch:
        """Give varied images with their targets, and rows of the store.

        Beside `image` and `target`: `row` (batch,), and where there are images without labels
        `pool` (batch, n), n of them for each labelled one.
        """
        rows = self.sampler.draw(step, self.settings.batch)
        batch = {
            "image": self.varied(rows, step),
            "target": self.targets_at(rows),
            "row": torch.as_tensor(self.image_rows[rows]),
        }
        if self.pool is None:
            return batch
        beside = self.pool.draw(step, len(rows) * self.choice.unlabelled)
        pool = torch.as_tensor(self.pool_rows[beside]).view(len(rows), -1)
        return {**batch, "pool": pool}

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on the classes alone, later on the comparisons too."""
        if not self.contrasts or moment.step < round(self.choice.warm_up * moment.total):
            logits = self.network(batch["image"]).float()
            loss = self.class_loss(logits, batch["target"])
            return StepResult(loss, self.tally(logits.detach(), batch["target"]), {})
        return self._compared(batch, moment)

    def before_step(self) -> None:
        """Forget the portions of a step that was not taken."""
        self._fresh.clear()

    def after_step(self, moment: Moment) -> None:
        """Follow the features of the regions and the lengths of both gradients."""
        if not self._fresh:
            return
        self.scale.take(torch.cat([each.measured for each in self._fresh]))
        self.balance.take([each.lengths for each in self._fresh])
        for each in self._fresh:
            self.taken_over.take(each.rows, each.projected, each.scaled)
        self._fresh.clear()

    def news(self, step: int) -> Iterator[Event]:
        """Tell how the losses stand to each other, what radiomics taught, and how maps look."""
        yield from super().news(step)
        if self._parts:
            yield Metric(step, "contrast_gradient", self.balance.ratio)
            for name, value in self._parts.items():
                yield Metric(step, name, value)
        planned, folder = self.spec.iterations_planned, self.setup.folder
        yield from self.taken_over.news(step, planned, folder)
        yield from self.followed.news(step)

    def labels_changed(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Read labels and boxes again; images that are labelled now leave the pool."""
        labelled = super().labels_changed(case_ids)
        self._count_pool()
        return labelled

    def state(self) -> dict[str, Any]:
        """Give the second encoder, regions, scale and balance too."""
        return {
            **super().state(),
            "partner": self.partner.state_dict(),
            "regions": self.finder.cache.state(),
            "scale": self.scale.state(),
            "balance": self.balance.state(),
            "followed": self.followed.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        super().load_state(state)
        self.partner.load_state_dict(state["partner"])
        self.finder.cache.load_state(state["regions"])
        self.scale.load_state(state["scale"])
        self.balance.load_state(state["balance"])
        self.followed.load_state(state["followed"])
        # What steps that were only rehearsed have left.
        self.taken_over = TakenOver(self.finder.measurer.names)
        self._parts = {}

    def asked(self, batch: Batch, guesses: Tensor, step: int) -> list[Asked]:
        """Choose the class of each image whose region is asked for, labelled images first.

        Parameters
        ----------
        guesses
            (unlabelled images,), the class that each most probably has.
        """
        columns = [_positives(one) for one in batch["target"].tolist()]
        labelled = zip(batch["row"].tolist(), columns, strict=True)
        found = [self.chooser.labelled(row, yes, step) for row, yes in labelled]
        pool = batch["pool"].flatten().tolist() if "pool" in batch else []
        unlabelled = zip(pool, guesses.tolist(), strict=True)
        return found + [self.chooser.unlabelled(row, guess, step) for row, guess in unlabelled]

    def _compared(self, batch: Batch, moment: Moment) -> StepResult:
        target, network = batch["target"], self.network
        features = network.features(self._images(batch, moment.step))  # type: ignore[operator]
        labelled = features[: len(target)]
        logits = network.head(network.dropout(labelled)).float()  # type: ignore[operator]
        classes = self.class_loss(logits, target)
        with torch.no_grad():
            guesses = network.head(features[len(target) :]).argmax(1)  # type: ignore[operator]
        asked = self.asked(batch, guesses, moment.step)
        measured = self.finder.features(asked, moment.step, self.average)
        projected = self.partner.of_images(features)
        scaled = self.scale(measured)
        contrast = self._contrast(projected, scaled, measured)
        loss, lengths = self._mixed(classes, contrast)
        rows = torch.tensor([one.row for one in asked])
        self._fresh.append(Compared(rows, measured, scaled, projected.detach(), lengths))
        self._parts = {
            "class_loss": float(classes.detach()),
            "contrast_loss": float(contrast.detach()),
        }
        return StepResult(loss, self.tally(logits.detach(), target), self._parts)

    def _images(self, batch: Batch, step: int) -> Tensor:
        """Join the labelled images and varied ones of the pool."""
        if "pool" not in batch:
            return batch["image"]
        plain = self.plain(batch["pool"].flatten().numpy())
        varied, _ = vary(plain, None, self.variation, self.random(step, POOL_STREAM))
        joined = torch.cat([batch["image"], varied])
        return joined.contiguous(memory_format=layout_of(self.dims))

    def _contrast(self, projected: Tensor, scaled: Tensor, measured: Tensor) -> Tensor:
        """Mean NT-Xent of images and their regions, leaving out regions without any feature."""
        usable = measured.isfinite().any(1).to(projected.device)
        regions = self.partner.of_regions(scaled.to(projected.device))
        each = paired_contrast(projected[usable], regions[usable], self.choice.temperature)
        return each.sum() / max(1, len(each))

    def _mixed(self, classes: Tensor, contrast: Tensor) -> tuple[Tensor, Lengths]:
        """Add both losses, with the lengths of their gradients at the last block of the encoder."""
        factor = 1.0
        if self.published:
            classes, contrast = (
                w * x for w, x in zip(PUBLISHED_MIX, (classes, contrast), strict=True)
            )
        weights = self._last_block
        ours, theirs = gradient_norm(classes, weights), gradient_norm(contrast, weights)
        if not self.published:
            factor = self.balance.scale(ours, theirs)
        return classes + factor * contrast, (ours, theirs, factor)

    def _count_pool(self) -> None:
        """Find out which images are unlabelled now, and in which of all a person drew boxes."""
        labelled = set(self.train_ids)
        ids = [id_ for id_ in self._unlabelled_ids if id_ not in labelled]
        rows = [self.store.rows[id_] for id_ in ids if id_ in self.store.rows]
        self.pool_rows: Rows = np.array(rows, np.int64)
        nothing = np.zeros((len(rows), 1), bool)
        self.pool = ImageSampler(nothing, "instance", self.spec.seed + 1) if rows else None
        self.drawn = self._boxes([*self.train_ids, *ids])
        self.chooser = Chooser(self.spec.seed, self.drawn)

    @property
    def _unlabelled_ids(self) -> Sequence[str]:
        learned = self.contrasts and self.choice.unlabelled
        return self.spec.train_unlabelled if learned else ()

    def _boxes(self, case_ids: Sequence[str]) -> Drawn:
        """Give the boxes that people drew, but none where labels are hidden from the run."""
        if not (self.contrasts and self.choice.drawn_boxes):
            return {}
        labelled = set(self.train_ids)
        cases = self.setup.project.cases(ids=case_ids)
        seen = [one for one in cases if one.id in labelled or one.status is Status.UNLABELLED]
        boxes = self.setup.project.boxes_of([one.id for one in seen])
        space = self.store.images.shape[2:]
        return {
            self.store.rows[one.id]: on_grid(one, boxes[one.id], self.spec.class_ids, space)
            for one in seen
            if boxes.get(one.id) and one.id in self.store.rows
        }

    @cached_property
    def _last_block(self) -> list[nn.Parameter]:
        return last_block(self.network.body)  # type: ignore[arg-type]


def _positives(target: int | list[int]) -> list[int]:
    """Columns of the classes that an image has; of one class per image, that one."""
    if isinstance(target, int):
        return [target]
    return [column for column, answer in enumerate(target) if answer == 1]
