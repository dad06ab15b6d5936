"""One step on the weights: gradients, clipping, the average; retreat when memory runs out."""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..backend.clearing import ClearingWatch
from ..backend.memory import give_back_memory, is_out_of_memory
from ..errors import LongtailError
from ..methods.run import Batch, MethodRun, Moment, StepResult, step_seed
from ..nets.averaging import Follower, average_share
from .precision import choose_precision
from .schedule import learning_rate_share

MOST_BAD_STEPS = 5
DROPOUT_STREAM = 11


@dataclass(frozen=True, slots=True)
class Stepped:
    """What became of a step: its loss (not-a-number if it was skipped) and its tally."""

    loss: float
    tally: Tensor
    skipped: bool = False


class Stepper:
    """Network, average and optimiser of a run.

    Attributes
    ----------
    parts
        Into how many portions a batch is cut; gradients are added up over them.
    """

    def __init__(self, run: MethodRun) -> None:
        self.run = run
        self.average: nn.Module = copy.deepcopy(run.network).eval().requires_grad_(False)
        run.average = self.average
        self.parts = 1
        self.bad_steps = 0
        self._dtype = choose_precision(run.common.precision, run.device, run.gains_from_bfloat16)
        self._optimizer = run.make_optimizer(run.parameter_groups())
        self._follower = Follower(self.average, run.network)
        self._trained = list(run.trained_parameters())
        self._watch = ClearingWatch()

    def step(self, batch: Batch, moment: Moment) -> Stepped:
        """Take one step; a loss that is no number leaves the weights alone.

        Raises
        ------
        LongtailError
            It happened several times in a row, or not even one example fits into memory.
        """
        with self._watch.over():
            return self._stepped(batch, moment)

    def _stepped(self, batch: Batch, moment: Moment) -> Stepped:
        self._set_rate(moment)
        self.run.network.train()
        self.run.before_step()
        loss, tally = self._gradients(batch, moment)
        norm = self._clipped_norm()
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return self._skip(loss, tally)
        self.bad_steps = 0
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._follower.follow(average_share(moment.step, self.run.common.ema))
        self.run.after_step(moment)
        return Stepped(loss, tally)

    def state(self) -> dict[str, Any]:
        """Give all that a resume needs."""
        return {
            "network": self.run.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "parts": self.parts,
            "method": self.run.state(),
        }

    def load_state(self, state: Mapping[str, Any], average: Mapping[str, Tensor]) -> None:
        """Take what `state` gave, and the averaged weights."""
        self.run.network.load_state_dict(state["network"])
        self.average.load_state_dict(average)
        self._optimizer.load_state_dict(state["optimizer"])
        self.parts = int(state["parts"])
        self.run.load_state(state["method"])

    def retreat(self, batch: Batch) -> None:
        """Halve the portions after memory ran out.

        Raises
        ------
        LongtailError
            They hold one example already.
        """
        size = _size(batch)
        if self.parts >= size:
            raise LongtailError(
                f"There is not enough memory on {self.run.device} for even one example at a time.",
                "Choose a smaller patch, image size or width, or another device.",
            )
        self.parts = min(size, self.parts * 2)
        self._optimizer.zero_grad(set_to_none=True)
        give_back_memory()

    def _gradients(self, batch: Batch, moment: Moment) -> tuple[float, Tensor]:
        # Seeded for each step, so that dropout is the same after a resume and whatever else
        # computes in this process between two steps.
        torch.manual_seed(step_seed(self.run.spec.seed, moment.step, DROPOUT_STREAM))
        total, tally = 0.0, torch.zeros(())
        size = _size(batch)
        for part in portions(batch, self.parts):
            result = self._forward(part, moment)
            share = _size(part) / size
            (result.loss * share).backward()  # type: ignore[no-untyped-call]
            total += share * float(result.loss.detach())
            tally = tally + result.tally.double().cpu()
        return total, tally

    def _forward(self, part: Batch, moment: Moment) -> StepResult:
        kind = self.run.device.partition(":")[0]
        with torch.autocast(kind, dtype=self._dtype, enabled=self._dtype is not None):
            return self.run.step(part, moment)

    def _clipped_norm(self) -> float:
        limit = self.run.common.gradient_clip or math.inf
        return float(nn.utils.clip_grad_norm_(self._trained, limit))

    def _set_rate(self, moment: Moment) -> None:
        paced = self.run.paced(moment)
        share = learning_rate_share(paced.step, paced.total, self.run.decay)
        for group in self._optimizer.param_groups:
            group["lr"] = share * self.run.common.learning_rate * group.get("rate", 1.0)

    def _skip(self, loss: float, tally: Tensor) -> Stepped:
        self._follower.take_back()
        self._optimizer.zero_grad(set_to_none=True)
        self.bad_steps += 1
        if self.bad_steps >= MOST_BAD_STEPS:
            raise LongtailError(
                "The training has become unstable: its loss is not a number any more.",
                "Train again with a lower learning rate; the last checkpoint is kept.",
            )
        return Stepped(math.nan, torch.zeros_like(tally), skipped=True)


def portions(batch: Batch, parts: int) -> list[Batch]:
    """Cut a batch into at most `parts` batches."""
    if parts <= 1:
        return [batch]
    cut = {name: values.chunk(parts) for name, values in batch.items()}
    count = min(len(pieces) for pieces in cut.values())
    return [{name: pieces[at] for name, pieces in cut.items()} for at in range(count)]


def ran_out(error: BaseException) -> bool:
    """Tell whether a step failed for lack of memory."""
    return is_out_of_memory(error)


def _size(batch: Batch) -> int:
    return len(next(iter(batch.values())))
