"""A run that ended before is looked at again: its end, its curves, its maps."""

from datetime import UTC, datetime

import numpy as np
import pytest
from app_fakes import FakeBackend

from longtail.app.panels.train import TrainPanel
from longtail.app.panels.train_live import live
from longtail.app.panels.train_past import count_words, past_runs, read_past
from longtail.app.session import Session
from longtail.core.backend.event_log import EventLog
from longtail.core.backend.events import Artifact, Finished, Metric, Outcome, Started, Warned
from longtail.core.project.records import RunRecord
from longtail.core.project.store import Project

MAP = "maps/step-0000100.npz"


def run(state="completed", run_id="run-003-supervised", **changes):
    known = {"spec": {"iterations_planned": 500}, "result": {}} | changes
    return RunRecord(run_id, "supervised", state, datetime.now(UTC), folder="f", label_version=1,
                     **known)  # fmt: skip


def write_events(folder, *events):
    with EventLog(folder / "events.jsonl") as log:
        for event in events:
            log.append(event)


def test_what_a_run_told_is_read_again(tmp_path):
    write_events(
        tmp_path,
        Started("t", "CPU"),
        Metric(100, "train_dice", 0.5),
        Artifact(MAP, "map"),
        Finished(Outcome.STOPPED, {"iterations": 120}),
    )
    past = read_past(run("stopped"), tmp_path)
    assert past.state == "stopped"
    told = live(past, ())
    assert told.headline.text == "0.50"
    assert told.total_steps == 120
    assert told.learned.maps == (MAP,)


def test_a_class_that_was_in_trouble_is_told_of_again(tmp_path):
    warned = Warned("scar is being lost. Its Dice fell.", "tail-guard", "scar", (), "train_dice")
    write_events(
        tmp_path, Metric(100, "train_dice", 0.5, "scar"), warned, Finished(Outcome.COMPLETED)
    )
    (guarded,) = live(read_past(run(), tmp_path), ()).guarded
    assert guarded.warned == warned
    assert guarded.points == ((100, 0.5),)


def test_without_events_the_project_tells_the_end(tmp_path):
    past = read_past(run("failed", result={"reason": "Out of memory."}), tmp_path)
    assert past.finished.outcome is Outcome.FAILED
    assert past.finished.reason == "Out of memory."
    assert live(past, ()).total_steps == 500
    assert read_past(run(spec={}), tmp_path).progress is None


def test_runs_that_ended_are_offered_the_newest_first():
    runs = [
        run("completed", "run-001-supervised"),
        run("cancelled", "run-002-supervised"),
        run("failed", "run-003-supervised"),
        run("running", "run-004-supervised"),
    ]
    assert past_runs(runs) == (
        ("run-003-supervised", "run 3 · Supervised"),
        ("run-001-supervised", "run 1 · Supervised"),
    )
    assert count_words(runs) == "4 runs"
    assert count_words([]) == "no run yet"


@pytest.fixture
def session():
    session = Session(FakeBackend(), record=lambda *_what: None)
    yield session
    session.close()


@pytest.fixture
def panel(session, qtbot):
    widget = TrainPanel(session)
    qtbot.addWidget(widget)
    widget.resize(310, 800)
    yield widget
    widget.close_threads()


def test_a_run_of_an_earlier_session_can_be_replayed(panel, session, scans, qtbot):
    with Project.open(scans) as project:
        spec = {
            "method": "supervised",
            "task": "segmentation",
            "classes": [{"id": 2, "name": "lesion"}, {"id": 99, "name": "gone"}],
        }
        made = project.new_run(spec)
        project.record_run(made.id, state="completed", result={"iterations": 100})
        folder = project.run_folder(made.id)
    (folder / "maps").mkdir(parents=True)
    (folder / "checkpoints").mkdir(exist_ok=True)
    (folder / "checkpoints" / "best-class-2.pt").touch()
    points = np.zeros((2, 2), np.float32)
    classes = np.array([1, 2], np.int16)
    np.savez(folder / MAP, points=points, point_classes=classes, centres=points,
             centre_classes=classes, step=np.int64(100))  # fmt: skip
    lost = Warned("lesion is being lost. Its Dice fell.", "tail-guard", "lesion", (), "train_dice")
    write_events(folder, Metric(100, "train_dice", 0.5, "lesion"), lost, Artifact(MAP, "map"),
                 Finished(Outcome.COMPLETED, {"iterations": 100}))  # fmt: skip
    session.open_project(scans)
    assert panel.before.runs.text().startswith("1 run")
    panel.before.runs.menu_actions()[0].trigger()
    qtbot.waitUntil(lambda: panel.pages.currentWidget() is panel.after)
    after = panel.after
    assert after.words.title.text() == "Trained."
    assert after.learned.section.label.text() == "REPLAY THE TRAINING"
    player = after.learned.map
    qtbot.waitUntil(lambda: player.plot.frame is not None)
    assert player.caption.text() == "step 100 of 100"
    assert "lesion 1" in player.plot.accessibleDescription()
    assert "gone 1" in player.plot.accessibleDescription()
    (card,) = after.guard.cards
    assert card.title.text() == "lesion is being lost."
    assert not card.answer.isHidden()  # its best weights are kept
    after.again.click()
    assert panel.pages.currentWidget() is panel.before
