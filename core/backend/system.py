"""What differs between Linux, macOS and Windows: the only module with calls of one system."""

import contextlib
import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

# How willingly Linux kills the compute process when memory runs out, from -1000 to 1000: before
# the window, which holds the user's labels.
VICTIM_SCORE = 500
POLITE_NICENESS = 5

# From glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -3, -4, -8
KEPT_FREE_BYTES = 2**31 - 1
MAPPED_BLOCKS, MAPPED_FROM_BYTES, TRIM_BYTES = 65_536, 32 << 20, 64 << 20
"""What glibc comes to by itself once a block of 32 MB was freed; an option of ours ends that."""


def detached() -> dict[str, Any]:
    """Give the arguments of `Popen` by which a child survives its terminal and its Ctrl-C."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}


def give_way() -> None:
    """Let other programs, such as the window, have the processor first."""
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            psutil.Process().nice(POLITE_NICENESS)


def be_the_victim() -> None:
    """Ask Linux to kill this process before others when the memory runs out."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(VICTIM_SCORE), encoding="ascii")


def share_heap() -> None:
    """Let all threads have one heap, so that it can hold large blocks; before any thread starts."""
    _allocate_by((M_ARENA_MAX, 1))


def keep_blocks(*, kept: bool) -> None:
    """Say whether glibc uses blocks above 32 MB again that were freed, or maps each anew.

    Of what is mapped anew the system clears every page; what is kept is handed back by
    `trim_heap`. Needs `share_heap`.
    """
    if kept:
        _allocate_by((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, KEPT_FREE_BYTES))
    else:
        _allocate_by(
            (M_MMAP_MAX, MAPPED_BLOCKS),
            (M_MMAP_THRESHOLD, MAPPED_FROM_BYTES),
            (M_TRIM_THRESHOLD, TRIM_BYTES),
        )


def _allocate_by(*options: tuple[int, int]) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            libc = ctypes.CDLL("libc.so.6")
            for option, value in options:
                libc.mallopt(option, value)


def trim_heap() -> None:
    """Hand freed memory back to the system where the C library keeps it (glibc)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def core_count() -> int:
    """Count the processor cores that this process may use, by affinity and container quota."""
    count = os.cpu_count() or 1
    if sys.platform == "linux":
        count = min(len(os.sched_getaffinity(0)), _quota() or count)
    return count


def _quota() -> int | None:
    try:
        allowed, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, int(allowed) // int(period))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return None
