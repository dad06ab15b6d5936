"""When memory runs out: recognise it, give some back, try again with less."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from .system import keep_blocks, trim_heap

T = TypeVar("T")

# The first steps, for which the memory must be had in any case, those looked at, of how many, and
# the share of their processor time that the system may take.
STEPS_LEFT_OUT, STEPS_LOOKED_AT, LOOKED_AT_EVERY = 3, 6, 100
CLEARING_AT_MOST = 0.1

# What libraries write where they raise a plain RuntimeError instead of a type of its own.
OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "cannot allocate memory",
    "_status_alloc_failed",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that memory ran out, on any device."""
    if isinstance(error, MemoryError):
        return True
    # By name, since the window's process asks this as well and must not import torch.
    if any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(part in words for part in OUT_OF_MEMORY_WORDS)


def give_back_memory() -> None:
    """Return what is no longer used to the system and to the device's other users."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None:
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        if torch.backends.mps.is_available():
            torch.mps.empty_cache()
    trim_heap()


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


def retreat(attempt: Callable[[int], T], size: int) -> tuple[T, int]:
    """Call `attempt(size)`, with half the size as often as memory runs out.

    Parameters
    ----------
    attempt
        Work in portions of the given size; called again from the beginning after a failure.
    size
        The size of a portion, such as the number of images in a micro-batch.

    Returns
    -------
    tuple
        What `attempt` returned, and the size that fitted.

    Raises
    ------
    RuntimeError or MemoryError
        Not even a portion of 1 fitted, or the failure was no lack of memory.
    """
    while True:
        try:
            return attempt(size), size
        except (RuntimeError, MemoryError) as error:
            if size <= 1 or not is_out_of_memory(error):
                raise
        # Outside the handler, because the trace of the exception holds the tensors.
        size //= 2
        give_back_memory()
