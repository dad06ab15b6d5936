"""The compute process as its users see it: outcomes, wishes, order, and what never blocks."""

import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest

from longtail.core.backend.client import ProcessBackend
from longtail.core.backend.event_log import read_events, recorded_end
from longtail.core.backend.events import (
    Event,
    Finished,
    Log,
    Metric,
    Outcome,
    Paused,
    Progress,
    Resumed,
    Started,
    Told,
    Warned,
    to_json,
    to_text,
)
from longtail.core.backend.handle import JobHandle
from longtail.core.backend.job import Job, JobContext, Steps
from longtail.core.backend.local import LocalBackend
from longtail.core.errors import LongtailError

SOON_S = 20.0
Start = Callable[..., ProcessBackend]


@dataclass(frozen=True)
class OfThisModule(Job):
    """A job whose class the compute process cannot import."""

    title = "lost"

    def run(self, context: JobContext) -> Steps:
        yield Log("never")
        return None


def until(handle: JobHandle, kind: type[Event]) -> Event:
    return next(event for event in handle if isinstance(event, kind))


@pytest.mark.parametrize(
    "job",
    [
        lambda jobs: jobs.Count(steps=3),
        lambda jobs: jobs.Fails(how="runtime"),
        lambda jobs: jobs.Fails(how="torch memory"),
        lambda jobs: jobs.Fails(how="sentence"),
        lambda jobs: jobs.Fails(how="exit"),
        lambda jobs: jobs.Returns(what="tuple"),
        lambda jobs: jobs.Returns(what="array"),
        lambda jobs: jobs.Returns(what="scalar", how="tell"),
    ],
    ids=["count", "runtime", "memory", "sentence", "exit", "tuple", "array", "scalar"],
)
def test_both_backends_tell_the_same(
    backend: ProcessBackend, jobs: ModuleType, job: Callable[[ModuleType], Job]
) -> None:
    here = list(LocalBackend("cpu").submit(job(jobs)))
    there = list(backend.submit(job(jobs)))
    assert [to_text(to_json(event)) for event in there] == [to_text(to_json(e)) for e in here]


def test_an_array_in_an_event_is_a_failure(backend: ProcessBackend, jobs: ModuleType) -> None:
    end = backend.submit(jobs.Returns(what="array", how="tell")).wait(SOON_S)
    assert end.outcome is Outcome.FAILED
    assert "ndarray is no plain data" in end.reason


def test_stop_keeps_and_cancel_throws_away(
    backend: ProcessBackend, jobs: ModuleType, tmp_path: Path
) -> None:
    kept, thrown = tmp_path / "kept", tmp_path / "thrown"
    stopped = backend.submit(jobs.Count(steps=10_000, step_s=0.01, kept=str(kept)))
    until(stopped, Progress)
    stopped.stop()
    assert stopped.wait(SOON_S).outcome is Outcome.STOPPED
    cancelled = backend.submit(jobs.Count(steps=10_000, step_s=0.01, kept=str(thrown)))
    until(cancelled, Progress)
    cancelled.cancel()
    assert cancelled.wait(SOON_S) == Finished(Outcome.CANCELLED)
    assert kept.exists()
    assert not thrown.exists()


def test_wishes_after_the_end_do_nothing(backend: ProcessBackend, jobs: ModuleType) -> None:
    handle = backend.submit(jobs.Count(steps=1))
    end = handle.wait(SOON_S)
    handle.stop(), handle.cancel(), handle.pause(), handle.tell(jobs.SampleMore("a", 2))
    assert handle.wait(SOON_S) == end == handle.finished


def test_a_paused_training_frees_the_device(backend: ProcessBackend, jobs: ModuleType) -> None:
    training = backend.submit(jobs.Count(steps=30, step_s=0.01))
    until(training, Progress)
    training.pause()
    until(training, Paused)
    assert backend.submit(jobs.Count(steps=2)).wait(SOON_S).outcome is Outcome.COMPLETED
    assert training.finished is None
    training.resume()
    until(training, Resumed)
    assert training.wait(SOON_S) == Finished(Outcome.COMPLETED, {"steps": 30})


def test_an_answer_comes_between_two_steps(backend: ProcessBackend, jobs: ModuleType) -> None:
    training = backend.submit(jobs.Count(steps=10_000, step_s=0.02))
    until(training, Progress)
    queued = backend.submit(jobs.Count(steps=1))
    answers = [backend.submit(jobs.Glance()) for _ in range(3)]
    assert all(answer.wait(SOON_S).outcome is Outcome.COMPLETED for answer in answers)
    assert training.finished is None
    training.stop()
    assert queued.wait(SOON_S).outcome is Outcome.COMPLETED
    assert training.finished is not None


def test_a_glance_changes_no_random_number(backend: ProcessBackend, jobs: ModuleType) -> None:
    alone = LocalBackend("cpu").submit(jobs.Draws()).wait().result
    training = backend.submit(jobs.Draws(step_s=0.1))
    until(training, Progress)
    backend.submit(jobs.Glance()).wait(SOON_S)
    assert training.finished is None
    assert training.wait(SOON_S).result == alone


def test_a_queued_job_is_called_off(
    backend: ProcessBackend, jobs: ModuleType, tmp_path: Path
) -> None:
    training = backend.submit(jobs.Count(steps=10_000, step_s=0.01))
    log = tmp_path / "events.jsonl"
    queued = backend.submit(jobs.Count(str(log)))
    queued.cancel()
    assert list(queued) == [Finished(Outcome.CANCELLED)]
    assert recorded_end(log) == Finished(Outcome.CANCELLED)
    training.stop()
    assert training.wait(SOON_S).outcome is Outcome.STOPPED


def test_a_change_is_told_and_recorded(
    backend: ProcessBackend, jobs: ModuleType, tmp_path: Path
) -> None:
    log = tmp_path / "events.jsonl"
    handle = backend.submit(jobs.Count(str(log), steps=10_000, step_s=0.01))
    handle.tell(jobs.SampleMore("tumour", 2.0))
    expected = Told("SampleMore", {"class_name": "tumour", "factor": 2.0})
    assert until(handle, Told) == expected
    assert expected in list(read_events(log))
    handle.cancel()
    handle.wait(SOON_S)


def test_a_change_that_cannot_be_read_ends_nothing(
    backend: ProcessBackend, jobs: ModuleType
) -> None:
    handle = backend.submit(jobs.Count(steps=10_000, step_s=0.01))
    handle.tell(OfThisModule())
    assert until(handle, Warned) == Warned("A change could not be taken up.", kind="told")
    handle.stop()
    assert handle.wait(SOON_S).outcome is Outcome.STOPPED


def test_a_job_that_cannot_be_imported_fails_alone(
    backend: ProcessBackend, jobs: ModuleType
) -> None:
    end = backend.submit(OfThisModule()).wait(SOON_S)
    assert end.outcome is Outcome.FAILED
    assert "ModuleNotFoundError" in end.reason
    assert backend.submit(jobs.Count()).wait(SOON_S).outcome is Outcome.COMPLETED


def test_jobs_carry_no_arrays(backend: ProcessBackend, jobs: ModuleType) -> None:
    with pytest.raises(ValueError, match="arrays cross by files"):
        backend.submit(jobs.Count(log=np.zeros(3_000_000)))


def test_several_threads_iterate_over_one_handle(backend: ProcessBackend, jobs: ModuleType) -> None:
    handle = backend.submit(jobs.Flood(count=2000))
    seen: list[list[Event]] = [[], [], []]
    threads = [threading.Thread(target=lambda to=to: to.extend(handle)) for to in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_S)
    assert seen[0] == seen[1] == seen[2] == list(handle)
    assert len(seen[0]) == 2002


def test_a_flood_arrives_whole_and_in_order(backend: ProcessBackend, jobs: ModuleType) -> None:
    handle = backend.submit(jobs.Flood(count=60_000))  # more than the outbox holds
    steps = [event.step for event in handle if isinstance(event, Metric)]
    assert steps == list(range(60_000))
    assert handle.wait() == Finished(Outcome.COMPLETED, {"count": 60_000})


def test_waiting_has_an_end(backend: ProcessBackend, jobs: ModuleType) -> None:
    handle = backend.submit(jobs.Count(steps=10_000, step_s=0.01))
    with pytest.raises(TimeoutError):
        handle.wait(0.05)
    handle.cancel()
    handle.wait(SOON_S)


def test_the_memory_of_a_job_is_given_back(backend: ProcessBackend, jobs: ModuleType) -> None:
    backend.submit(jobs.Fills(megabytes=1)).wait(SOON_S)
    process = psutil.Process(backend.process_id)
    before = process.memory_info().rss
    full = backend.submit(jobs.Fills(megabytes=400)).wait(SOON_S).result
    backend.submit(jobs.Count(steps=1)).wait(SOON_S)  # begins when the memory has been returned
    assert full is not None
    assert full["rss"] - before > 350e6
    assert process.memory_info().rss - before < 100e6


def test_the_key_shows_nowhere(
    start: Start, jobs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    monkeypatch.setattr(secrets, "token_bytes", lambda length: key)
    backend = start()
    for word in (key.hex(), key.decode()):
        facts = backend.submit(jobs.Facts(word=word)).wait(SOON_S).result
        assert facts is not None
        assert not facts["in_arguments"]
        assert not facts["in_environment"]


def test_the_process_is_apart_from_terminal_and_folder(
    backend: ProcessBackend, jobs: ModuleType
) -> None:
    facts = backend.submit(jobs.Facts()).wait(SOON_S).result
    assert facts is not None
    assert facts["process_id"] == backend.process_id != os.getpid()
    assert not {"", os.getcwd()} & set(facts["path"])
    assert facts["omp"] == str(facts["threads"]) == "1"
    if sys.platform != "win32":
        assert os.getsid(facts["process_id"]) != os.getsid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's own numbers")
def test_with_a_window_the_process_gives_way(start: Start, jobs: ModuleType) -> None:
    backend = start(window_open=True)
    backend.submit(jobs.Count()).wait(SOON_S)
    assert psutil.Process(backend.process_id).nice() == 5
    assert Path(f"/proc/{backend.process_id}/oom_score_adj").read_text().strip() == "500"


def test_warming_up_imports_before_anybody_asks(
    start: Start, jobs: ModuleType, eventually: Callable[..., None]
) -> None:
    backend = start(preload=["no_such_module", "wave"])
    assert backend.device_label() == "CPU"
    backend.warm_up()
    log = backend.log_path
    eventually(lambda: log.exists() and "no_such_module could not" in log.read_text(), SOON_S)

    def is_preloaded() -> bool:
        facts = backend.submit(jobs.Facts()).wait(SOON_S).result
        return facts is not None and facts["torch"] and facts["wave"]

    eventually(is_preloaded, SOON_S)


def test_a_device_that_is_not_there_is_the_jobs_failure(start: Start, jobs: ModuleType) -> None:
    end = start(device="tpu").submit(jobs.Count()).wait(SOON_S)
    assert end.reason == "There is no device tpu in this computer."


def test_the_client_never_imports_torch(jobs: ModuleType, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, sample_jobs as jobs;"
        "from longtail.core.backend.client import ProcessBackend;"
        "backend = ProcessBackend(log_path=pathlib.Path(sys.argv[1]));"
        "handle = backend.submit(jobs.Facts());"
        "print(handle.wait(60).result['torch'], backend.device_label());"
        "backend.close();"
        "print(*sorted({'torch', 'monai', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log")],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("True")
    assert lines[1:] == [""]


def test_after_closing_no_work_is_taken(start: Start, jobs: ModuleType) -> None:
    backend = start()
    backend.close()
    with pytest.raises(LongtailError, match="closing"):
        backend.submit(jobs.Count())


def test_a_job_may_load_data_in_workers(backend: ProcessBackend, jobs: ModuleType) -> None:
    end = backend.submit(jobs.Loads(steps=1)).wait(SOON_S)
    assert end == Finished(Outcome.COMPLETED, {"loaded": 6})


def test_started_is_the_first_event(backend: ProcessBackend, jobs: ModuleType) -> None:
    assert next(iter(backend.submit(jobs.Count()))) == Started("Count", "CPU")
