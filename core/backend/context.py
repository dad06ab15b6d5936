"""What a running job sees of the place where it runs."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .control import Control
from .events import Event, Paused, Resumed
from .job import JobContext


class Turn(Protocol):
    """A job's hold on the device."""

    def offer(self) -> None:
        """Let waiting interactive jobs go first."""

    def rest(self) -> None:
        """Leave the device to others until the pause has ended."""


class Alone:
    """The turn of a job that shares its device with nobody."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def offer(self) -> None:
        """Go on at once: nobody waits."""

    def rest(self) -> None:
        """Wait until the pause has ended."""
        self._control.wait_while_paused()


class RunningContext:
    """The context of one job.

    Parameters
    ----------
    choose
        Gives the torch device; asked late, since finding it out imports torch.
    threads
        How many processor threads the job may use.
    control
        The user's wishes.
    turn
        The job's hold on the device.
    """

    def __init__(
        self, choose: Callable[[], str], threads: int, control: Control, turn: Turn
    ) -> None:
        self._choose = choose
        self._threads = threads
        self._control = control
        self._turn = turn

    @property
    def device(self) -> str:
        """The torch device: `cpu`, `cuda:0` or `mps`."""
        return self._choose()

    @property
    def threads(self) -> int:
        """How many processor threads the job may use."""
        return self._threads

    @property
    def stop_asked(self) -> bool:
        """Whether to finish early and keep what was learned."""
        return self._control.stop_asked

    def safe_point(self) -> Iterator[Event]:
        """Pause, cancel and let interactive jobs in, between two steps."""
        self._control.raise_if_cancelled()
        self._turn.offer()
        if self._control.paused:
            yield Paused()
            self._turn.rest()
            self._control.raise_if_cancelled()
            yield Resumed()

    def changes(self) -> list[Any]:
        """Take the changes told to the job since the last call, oldest first."""
        return self._control.take_changes()


class OnAnotherDevice:
    """The same context with another device."""

    def __init__(self, context: JobContext, device: str) -> None:
        self._context = context
        self.device = device
        self.threads = context.threads
        self.safe_point = context.safe_point
        self.changes = context.changes

    @property
    def stop_asked(self) -> bool:
        """Whether to finish early and keep what was learned."""
        return self._context.stop_asked
