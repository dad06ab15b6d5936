"""`foundation`: a classifier on an encoder that has seen very many images.

The encoder comes from a local folder or is a named one with pretrained weights. Frozen, it looks
at each image once, and the classifier trains on what it saw within seconds. `adapt=lift` adds small
adapters (LoRA) to it: full fine-tuning hurts the tail (Shi et al., arXiv 2309.10019).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.events import Event, Progress
from ..checkpoints.card import ModelCard
from ..data.intensity import picture_intensity
from ..data.preprocessing import Intensity, Preprocessing
from ..losses.contrast import class_means
from ..losses.precision import unit
from ..nets.recipe import NetworkRecipe
from ..nets.vit import VisionTransformer, read_means, read_shape
from .cross_entropy import CrossEntropyRun
from .run import Batch, Setup
from .settings import read_settings
from .settings_foundation import FoundationSettings

VIEW_STREAM, CHOICE_STREAM = 1000, 23
FROZEN_BATCH = 256


def build(setup: Setup) -> "FoundationRun":
    """Make the run of a spec."""
    settings = read_settings(FoundationSettings, setup.spec.settings)
    assert isinstance(settings, FoundationSettings)
    return FoundationRun(setup, settings)


class FoundationRun(CrossEntropyRun):
    """A head on kept features, or on an encoder with adapters."""

    def __init__(self, setup: Setup, settings: FoundationSettings) -> None:
        super().__init__(setup, settings)
        self.wishes = settings
        self.head = "linear" if settings.head == "linear" else "cosine"
        self._shape: dict[str, Any] | None = None
        self._kept: Tensor | None = None
        self._source = "none"

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read images and encoder; a frozen one looks at the images."""
        folder = self.wishes.folder
        if card is not None:
            self._shape = card.network.options.get("shape")
        elif folder is not None:
            rank = self.wishes.rank if self.wishes.adapt == "lift" else 0
            self._shape = read_shape(folder, self.settings.size, rank).to_mapping()
            self._source = str(folder)
        yield from super().prepare(card)
        # From here on the weights come from checkpoints.
        self._source = "none"
        self._freeze()
        if self._is_frozen and card is None:
            yield from self._look()
        if self.wishes.head == "prototype" and card is None:
            self._start_from_centres()

    def batch(self, step: int) -> Batch:
        """Give what the frozen encoder saw of the drawn images, or the images."""
        if not self._is_frozen:
            return super().batch(step)
        if self._kept is None:
            for _ in self._look():
                pass
        assert self._kept is not None
        rows = torch.as_tensor(self.sampler.draw(step, max(FROZEN_BATCH, self.settings.batch)))
        views = torch.randint(
            len(self._kept), (len(rows),), generator=self.random(step, CHOICE_STREAM)
        )
        return {"features": self._kept[views, rows], "target": self.targets_at(rows.numpy())}

    def logits_of(self, batch: Batch) -> Tensor:
        """Give the logits of a batch, (batch, class)."""
        network: Any = self.network
        seen = batch.get("features")
        logits: Tensor = network.head(network.features(batch["image"]) if seen is None else seen)
        # A cosine head scales by itself only when it does not train.
        return logits if self.head == "linear" else logits * self.wishes.cosine_scale

    def labels_changed(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Read labels again."""
        labelled = super().labels_changed(case_ids)
        self._kept = None
        return labelled

    @property
    def _is_frozen(self) -> bool:
        return self.wishes.adapt == "none"

    def _freeze(self) -> None:
        body: nn.Module = self.network.body  # type: ignore[assignment]
        body.requires_grad_(False)
        if not self._is_frozen and isinstance(body, VisionTransformer):
            for weight in body.adapters():
                weight.requires_grad_(True)

    def _look(self) -> Iterator[Event]:
        """Let the frozen encoder look at each image, (view, image, width)."""
        count, size = len(self.train_ids), self.settings.batch
        network: Any = self.network.eval()
        views, done, total = [], 0, count * self.wishes.views
        for view in range(self.wishes.views):
            parts = []
            for start in range(0, count, size):
                rows = np.arange(start, min(start + size, count))
                with torch.no_grad():
                    parts.append(network.features(self._view(rows, view)).float())
                done += len(rows)
                yield Progress(done, total, what="Looking at the images")
            views.append(torch.cat(parts))
        self._kept = torch.stack(views)

    def _view(self, rows: Any, view: int) -> Tensor:
        """Give images as they are in the first view, varied in the others."""
        if view == 0:
            return self.plain(self.image_rows[rows])
        return self.varied(rows, int(rows[0]), VIEW_STREAM + view)

    def _start_from_centres(self) -> None:
        """Put the class means into the classifier; a class without images keeps its start."""
        if self._kept is None:
            for _ in self._look():
                pass
        assert self._kept is not None
        rows, classes = np.nonzero(self.sampler.presence)
        seen = unit(self._kept[0].cpu())[torch.as_tensor(rows)]
        means, counts = class_means(seen, torch.as_tensor(classes), len(self.spec.classes))
        weight: nn.Parameter = self.network.head.weight  # type: ignore[union-attr,assignment]
        with torch.no_grad():
            weight.copy_(torch.where((counts > 0)[:, None], unit(means), weight.cpu()))

    def _scale_head(self) -> None:
        if self.head == "cosine":
            self.network.head.scale.fill_(self.wishes.cosine_scale)  # type: ignore[union-attr,operator]

    def _preprocessing(self) -> Preprocessing:
        plain = super()._preprocessing()
        if self._shape is None:
            return plain
        return replace(plain, network_channels=3, intensity=self._intensity())

    def _intensity(self) -> Intensity:
        channels = self.spec.channel_count
        means = read_means(self.wishes.folder) if self.wishes.folder else None
        if means is None or channels not in (1, 3):
            return picture_intensity(channels)
        if channels == 3:
            return Intensity("unit", mean=means[0], deviation=means[1])
        mean, deviation = (sum(each) / 3 for each in means)
        return Intensity("unit", mean=(mean,), deviation=(deviation,))

    def _recipe(self, pretrained: str) -> NetworkRecipe:
        if self._shape is None:
            return super()._recipe(pretrained)
        options = {
            "name": "vit",
            "shape": self._shape,
            "head": self.head,
            "pretrained": self._source,
        }
        return NetworkRecipe("encoder", self.dims, 3, len(self.spec.classes), options)
