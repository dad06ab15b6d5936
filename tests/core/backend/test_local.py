from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from longtail.core.backend.event_log import recorded_end
from longtail.core.backend.events import Finished, Outcome, Paused, Progress, Started
from longtail.core.backend.local import LocalBackend


@pytest.fixture
def local(jobs: ModuleType) -> Iterator[LocalBackend]:
    backend = LocalBackend("cpu")
    yield backend
    backend.close()


def test_nothing_runs_before_it_is_asked_for(local: LocalBackend, jobs: ModuleType) -> None:
    handle = local.submit(jobs.Count(steps=2))
    assert handle.finished is None
    assert handle.wait() == Finished(Outcome.COMPLETED, {"steps": 2})
    assert handle.finished == handle.wait()


def test_two_iterators_see_the_same(local: LocalBackend, jobs: ModuleType) -> None:
    handle = local.submit(jobs.Count(steps=2))
    first, second = iter(handle), iter(handle)
    assert [next(first), next(first)] == [Started("Count", "CPU"), Progress(1, 2)]
    assert list(second) == list(handle)
    assert list(first) == list(handle)[2:]


def test_an_answer_comes_in_the_midst_of_training(local: LocalBackend, jobs: ModuleType) -> None:
    training = local.submit(jobs.Count(steps=2))
    events = iter(training)
    next(events)
    assert local.submit(jobs.Glance()).wait().outcome is Outcome.COMPLETED
    assert training.finished is None
    assert isinstance(list(events)[-1], Finished)


def test_the_consumer_can_end_a_pause(local: LocalBackend, jobs: ModuleType) -> None:
    handle = local.submit(jobs.Count(steps=2))
    handle.pause()
    for event in handle:
        if isinstance(event, Paused):
            handle.resume()
    assert handle.wait().outcome is Outcome.COMPLETED


def test_waiting_has_an_end(local: LocalBackend, jobs: ModuleType) -> None:
    handle = local.submit(jobs.Count(steps=100, step_s=0.02))
    with pytest.raises(TimeoutError):
        handle.wait(0.1)
    assert handle.finished is None


@pytest.mark.parametrize(
    ("leave_running", "outcome", "steps"),
    [(False, Outcome.STOPPED, 1), (True, Outcome.COMPLETED, 5)],
)
def test_closing_ends_what_has_begun(
    local: LocalBackend,
    jobs: ModuleType,
    tmp_path: Path,
    leave_running: bool,
    outcome: Outcome,
    steps: int,
) -> None:
    log = tmp_path / "events.jsonl"
    handle, never_begun = local.submit(jobs.Count(str(log), steps=5)), local.submit(jobs.Count())
    events = iter(handle)
    next(events), next(events)
    local.close(leave_running)
    assert recorded_end(log) == handle.finished == Finished(outcome, {"steps": steps})
    assert never_begun.finished is None


def test_it_names_its_device(local: LocalBackend) -> None:
    assert local.device_label() == "CPU"
