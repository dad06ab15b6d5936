"""Turns at the one device: answers first, then work that has begun, then the queue."""

import itertools
import random
import sys
import threading
from collections.abc import Callable
from enum import IntEnum

from .control import Control


class Priority(IntEnum):
    """What goes first."""

    ANSWER = 0
    WORK = 1
    IDLE = 2


class Turns:
    """The queue before the device; each job waits in a thread of its own."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._holder: Claim | None = None
        self._waiting: list[Claim] = []
        self._numbers = itertools.count()

    def claim(self, control: Control, priority: Priority = Priority.WORK) -> "Claim":
        """Give a place in the queue; `control` must notify `changed`."""
        return Claim(self, control, priority, next(self._numbers))

    def next_priority(self) -> Priority | None:
        """Tell what would come next if the device became free."""
        with self.changed:
            first = self._next()
            return first.priority if first else None

    def take(self, claim: "Claim") -> bool:
        """Wait for the device; False when the job was called off meanwhile."""
        with self.changed:
            self._waiting.append(claim)
            self.changed.wait_for(lambda: claim.is_called_off or self._may_go(claim))
            self._waiting.remove(claim)
            if claim.is_called_off:
                self.changed.notify_all()
                return False
            self._holder = claim
            claim.begun = True
            return True

    def give_back(self, claim: "Claim") -> None:
        """Free the device if the claim holds it."""
        with self.changed:
            if self._holder is claim:
                self._holder = None
                self.changed.notify_all()

    def _may_go(self, claim: "Claim") -> bool:
        return self._holder is None and self._next() is claim

    def _next(self) -> "Claim | None":
        ready = [claim for claim in self._waiting if not claim.control.paused]
        return min(ready, key=lambda claim: claim.rank, default=None)


class Claim:
    """One job's hold on the device, or its place in the queue."""

    def __init__(self, turns: Turns, control: Control, priority: Priority, number: int) -> None:
        self._turns = turns
        self.control = control
        self.priority = priority
        self.number = number
        self.begun = False

    @property
    def rank(self) -> tuple[Priority, bool, int]:
        """The smallest goes first."""
        return (self.priority, not self.begun, self.number)

    @property
    def is_called_off(self) -> bool:
        """Whether to wait no longer; a job that has begun needs the device to save its work."""
        return self.control.cancelled or (self.control.stop_asked and not self.begun)

    def take(self) -> bool:
        """Wait for the device; False when the job was called off meanwhile."""
        return self._turns.take(self)

    def give_back(self) -> None:
        """Free the device."""
        self._turns.give_back(self)

    def offer(self) -> None:
        """Let those who wait for an answer go first, unless this is one of them."""
        first = self._turns.next_priority()
        if self.priority > Priority.ANSWER and first is Priority.ANSWER:
            self._step_aside()

    def rest(self) -> None:
        """Leave the device to others until the pause has ended."""
        self._step_aside()

    def _step_aside(self) -> None:
        restore = keep_random_state()
        self.give_back()
        self.take()
        restore()


def keep_random_state() -> Callable[[], None]:
    """Note the state of all random generators; call the result to restore it.

    So a run has the same numbers whether or not somebody looked at a prediction meanwhile.
    """
    restores: list[Callable[[], None]] = []
    python = random.getstate()
    restores.append(lambda: random.setstate(python))
    if numpy := sys.modules.get("numpy"):
        legacy = numpy.random.get_state()
        restores.append(lambda: numpy.random.set_state(legacy))
    if torch := sys.modules.get("torch"):
        cpu = torch.get_rng_state()
        restores.append(lambda: torch.set_rng_state(cpu))
        if torch.cuda.is_initialized():
            cards = torch.cuda.get_rng_state_all()
            restores.append(lambda: torch.cuda.set_rng_state_all(cards))
        if torch.backends.mps.is_available():
            apple = torch.mps.get_rng_state()
            restores.append(lambda: torch.mps.set_rng_state(apple))

    def restore_all() -> None:
        for restore in restores:
            restore()

    return restore_all
