"""What every method on label maps shares: data, batches, validation, the model's card."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.events import Event, Progress
from ..checkpoints.card import ModelCard
from ..data.augment import VOLUME_LIGHT, VOLUME_STRONG, Variation, published, vary
from ..data.intensity import fit_intensity
from ..data.patches import PatchSampler
from ..data.preprocessing import Intensity, Preprocessing
from ..data.volumes import VolumeStore, cut, read_case
from ..errors import LongtailError
from ..nets.recipe import NetworkRecipe, build_network
from ..project.records import NOT_LABELLED
from .aside import Groups, case_groups
from .pieces import measure_pieces
from .run import (
    Batch,
    MethodRun,
    Setup,
    StepResult,
    Validation,
    is_fused,
    laid_out,
    layout_of,
    left_out,
    to_device,
)
from .settings import SegmentationSettings
from .spec import SpecGrid
from .voxel_loss import VoxelLoss

CASES_FOR_INTENSITY = 8
VALIDATION_OVERLAP = 0.25
MARGIN_SHARE = 0.12
WINDOWS_AT_ONCE = 4
MOMENTUM = 0.9


class SegmentationRun(MethodRun):
    """A run that learns label maps from patches."""

    decisive = "dice"
    unlabelled_as = NOT_LABELLED
    """In the labels of a batch: what nobody labelled. 255 is also what lies outside of a case."""

    train_measure = "train_dice"
    gains_from_bfloat16 = True

    def __init__(self, setup: Setup, settings: SegmentationSettings) -> None:
        super().__init__(setup, settings)
        if self.spec.grid is None:
            raise LongtailError("The plan of this run lacks its grid.", "Plan the run again.")
        self.grid: SpecGrid = self.spec.grid
        self.settings = settings
        self.decay = settings.decay
        self.voxel_loss = VoxelLoss(1 + len(self.spec.classes))

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the cases and build the network."""
        total = len(self.spec.train_labelled) + len(self.spec.val)
        yield Progress(0, total, what="Reading images")
        self.preprocessing = card.preprocessing if card else self._preprocessing()
        self.store = VolumeStore(
            self.setup.project,
            self.preprocessing,
            self.spec.class_ids,
            hidden=self.spec.train_unlabelled,
        )
        failed: dict[str, LongtailError] = {}
        for done, case_id in enumerate([*self.spec.train_labelled, *self.spec.val], start=1):
            try:
                self.store.places(case_id)
            except LongtailError as error:
                failed[case_id] = error
            yield Progress(done, total, what="Reading images")
        yield from left_out(failed)
        if len(failed) == total:
            raise next(iter(failed.values()))
        self.sampler = self._sampler([id_ for id_ in self.spec.train_labelled if id_ not in failed])
        self.val_ids = tuple(case_id for case_id in self.spec.val if case_id not in failed)
        torch.manual_seed(self.spec.seed)
        self.network = laid_out(build_network(self.recipe), self.grid.spatial_dims)
        self.network.to(self.device)
        self.count_labels()

    def count_labels(self) -> None:
        """Work out what follows from how much of each class is labelled."""
        if self.settings.class_weights == "balanced":
            self.voxel_loss.balance(self.output_counts())

    @cached_property
    def recipe(self) -> NetworkRecipe:
        """The network of this run."""
        return NetworkRecipe(
            self.settings.network,
            self.grid.spatial_dims,
            self.spec.channel_count,
            1 + len(self.spec.classes),
            {
                "width": self.settings.width,
                "strides": [list(step) for step in self.grid.strides],
                "dropout": self.settings.dropout,
            },
        )

    @cached_property
    def variation(self) -> Variation:
        """How images are varied."""
        dims = self.grid.spatial_dims
        if self.settings.augmentation == "published":
            return published(dims)
        known = {"none": Variation(), "light": VOLUME_LIGHT, "strong": VOLUME_STRONG}
        flips = {"none": (), "sides": (dims - 1,), "all": tuple(range(dims))}
        return replace(known[self.settings.augmentation], flips=flips[self.settings.mirror])

    def make_optimizer(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Give AdamW, or SGD as the literature has it."""
        if self.settings.optimizer == "adamw":
            return super().make_optimizer(groups)
        return torch.optim.SGD(
            groups,
            lr=self.common.learning_rate,
            momentum=MOMENTUM,
            nesterov=True,
            fused=is_fused(self.device),
        )

    def card(self) -> ModelCard:
        """Describe the network as it is now."""
        return ModelCard(
            task=self.spec.task,
            class_ids=self.spec.class_ids,
            class_names=self.spec.class_names,
            network=self.recipe,
            preprocessing=self.preprocessing,
            patch_size=self.grid.patch,
            method=self.spec.method,
            label_version=self.spec.label_version,
        )

    def batch(self, step: int) -> Batch:
        """Give varied patches around drawn places: image and label."""
        patches = self.sampler.draw(step, self.settings.batch)
        places = [(patch.case_id, patch.centre) for patch in patches]
        images, labels = self.cut(places, self.unlabelled_as)
        return self.varied(images, labels, step)

    def varied(self, images: Tensor, labels: Tensor, step: int, stream: int = 0) -> Batch:
        """Normalise and vary patches that were cut with a margin."""
        images, labels = to_device(images, self.device), to_device(labels, self.device)
        images = self.preprocessing.normalise(images, channel_axis=1)
        random = self.random(step, stream)
        images, varied = vary(
            images, labels, self.variation, random, self.grid.patch, self._steps_mm
        )
        assert varied is not None
        layout = layout_of(self.grid.spatial_dims)
        return {"image": images.contiguous(memory_format=layout), "label": varied}

    def validate(self, network: nn.Module) -> Validation:
        """Mean Dice of each class over the validation cases, on the network's grid."""
        found: list[list[float]] = []
        for case_id in self.val_ids:
            case = self.store.get(case_id)
            if case.labels is not None:
                predicted = self.predict(network, case.image)
                found.append(self._dice(predicted, case.labels))
            yield
        return {"dice": _means(found, len(self.spec.classes))}

    def predict(self, network: nn.Module, prepared: Tensor) -> Tensor:
        """Give the outputs (slices or z, y, x), uint8, of a case as the store holds it."""
        from monai.inferers import sliding_window_inference

        image = self.preprocessing.normalise(to_device(prepared, self.device))
        inputs = image.transpose(0, 1) if self.grid.spatial_dims == 2 else image[None]
        with torch.inference_mode():
            scores = sliding_window_inference(
                inputs, self.grid.patch, WINDOWS_AT_ONCE, network, overlap=VALIDATION_OVERLAP
            )
        outputs: Tensor = scores.argmax(1).to(torch.uint8).cpu()
        return outputs if self.grid.spatial_dims == 2 else outputs[0]

    def labels_changed(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Read labels again; cases that were unlabelled join those that train."""
        known = set(self.sampler.case_ids)
        ours = known | set(self.spec.train_unlabelled)
        changed = [case_id for case_id in case_ids if case_id in ours]
        self.store.hidden -= set(changed)
        self.store.forget(case_ids)
        labelled = [id_ for id_ in changed if -1 in self.store.places(id_)]
        lost = set(changed) - set(labelled)
        kept = [id_ for id_ in self.sampler.case_ids if id_ not in lost]
        together = kept + [id_ for id_ in labelled if id_ not in known]
        if together:
            self.sampler.take(together)
        self.count_labels()
        return self.sampler.case_ids

    def aside_groups(self, count: int) -> Groups:
        """Give groups of labelled cases that may sit out in turn."""
        held = {id_: [o for o in self.store.places(id_) if o > 0] for id_ in self.sampler.case_ids}
        return case_groups(held, count, self.spec.seed)

    def sit_out(self, case_ids: Sequence[str]) -> None:
        """Take no patches from these cases."""
        self.sampler.rest(case_ids)

    def measure_cases(self, network: nn.Module, case_ids: Sequence[str]) -> Validation:
        """Measure `network` on a few pieces of these cases."""
        return measure_pieces(self, network, case_ids)

    def labelled_shares(self) -> list[float]:
        """Share of each class in the labelled voxels of the training cases."""
        counts = self.output_counts()
        shares: list[float] = (counts / counts.sum().clamp_min(1))[1:].tolist()
        return shares

    def sample_more(self, class_id: int, factor: float) -> None:
        """Take more patches around a class."""
        if class_id in self.spec.class_ids:
            self.sampler.sample_more(1 + self.spec.class_ids.index(class_id), factor)

    def weigh_more(self, class_id: int, factor: float) -> None:
        """Let mistakes on a class count more, in the cross-entropy and among the Dice losses."""
        if class_id in self.spec.class_ids:
            self.voxel_loss.factors[1 + self.spec.class_ids.index(class_id)] *= factor

    @property
    def class_weights(self) -> Tensor | None:
        """How much each output counts in the loss, (1 + classes,); None where all are equal."""
        weights = self.voxel_loss.weights
        return None if weights is None else weights.to(self.device)

    def supervised_loss(self, logits: Tensor, labels: Tensor) -> StepResult:
        """Give the loss over the labelled voxels of a batch; see `VoxelLoss`."""
        return self.voxel_loss(logits, labels)

    def state(self) -> dict[str, Any]:
        """Give the factors of the sampler and of the loss."""
        return {
            "factors": self.sampler.factors.tolist(),
            "class_factors": self.voxel_loss.factors.tolist(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the factors of the sampler and of the loss."""
        self.sampler.factors = np.array(state["factors"], float)
        self.voxel_loss.factors = torch.tensor(state["class_factors"])

    def output_counts(self) -> Tensor:
        """Labelled voxels of each output in the training cases, (1 + classes,)."""
        counts = torch.zeros(1 + len(self.spec.classes), dtype=torch.float64)
        for case_id in self.sampler.case_ids:
            labels = self.store.get(case_id).labels
            if labels is not None:
                found = torch.bincount(labels[labels != NOT_LABELLED], minlength=len(counts))
                counts += found.double()
        return counts

    def _preprocessing(self) -> Preprocessing:
        return Preprocessing(
            spatial_dims=self.grid.spatial_dims,
            channel_count=self.spec.channel_count,
            network_channels=self.spec.channel_count,
            intensity=self._intensity(),
            spacing_mm=self.grid.spacing_mm,
            slice_axis=self.grid.slice_axis,
        )

    def _intensity(self) -> Intensity:
        project = self.setup.project
        images, foreground = [], []
        failure: LongtailError | None = None
        for case in project.cases(ids=self.spec.train_labelled[:CASES_FOR_INTENSITY]):
            try:
                image, labels = read_case(case), project.read_label_map(case.id)
            except LongtailError as error:
                failure = error
                continue
            images.append(image)
            fits = labels.shape == image.shape
            foreground.append((labels > 0) & (labels != NOT_LABELLED) if fits else None)
        if not images and failure is not None:
            raise failure
        return fit_intensity(images, foreground)

    def _sampler(self, case_ids: Sequence[str]) -> PatchSampler:
        usable = [case_id for case_id in case_ids if -1 in self.store.places(case_id)]
        if not usable:
            raise LongtailError(
                "No voxel of the training cases is labelled.", "Draw in a few cases first."
            )
        return PatchSampler(
            self.store,
            usable,
            len(self.spec.classes),
            self.settings.oversample,
            self.settings.oversample_share,
            self.spec.seed,
        )

    def cut(
        self,
        places: Sequence[tuple[str, Sequence[int]]],
        unknown: int = NOT_LABELLED,
        *,
        margin: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Cut patches, with a margin for varying them: (batch, channel, *space), (batch, *space).

        Labels are 255 outside of the case, and `unknown` where the case is not labelled.
        """
        size = self._cut_size if margin else self.grid.patch
        flat = self.grid.spatial_dims == 2
        box = (1, *size) if flat else size
        first = self.store.get(places[0][0]).image
        images = first.new_zeros((len(places), first.shape[0], *box))
        if first.dtype == torch.uint8:
            images += self._grey_byte
        labels = torch.full((len(places), *box), NOT_LABELLED, dtype=torch.uint8)
        for row, (case_id, centre) in enumerate(places):
            cut(self.store.get(case_id), centre, box, images[row], labels[row], unknown)
        return (images[:, :, 0], labels[:, 0]) if flat else (images, labels)

    @property
    def _grey_byte(self) -> int:
        """The byte that becomes about 0, which is what the sliding window pads with."""
        return round(255 * float(np.mean(self.preprocessing.intensity.mean)))

    @property
    def _cut_size(self) -> tuple[int, ...]:
        if not self.variation.moves:
            return self.grid.patch
        return tuple(side + 2 * math.ceil(MARGIN_SHARE * side) for side in self.grid.patch)

    @cached_property
    def _steps_mm(self) -> tuple[float, ...] | None:
        spacing = self.grid.spacing_mm
        if spacing is None:
            return None
        return tuple(step for step in spacing if step > 0)[-self.grid.spatial_dims :]

    def _dice(self, predicted: Tensor, labels: Tensor) -> list[float]:
        known = labels != NOT_LABELLED
        return [
            _dice_of((predicted == output) & known, (labels == output))
            for output in range(1, 1 + len(self.spec.classes))
        ]


def _dice_of(predicted: Tensor, labelled: Tensor) -> float:
    total = int(predicted.sum()) + int(labelled.sum())
    return 2 * int((predicted & labelled).sum()) / total if total else math.nan


def _means(rows: Sequence[Sequence[float]], classes: int) -> list[float]:
    """Mean of each column without its not-a-numbers."""
    columns = [[row[at] for row in rows if not math.isnan(row[at])] for at in range(classes)]
    return [sum(column) / len(column) if column else math.nan for column in columns]
