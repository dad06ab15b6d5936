"""Whether a training spends its time on memory that the system clears."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .system import keep_blocks

# The first steps, for which the memory must be had in any case, those looked at, of how many, and
# the share of their processor time that the system may take.
STEPS_LEFT_OUT, STEPS_LOOKED_AT, LOOKED_AT_EVERY = 3, 6, 100
CLEARING_AT_MOST = 0.1


class ClearingWatch:
    """Lets freed memory be used again where the system spends too much time on clearing it.

    Steps with activations of more than 32 MB take a fifth to a third less time that way (Lite0 at
    224 pixels), those with smaller ones a twentieth more: so a few steps in a hundred are looked
    at. A new watch begins without.

    Attributes
    ----------
    kept
        Whether freed blocks are used again.
    """

    def __init__(self) -> None:
        self.kept = False
        self._steps = -STEPS_LEFT_OUT
        self._own = self._system = 0.0
        keep_blocks(kept=False)

    @contextmanager
    def over(self) -> Iterator[None]:
        """Let one step be taken, and look at it if it is its turn."""
        turn = self._steps % LOOKED_AT_EVERY
        looked = not self.kept and self._steps >= 0 and turn < STEPS_LOOKED_AT
        self._steps += 1
        before = os.times()
        yield
        if looked:
            after = os.times()
            self._own += after.user - before.user
            self._system += after.system - before.system
            if turn == STEPS_LOOKED_AT - 1:
                self._decide()

    def _decide(self) -> None:
        self.kept = self._system > CLEARING_AT_MOST * (self._own + self._system)
        self._own = self._system = 0.0
        if self.kept:
            keep_blocks(kept=True)
