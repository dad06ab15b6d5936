"""Which device computes, what to call it, and how many threads it may use."""

import os
from typing import TYPE_CHECKING

from ..errors import LongtailError
from .system import core_count

if TYPE_CHECKING:
    import torch

CHOOSE_ANOTHER = "Choose the device auto, or cpu."


def choose_device(wish: str = "auto") -> str:
    """Resolve `auto`, `cuda`, `cuda:N`, `mps` or `cpu` to a device that is there.

    Raises
    ------
    LongtailError
        This computer has no such device.
    """
    if wish == "cpu":
        return wish
    if wish == "auto":
        return _best_device()
    kind, _, number = wish.partition(":")
    if kind == "cuda":
        return _checked_cuda(int(number) if number.isdecimal() else 0)
    if wish == "mps" and _has_mps():
        return wish
    raise LongtailError(f"There is no device {wish} in this computer.", CHOOSE_ANOTHER)


def describe_device(device: str) -> str:
    """Name a device for people: `CPU`, `Apple GPU`, or `CUDA · ` and the name of the card."""
    if device == "cpu":
        return "CPU"
    if device == "mps":
        return "Apple GPU"
    import torch

    return f"CUDA · {torch.cuda.get_device_name(device)}"


def thread_count(window_open: bool) -> int:
    """Count the threads to compute with: all cores, one fewer while a window is open.

    A smaller `OMP_NUM_THREADS` in the environment is the user's wish and goes first.
    """
    count = core_count()
    wish = os.environ.get("OMP_NUM_THREADS", "")
    if wish.isdecimal() and int(wish) > 0:
        return min(count, int(wish))
    return max(1, count - 1) if window_open else count


def autocast_dtype(device: str) -> "torch.dtype | None":
    """Give bfloat16 where a card computes it natively, else None for full precision.

    Processors stay in full precision: few have bfloat16 units, and resuming is bit-exact there.
    """
    import torch

    if device.startswith("cuda") and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return None


def _best_device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda:0"
    return "mps" if _has_mps() else "cpu"


def _checked_cuda(number: int) -> str:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if number < count:
        return f"cuda:{number}"
    found = f"only {count} were found" if count else "none was found"
    raise LongtailError(f"There is no CUDA device {number}: {found}.", CHOOSE_ANOTHER)


def _has_mps() -> bool:
    import torch

    return bool(torch.backends.mps.is_available())
