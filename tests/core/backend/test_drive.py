from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from longtail.core.backend.context import Alone, RunningContext
from longtail.core.backend.control import Control
from longtail.core.backend.drive import drive
from longtail.core.backend.event_log import read_events
from longtail.core.backend.events import (
    Event,
    Finished,
    Log,
    Outcome,
    Paused,
    Progress,
    Resumed,
    Started,
    Told,
    Warned,
)
from longtail.core.backend.job import Job, JobContext
from longtail.core.errors import LongtailError


def context(control: Control, device: str = "cpu") -> JobContext:
    return RunningContext(lambda: device, 1, control, Alone(control))


def events_of(job: Job, device: str = "cpu") -> list[Event]:
    return list(drive(job, context(Control(), device)))


def end_of(job: Job) -> Finished:
    end = events_of(job)[-1]
    assert isinstance(end, Finished)
    return end


def test_a_job_that_ends_well(jobs: ModuleType, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    events = events_of(jobs.Count(str(log), steps=2))
    assert events == [
        Started("Count", "CPU"),
        Progress(1, 2),
        Progress(2, 2),
        Finished(Outcome.COMPLETED, {"steps": 2}),
    ]
    assert list(read_events(log)) == events


def test_each_event_is_recorded_before_it_is_told(jobs: ModuleType, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    for count, event in enumerate(drive(jobs.Count(str(log)), context(Control())), start=1):
        assert len(list(read_events(log))) == count
        assert list(read_events(log))[-1] == event


def test_stopping_keeps_what_was_learned(jobs: ModuleType, tmp_path: Path) -> None:
    control, kept = Control(), tmp_path / "kept"
    steps = drive(jobs.Count(steps=9, kept=str(kept)), context(control))
    first = [next(steps), next(steps)]
    control.stop()
    assert first[-1] == Progress(1, 9)
    assert list(steps)[-1] == Finished(Outcome.STOPPED, {"steps": 1})
    assert kept.read_text() == "1"


def test_cancelling_ends_at_the_next_safe_point(jobs: ModuleType, tmp_path: Path) -> None:
    control, kept = Control(), tmp_path / "kept"
    steps = drive(jobs.Count(steps=9, kept=str(kept)), context(control))
    next(steps), next(steps)
    control.cancel()
    assert list(steps) == [Finished(Outcome.CANCELLED)]
    assert not kept.exists()


def test_a_pause_is_told_and_ends_with_resume(jobs: ModuleType) -> None:
    control = Control()
    control.pause()
    steps = drive(jobs.Count(steps=1), context(control))
    assert [next(steps), next(steps)] == [Started("Count", "CPU"), Paused()]
    control.resume()
    assert list(steps)[:2] == [Resumed(), Progress(1, 1)]


@pytest.mark.parametrize("wish", [Control.stop, Control.cancel])
def test_an_ending_job_does_not_pause(jobs: ModuleType, wish: object) -> None:
    control = Control()
    control.pause()
    wish(control)  # type: ignore[operator]
    control.pause()
    assert not control.paused


def test_changes_reach_the_job_once_and_in_order(jobs: ModuleType) -> None:
    control = Control()
    control.tell(jobs.SampleMore("tumour", 2.0))
    control.tell(jobs.SampleMore("vessel", 3.0))
    told = [e for e in drive(jobs.Count(steps=3), context(control)) if isinstance(e, Told)]
    assert [event.settings["class_name"] for event in told] == ["tumour", "vessel"]


@pytest.mark.parametrize(
    ("how", "reason", "remedy"),
    [
        ("sentence", "scan.nii is cut short.", "Copy it again."),
        ("runtime", "did not foresee: RuntimeError: the tensors quarrel", "log"),
        ("memory", "memory of this computer was not enough", "Close other programs"),
        ("torch memory", "memory of this computer was not enough", "smaller"),
        ("disk", "The disk is full.", "Free some space"),
        ("exit", "did not foresee: SystemExit: 3", "log"),
    ],
)
def test_every_failure_has_a_reason_and_a_remedy(
    jobs: ModuleType, how: str, reason: str, remedy: str
) -> None:
    events = events_of(jobs.Fails(how=how))
    end = events[-1]
    assert events[:2] == [Started("Fails", "CPU"), Log("still well")]
    assert isinstance(end, Finished)
    assert end.outcome is Outcome.FAILED
    assert reason in end.reason
    assert remedy in end.remedy
    assert "second line" not in end.reason


def test_what_nobody_foresaw_is_traced_in_the_log(
    jobs: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    events_of(jobs.Fails(how="runtime"))
    assert "sample_jobs.py" in caplog.text


def test_a_device_that_is_not_there_fails_with_its_own_words(jobs: ModuleType) -> None:
    def choose() -> str:
        raise LongtailError("There is no CUDA device 0.", "Choose cpu.")

    control = Control()
    nowhere = RunningContext(choose, 1, control, Alone(control))
    assert list(drive(jobs.Count(), nowhere)) == [
        Finished(Outcome.FAILED, None, "There is no CUDA device 0.", "Choose cpu.")
    ]


@pytest.mark.parametrize(("what", "plain"), [("scalar", 0.5), ("path", "a/b"), ("tuple", [1, 2])])
def test_a_result_has_the_form_of_json_in_every_mode(
    jobs: ModuleType, what: str, plain: object
) -> None:
    assert end_of(jobs.Returns(what=what)).result == {"value": plain}


@pytest.mark.parametrize("how", ["return", "tell"])
def test_arrays_do_not_leave_a_job(jobs: ModuleType, tmp_path: Path, how: str) -> None:
    log = tmp_path / "events.jsonl"
    end = end_of(jobs.Returns(str(log), what="array", how=how))
    assert end.outcome is Outcome.FAILED
    assert "ndarray is no plain data" in end.reason
    assert list(read_events(log))[-1] == end


def test_an_interactive_job_moves_to_the_cpu_and_says_so(jobs: ModuleType) -> None:
    events = events_of(jobs.Hungry(), device="mps")
    assert [type(event) for event in events] == [Started, Log, Warned, Log, Finished]
    assert isinstance(events[2], Warned)
    assert "The memory of Apple GPU is full" in events[2].text
    assert events[-1] == Finished(Outcome.COMPLETED, {"device": "cpu"})


def test_training_is_never_moved_to_the_cpu_unasked(jobs: ModuleType) -> None:
    end = events_of(jobs.Fails(how="torch memory"), device="mps")[-1]
    assert isinstance(end, Finished)
    assert end.reason == "The memory of Apple GPU was not enough for the job."
    assert "device cpu" in end.remedy


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a file of Linux")
def test_a_record_that_cannot_be_written_is_told_once(jobs: ModuleType) -> None:
    events = events_of(jobs.Count("/dev/full", steps=2))
    assert [type(event) for event in events] == [Warned, Started, Progress, Progress, Finished]
    assert isinstance(events[0], Warned)
    assert "No space left" in events[0].text


def test_a_generator_that_is_given_up_is_closed(jobs: ModuleType, tmp_path: Path) -> None:
    closed: list[bool] = []

    class Open(jobs.SampleJob):  # type: ignore[misc, name-defined]
        def run(self, context: JobContext) -> Iterator[Event]:
            try:
                yield Log("open")
            finally:
                closed.append(True)

    steps = drive(Open(), context(Control()))
    next(steps), next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert closed == [True]
