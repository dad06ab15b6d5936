"""The whole way through the window: open, label, train in the background, look, measure."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QLabel, QWidget

from longtail.app.frame import Frame
from longtail.app.window import Room
from longtail.core.backend.client import ProcessBackend
from longtail.core.backend.events import Outcome
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.jobs.prediction import PredictCaseJob
from longtail.core.jobs.training import TrainJob
from longtail.core.project.records import NOT_LABELLED, Status
from longtail.core.training.plan import plan_run

PATIENCE_MS = 120_000
LONG = 100_000
"""Steps of a training that no test waits for."""


@pytest.fixture
def project(heart: Path, tmp_path: Path) -> Path:
    """A copy of the sample, so that each test has a project of its own."""
    shutil.copytree(heart.parent, tmp_path / "Kopie für Tests")
    return tmp_path / "Kopie für Tests" / heart.name


@pytest.fixture
def frame(
    make_napari_viewer_proxy: Callable[..., Any], project: Path, qtbot: Any, qapp: Any
) -> Iterator[Frame]:
    viewer = make_napari_viewer_proxy(show=False, show_welcome_screen=False)
    backend = ProcessBackend(window_open=True, device="cpu")
    frame = Frame(viewer, Room(viewer, backend))
    frame.show()
    frame.open_first(project)
    qtbot.waitUntil(lambda: "labels" in viewer.layers, timeout=PATIENCE_MS)
    yield frame
    frame.room.close()
    with suppress(RuntimeError):  # closed by the test itself
        frame.viewer.close()
    vars(frame).clear()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def train(frame: Frame, iterations: int, resume: str | None = None) -> Any:
    session = frame.room.session
    assert session.project is not None
    run = resume
    if run is None:
        settings = {"width": 8}
        spec = plan_run(
            session.project, method="supervised", settings=settings, iterations=iterations
        )
        run = session.project.new_run(spec.to_mapping()).id
    return session.submit(TrainJob(str(session.project.path), run, resume is not None))


def steps_of(job: Any) -> int:
    """Tell how many steps a job has told its loss of."""
    return len(job.metrics.get(("loss", None), ()))


def said(widget: QWidget) -> str:
    """Give all words that a widget shows."""
    return " ".join(label.text() for label in widget.findChildren(QLabel))


def test_a_stroke_is_kept_and_reviewed(frame: Frame, qtbot: Any) -> None:
    session = frame.room.session
    assert session.project is not None
    case = session.project.cases(labelled=False)[0]
    session.show_case(case.id)
    qtbot.waitUntil(lambda: frame.room.canvas.state == "shown", timeout=PATIENCE_MS)
    layer = frame.viewer.layers["labels"]
    layer.selected_label = 2
    layer.brush_size = 4
    with layer.block_history():  # one stroke of the mouse
        layer.paint((5, 40, 40), 2)
    frame.room.canvas.strokes.set_status(Status.REVIEWED)
    frame.room.canvas.fold()
    stored = session.project.read_label_map(case.id)
    assert stored[5, 40, 40] == 2
    assert (stored[5] != NOT_LABELLED).all()
    assert (stored[6] == NOT_LABELLED).all()
    assert session.project.case(case.id).status is Status.REVIEWED


def test_a_case_is_predicted_while_training_runs(frame: Frame, qtbot: Any) -> None:
    session = frame.room.session
    assert session.project is not None
    assert session.case is not None
    training = train(frame, LONG)
    qtbot.waitUntil(lambda: steps_of(training) > 2, timeout=PATIENCE_MS)
    run = training.job.run_id
    frame.tabs.open("Train")
    training.stop()
    qtbot.waitUntil(lambda: training.finished is not None, timeout=PATIENCE_MS)
    assert training.finished.outcome is Outcome.STOPPED
    assert session.project.run(run).state == "stopped"

    second = train(frame, LONG)
    qtbot.waitUntil(lambda: steps_of(second) > 2, timeout=PATIENCE_MS)
    look = session.submit(PredictCaseJob(str(session.project.path), run, session.case.id))
    qtbot.waitUntil(lambda: look.finished is not None, timeout=PATIENCE_MS)
    assert look.finished.outcome is Outcome.COMPLETED
    assert second.finished is None
    session.choose_run(run)
    qtbot.waitUntil(lambda: "prediction" in frame.viewer.layers, timeout=PATIENCE_MS)
    shown = frame.viewer.layers["prediction"]
    assert shown.data.shape == frame.viewer.layers["labels"].data.shape
    assert tuple(shown.scale) == tuple(frame.viewer.layers["labels"].scale)
    second.cancel()
    qtbot.waitUntil(lambda: second.finished is not None, timeout=PATIENCE_MS)


def test_a_run_is_measured_and_its_figure_stands_in_results(frame: Frame, qtbot: Any) -> None:
    session = frame.room.session
    assert session.project is not None
    training = train(frame, 6)
    qtbot.waitUntil(lambda: training.finished is not None, timeout=PATIENCE_MS)
    run = training.job.run_id
    measuring = session.submit(EvaluateJob(str(session.project.path), run, "test"))
    qtbot.waitUntil(lambda: measuring.finished is not None, timeout=PATIENCE_MS)
    assert measuring.finished.outcome is Outcome.COMPLETED
    session.choose_run(run)
    frame.tabs.open("Results")
    dice = measuring.finished.result["summary"]["dice"]["mean"]
    figures = frame.tabs.currentWidget().figures
    qtbot.waitUntil(lambda: f"{dice:.2f}" in said(figures), timeout=PATIENCE_MS)
    assert (session.project.run_folder(run) / "report.html").is_file()


def test_a_killed_compute_process_is_told_and_labels_are_untouched(
    frame: Frame, qtbot: Any
) -> None:
    session = frame.room.session
    assert session.project is not None
    labelled = session.project.cases(labelled=True)[0].id
    before = session.project.read_label_map(labelled)
    notices: list[str] = []
    session.notice.connect(lambda notice: notices.append(notice.text))
    training = train(frame, 60)
    qtbot.waitUntil(lambda: steps_of(training) > 2, timeout=PATIENCE_MS)
    assert isinstance(frame.room.session.backend, ProcessBackend)
    psutil.Process(frame.room.session.backend.process_id).kill()
    qtbot.waitUntil(lambda: training.finished is not None, timeout=PATIENCE_MS)
    assert training.finished.outcome is Outcome.FAILED
    assert any("killed" in text for text in notices) or "killed" in training.finished.reason
    assert session.project.run(training.job.run_id).state == "failed"
    assert np.array_equal(session.project.read_label_map(labelled), before)
    again = train(frame, 60, resume=training.job.run_id)
    qtbot.waitUntil(lambda: again.finished is not None, timeout=PATIENCE_MS)
    assert again.finished.outcome is Outcome.COMPLETED
