"""Events of jobs reach the main thread, in order, whatever happens to the job."""

import threading

import pytest
from app_fakes import COMPLETED, FakeBackend, FakeHandle, FakeJob

from longtail.app.drive import QtDriver
from longtail.app.session import Session
from longtail.app.tracked import TrackedJob
from longtail.core.backend.events import Finished, Log, Metric, Outcome, Progress

WAIT_MS = 5000


@pytest.fixture
def driver(qtbot):
    driver = QtDriver()
    yield driver
    driver.close()


def follow(driver, events, qtbot):
    taken = []
    tracked = TrackedJob(FakeJob(), FakeHandle(FakeJob(), events), "a job")
    driver.watch(tracked, lambda job, event: taken.append((event, threading.current_thread())))
    qtbot.waitUntil(lambda: any(isinstance(e, Finished) for e, _ in taken), timeout=WAIT_MS)
    return taken


def test_events_come_in_order_on_the_main_thread(driver, qtbot):
    events = (
        *(Metric(step, "loss", 1 / (step + 1)) for step in range(500)),
        Log("half way"),
        *(Progress(step, 500) for step in range(500)),
        Finished(Outcome.COMPLETED),
    )
    taken = follow(driver, events, qtbot)
    assert [event for event, _ in taken] == list(events)
    assert {thread for _, thread in taken} == {threading.main_thread()}


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), StopIteration(), OSError()])
def test_a_lost_job_ends_in_an_event(driver, qtbot, error):
    taken = follow(driver, (*COMPLETED[:1], error), qtbot)
    end = taken[-1][0]
    assert end.outcome is Outcome.FAILED
    assert end.reason
    assert end.remedy


def test_values_wait_for_the_clock_and_the_clock_rests_at_the_end(driver, qtbot):
    follow(driver, COMPLETED, qtbot)
    qtbot.waitUntil(lambda: not driver.ticking, timeout=WAIT_MS)


def test_after_closing_nothing_is_handed_over(qtbot):
    driver = QtDriver()
    gate, taken = threading.Event(), []

    class Slow(FakeHandle):
        def __iter__(self):
            gate.wait(WAIT_MS / 1000)
            yield from COMPLETED

    tracked = TrackedJob(FakeJob(), Slow(FakeJob()), "slow")
    driver.watch(tracked, lambda *what: taken.append(what))
    driver.close(wait_s=0.0)
    gate.set()
    qtbot.waitUntil(lambda: not driver.following, timeout=WAIT_MS)
    qtbot.wait(20)
    assert taken == []


def test_a_session_with_this_driver_ends_its_jobs(driver, qtbot):
    session = Session(FakeBackend(), driver, record=lambda *_what: None)
    ended = []
    session.job_finished.connect(lambda job, finished: ended.append(finished))
    tracked = session.submit(FakeJob())
    qtbot.waitUntil(lambda: bool(ended), timeout=WAIT_MS)
    assert tracked.state == "completed"
