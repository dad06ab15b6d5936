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
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
KEPT_FREE_BYTES = 2**31 - 1


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


def keep_heap() -> None:
    """Let glibc use freed memory again instead of handing it back to the system at once.

    By default each block above 32 MB is mapped anew, and the system clears every page of it: half
    of the time of a step whose activations are that large. All threads share one heap, since those
    of threads cannot hold such blocks. To be called before any thread starts; `trim_heap` hands
    back what is free.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(M_ARENA_MAX, 1)
            libc.mallopt(M_MMAP_MAX, 0)
            libc.mallopt(M_TRIM_THRESHOLD, KEPT_FREE_BYTES)


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
