"""What every method shares that learns from scans with and without labels: the views of both.

The teacher is the engine's running average of the network. It looks at an unlabelled patch as it
was cut and turned (*weak*), the network at the same patch with other grey values (*strong*), so
that both see one geometry and answers can be compared voxel by voxel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ..backend.events import Event, Metric, Progress, Warned
from ..checkpoints.card import ModelCard
from ..data.augment import Variation, vary, vary_values
from ..data.mixing import box_masks, mix
from ..data.pool import UnlabelledPool
from ..errors import LongtailError
from ..losses.temperature import ramp_up
from ..project.records import NOT_LABELLED
from .run import Batch, Moment, Setup, StepResult, layout_of, left_out, to_device
from .segmentation import SegmentationRun
from .settings_semi import SemiSupervisedSettings

Tensors: TypeAlias = tuple[Tensor, ...]

UNKNOWN = 254
"""In the labels of a pool patch: inside the case, and not labelled. 255 is outside of it."""

READ_AT_FIRST = 300
"""Unlabelled cases that are read before the first step, so that no step waits for the disk."""

STRONG_STREAM, WEAK_STREAM, MASK_STREAM = 21, 22, 23
KEPT = 0.98
LEAST_PIXELS = 1.0

STRONG_VALUES = Variation(
    brightness=0.3,
    contrast=0.3,
    gamma=0.4,
    noise=0.15,
    noise_share=0.5,
    blur_share=0.3,
    coarse_share=0.15,
)
"""Grey values of the strong view: beyond those of `VOLUME_STRONG`, geometry untouched."""


class SemiSupervisedRun(SegmentationRun):
    """A run that learns label maps from labelled and unlabelled patches, half and half."""

    def __init__(self, setup: Setup, settings: SemiSupervisedSettings) -> None:
        super().__init__(setup, settings)
        self.semi = settings
        if len(self.spec.classes) >= UNKNOWN - 1:
            raise LongtailError(
                f"This method can learn at most {UNKNOWN - 2} classes.",
                "Choose the method supervised, or merge classes.",
            )
        outputs = 1 + len(self.spec.classes)
        # Of each output: pixels the teacher gives to it, and those of them it is sure of.
        self.predicted = torch.zeros(outputs, dtype=torch.float64)
        self.confident = torch.zeros(outputs, dtype=torch.float64)

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the cases, those without labels too, and build the network."""
        yield from super().prepare(card)
        partly = [id_ for id_ in self.sampler.case_ids if self._has_unlabelled_voxels(id_)]
        ids = sorted({*self.spec.train_unlabelled, *partly})
        if not ids:
            raise LongtailError(
                "Every training scan is labelled in full, so this method has nothing more to "
                "learn from than supervised.",
                "Choose the method supervised, or import scans without labels.",
            )
        self.pool = UnlabelledPool(self.store, ids, self.spec.seed)
        yield from self._read_pool(ids[:READ_AT_FIRST])

    def batch(self, step: int) -> Batch:
        """Give labelled patches as in `supervised`, and as many from the pool in two views.

        Beside `image` and `label`: `weak` and `strong` (batch, channel, *space), `known`
        (batch, *space) uint8 with the labels of the pool patch, 254 where there is none and 255
        outside, and `mask` (batch, *space) bool, the box in which patches are mixed.
        """
        patches = self.pool.draw(step, self.settings.batch)
        images, known = self.cut([(patch.case_id, patch.centre) for patch in patches], UNKNOWN)
        for row, patch in enumerate(patches):
            if patch.case_id in self.sampler.resting:  # nothing is learned from its labels
                known[row].masked_fill_(known[row] < UNKNOWN, UNKNOWN)
        return {**super().batch(step), **self._views(images, known, step)}

    def teach(self, images: Tensor) -> Tensor:
        """Probabilities of the teacher, (batch, 1 + classes, *space) float32."""
        with torch.no_grad():
            scores: Tensor = self.average(images)
            return scores.float().softmax(1)

    def ramp(self, moment: Moment) -> float:
        """How far the unlabelled scans have come in, 0 to 1."""
        return ramp_up(moment.share, self.semi.ramp_share)

    def count(self, pseudo: Tensor, sure: Tensor, inside: Tensor) -> None:
        """Keep count of what the teacher says of the pool.

        Parameters
        ----------
        pseudo
            (batch, *space) long, its answers.
        sure, inside
            (batch, *space) bool: it is sure; the pixel is unlabelled and inside a case.
        """
        outputs = len(self.predicted)
        predicted = torch.bincount(pseudo[inside], minlength=outputs)
        confident = torch.bincount(pseudo[inside & sure], minlength=outputs)
        self.predicted = KEPT * self.predicted + predicted.double().cpu()
        self.confident = KEPT * self.confident + confident.double().cpu()

    def news(self, step: int) -> Iterator[Event]:
        """Tell of each class how much of the pool it gets, and how much of that is sure."""
        total = float(self.predicted.sum())
        for number, name in enumerate(self.spec.class_names, start=1):
            predicted = float(self.predicted[number])
            if total > 0:
                yield Metric(step, "predicted_share", predicted / total, name)
            if predicted > LEAST_PIXELS:
                yield Metric(step, "pseudo_share", float(self.confident[number]) / predicted, name)
        yield from left_out(self.pool.failed)
        self.pool.failed.clear()

    def labels_changed(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Read labels again; cases that are labelled in full leave the pool, others come in."""
        labelled = super().labels_changed(case_ids)
        ours = {*labelled, *self.spec.train_labelled, *self.spec.train_unlabelled}
        changed = ours.intersection(case_ids)
        full = {id_ for id_ in changed if not self._has_unlabelled_voxels(id_)}
        if kept := {*self.pool.case_ids, *changed} - full:
            self.pool.take(sorted(kept))
        return labelled

    def state(self) -> dict[str, Any]:
        """Give the counts of the pool too."""
        counts = {"predicted": self.predicted, "confident": self.confident}
        return {**super().state(), "pool": counts}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        super().load_state(state)
        self.predicted = state["pool"]["predicted"].clone()
        self.confident = state["pool"]["confident"].clone()

    @cached_property
    def geometry(self) -> Variation:
        """The part of the variation that moves voxels."""
        return replace(
            self.variation,
            brightness=0.0,
            contrast=0.0,
            gamma=0.0,
            colour=0.0,
            noise=0.0,
            noise_share=0.0,
            blur_share=0.0,
            coarse_share=0.0,
        )

    def _views(self, images: Tensor, known: Tensor, step: int) -> Batch:
        images, known = to_device(images, self.device), to_device(known, self.device)
        images = self.preprocessing.normalise(images, channel_axis=1)
        random = self.random(step, WEAK_STREAM)
        weak, moved = vary(images, known, self.geometry, random, self.grid.patch, self._steps_mm)
        assert moved is not None
        strong = vary_values(weak, STRONG_VALUES, self.random(step, STRONG_STREAM))
        mask = box_masks(len(weak), self.grid.patch, self.random(step, MASK_STREAM))
        layout = layout_of(self.grid.spatial_dims)
        return {
            "weak": weak.contiguous(memory_format=layout),
            "strong": strong.contiguous(memory_format=layout),
            "known": moved,
            "mask": to_device(mask, self.device),
        }

    def _has_unlabelled_voxels(self, case_id: str) -> bool:
        labels = self.store.get(case_id).labels
        return labels is None or bool((labels == NOT_LABELLED).any())

    def _read_pool(self, case_ids: Sequence[str]) -> Iterator[Event]:
        failed: dict[str, LongtailError] = {}
        for done, case_id in enumerate(case_ids, start=1):
            try:
                self.store.get(case_id)
            except LongtailError as error:
                failed[case_id] = error
            yield Progress(done, len(case_ids), what="Reading unlabelled images")
        yield from left_out(failed)
        if len(failed) == len(self.pool):
            raise next(iter(failed.values()))
        self.pool.leave_out(list(failed))
        if len(self.pool) == 1:
            yield Warned(
                "There is only one scan without labels: more of them would teach more.",
                kind="few-unlabelled",
            )


def partners(values: Tensor) -> Tensor:
    """Give each entry of a batch its neighbour, the last one the first; (batch, ...)."""
    return values.roll(1, 0)


def neighbours(own: Tensors, labelled: Tensors) -> Tensors:
    """Give what each unlabelled patch is mixed with: its neighbour, or a labelled patch.

    The latter where it is alone in its batch: mixed with itself it would stay as it is.
    """
    alone = len(own[0]) == 1
    return labelled if alone else tuple(partners(values) for values in own)


def mix_all(own: Tensors, others: Tensors, mask: Tensor) -> Tensors:
    """Mix images, answers and the like by one mask."""
    return tuple(mix(mine, theirs, mask) for mine, theirs in zip(own, others, strict=True))


def as_guesses(images: Tensor, labels: Tensor) -> Tensors:
    """Give labelled patches as unlabelled ones are given: images, answers, confidence, inside.

    Parameters
    ----------
    images, labels
        (batch, channel, *space), and (batch, *space) uint8, 255 not labelled.
    """
    known = labels != NOT_LABELLED
    sure = torch.ones(labels.shape, device=labels.device)
    return images, labels.long().masked_fill(~known, 0), sure, known


def with_known(pseudo: Tensor, confidence: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Put labels that a pool patch has in place of pseudo-labels; they are sure.

    Parameters
    ----------
    pseudo, confidence
        (batch, *space) long and float.
    known
        (batch, *space) uint8, 254 not labelled, 255 outside.
    """
    labelled = known < UNKNOWN
    pseudo = torch.where(labelled, known.long(), pseudo)
    return pseudo, torch.where(labelled, torch.ones_like(confidence), confidence)


def with_unlabelled(step: StepResult, unlabelled: Tensor, weight: float, name: str) -> StepResult:
    """Add the loss of the unlabelled patches to the supervised one."""
    parts = {**step.parts, name: float(unlabelled.detach())}
    return StepResult(step.loss + weight * unlabelled, step.tally, parts)
