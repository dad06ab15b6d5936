"""The page about one image: choosing a finding, its box accepted or rejected, and its states."""

from types import SimpleNamespace

import numpy as np
import psygnal
import pytest
from qtpy.QtCore import Qt

from longtail.app.panels.xray import FindingsPage
from longtail.app.panels.xray_model import rejected_boxes
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Started
from longtail.core.explain.boxes import FoundBox
from longtail.core.explain.stored import StoredMap
from longtail.core.jobs.prediction import PredictCaseJob
from longtail.core.jobs.regions import MeasureClassJob, MeasureRegionJob
from longtail.core.project.boxfiles import DrawnBox
from longtail.core.project.records import ImageLabels, NewCase, PredictionRecord, Split, Task
from longtail.core.project.store import Project

NAMES = ("blob", "line", "spot")
SHAPE = (20, 30)


class Heat:
    """A heat map that shows what it is asked for at once."""

    changed = psygnal.Signal()

    def __init__(self):
        self.variant, self.opacity, self.threshold = "grad-cam", 0.6, 0.5
        self.class_id, self.state, self.words, self.box_rejected = None, "off", "", False
        self.stored, self.best_box, self.next = None, None, "shown"

    def choose(self, class_id):
        self.class_id, self.box_rejected = class_id, False
        self.state = "off" if class_id is None else self.next
        self.stored = self.best_box = None
        if self.state == "shown":
            values = np.zeros(SHAPE, np.float16)
            values[2:8, 3:13] = 1
            self.stored = StoredMap(values, class_id, NAMES[class_id - 1], "grad-cam", "graded")
            self.best_box = FoundBox((2, 3), (6, 10), 1.0, 60)
        self.changed.emit()

    def reject_box(self, rejected):
        self.box_rejected = rejected
        self.changed.emit()


class Boxes:
    """The drawn boxes of the image."""

    changed = psygnal.Signal()

    def __init__(self):
        self.boxes = self.selected = None

    def add(self, box):
        self.boxes = (*(self.boxes or ()), box)
        self.changed.emit()

    def undo(self):
        self.boxes = self.boxes[:-1]
        self.changed.emit()


class Stage:
    """A backend and a driver that do as they are told."""

    def __init__(self):
        self.jobs, self.takes = [], []

    def submit(self, job):
        self.jobs.append(job)
        return SimpleNamespace(cancel=lambda: None)

    def watch(self, tracked, take):
        self.takes.append((tracked, take))

    def finish(self, kind, outcome=Outcome.COMPLETED, result=None, reason=""):
        for tracked, take in self.takes:
            if isinstance(tracked.job, kind) and tracked.finished is None:
                take(tracked, Started("x", "CPU"))
                take(tracked, Finished(outcome, result, reason, ""))
                return
        raise AssertionError(f"no {kind} was asked for")

    def asked(self, kind):
        return [job for job in self.jobs if isinstance(job, kind)]

    def close(self, leave_running=False): ...

    def warm_up(self): ...

    def device_label(self):
        return "CPU"


@pytest.fixture
def stage(tmp_path, qtbot):
    classes = [{"id": i + 1, "name": name, "examples": 5} for i, name in enumerate(NAMES)]
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=NAMES) as project:
        given = ImageLabels(frozenset({2}))
        for number in range(2):
            name = f"film-{number}"
            case = NewCase(name, (f"{name}.png",), SHAPE, 1, None, Split.TEST, None, given)
            project.add_cases([case])
        run = project.new_run({"method": "cross-entropy", "classes": classes}).id
        project.record_run(run, state="completed", result={"prior": [0.5, 0.3, 0.2]})
        logits = np.array([-1.0, -2.0, 0.5], np.float32)
        project.record_predictions([PredictionRecord("film-0", run, "h", 1, None, logits)])
    stage = Stage()
    session, notices = Session(stage, stage, lambda *_: None), []
    session.notice.connect(notices.append)
    session.open_project(project.path)
    session.show_case("film-0")
    canvas = SimpleNamespace(heat=Heat(), boxes=Boxes())
    page = FindingsPage(session, canvas)
    qtbot.addWidget(page)
    page.resize(310, 700)

    def look():
        page.show_run(session.project, session.project.run(run))

    yield SimpleNamespace(
        page=page,
        heat=canvas.heat,
        boxes=canvas.boxes,
        session=session,
        notices=notices,
        stage=stage,
        look=look,
        run=run,
    )
    page.close_threads()
    session.close()


def shown(stage, qtbot):
    stage.page.show()
    qtbot.waitExposed(stage.page)
    stage.look()
    qtbot.waitUntil(lambda: stage.heat.class_id is not None)


def test_it_begins_with_the_likeliest_finding(stage, qtbot):
    shown(stage, qtbot)
    assert [row.name for row in stage.page.rows.rows] == ["spot", "blob", "line"]
    assert stage.heat.class_id == 3
    qtbot.waitUntil(lambda: stage.page.rows.value == 3)


def test_a_hidden_page_asks_for_no_map(stage):
    stage.look()
    assert stage.heat.class_id is None
    assert stage.stage.jobs == []


def test_arrows_and_clicks_choose_a_finding(stage, qtbot):
    shown(stage, qtbot)
    qtbot.waitUntil(lambda: stage.page.rows.value == 3)
    qtbot.keyClick(stage.page.rows, Qt.Key.Key_Down)
    assert stage.heat.class_id == 1
    qtbot.waitUntil(lambda: stage.page.rows.value == 1)
    middle = stage.page.rows.rect().center()
    middle.setY(5)
    qtbot.mouseClick(stage.page.rows, Qt.MouseButton.LeftButton, pos=middle)
    assert stage.heat.class_id == 3
    qtbot.waitUntil(lambda: stage.page.rows.value == 3)
    qtbot.mouseClick(stage.page.rows, Qt.MouseButton.LeftButton, pos=middle)
    assert stage.heat.class_id is None


def test_the_map_is_compared_with_the_drawn_box(stage, qtbot):
    stage.boxes.boxes = (DrawnBox(3, 3, 2, 5, 6),)
    shown(stage, qtbot)
    part = stage.page.map
    qtbot.waitUntil(lambda: part.iou.text() == "IoU 0.50")
    assert part.energy.figure.text() == "50 %"
    assert "not that it is right" in part.note.text()
    assert stage.page.rows.rows[0].boxed


def test_without_a_drawn_box_it_says_so(stage, qtbot):
    shown(stage, qtbot)
    qtbot.waitUntil(lambda: "No box of spot" in stage.page.map.energy.words.text())
    assert not stage.page.map.iou.isVisible()


def test_an_accepted_box_is_kept_and_can_be_taken_back(stage, qtbot):
    shown(stage, qtbot)
    qtbot.waitUntil(lambda: stage.page.accept.isVisible())
    qtbot.mouseClick(stage.page.accept, Qt.MouseButton.LeftButton)
    assert stage.boxes.boxes == (DrawnBox(3, 3, 2, 10, 6),)
    qtbot.waitUntil(lambda: stage.page.accept.text() == "Box accepted")
    assert not stage.page.accept.isEnabled()
    words, undo = stage.notices[-1].action
    assert words == "Undo"
    undo()
    qtbot.waitUntil(lambda: stage.page.accept.isEnabled())


def test_a_rejected_box_is_remembered_with_the_run(stage, qtbot):
    shown(stage, qtbot)
    qtbot.waitUntil(lambda: stage.page.reject.isVisible())
    qtbot.mouseClick(stage.page.reject, Qt.MouseButton.LeftButton)
    run = stage.session.project.run(stage.run)
    assert rejected_boxes(run) == {("film-0", 3)}
    stage.look()
    stage.heat.choose(1)
    stage.heat.choose(3)
    qtbot.waitUntil(lambda: stage.heat.box_rejected)
    qtbot.waitUntil(lambda: stage.page.reject.text() == "Show again")
    qtbot.mouseClick(stage.page.reject, Qt.MouseButton.LeftButton)
    assert rejected_boxes(stage.session.project.run(stage.run)) == frozenset()
    assert not stage.heat.box_rejected


@pytest.mark.parametrize(
    ("state", "words"),
    [("computing", "Computing"), ("silent", "alike"), ("failed", "gone")],
)
def test_what_there_is_to_say_of_a_map_is_said(stage, qtbot, state, words):
    stage.heat.next, stage.heat.words = state, "It is gone, or alike."
    shown(stage, qtbot)
    part = stage.page.map
    said = part.trouble if state == "failed" else part.say
    qtbot.waitUntil(said.isVisible)
    text = part.trouble.text.text() if state == "failed" else part.say.text()
    assert words in text
    assert not stage.page.accept.isVisible()


def test_an_image_that_was_not_looked_at_can_be_predicted(stage, qtbot):
    stage.session.show_case("film-1")
    stage.page.show()
    stage.look()
    assert "not looked at this image" in stage.page.words.text()
    assert not stage.page.map.isVisible()
    qtbot.mouseClick(stage.page.predict, Qt.MouseButton.LeftButton)
    assert stage.stage.asked(PredictCaseJob)[0].case == "film-1"
    qtbot.waitUntil(lambda: "Waiting" in stage.page.words.text())


def test_the_box_is_measured_and_its_class_once(stage, qtbot):
    shown(stage, qtbot)
    qtbot.waitUntil(lambda: bool(stage.stage.asked(MeasureRegionJob)), timeout=10_000)
    job = stage.stage.asked(MeasureRegionJob)[0]
    assert (job.case_id, job.class_id, job.box) == ("film-0", 3, (3.0, 2.0, 10.0, 6.0))
    # No box is drawn and no training image has the class: there is nothing to measure.
    reader = stage.page.radiomics.reader
    qtbot.waitUntil(lambda: reader.regions is not None)
    assert not stage.stage.asked(MeasureClassJob)
    result = {"features": {"original_firstorder_Mean": 3.0}, "reasons": {}}
    stage.stage.finish(MeasureRegionJob, result=result)
    assert "no training region" in stage.page.radiomics.words.text()
    assert stage.page.radiomics.all.isVisible()


def test_a_box_that_cannot_be_measured_says_why(stage, qtbot):
    shown(stage, qtbot)
    qtbot.waitUntil(lambda: bool(stage.stage.asked(MeasureRegionJob)), timeout=10_000)
    stage.stage.finish(MeasureRegionJob, Outcome.FAILED, None, "The file is gone.")
    assert stage.page.radiomics.words.text() == "The file is gone."


def test_a_project_that_is_only_read_offers_nothing(stage, qtbot, monkeypatch):
    monkeypatch.setattr(type(stage.session.project), "writable", property(lambda _self: False))
    shown(stage, qtbot)
    qtbot.waitUntil(lambda: stage.page.map.legend.isVisible())
    assert not stage.page.accept.isVisible()


def test_no_page_is_wider_than_its_panel(stage, qtbot):
    stage.boxes.boxes = (DrawnBox(3, 3, 2, 5, 6),)
    shown(stage, qtbot)
    assert stage.page.minimumSizeHint().width() <= 280
