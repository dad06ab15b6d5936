"""What the engine asks of a method: data, one step, validation, and what must survive a resume.

The engine owns the loop, the schedule, the averaged weights, checkpoints and events. A method with
a teacher, queues or stages keeps them itself: it updates them in `after_step` and hands them over
in `state`.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Generator as RandomGenerator
from torch import Tensor, nn

from ..backend.events import Event, Warned
from ..checkpoints.card import ModelCard
from ..errors import LongtailError
from ..project.store import Project
from .settings import MethodSettings
from .spec import RunSpec

Batch: TypeAlias = dict[str, Tensor]
Scores: TypeAlias = Mapping[str, Sequence[float]]
"""Name of a measure to one value a class, not-a-number where it is not known."""

Validation: TypeAlias = Generator[None, None, Scores]


FAILURES_TOLD = 5


@dataclass(frozen=True, slots=True)
class Setup:
    """Where and with what a method runs.

    `folder` is the run's, for what a method wants to show; None where nothing is to be kept.
    """

    spec: RunSpec
    project: Project
    device: str
    threads: int = 1
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """How far the training is; `total` is known from the first dozen steps on."""

    step: int
    total: int

    @property
    def share(self) -> float:
        """0 at the beginning, 1 at the end."""
        return min(1.0, self.step / max(1, self.total))


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step gives.

    Parameters
    ----------
    loss
        A scalar to go down on.
    tally
        (2, class): what is gained and what could be gained of each class in this batch, such as
        hits and cases; their ratio, averaged over the last steps, is shown while training.
    parts
        Named parts of the loss.
    """

    loss: Tensor
    tally: Tensor
    parts: Mapping[str, float]


class MethodRun(ABC):
    """One run of one method.

    Attributes
    ----------
    network
        What predicts. The engine keeps an average of its weights.
    average
        That average, in evaluation mode, set by the engine after `prepare`: it predicts in the
        end, and it is the teacher of methods that have one.
    decisive
        The measure that chooses the best checkpoint.
    train_measure
        What the tally's ratio is called.
    gains_from_bfloat16
        Whether the network is faster in bfloat16 on a processor that has units for it.
    decay
        How the learning rate falls: `cosine` or `poly`.
    """

    network: nn.Module
    average: nn.Module
    decisive: str
    train_measure: str
    gains_from_bfloat16: bool = False
    decay: str = "cosine"

    def __init__(self, setup: Setup, settings: MethodSettings) -> None:
        self.setup = setup
        self.spec = setup.spec
        self.device = setup.device
        self.common = settings

    @abstractmethod
    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the data and build the network; asked once, before anything else.

        `card` is that of the checkpoint a run is resumed from: its preprocessing stays.
        """

    @abstractmethod
    def card(self) -> ModelCard:
        """Describe the network as it is now."""

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """Give the examples of a step, on the device: a pure function of seed and step."""

    @abstractmethod
    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Compute the loss of a batch, or of a part of one when memory is short."""

    @abstractmethod
    def validate(self, network: nn.Module) -> Validation:
        """Measure `network` on the validation cases; yields after each portion."""

    @abstractmethod
    def labels_changed(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Read labels again; give all cases that are trained as labelled from now on."""

    @abstractmethod
    def sample_more(self, class_id: int, factor: float) -> None:
        """Look at a class more often."""

    @abstractmethod
    def weigh_more(self, class_id: int, factor: float) -> None:
        """Let mistakes on a class count more."""

    @property
    def phases(self) -> tuple[float, ...]:
        """Shares of the run at which the work of a step changes, the first of them 0.

        A run with several is timed in each before it starts, so that its minutes hold.
        """
        return (0.0,)

    def paced(self, moment: Moment) -> Moment:
        """Give the moment that the learning rate follows: of the run, or of a stage of its own."""
        return moment

    def news(self, step: int) -> Iterator[Event]:
        """Tell what else is known after `step`: measures, files; asked about once a second."""
        yield from ()

    def aside_groups(self, count: int) -> tuple[tuple[str, ...], ...]:
        """Give `count` groups of labelled cases that may sit out in turn; none where too few.

        Without a validation set the tail guard measures them: each just before it comes back, so
        that it was not learned from lately.
        """
        return ()

    def sit_out(self, case_ids: Sequence[str]) -> None:  # noqa: B027 - only with groups above
        """Learn from no labels of these cases, and again from all others'; none ends it."""

    def measure_cases(self, network: nn.Module, case_ids: Sequence[str]) -> Validation:
        """Measure `network` on labelled cases by the decisive measure; yields now and then."""
        yield
        return {}

    def labelled_shares(self) -> Sequence[float]:
        """Share of each class in all labelled pixels of the training cases, background counted."""
        return ()

    def before_step(self) -> None:  # noqa: B027 - only methods that let things wait need it
        """Forget what an earlier try at a step left waiting: its loss was no number, or too big."""

    def after_step(self, moment: Moment) -> None:  # noqa: B027 - most methods have nothing to do
        """Update what follows the network: a teacher, prototypes, queues."""

    def state(self) -> dict[str, Any]:
        """Give what must survive a resume, beside the network: tensors and plain data."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - see `state`
        """Take what `state` gave."""

    def trained_parameters(self) -> Iterator[nn.Parameter]:
        """Give all weights that follow the gradient, heads beside the network included."""
        yield from self.network.parameters()

    def make_optimizer(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Give what takes the steps."""
        rate, fused = self.common.learning_rate, is_fused(self.device)
        return torch.optim.AdamW(groups, lr=rate, fused=fused)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Split the weights: no decay for biases and norms."""
        named = [p for p in self.network.parameters() if p.requires_grad]
        return [
            {
                "params": [p for p in named if p.ndim > 1],
                "weight_decay": self.common.weight_decay,
            },
            {"params": [p for p in named if p.ndim <= 1], "weight_decay": 0.0},
        ]

    def random(self, step: int, stream: int = 0) -> RandomGenerator:
        """Give the generator of a step; equal for equal seed, step and stream."""
        return RandomGenerator().manual_seed(step_seed(self.spec.seed, step, stream))


def step_seed(seed: int, step: int, stream: int = 0) -> int:
    """Mix seed, step and stream into one number."""
    mixed = (seed * 0x9E3779B1 + step * 0x85EBCA77 + stream * 0xC2B2AE3D) & 0xFFFFFFFFFFFF
    return (mixed ^ (mixed >> 17)) & 0x7FFFFFFFFFFFFFFF


def is_fused(device: str) -> bool:
    """Whether optimisers have one kernel for all weights on this device."""
    return device.partition(":")[0] in ("cpu", "cuda")


def to_device(values: Tensor, device: str) -> Tensor:
    """Move to the device, without waiting where it is a card."""
    return values if device == "cpu" else values.to(device, non_blocking=True)


def left_out(failed: Mapping[str, LongtailError]) -> Iterator[Event]:
    """Tell which cases the run goes without because they cannot be read."""
    for number, error in enumerate(failed.values()):
        if number == FAILURES_TOLD:
            yield Warned(f"{len(failed) - number} more cases are left out.", kind="unreadable")
            return
        yield Warned(f"{error.reason} The run goes on without it.", kind="unreadable")


def layout_of(spatial_dims: int) -> torch.memory_format:
    """Give the layout in which convolutions are fastest, on processors and cards alike."""
    return torch.channels_last if spatial_dims == 2 else torch.channels_last_3d


def laid_out(network: nn.Module, spatial_dims: int) -> nn.Module:
    """Bring the weights of `network` into that layout, in place."""
    for parameter in network.parameters():
        if parameter.ndim == 2 + spatial_dims:
            parameter.data = parameter.data.contiguous(memory_format=layout_of(spatial_dims))
    return network
