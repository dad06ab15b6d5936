"""Closing the window during a run: three answers, three ends."""

import pytest
from app_fakes import FakeBackend, FakeJob, Waiting

from longtail.app.leaving import Leaving, may_leave
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome
from longtail.core.jobs.training import TrainJob


@pytest.fixture
def session():
    session = Session(FakeBackend(), Waiting(), record=lambda *_what: None)
    yield session
    session.close()


def never(*_what):
    raise AssertionError("nothing is asked")


def test_without_a_run_nothing_is_asked(session):
    session.submit(FakeJob())
    assert may_leave(session, never, never) == (True, False)


def test_a_run_that_has_ended_is_no_reason_to_ask(session):
    tracked = session.submit(TrainJob("p", "run-001"))
    tracked.take(Finished(Outcome.COMPLETED))
    assert may_leave(session, never, never) == (True, False)


@pytest.mark.parametrize(
    ("answer", "decision", "asked"),
    [
        (Leaving.STAY, (False, False), []),
        (Leaving.GO_ON, (True, True), []),
        (Leaving.KEEP, (True, False), ["stop", "waited"]),
    ],
)
def test_answers(session, answer, decision, asked):
    tracked = session.submit(TrainJob("p", "run-001"))
    done = tracked.handle.asked
    titles = []

    def ask(title):
        titles.append(title)
        return answer

    assert may_leave(session, ask, lambda _session: done.append("waited")) == decision
    assert done == asked
    assert titles == [tracked.title]
