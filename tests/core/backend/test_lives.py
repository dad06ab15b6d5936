"""How the compute process begins and ends, by whatever hand."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from longtail.core.backend import client, launch
from longtail.core.backend.client import ProcessBackend
from longtail.core.backend.event_log import is_still_written, read_events, recorded_end
from longtail.core.backend.events import Finished, Outcome, Progress, Started, Warned
from longtail.core.backend.handle import JobHandle
from longtail.core.errors import LongtailError

SOON_S = 20.0
KILLED = "The compute process was killed, perhaps by the system for want of memory."
Start = Callable[..., ProcessBackend]
Gone = Callable[[int], None]
Eventually = Callable[..., None]


def first_progress(handle: JobHandle) -> None:
    assert any(isinstance(event, Progress) for event in handle)


def process_of(backend: ProcessBackend) -> int:
    assert backend.process_id is not None
    return backend.process_id


def test_a_killed_process_is_noticed_recorded_and_replaced(
    start: Start, jobs: ModuleType, tmp_path: Path
) -> None:
    backend = start()
    log, log_of_queued = tmp_path / "events.jsonl", tmp_path / "queued.jsonl"
    training = backend.submit(jobs.Count(str(log), steps=10_000, step_s=0.01))
    queued = backend.submit(jobs.Count(str(log_of_queued)))
    first_progress(training)
    first_life = process_of(backend)
    psutil.Process(first_life).kill()
    end = training.wait(SOON_S)
    assert (end.outcome, end.reason) == (Outcome.FAILED, KILLED)
    assert end.remedy.startswith("Resume the run from its last checkpoint")
    assert queued.wait(SOON_S) == end
    assert recorded_end(log) == recorded_end(log_of_queued) == end
    assert list(training)[-1] == end
    again = backend.submit(jobs.Count(str(log), steps=2))
    assert again.wait(SOON_S) == recorded_end(log) == Finished(Outcome.COMPLETED, {"steps": 2})
    assert process_of(backend) != first_life


def test_workers_that_outlive_a_killed_process_hide_nothing(start: Start, jobs: ModuleType) -> None:
    backend = start()
    handle = backend.submit(jobs.Loads(steps=1000))
    first_progress(handle)
    psutil.Process(process_of(backend)).kill()
    assert handle.wait(SOON_S).reason == KILLED


def test_a_job_that_had_recorded_its_end_is_not_said_to_have_failed(
    start: Start, jobs: ModuleType, tmp_path: Path
) -> None:
    log = tmp_path / "events.jsonl"
    handle = start().submit(jobs.Dies(str(log), last_words=True))
    assert handle.wait(SOON_S) == Finished(Outcome.COMPLETED, {"said": "all"})
    assert sum(isinstance(event, Finished) for event in read_events(log)) == 1


def test_a_process_that_ends_itself_is_told_with_its_exit_code(
    start: Start, jobs: ModuleType
) -> None:
    backend = start()
    events = list(backend.submit(jobs.Dies(exit_code=7)))
    assert events[:2] == [Started("Dies", "CPU"), Warned("this ends badly")]
    assert isinstance(events[-1], Finished)
    assert "exit code 7" in events[-1].reason
    assert str(backend.log_path) in events[-1].remedy


@pytest.mark.skipif(not Path("/bin/false").exists(), reason="needs a program that fails")
def test_a_process_that_cannot_begin_is_told(
    start: Start, jobs: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backend = start()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    end = backend.submit(jobs.Count()).wait(SOON_S)
    assert "could not be started: it ended with exit code 1" in end.reason
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    end = backend.submit(jobs.Count()).wait(SOON_S)
    assert "could not be started: No such file" in end.reason
    monkeypatch.undo()


def test_jobs_of_a_terminated_process_keep_their_work(
    start: Start, jobs: ModuleType, tmp_path: Path, gone: Gone
) -> None:
    backend, kept = start(), tmp_path / "kept"
    handle = backend.submit(jobs.Count(steps=10_000, step_s=0.01, kept=str(kept)))
    first_progress(handle)
    process_id = process_of(backend)
    os.kill(process_id, signal.SIGTERM)
    assert handle.wait(SOON_S).outcome is Outcome.STOPPED
    assert kept.exists()
    gone(process_id)
    assert backend.submit(jobs.Count()).wait(SOON_S).outcome is Outcome.COMPLETED


def test_closing_stops_and_keeps(
    start: Start, jobs: ModuleType, tmp_path: Path, gone: Gone
) -> None:
    backend, log, kept = start(), tmp_path / "events.jsonl", tmp_path / "kept"
    handle = backend.submit(jobs.Count(str(log), steps=10_000, step_s=0.01, kept=str(kept)))
    queued = backend.submit(jobs.Count())
    first_progress(handle)
    handle.pause()
    process_id = process_of(backend)
    backend.close()
    assert handle.finished == recorded_end(log)
    assert handle.finished is not None
    assert handle.finished.outcome is Outcome.STOPPED
    assert kept.exists()
    assert queued.finished == Finished(Outcome.STOPPED)
    gone(process_id)


def test_closing_does_not_wait_for_ever(
    start: Start, jobs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "WAIT_AT_CLOSE_S", 0.2)
    backend = start()
    handle = backend.submit(jobs.Stubborn(seconds=60))
    assert next(iter(handle)) == Started("Stubborn", "CPU")
    process_id = process_of(backend)
    backend.close()
    assert handle.finished is not None
    assert handle.finished.outcome is Outcome.STOPPED
    assert "while the last step was running" in handle.finished.reason
    psutil.Process(process_id).kill()


def test_left_running_it_finishes_by_itself(
    start: Start, jobs: ModuleType, tmp_path: Path, gone: Gone
) -> None:
    backend, log = start(), tmp_path / "events.jsonl"
    handle = backend.submit(jobs.Count(str(log), steps=60, step_s=0.02))
    first_progress(handle)
    process_id = process_of(backend)
    backend.close(leave_running=True)
    assert is_still_written(log)
    assert recorded_end(log) is None
    assert handle.finished is None
    assert not any(isinstance(event, Finished) for event in handle)
    with pytest.raises(LongtailError, match="goes on without the window"):
        handle.wait(SOON_S)
    gone(process_id)
    assert recorded_end(log) == Finished(Outcome.COMPLETED, {"steps": 60})


def test_left_running_a_paused_job_goes_on(
    start: Start, jobs: ModuleType, tmp_path: Path, gone: Gone
) -> None:
    backend, log = start(), tmp_path / "events.jsonl"
    handle = backend.submit(jobs.Count(str(log), steps=20, step_s=0.01))
    first_progress(handle)
    handle.pause()
    process_id = process_of(backend)
    backend.close(leave_running=True)
    gone(process_id)
    assert recorded_end(log) == Finished(Outcome.COMPLETED, {"steps": 20})


def test_without_work_it_ends_and_the_next_job_starts_another(
    start: Start, jobs: ModuleType, gone: Gone
) -> None:
    backend = start(idle_exit_s=0.3)
    first = backend.submit(jobs.Facts()).wait(SOON_S).result
    assert first is not None
    gone(first["process_id"])
    second = backend.submit(jobs.Facts()).wait(SOON_S).result
    assert second is not None
    assert second["process_id"] != first["process_id"]


def test_work_is_not_idleness(start: Start, jobs: ModuleType) -> None:
    backend = start(idle_exit_s=0.3)
    handle = backend.submit(jobs.Count(steps=10, step_s=0.1))
    assert handle.wait(SOON_S).outcome is Outcome.COMPLETED


PARENT = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    import sample_jobs as jobs
    from longtail.core.backend.client import ProcessBackend
    from longtail.core.backend.events import Progress

    folder, leave = Path(sys.argv[1]), sys.argv[2] == "leave"
    backend = ProcessBackend(log_path=folder / "compute.log")
    steps = 60 if leave else 10_000
    job = jobs.Count(str(folder / "events.jsonl"), steps, 0.02, str(folder / "kept"))
    handle = backend.submit(job)
    next(event for event in handle if isinstance(event, Progress))
    print(backend.process_id, flush=True)
    if leave:
        backend.close(leave_running=True)
    else:
        time.sleep(600)
    """
)


def begin_parent(folder: Path, wish: str) -> tuple["subprocess.Popen[str]", int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), wish], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def test_an_orphan_writes_its_checkpoint_and_ends(
    jobs: ModuleType, tmp_path: Path, gone: Gone
) -> None:
    parent, process_id = begin_parent(tmp_path, "wait")
    with parent:
        parent.kill()
    gone(process_id)
    end = recorded_end(tmp_path / "events.jsonl")
    assert end is not None
    assert end.outcome is Outcome.STOPPED
    assert (tmp_path / "kept").read_text() == str(end.result and end.result["steps"])


def test_an_orphan_by_choice_finishes(jobs: ModuleType, tmp_path: Path, gone: Gone) -> None:
    parent, process_id = begin_parent(tmp_path, "leave")
    with parent:
        assert parent.wait(SOON_S) == 0
    gone(process_id)
    assert recorded_end(tmp_path / "events.jsonl") == Finished(Outcome.COMPLETED, {"steps": 60})


def test_who_has_no_key_is_not_let_in() -> None:
    key = b"right"
    with Listener(authkey=key) as listener:

        def knock() -> None:
            with pytest.raises(AuthenticationError):
                Client(listener.address, authkey=b"wrong")
            with Client(listener.address, authkey=key) as connection:
                connection.send("friend")

        thread = threading.Thread(target=knock)
        thread.start()
        with launch._accepted(listener) as connection:
            assert connection.recv() == "friend"
        thread.join(SOON_S)


def test_closing_in_the_midst_of_imports_is_quiet(start: Start, eventually: Eventually) -> None:
    backend = start(preload=["monai.networks.nets"])
    backend.warm_up()
    eventually(lambda: backend.process_id is not None)
    backend.close()
    assert backend.log_path.read_text() == ""


def test_no_thread_is_left_behind(start: Start, jobs: ModuleType) -> None:
    before = set(threading.enumerate())
    backend = start()
    backend.submit(jobs.Count()).wait(SOON_S)
    assert set(threading.enumerate()) != before
    backend.close()
    assert set(threading.enumerate()) == before
