"""Why a compute process is gone, in words."""

import signal
from pathlib import Path

from ..errors import LongtailError

ACCESS_VIOLATION = 0xC0000005
NO_MEMORY = {0xC0000017, 0xC000012D}
GO_ON = "Resume the run from its last checkpoint, or start again; what was saved is intact."


def crash_report(exit_code: int | None, log: Path | None) -> LongtailError:
    """Say what an exit code means and what to do; negative ones are signals.

    Parameters
    ----------
    exit_code
        As `subprocess` gives it; None where it is not known.
    log
        The log of the process, where one is written.
    """
    where = f" The log is {log}." if log else ""
    if exit_code is not None and _was_killed(exit_code):
        return LongtailError(
            "The compute process was killed, perhaps by the system for want of memory.",
            f"{GO_ON} If it happens again, close other programs or choose a smaller patch, image "
            f"size or batch.",
        )
    return LongtailError(f"The compute process ended unexpectedly{_how(exit_code)}.", GO_ON + where)


def start_report(why: str, log: Path | None) -> LongtailError:
    """Say that the process could not be started."""
    where = f"The log {log} says more." if log else ""
    return LongtailError(f"The compute process could not be started: {why}.", where)


def _was_killed(exit_code: int) -> bool:
    # 9 is SIGKILL, by number because Windows has no such name.
    return exit_code in (-9, 128 + 9) or exit_code in NO_MEMORY


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return ""
    if exit_code in (-signal.SIGSEGV, ACCESS_VIOLATION):
        return " (it used memory wrongly, which is a fault in a library or a driver)"
    if exit_code < 0:
        return f" (signal {_signal_name(-exit_code)})"
    return f" (exit code {exit_code})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
