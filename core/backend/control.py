"""What the user wishes of one job: set from any thread, read by the job at its safe points."""

import threading
from typing import Any, Protocol

from .job import Cancelled


class Steering(Protocol):
    """The wishes that can be sent to a job, wherever it runs."""

    def pause(self) -> None:
        """Wait at the next safe point and free the device."""

    def resume(self) -> None:
        """Go on."""

    def stop(self) -> None:
        """End early and keep what was learned."""

    def cancel(self) -> None:
        """End and throw the work away."""

    def tell(self, change: Any) -> None:
        """Hand over a typed change to take up."""


class Control:
    """The wishes for a job in this process.

    Parameters
    ----------
    changed
        Notified at each wish; jobs that share a device share it.
    """

    def __init__(self, changed: threading.Condition | None = None) -> None:
        self.changed = changed or threading.Condition()
        self.paused = False
        self.stop_asked = False
        self.cancelled = False
        self._changes: list[Any] = []

    def pause(self) -> None:
        """Wait at the next safe point, unless the job is ending."""
        self._wish(paused=not (self.stop_asked or self.cancelled))

    def resume(self) -> None:
        """Go on after a pause."""
        self._wish(paused=False)

    def stop(self) -> None:
        """End early and keep what was learned; a paused job goes on to do so."""
        self._wish(paused=False, stop_asked=True)

    def cancel(self) -> None:
        """End and throw the work away."""
        self._wish(paused=False, cancelled=True)

    def tell(self, change: Any) -> None:
        """Keep a change until the job takes it."""
        with self.changed:
            self._changes.append(change)

    def take_changes(self) -> list[Any]:
        """Give the changes since the last call, oldest first."""
        with self.changed:
            changes, self._changes = self._changes, []
        return changes

    def wait_while_paused(self) -> None:
        """Block until the pause has ended."""
        with self.changed:
            self.changed.wait_for(lambda: not self.paused)

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the work is to be thrown away."""
        if self.cancelled:
            raise Cancelled

    def _wish(self, **wishes: bool) -> None:
        with self.changed:
            for name, value in wishes.items():
                setattr(self, name, value)
            self.changed.notify_all()
