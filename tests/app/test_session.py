"""The session alone: no Qt, a real project, a fake backend."""

import sys
from pathlib import Path

import numpy as np
import pytest
from app_fakes import COMPLETED, FakeBackend, FakeJob, Waiting

from longtail.app.loading import load_project
from longtail.app.session import MOST_AT_ONCE, Notice, Session
from longtail.core.backend.events import (
    Finished,
    Metric,
    Outcome,
    Paused,
    Progress,
    Resumed,
    Started,
    Warned,
)
from longtail.core.errors import LongtailError
from longtail.core.jobs.training import TrainJob
from longtail.core.project.records import Status, Task


@pytest.fixture
def session():
    session = Session(FakeBackend(), record=lambda *_what: None)
    yield session
    session.close()


def hear(signal):
    heard = []
    signal.connect(lambda *what: heard.append(what))
    return heard


def test_the_session_needs_no_qt():
    import subprocess

    code = (
        "import sys; import longtail.app.session;"
        "print([m for m in sys.modules if m.startswith(('qtpy','PySide','PyQt','napari','torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_opening_tells_and_fills(session, cells):
    heard = hear(session.project_changed)
    session.open_project(cells)
    assert heard == [()]
    assert session.project.task is Task.CLASSIFICATION
    assert len(session.catalogue.ids) == 12
    assert session.visible_rows.tolist() == list(range(12))
    assert session.active_class == session.project.classes[0].id


def test_a_project_that_cannot_be_opened_leaves_the_former(session, cells, tmp_path):
    session.open_project(cells)
    former = session.project
    with pytest.raises(LongtailError):
        session.open_project(tmp_path / "nowhere.longtail")
    assert session.project is former


def test_creating(session, tmp_path):
    session.create_project(tmp_path / "new.longtail", Task.SEGMENTATION, ["a", "b"])
    assert [c.name for c in session.project.classes] == ["a", "b"]
    assert len(session.catalogue.ids) == 0


def test_panels_fold_before_the_case_changes(session, cells):
    session.open_project(cells)
    seen = []
    session.case_about_to_change.connect(lambda: seen.append(session.case and session.case.id))
    session.case_changed.connect(lambda: seen.append(session.case and session.case.id))
    session.show_case("cell_01")
    session.show_case("cell_01")
    session.show_case("cell_02")
    assert seen == [None, "cell_01", "cell_01", "cell_02"]


def test_going_through_what_is_visible(session, cells):
    session.open_project(cells)
    session.visible_rows = np.array([2, 0, 1])
    session.next_case()
    assert session.case.id == "cell_02"
    session.next_case()
    assert session.case.id == "cell_00"
    session.previous_case()
    session.previous_case()
    assert session.case.id == "cell_02"
    for _ in range(5):
        session.next_case()
    assert session.case.id == "cell_01"


def test_next_unlabelled_goes_round(session, cells):
    session.open_project(cells)
    session.show_case("cell_11")
    session.next_unlabelled()
    assert session.case.id == "cell_06"


def test_next_unlabelled_says_when_there_is_none(session, cells):
    session.open_project(cells)
    session.visible_rows = np.array([0, 1, 2])
    told = hear(session.notice)
    session.next_unlabelled()
    assert session.case is None
    assert "has labels" in told[0][0].text


def test_saved_labels_are_read_again(session, cells):
    session.open_project(cells)
    session.show_case("cell_06")
    heard, counted = hear(session.labels_changed), hear(session.catalogue_changed)
    session.project.set_status(["cell_01"], Status.DRAFT)
    session.labels_saved(["cell_01", "cell_06"])
    assert heard == [(("cell_01", "cell_06"),)]
    assert counted == [()]
    row = session.catalogue.ids.index("cell_01")
    assert session.catalogue.status[row] == tuple(Status).index(Status.DRAFT)


def test_a_large_catalogue_is_read_aside_and_not_twice_at_once(cells):
    asked = []
    session = Session(FakeBackend(), aside=lambda work, then: asked.append((work, then)))
    session.open_project(cells)
    session.catalogue.ids = ["x"] * (MOST_AT_ONCE + 1)
    counted = hear(session.catalogue_changed)
    for _ in range(3):
        session.refresh()
    assert len(asked) == 1
    assert counted == []
    work, then = asked.pop()
    then(work())
    assert len(session.catalogue.ids) == 12
    assert len(counted) == 2  # once as it came, once for what changed meanwhile
    session.close()


def test_an_answer_for_a_closed_project_is_dropped(cells):
    asked = []
    session = Session(FakeBackend(), aside=lambda work, then: asked.append((work, then)))
    session.open_project(cells)
    session.catalogue.ids = ["x"] * (MOST_AT_ONCE + 1)
    session.refresh()
    work, then = asked.pop()
    answer = work()
    session.close_project()
    then(answer)
    assert session.catalogue is None
    session.close()


def test_closing_tells_panels_first(session, cells):
    session.open_project(cells)
    session.show_case("cell_01")
    still_open = []
    session.case_about_to_change.connect(lambda: still_open.append(session.project is not None))
    session.close_project()
    assert still_open == [True]
    assert session.project is None
    assert session.case is None


def test_a_job_runs_to_its_end_and_is_recorded(cells):
    recorded = []
    session = Session(FakeBackend(), record=lambda *what: recorded.append(what))
    session.open_project(cells)
    heard = hear(session.job_event)
    ended, runs = hear(session.job_finished), hear(session.runs_changed)
    tracked = session.submit(FakeJob())
    assert [event for _, event in heard] == list(COMPLETED)
    assert recorded == [(session.project, tracked.job, COMPLETED[-1])]
    assert ended == [(tracked, COMPLETED[-1])]
    assert runs == [()]
    assert tracked.state == "completed"
    session.close()


def test_a_failure_becomes_a_notice_with_reason_and_remedy():
    failed = Finished(Outcome.FAILED, None, "The disk is full.", "Free some space.")
    session = Session(FakeBackend((failed,)), record=lambda *_what: None)
    told = hear(session.notice)
    session.submit(FakeJob("Train run 3"))
    assert told == [(Notice("Train run 3: The disk is full. Free some space.", "error"),)]
    session.close()


def test_what_cannot_be_recorded_is_said(cells):
    def full(*_what):
        raise LongtailError("The disk is full.", "Free some space.")

    session = Session(FakeBackend(), record=full)
    session.open_project(cells)
    told, ended = hear(session.notice), hear(session.job_finished)
    session.submit(FakeJob())
    assert told[0][0].severity == "error"
    assert len(ended) == 1
    session.close()


def test_training_is_the_one_that_goes_on():
    driver = Waiting()
    session = Session(FakeBackend(), driver, record=lambda *_what: None)
    session.submit(FakeJob())
    assert session.training is None
    tracked = session.submit(TrainJob("a project", "run-001"))
    assert session.training is tracked
    driver.give(Finished(Outcome.STOPPED))
    assert session.training is None
    session.close()


def test_a_tracked_job_follows_its_events():
    driver = Waiting()
    session = Session(FakeBackend(), driver, record=lambda *_what: None)
    tracked = session.submit(FakeJob())
    assert (tracked.state, tracked.share, tracked.eta_s) == ("queued", None, None)
    driver.give(Started("a job", "CPU"))
    driver.give(Progress(3, 4, 5.0))
    driver.give(Metric(1, "dice", 0.5, "rare"))
    driver.give(Metric(2, "dice", 0.6, "rare"))
    driver.give(Warned("rare is falling behind", class_name="rare"))
    driver.give(Paused())
    assert (tracked.state, tracked.share, tracked.eta_s) == ("paused", 0.75, 5.0)
    driver.give(Resumed())
    assert tracked.state == "running"
    assert tracked.metrics == {("dice", "rare"): [(1, 0.5), (2, 0.6)]}
    assert tracked.latest("dice", "rare") == 0.6
    assert tracked.latest("dice") is None
    assert [w.class_name for w in tracked.warnings] == ["rare"]
    driver.give(Progress(9, 0))
    assert tracked.share is None
    session.close()


def test_wishes_reach_the_handle():
    session = Session(FakeBackend(), Waiting(), record=lambda *_what: None)
    tracked = session.submit(FakeJob())
    for wish in (tracked.pause, tracked.resume, tracked.stop, tracked.cancel):
        wish()
    tracked.tell("more")
    assert tracked.handle.asked == ["pause", "resume", "stop", "cancel", "more"]
    assert tracked.state == "stopping"
    session.close()


def test_equal_assignment_is_silent(session):
    classes, runs = hear(session.active_class_changed), hear(session.run_changed)
    session.active_class = 1
    session.active_class = 2
    session.choose_run(None)
    session.choose_run("run-001")
    session.choose_run("run-001")
    assert classes == [(2,)]
    assert runs == [()]


def test_reporting_lets_the_unforeseen_through(session):
    told = hear(session.notice)
    with session.reporting():
        raise LongtailError("It broke.", "Mend it.")
    assert told[0][0].text == "It broke. Mend it."
    with pytest.raises(KeyError), session.reporting():
        raise KeyError


def test_loading_recovers_runs_and_leaves_no_lock_behind(cells, monkeypatch):
    loaded = load_project(cells)
    loaded.project.close()

    def broken(self):
        raise LongtailError("The catalogue is torn.")

    monkeypatch.setattr(type(loaded.project), "catalogue", broken)
    with pytest.raises(LongtailError):
        load_project(cells)
    monkeypatch.undo()
    again = load_project(cells)
    assert again.project.writable
    again.project.close()


def test_deleting_the_case_that_is_shown_leaves_none(session, cells):
    session.open_project(cells)
    session.show_case("cell_01")
    session.leave_case_of(["cell_05"])
    assert session.case is not None
    session.leave_case_of(["cell_01"])
    assert session.case is None


def test_leaving_a_job_running_reaches_the_backend(session):
    backend = session.backend
    session.close(leave_running=True)
    assert backend.closed is True


def test_paths_may_hold_umlauts_and_spaces(session, tmp_path):
    place = tmp_path / "Größe und Maß" / "Prüfung.longtail"
    place.parent.mkdir()
    session.create_project(place, Task.MULTILABEL, ["a"])
    assert Path(session.project.path) == place
