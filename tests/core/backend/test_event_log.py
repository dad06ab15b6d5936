import json
import subprocess
import sys
from pathlib import Path

import pytest

from longtail.core.backend.event_log import (
    EventLog,
    is_still_written,
    read_events,
    recorded_end,
)
from longtail.core.backend.events import Event, Finished, Log, Outcome, Started

DONE = Finished(Outcome.COMPLETED)
FAILED = Finished(Outcome.FAILED, None, "it broke")
STARTED = Started("Training", "CPU")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Läufe 1" / "events.jsonl"


def keep(path: Path, *events: Event) -> None:
    with EventLog(path) as log:
        for event in events:
            log.append(event)


def test_each_event_is_a_line_with_its_time(path: Path) -> None:
    keep(path, STARTED, Log("Größe"), DONE)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["Started", "Log", "Finished"]
    assert all(line["time"].endswith("+00:00") for line in lines)
    assert list(read_events(path)) == [STARTED, Log("Größe"), DONE]


def test_a_line_is_in_the_file_as_soon_as_it_is_appended(path: Path) -> None:
    with EventLog(path) as log:
        log.append(STARTED)
        assert list(read_events(path)) == [STARTED]


def test_a_torn_line_costs_only_itself(path: Path) -> None:
    keep(path, STARTED, Log("one"))
    path.write_bytes(path.read_bytes()[:-9])
    keep(path, FAILED)
    assert list(read_events(path)) == [STARTED, FAILED]


def test_without_a_path_nothing_is_kept(tmp_path: Path) -> None:
    with EventLog(None) as log:
        log.append(DONE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ([], None),
        ([STARTED, Log("a")], None),
        ([STARTED, FAILED], FAILED),
        ([STARTED, FAILED, STARTED], None),
        ([STARTED, FAILED, STARTED, DONE], DONE),
    ],
)
def test_the_recorded_end_is_that_of_the_last_start(
    path: Path, events: list[Event], end: Finished | None
) -> None:
    keep(path, *events)
    assert recorded_end(path) == end


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a file of Linux")
def test_a_full_disk_is_an_error() -> None:
    with EventLog(Path("/dev/full")) as log, pytest.raises(OSError, match="No space left"):
        log.append(DONE)


def rewrite(path: Path, **values: object) -> None:
    lines = [json.loads(line) | values for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_log_without_an_end_is_still_written_while_its_process_lives(path: Path) -> None:
    assert not is_still_written(path)
    keep(path, STARTED, Log("Finished, or so it says"))
    assert is_still_written(path)
    keep(path, DONE)
    assert not is_still_written(path)
    keep(path, STARTED)
    assert is_still_written(path)


def test_a_log_of_a_dead_process_is_not_still_written(path: Path) -> None:
    keep(path, STARTED)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    rewrite(path, process=dead.pid)
    assert not is_still_written(path)


@pytest.mark.parametrize(
    "values",
    [
        {"time": "2001-01-01T00:00:00.000+00:00"},  # the number was given to another since
        {"host": "elsewhere"},
        {"process": "none"},
        {"time": "yesterday"},
    ],
)
def test_a_log_of_who_knows_whom_is_not_still_written(
    path: Path, values: dict[str, object]
) -> None:
    keep(path, STARTED)
    rewrite(path, **values)
    assert not is_still_written(path)
