"""When memory runs out: recognise it, give some back, try again with less."""

import gc
import sys
from collections.abc import Callable
from typing import TypeVar

from .system import trim_heap

T = TypeVar("T")

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
