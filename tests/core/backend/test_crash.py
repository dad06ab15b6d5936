from pathlib import Path

import pytest

from longtail.core.backend.crash import crash_report, start_report


@pytest.mark.parametrize(
    ("exit_code", "reason"),
    [
        (-9, "The compute process was killed, perhaps by the system for want of memory."),
        (137, "The compute process was killed, perhaps by the system for want of memory."),
        (0xC0000017, "The compute process was killed, perhaps by the system for want of memory."),
        (-11, "it used memory wrongly"),
        (0xC0000005, "it used memory wrongly"),
        (-6, "signal SIGABRT"),
        (-64, "signal"),
        (7, "exit code 7"),
        (None, "The compute process ended unexpectedly."),
    ],
)
def test_exit_codes_in_words(exit_code: int | None, reason: str) -> None:
    report = crash_report(exit_code, None)
    assert reason in report.reason
    assert "Resume the run from its last checkpoint" in report.remedy


def test_the_log_is_named_where_it_helps() -> None:
    assert "The log is" in crash_report(7, Path("compute.log")).remedy
    assert "compute.log" in start_report("no Python", Path("compute.log")).remedy
