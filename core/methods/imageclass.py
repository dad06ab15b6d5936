"""What every method on image-level classes shares: data, batches, validation, the model's card."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.events import Event, Progress
from ..checkpoints.card import ModelCard
from ..data.augment import IMAGE_LIGHT, IMAGE_STRONG, Variation, any_way_up, vary
from ..data.intensity import picture_intensity
from ..data.pictures import PictureStore, targets_of
from ..data.preprocessing import Intensity, Preprocessing
from ..data.sampling import ImageSampler
from ..errors import LongtailError
from ..losses.contrast import class_means
from ..nets.recipe import NetworkRecipe, build_network
from ..project.records import Case, Task
from .aside import Groups, image_groups
from .image_scores import hits_and_cases, most_of, scores_of, well_measured
from .learned_embedding import LearnedEmbedding
from .learned_map import LearnedMap
from .priors import Shares
from .run import (
    Batch,
    MethodRun,
    Setup,
    Validation,
    laid_out,
    layout_of,
    left_out,
    to_device,
)
from .settings import ImageSettings

VALIDATION_BATCH = 64
MEASURED_TOGETHER = 3
GAIN_FROM_BFLOAT16 = ("resnet18", "resnet50")
"""Measured: these learn 1.7 times as fast; depthwise convolutions are slower in bfloat16."""

Rows = np.ndarray[Any, np.dtype[np.int64]]


class ImageRun(MethodRun):
    """A run that learns image-level classes."""

    train_measure = "train_recall"
    head = "linear"

    def __init__(self, setup: Setup, settings: ImageSettings) -> None:
        super().__init__(setup, settings)
        self.settings = settings
        self.several = self.spec.task is Task.MULTILABEL
        self.decisive = "average_precision" if self.several else "recall"
        self.gains_from_bfloat16 = settings.encoder_name in GAIN_FROM_BFLOAT16
        self.dims = self.spec.grid.spatial_dims if self.spec.grid else 2
        self.class_factors = torch.ones(len(self.spec.classes))
        # Logits and targets of the images that sat out last.
        self.measured: deque[tuple[Tensor, Tensor]] = deque(maxlen=MEASURED_TOGETHER)
        self.learned = LearnedMap()
        self.frames = LearnedEmbedding()

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the images and build the network."""
        self.preprocessing = card.preprocessing if card else self._preprocessing()
        project = self.setup.project
        train = self._answered(project.cases(ids=self.spec.train_labelled))
        val = self._answered(project.cases(ids=self.spec.val)) if self.spec.val else []
        cases = [*train, *val, *self.read_beside()]
        self.store = PictureStore(cases, self.preprocessing, self.setup.threads)
        yield Progress(0, len(cases), what="Reading images")
        for done in self.store.read():
            yield Progress(done, len(cases), what="Reading images")
        yield from left_out(self.store.failed)
        val = [case for case in val if case.id in self.store.rows]
        self._train_on(train)
        self.val_rows = np.array([self.store.rows[case.id] for case in val], np.int64)
        self.val_targets = targets_of(val, self.spec.class_ids, self.spec.task)
        torch.manual_seed(self.spec.seed)
        self.network = laid_out(build_network(self._recipe(self.settings.pretrained)), self.dims)
        self.network.to(self.device)

    def read_beside(self) -> Sequence[Case]:
        """Give cases without labels to read too, for a method that learns from them."""
        return ()

    def card(self) -> ModelCard:
        """Describe the network as it is now; it no longer needs its pretrained weights."""
        return ModelCard(
            task=self.spec.task,
            class_ids=self.spec.class_ids,
            class_names=self.spec.class_names,
            network=self._recipe("none"),
            preprocessing=self.preprocessing,
            prior=tuple(self.prior().tolist()),
            method=self.spec.method,
            label_version=self.spec.label_version,
        )

    def prior(self) -> Shares:
        """Give the effective training prior, (class,)."""
        raise NotImplementedError

    @cached_property
    def variation(self) -> Variation:
        """How images are varied."""
        known = {"none": Variation(), "light": IMAGE_LIGHT, "strong": IMAGE_STRONG}
        variation = known[self.settings.augmentation]
        if self.dims == 3:
            variation = replace(variation, flips=(2,) if variation.flips else ())
        wish = self.settings.orientation
        any_way = wish == "any" or (wish == "auto" and self.spec.channel_count == 3)
        if any_way and self.dims == 2 and self.settings.augmentation != "none":
            return any_way_up(variation)
        return variation

    def batch(self, step: int) -> Batch:
        """Give varied images and their targets."""
        rows = self.sampler.draw(step, self.settings.batch)
        return {"image": self.varied(rows, step), "target": self.targets_at(rows)}

    def varied(
        self, rows: Sequence[int] | np.ndarray[Any, Any], step: int, stream: int = 0
    ) -> Tensor:
        """Normalise and vary the training images at `rows`, (batch, channel, *space)."""
        images = to_device(self.store.take(self.image_rows[np.asarray(rows)]), self.device)
        images = self.preprocessing.normalise(images, channel_axis=1)
        varied, _ = vary(images, None, self.variation, self.random(step, stream))
        return varied.contiguous(memory_format=layout_of(self.dims))

    def plain(self, stored: np.ndarray[Any, Any]) -> Tensor:
        """Normalise the images at these rows of the store, unvaried, on the device."""
        images = to_device(self.store.take(stored), self.device)
        return self.preprocessing.normalise(images, channel_axis=1)

    def targets_at(self, rows: Rows) -> Tensor:
        """Give the targets of the training images at `rows`, on the device."""
        return to_device(self.targets[torch.as_tensor(np.asarray(rows))], self.device)

    def validate(self, network: nn.Module) -> Validation:
        """Recall of each class over the validation images; with several, average precision too."""
        found = []
        for start in range(0, len(self.val_rows), VALIDATION_BATCH):
            found.append(self._logits(network, self.val_rows[start : start + VALIDATION_BATCH]))
            yield
        logits = torch.cat(found) if found else torch.empty(0, len(self.spec.classes))
        return scores_of(logits, self.val_targets)

    def aside_groups(self, count: int) -> Groups:
        """Give groups of images that may sit out in turn, each with a tenth of the common kinds."""
        groups = image_groups(self.sampler.presence, count, self.spec.seed)
        return tuple(tuple(self.train_ids[row] for row in group) for group in groups)

    def sit_out(self, case_ids: Sequence[str]) -> None:
        """Show other images of the same classes in place of these."""
        without = set(case_ids)
        self.sampler.rest([row for row, id_ in enumerate(self.train_ids) if id_ in without])

    def measure_cases(self, network: nn.Module, case_ids: Sequence[str]) -> Validation:
        """Measure `network` on these training images and those of the last calls."""
        chosen = set(case_ids)
        rows = np.array([r for r, id_ in enumerate(self.train_ids) if id_ in chosen], np.int64)
        found = []
        for start in range(0, len(rows), VALIDATION_BATCH):
            part = self.image_rows[rows[start : start + VALIDATION_BATCH]]
            found.append(self._logits(network, part))
            yield
        if found:
            self.measured.append((torch.cat(found), self.targets[torch.as_tensor(rows)]))
        logits, targets = (torch.cat(each) for each in zip(*self.measured, strict=True))
        return {self.decisive: well_measured(scores_of(logits, targets)[self.decisive], targets)}

    def labelled_shares(self) -> list[float]:
        """Share of each class among the answers of the training images."""
        presence = self.sampler.presence
        return [float(count) / len(presence) for count in presence.sum(0)]

    def news(self, step: int) -> Iterator[Event]:
        """Draw how the classes lie to each other, and keep some features, about ten times a run."""
        folder, planned = self.setup.folder, self.spec.iterations_planned
        if self.settings.embedding_frames and self._features_learn:
            yield from self.frames.news(self, step, planned or self.spec.iterations)
        if folder is not None and self.learned.takes_turn(step, planned):
            rows, classes = self.learned.chosen(self.sampler.presence)
            features = self.features_of(self.image_rows[rows])
            centres = self.class_centres(features, classes)
            yield self.learned.picture(folder, features, classes, centres, step)

    def embedded(self, images: Tensor) -> Tensor:
        """Features of normalised images as the averaged network sees them, (image, width)."""
        features: Tensor = self.average.features(images)  # type: ignore[operator]
        return features

    def features_of(self, stored: Rows) -> Tensor:
        """Embed the images at these rows of the store, unvaried, (image, width) on the CPU."""
        found = []
        with torch.no_grad():
            for start in range(0, len(stored), VALIDATION_BATCH):
                images = self.plain(stored[start : start + VALIDATION_BATCH])
                found.append(self.embedded(images).float().cpu())
        return torch.cat(found)

    def class_centres(self, features: Tensor, classes: Tensor) -> Tensor:
        """Where each class is among `features`, (class, width); rows of 0 without any."""
        return class_means(features, classes, len(self.spec.classes))[0]

    def labels_changed(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Read labels again; images that were unlabelled join those that train."""
        ours = {*self.train_ids, *self.spec.train_unlabelled}
        changed = {case_id for case_id in case_ids if case_id in ours}
        ids = [*self.train_ids, *sorted(changed - set(self.train_ids))]
        train = self._answered(self.setup.project.cases(ids=ids))
        if train:
            self.store.add(train)
            factors = self.sampler.factors
            self._train_on(train)
            self.sampler.factors = factors
        return self.train_ids

    def sample_more(self, class_id: int, factor: float) -> None:
        """Show a class more often."""
        if class_id in self.spec.class_ids:
            self.sampler.sample_more(self.spec.class_ids.index(class_id), factor)

    def weigh_more(self, class_id: int, factor: float) -> None:
        """Let mistakes on a class count more."""
        if class_id in self.spec.class_ids:
            self.class_factors[self.spec.class_ids.index(class_id)] *= factor

    def weighed(self, losses: Tensor, target: Tensor) -> Tensor:
        """Weigh losses by the factors of their classes, keeping their scale.

        Parameters
        ----------
        losses
            (batch,), or (batch, class) for several classes per image.
        target
            (batch,) classes or (batch, class) shares; (batch, class) answers for several.
        """
        if bool((self.class_factors == 1).all()):
            return losses
        factors = self.class_factors.to(losses.device)
        if self.several:
            weights = torch.where(target == 1, factors, torch.ones_like(losses))
        else:
            weights = target @ factors if target.ndim == 2 else factors[target]
        return losses * weights / weights.mean()

    def state(self) -> dict[str, Any]:
        """Give the factors of the sampler and of the loss."""
        return {
            "factors": self.sampler.factors.tolist(),
            "class_factors": self.class_factors.tolist(),
            "measured": list(self.measured),
            "map": self.learned.state(),
            "frames": self.frames.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the factors of the sampler and of the loss."""
        self.sampler.factors = np.array(state["factors"], float)
        self.class_factors = torch.tensor(state["class_factors"])
        self.measured.clear()
        self.measured.extend(state.get("measured", ()))
        self.learned.load_state(state["map"])
        if "frames" in state:  # runs of an earlier version have none
            self.frames.load_state(state["frames"])

    @property
    def counts(self) -> Tensor:
        """Training images of each class, (class,) float32 on the device."""
        return torch.tensor(self.sampler.presence.sum(0), dtype=torch.float32, device=self.device)

    def tally(self, logits: Tensor, target: Tensor) -> Tensor:
        """Hits and cases of each class, (2, class)."""
        return hits_and_cases(logits, target if self.several else most_of(target))

    def _train_on(self, cases: Sequence[Case]) -> None:
        cases = [case for case in cases if case.id in self.store.rows]
        if not cases:
            raise LongtailError(
                "No training image has exactly one of the classes.", "Label some images first."
            )
        self.train_ids = tuple(case.id for case in cases)
        self.image_rows = np.array([self.store.rows[id_] for id_ in self.train_ids], np.int64)
        self.targets = targets_of(cases, self.spec.class_ids, self.spec.task)
        self.sampler = ImageSampler(
            self.presence_of(self.targets), self.settings.sampler, self.spec.seed
        )

    def presence_of(self, targets: Tensor) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Give which classes images with these answers have, (image, class)."""
        if self.several:
            return np.asarray(targets.numpy() == 1)
        return np.asarray(np.eye(len(self.spec.classes), dtype=bool)[targets.numpy()])

    @property
    def _features_learn(self) -> bool:
        body: nn.Module = self.network.body  # type: ignore[assignment]
        return any(weight.requires_grad for weight in body.parameters())

    def _answered(self, cases: Sequence[Case]) -> list[Case]:
        """Leave out images without a usable answer, such as *none* where one class is asked."""
        targets = targets_of(cases, self.spec.class_ids, self.spec.task)
        usable = (targets >= 0).any(1) if self.several else targets >= 0
        return [case for case, use in zip(cases, usable.tolist(), strict=True) if use]

    def _preprocessing(self) -> Preprocessing:
        channels = self.spec.channel_count
        flat = self.dims == 2
        pretrained = flat and channels == 1 and self.settings.pretrained != "none"
        return Preprocessing(
            spatial_dims=self.dims,
            channel_count=channels,
            network_channels=3 if pretrained else channels,
            intensity=picture_intensity(channels) if flat else Intensity("zscore"),
            size=(self.settings.size,) * self.dims,
        )

    def _recipe(self, pretrained: str) -> NetworkRecipe:
        options = {
            "name": self.settings.encoder_name,
            "pretrained": pretrained,
            "head": self.head,
        }
        channels = self.preprocessing.network_channels
        return NetworkRecipe("encoder", self.dims, channels, len(self.spec.classes), options)

    def _logits(self, network: nn.Module, rows: np.ndarray[Any, Any]) -> Tensor:
        with torch.inference_mode():
            logits: Tensor = network(self.plain(rows))
        return logits.float().cpu()
