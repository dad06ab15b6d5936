"""`action` and `action++`: few labelled scans, many without, and classes that are rare.

You et al., "ACTION++: improving semi-supervised medical image segmentation with adaptive anatomical
contrast", MICCAI 2023 (arXiv 2304.02689), on "ACTION", IPMI 2023. Stage 1 learns what scans look
like, stage 2 what the classes are: labels, pseudo-labels on mixed scans, and two contrasts between
pixels. `docs/methods/action.md` says what follows the paper and what is our choice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..backend.events import Artifact, Event, Metric, Warned
from ..checkpoints.card import ModelCard
from ..losses.contrast import class_means
from ..losses.pseudo import (
    aligned,
    pseudo_dice_loss,
    pseudo_label_loss,
    running_confidence,
)
from ..losses.temperature import adaptive_temperature, ramp_up
from ..project.records import NOT_LABELLED
from .class_map import ClassMap, write_map
from .contrast_weights import ContrastWeights
from .held_shares import HeldShares
from .mixture import View, labelled_only, labelled_view, mixed, pool_view
from .pixel_contrast import LEFT_OUT, PixelContrast, Sampled
from .pretraining import COLLAPSED_BELOW, Pretraining
from .run import Batch, Moment, Setup, StepResult
from .semi_supervised import UNKNOWN, SemiSupervisedRun
from .settings import read_settings
from .settings_semi import ActionSettings

CONTRAST_STREAM = 41
RARE_BELOW = 0.01
MAPS = 25
"""Pictures of the classes that a run keeps for replay."""


def build(setup: Setup) -> "ActionRun":
    """Make the run of a spec."""
    settings = read_settings(ActionSettings, setup.spec.settings)
    assert isinstance(settings, ActionSettings)
    return ActionRun(setup, settings)


class ActionRun(SemiSupervisedRun):
    """Pre-training, then labels, pseudo-labels and contrasts."""

    unlabelled_as = UNKNOWN

    def __init__(self, setup: Setup, settings: ActionSettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings
        self.map = ClassMap()
        self._temperature = 1.0
        self.contrast_weights = ContrastWeights(settings)
        self._total = 0
        self._map_at = -1
        self._sampled: Sampled | None = None
        self._warned = False

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the cases, build the network and its heads."""
        yield from super().prepare(card)
        widths: Sequence[int] = self.network.map_widths  # type: ignore[assignment]
        outputs, dims = 1 + len(self.spec.classes), self.grid.spatial_dims
        self.contrast = PixelContrast(
            self.choice, widths, outputs, dims, self.device, self.spec.seed
        )
        self.pretraining = Pretraining(self.choice, widths, dims, self.device)
        self.bars = torch.full((outputs,), torch.nan, device=self.device)

    def count_labels(self) -> None:
        """Find out which classes are rare."""
        super().count_labels()
        if self.choice.hold_shares:
            maps = [self.store.get(case_id).labels for case_id in self.sampler.case_ids]
            self.held = HeldShares(maps, 1 + len(self.spec.classes))
        self.has_bar = self._classes_with_bar().to(self.device)

    @property
    def phases(self) -> tuple[float, ...]:
        """Where pre-training ends, and where the unlabelled scans come in."""
        pretrained = self.choice.pretrain_share if self._pretrains else 0.0
        return tuple(sorted({0.0, pretrained, pretrained + self.choice.labelled_first}))

    def trained_parameters(self) -> Iterator[nn.Parameter]:
        """Give the heads' weights too."""
        yield from super().trained_parameters()
        yield from self.contrast.head.parameters()
        yield from self.pretraining.heads.parameters()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the heads a group of their own, without decay of their weights."""
        heads = [*self.contrast.head.parameters(), *self.pretraining.heads.parameters()]
        return [*super().parameter_groups(), {"params": heads, "weight_decay": 0.0}]

    def batch(self, step: int) -> Batch:
        """Give the views, and as `gaps` (batch, *space) where labelled scans are not labelled."""
        batch = super().batch(step)
        gaps = batch["label"] == UNKNOWN
        return {**batch, "label": batch["label"].masked_fill(gaps, NOT_LABELLED), "gaps": gaps}

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Pre-train or fine-tune, by how far the run is."""
        self._total = moment.total
        if moment.step < self._stage_one(moment.total):
            return self._pretrain(batch, moment)
        return self._fine_tune(batch, moment)

    def paced(self, moment: Moment) -> Moment:
        """Let each stage have a fall of its own where the rate falls as published."""
        before = self._stage_one(moment.total)
        if self.decay != "poly" or not before:
            return moment
        if moment.step < before:
            return Moment(moment.step, before)
        return Moment(moment.step - before, moment.total - before)

    def before_step(self) -> None:
        """Forget what waits for queue and bank from a step that came to nothing."""
        self.contrast.forget()
        self.pretraining.forget()

    def after_step(self, moment: Moment) -> None:
        """Let the heads' averages, the queue and the bank follow."""
        self.contrast.after_step(moment.step, self.settings.ema)
        self.pretraining.after_step(moment.step, self.settings.ema)

    def news(self, step: int) -> Iterator[Event]:
        """Tell the temperature, the strength of the contrasts and how the classes lie."""
        yield from super().news(step)
        yield Metric(step, "temperature", self._temperature)
        for name, weight in self.contrast_weights.items():
            yield Metric(step, f"{name}_weight", weight)
        yield from self._spread(step)
        yield from self._picture(step)

    def state(self) -> dict[str, Any]:
        """Give heads, queue, centres, bank and weights too."""
        return {
            **super().state(),
            "contrast": self.contrast.state(),
            "pretraining": self.pretraining.state(),
            "bars": self.bars,
            "weights": self.contrast_weights.state(),
            "map": {"plane": self.map.plane, "at": self._map_at},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        super().load_state(state)
        self.contrast.load_state(state["contrast"])
        self.pretraining.load_state(state["pretraining"])
        self.bars = state["bars"].to(self.device)
        self.contrast_weights.load_state(state["weights"])
        self.map.plane = state["map"]["plane"]
        self._map_at = int(state["map"]["at"])
        # What a rehearsal saw is no news of the run.
        self._sampled = None

    def ramp(self, moment: Moment) -> float:
        """How far the pseudo-labels have come in, counted from where the unlabelled scans do."""
        after = (moment.step - self._labelled_until(moment.total)) / max(1, moment.total)
        return ramp_up(after, self.semi.ramp_share)

    @property
    def _pretrains(self) -> bool:
        return self.choice.pretrain_share > 0 and bool(
            self.choice.pretrain_global or self.choice.pretrain_local
        )

    def _stage_one(self, total: int) -> int:
        """Give the steps of pre-training."""
        return round(self.choice.pretrain_share * total) if self._pretrains else 0

    def _labelled_until(self, total: int) -> int:
        """Give the step from which unlabelled scans are mixed in."""
        return self._stage_one(total) + round(self.choice.labelled_first * total)

    def _pretrain(self, batch: Batch, moment: Moment) -> StepResult:
        choice, labelled = self.choice, len(batch["image"])
        length = self._stage_one(moment.total)
        student_t = self._tau(moment.step, length, choice.student_temperature)
        self._temperature = student_t
        teacher_t = student_t * choice.teacher_temperature / choice.student_temperature
        maps = _maps(self.network, torch.cat([batch["image"], batch["strong"]]))
        with torch.no_grad():
            taught = _maps(self.average, batch["weak"])
        result = self.supervised_loss(maps[-1][:labelled].float(), batch["label"])
        loss = self.pretraining.loss(
            [each[labelled:] for each in maps[:-1]],
            taught[:-1],
            self.grid.patch,
            student_t,
            teacher_t,
        )
        parts = {**result.parts, "pretraining": float(loss.detach())}
        return StepResult(result.loss + loss, result.tally, parts)

    def _fine_tune(self, batch: Batch, moment: Moment) -> StepResult:
        comes_in = moment.step >= self._labelled_until(moment.total)
        contrasted = moment.step % self.choice.contrast_every == 0
        asked = (contrasted and self.choice.saacl) or (comes_in and self._has_gaps(batch))
        taught = self._taught(batch, labelled=asked, pool=comes_in)
        view = self._view(batch, taught[-1]) if comes_in else self._first_view(batch)
        maps = _maps(self.network, view.images)
        logits = maps[-1].float()
        result = self.supervised_loss(logits, view.labels)
        loss, parts = result.loss, dict(result.parts)
        if self.choice.unlabelled and comes_in:
            guessed = self._pseudo_loss(logits, view)
            loss = loss + self.semi.unlabelled_weight * self.ramp(moment) * guessed
            parts["pseudo"] = float(guessed.detach())
        if contrasted:
            contrasts = self._contrasts(maps, taught[:-1], logits, view, moment)
            turn = moment.step // self.choice.contrast_every
            self.contrast_weights.measure(result.loss, contrasts, maps[:-1], turn)
            for name, value in contrasts.items():
                loss = loss + self.contrast_weights[name] * value
                parts[name] = float(value.detach())
        return StepResult(loss, result.tally, parts)

    def _taught(self, batch: Batch, *, labelled: bool, pool: bool) -> list[Tensor]:
        """Give the teacher's maps of patches as they were cut, labelled ones first, logits last.

        Only SAACL and gaps ask for the labelled ones; what nobody asks for is not looked at.
        """
        images = [batch["image"]] * labelled + [batch["weak"]] * pool
        if not images:
            return []
        with torch.no_grad():
            return _maps(self.average, torch.cat(images))

    def _first_view(self, batch: Batch) -> View:
        """Give what is seen before unlabelled scans come in."""
        labelled = labelled_view(batch)
        return labelled if self.choice.mix == "none" else labelled_only(labelled, batch["mask"])

    def _has_gaps(self, batch: Batch) -> bool:
        """Whether labelled patches hold voxels that are to be guessed."""
        return self.choice.fill_gaps and bool(batch["gaps"].any())

    def _view(self, batch: Batch, logits: Tensor) -> View:
        """Give what is seen with unlabelled scans; `logits` are the teacher's, theirs last."""
        taught, count = logits.float().softmax(1), len(batch["weak"])
        confidence, pseudo = taught[-count:].max(1)
        self.count(pseudo, self._sure(pseudo, confidence), batch["known"] == UNKNOWN)
        if self.choice.hold_shares and bool(self.held.scarce.any()):
            taught = aligned(taught, self.held.factors(self.predicted))
        confidence, pseudo = taught.max(1)
        pool = pool_view(batch, pseudo[-count:], confidence[-count:])
        self.bars = running_confidence(self.bars, pool.pseudo, pool.confidence, pool.guessed)
        labelled = labelled_view(batch)
        if self.choice.fill_gaps and len(logits) > count:
            labelled = labelled_view(batch, pseudo[:-count], confidence[:-count])
        return mixed(labelled, pool, batch["mask"], self.choice.mix)

    def _sure(self, pseudo: Tensor, confidence: Tensor) -> Tensor:
        """Where the teacher counts as sure, for what is shown and for the share of an image."""
        bar = self._current_bars()
        own = torch.full_like(confidence, self.choice.confidence) if bar is None else bar[pseudo]
        return confidence >= own.nan_to_num(self.choice.confidence)

    def _pseudo_loss(self, logits: Tensor, view: View) -> Tensor:
        threshold, bars = self.choice.confidence, self._current_bars()
        guesses = (view.pseudo, view.confidence, view.guessed, threshold, bars)
        loss = pseudo_label_loss(logits, *guesses, self.class_weights)
        return loss + pseudo_dice_loss(logits, *guesses) if self.choice.pseudo_dice else loss

    def _current_bars(self) -> Tensor | None:
        """Give each class's own threshold, not-a-number for classes without one."""
        if not bool(self.has_bar.any()):
            return None
        return torch.where(self.has_bar, self.bars, torch.nan)

    def _contrasts(
        self,
        maps: list[Tensor],
        teacher_maps: list[Tensor],
        logits: Tensor,
        view: View,
        moment: Moment,
    ) -> dict[str, Tensor]:
        choice = self.choice
        if not (choice.anco or choice.saacl):
            return {}
        self._temperature = self._stage_temperature(moment)
        generator = self.random(moment.step, CONTRAST_STREAM)
        labelled = view.labels != NOT_LABELLED
        trusted = view.guessed & (view.confidence >= choice.contrast_confidence)
        classes = torch.where(labelled, view.labels.long(), view.pseudo)
        classes = classes.masked_fill(~(labelled | trusted), LEFT_OUT)
        size = self.grid.patch
        pixels = self.contrast.sample(maps[:-1], classes, size, generator)
        self._sampled = replace(pixels, features=pixels.features.detach())
        found: dict[str, Tensor] = {}
        if choice.anco:
            sure = _own_share(logits.detach(), pixels)
            found["anco"] = self.contrast.anatomy(pixels, sure, self._temperature, generator)
        if choice.saacl:
            source = view.source.masked_fill(~labelled, LEFT_OUT).flatten()[pixels.flat]
            found["saacl"] = self.contrast.centred(
                pixels, teacher_maps, source, size, self._temperature, generator
            )
        return found

    def _stage_temperature(self, moment: Moment) -> float:
        before = self._stage_one(moment.total)
        total = moment.total - before
        return self._tau(moment.step - before, total, self.choice.temperature)

    def _tau(self, step: int, total: int, least: float) -> float:
        """Give the temperature of a contrast: moving (ATS), or its lower end throughout."""
        if not self.choice.adaptive_temperature:
            return least
        return adaptive_temperature(step, total, least)

    def _classes_with_bar(self) -> Tensor:
        outputs = 1 + len(self.spec.classes)
        if self.choice.per_class_threshold != "auto":
            return torch.full((outputs,), self.choice.per_class_threshold == "always")
        counts = self.output_counts()
        return counts < RARE_BELOW * counts.sum()

    def _picture(self, step: int) -> Iterator[Event]:
        every = max(1, self._total // MAPS)
        if self._sampled is None or self.setup.folder is None or step // every == self._map_at:
            return
        self._map_at = step // every
        centres = self.contrast.class_centres if self.choice.saacl else self._class_directions()
        pixels = self._sampled
        arrays = self.map.draw(pixels.features, pixels.classes, centres, step)
        yield Artifact(write_map(self.setup.folder, arrays), "map")

    def _spread(self, step: int) -> Iterator[Event]:
        """Tell how much scans differ in pre-training, and warn late in it when they do not."""
        spread, end = self.pretraining.spread, self.choice.pretrain_share * self._total
        if spread is None or step > end + 1:
            return
        yield Metric(step, "similarity_spread", spread)
        if spread < COLLAPSED_BELOW and step > end / 2 and not self._warned:
            self._warned = True
            yield Warned(
                "Pre-training makes all scans alike, which teaches nothing. A lower temperature "
                "of the teacher helps, or leaving pre-training out.",
                kind="collapse",
            )

    def _class_directions(self) -> Tensor:
        assert self._sampled is not None
        pixels = self._sampled
        means, _ = class_means(pixels.features, pixels.classes, self.contrast.outputs)
        return means


def _maps(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Give all maps of a network on the way up, the logits last; every U-Net here has them."""
    found: list[Tensor] = network.maps(images)  # type: ignore[operator]
    return found


def _own_share(logits: Tensor, pixels: Sampled) -> Tensor:
    """Probability that the student gives to each pixel's own class, (pixel,)."""
    rows = logits.flatten(2).transpose(1, 2).flatten(0, 1)[pixels.flat]
    return rows.softmax(1).gather(1, pixels.classes.unsqueeze(1)).squeeze(1)
