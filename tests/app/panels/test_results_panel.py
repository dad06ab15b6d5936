"""The Results panel in each of its states, with a backend that does as it is told."""

import os
from types import SimpleNamespace

import numpy as np
import psygnal
import pytest
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QFileDialog, QMenu

from longtail.app.panels import results_report, results_shelf
from longtail.app.panels.results import NOBODY, ResultsPanel
from longtail.app.session import Session
from longtail.core.backend.events import Artifact, Finished, Outcome, Progress, Started
from longtail.core.evaluate.report import (
    ClassValue,
    EvaluatedClass,
    Figure,
    Provenance,
    Report,
    write_report,
)
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.jobs.prediction import PredictCaseJob
from longtail.core.jobs.training import TrainJob
from longtail.core.project.records import ImageLabels, NewCase, PredictionRecord, Split, Task
from longtail.core.project.store import Project

CLASSES = ("common", "rare")


class Stage:
    def __init__(self):
        self.jobs, self.takes, self.cancelled = [], [], []

    def submit(self, job):
        self.jobs.append(job)
        return SimpleNamespace(cancel=lambda: self.cancelled.append(job))

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"

    def watch(self, tracked, take):
        self.takes.append((tracked, take))

    def tell(self, *events):
        tracked, take = self.takes[-1]
        for event in events:
            take(tracked, event)


class Unsure:
    changed = psygnal.Signal()

    def __init__(self):
        self.layer, self.visible, self.score = None, False, None


class Canvas:
    def __init__(self):
        self.prediction = SimpleNamespace(uncertainty=Unsure())
        self.run, self.prediction_visible, self.prediction_opacity = None, True, 0.6

    def show_prediction(self, run_id):
        self.run = run_id


def report(run_id, common=0.9, rare=0.4, version=1):
    classes = tuple(
        EvaluatedClass(i + 1, name, "#ffffff", tier, count, None, 5)
        for i, (name, tier, count) in enumerate(((CLASSES[0], "head", 90), (CLASSES[1], "tail", 4)))
    )
    values = {"common": common, "rare": rare}
    by_class = {name: ClassValue(v, v - 0.1, min(v + 0.1, 1), 5) for name, v in values.items()}
    mean = (common + rare) / 2
    summary = {
        "recall": Figure(mean, mean - 0.05, mean + 0.05, 10, by_class),
        "balanced_accuracy": Figure(mean, mean - 0.05, mean + 0.05, 10),
        "auc": Figure(0.8, 0.7, 0.9, 10, by_class),
    }
    made = Provenance(
        "p",
        "classification",
        "cross-entropy",
        "Cross-entropy",
        {},
        (0,),
        9,
        0,
        "none",
        0,
        10,
        version,
        "h",
        4,
        4,
        0,
        "now",
    )
    return Report(run_id, "test", summary, (), made, classes, "")


@pytest.fixture
def folder(tmp_path):
    with Project.create(
        tmp_path / "cells.longtail", task=Task.CLASSIFICATION, classes=CLASSES
    ) as made:
        made.add_cases(
            NewCase(
                f"cell-{n}",
                ((tmp_path / f"cell-{n}.png").as_posix(),),
                (8, 8),
                1,
                None,
                split=Split.TEST if n < 4 else Split.TRAIN,
                labels=ImageLabels(frozenset({1 if n % 3 else 2})),
            )
            for n in range(12)
        )
    return tmp_path / "cells.longtail"


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def canvas():
    return Canvas()


@pytest.fixture
def session(stage, folder):
    made = Session(stage, stage, record=lambda project, job, finished: None)
    made.open_project(folder)
    yield made
    made.close_project()


@pytest.fixture
def panel(session, canvas, qtbot):
    widget = ResultsPanel(session, canvas)
    qtbot.addWidget(widget)
    widget.resize(310, 700)
    widget.show()
    return widget


@pytest.fixture
def add_run(session, panel):
    def add(state="completed", evaluated=None, **figures):
        project = session.project
        spec = {
            "method": "cross-entropy",
            "task": "classification",
            "label_version": project.label_version,
            "classes": [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)],
        }
        run = project.new_run(spec)
        project.record_run(run.id, state=state)
        if evaluated:
            told = report(run.id, version=project.label_version, **figures)
            write_report(project.run_folder(run.id) / f"evaluation-{evaluated}.json", told)
        session.choose_run(run.id)
        session.runs_changed.emit()
        panel.refresh()
        return run.id

    return add


def test_without_a_run_it_leads_to_train(panel, qtbot):
    assert panel.pages.currentWidget() is panel.nothing
    with qtbot.waitSignal(panel.panel_asked) as asked:
        panel.nothing.button.click()
    assert asked.args == ["Train"]


def test_runs_that_kept_nothing_are_not_offered(panel, add_run):
    add_run("cancelled")
    add_run("failed")
    assert panel.pages.currentWidget() is panel.nothing


def test_a_run_that_was_not_evaluated_can_be(panel, add_run, stage, session):
    run_id = add_run()
    assert panel.figures.isHidden()
    assert panel.primary.text() == "Evaluate on 4 test images"
    panel.primary.click()
    assert stage.jobs == [EvaluateJob(session.project.path.as_posix(), run_id, "test")]


def test_work_shows_how_far_it_is_and_can_be_stopped(panel, add_run, stage, qtbot):
    add_run()
    panel.primary.click()
    qtbot.waitUntil(lambda: not panel.working.isHidden())
    assert panel.primary.isHidden()
    stage.tell(Started("Evaluate", "CPU"), Progress(10, 40, 42.0, "predicting"))
    qtbot.waitUntil(lambda: panel.working.words.text() == "Predicting")
    assert panel.working.left.text() == "0:42 left"
    panel.working.stop.click()
    assert stage.cancelled == stage.jobs


def test_the_results_appear_when_the_work_is_done(panel, add_run, stage, session, qtbot):
    run_id = add_run()
    panel.primary.click()
    path = session.project.run_folder(run_id) / "evaluation-test.json"
    write_report(path, report(run_id, version=session.project.label_version))
    stage.tell(Started("Evaluate", "CPU"), Finished(Outcome.COMPLETED, {}))
    qtbot.waitUntil(lambda: not panel.figures.isHidden())
    assert panel.working.isHidden()
    assert panel.figures.number.number.text() == "0.65"
    assert panel.primary.text() == "Report"


def test_a_failure_says_why_and_what_next(panel, add_run, stage, qtbot):
    add_run()
    panel.primary.click()
    failed = Finished(Outcome.FAILED, None, "A scan is gone.", "Relink its folder.")
    stage.tell(Started("Evaluate", "CPU"), failed)
    qtbot.waitUntil(lambda: panel.ask.title.text() == "A scan is gone.")
    assert panel.ask.property("tone") == "bad"
    assert panel.primary.text().startswith("Evaluate")


def test_figures_stand_beside_those_of_the_run_before(panel, add_run):
    add_run(evaluated="test", common=0.95, rare=0.1)
    add_run(evaluated="test", common=0.9, rare=0.4)
    number = panel.figures.number
    assert number.number.text() == "0.65"
    assert number.first.text() == "balanced accuracy"
    assert (number.right_first.text(), number.right_second.text()) == ("+0.12", "over run 1")
    assert number.right_first.property("longtail") == "good"
    assert panel.figures.table.tip_at(QPoint(0, 0)).startswith("common: Recall 0.90")
    assert "RECALL BY CLASS, TEST" in panel.figures.measure.text()


def test_another_run_or_none_can_be_compared_with(panel, add_run):
    first = add_run(evaluated="test", rare=0.1)
    add_run(evaluated="test", rare=0.2)
    add_run(evaluated="test", rare=0.4)
    assert "run 2" in panel.figures.other.text()
    panel.figures.other_chosen.emit(first)
    assert "run 1" in panel.figures.other.text()
    panel.figures.other_chosen.emit(NOBODY)
    assert panel.figures.number.right_first.text() == ""
    assert panel.figures.other.text().startswith("compare with")


def test_another_measure_can_be_shown(panel, add_run):
    add_run(evaluated="test")
    panel.figures.measure_chosen.emit("auc")
    assert panel.figures.number.first.text() == "mean AUC"
    assert [action.text() for action in panel.figures.measure.menu_actions()] == ["Recall", "AUC"]


def test_the_run_is_chosen_for_the_whole_window(panel, add_run, session):
    first = add_run(evaluated="test")
    add_run()
    panel.run.setCurrentIndex(panel.run.findData(first))
    panel.run.activated.emit(panel.run.currentIndex())
    assert session.run_id == first


def test_changed_labels_make_the_figures_old(panel, add_run, session):
    add_run(evaluated="test")
    assert panel.ask.isHidden()
    session.project.set_labels(["cell-9"], ImageLabels(frozenset({2})), author="me")
    panel.refresh()
    assert panel.ask.title.text().startswith("Labels have changed")
    assert not panel.again.isHidden()


def test_weights_that_were_best_for_a_class_can_be_measured(panel, add_run, stage, session):
    run_id = add_run(evaluated="test")
    folder = session.project.run_folder(run_id) / "checkpoints"
    folder.mkdir(exist_ok=True)
    panel.refresh()
    assert panel.page.weights.isHidden()
    (folder / "best-class-2.pt").write_bytes(b"")
    panel.refresh()
    assert not panel.page.weights.isHidden()
    panel.page.weights.click()
    (menu,) = panel.findChildren(QMenu)
    own, rare = menu.actions()
    assert rare.text() == "With the weights that were best for rare"
    rare.trigger()
    path = session.project.path.as_posix()
    assert stage.jobs == [EvaluateJob(path, run_id, "test", which="class-2")]
    own.trigger()
    assert stage.jobs[1:] == [EvaluateJob(path, run_id, "test")]
    menu.close()


def test_a_damaged_report_is_told(panel, add_run, session):
    run_id = add_run(evaluated="test")
    path = session.project.run_folder(run_id) / "evaluation-test.json"
    path.write_text("{")
    os.utime(path, (1, 1))
    panel.refresh()
    assert panel.figures.isHidden()
    assert panel.ask.property("tone") == "bad"


def test_a_damaged_report_of_the_other_run_does_not_hide_this_one(panel, add_run, session):
    first = add_run(evaluated="test")
    path = session.project.run_folder(first) / "evaluation-test.json"
    add_run(evaluated="test")
    path.write_text("{")
    os.utime(path, (1, 1))
    panel.refresh()
    assert not panel.figures.isHidden()
    assert panel.figures.number.right_first.text() == ""


def test_the_report_opens_in_the_browser(panel, add_run, session, monkeypatch):
    run_id = add_run(evaluated="test")
    opened, told = [], []
    monkeypatch.setattr(results_report, "open_in_browser", lambda path: opened.append(path) or True)
    session.notice.connect(lambda notice: told.append(notice.text))
    panel.primary.click()
    assert opened == []
    assert "could not be opened" in told[0]
    page = session.project.run_folder(run_id) / "report.html"
    page.write_text("<html></html>")
    panel.primary.click()
    assert opened == [page]


def test_the_report_is_saved_as_pdf_where_the_user_says(panel, add_run, session, monkeypatch):
    add_run(evaluated="test")
    assert not panel.page.pdf.isHidden()
    told = []
    session.notice.connect(lambda notice: told.append(notice))
    target = session.project.path.parent / "mine.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_given: (str(target), ""))
    panel.page.pdf.click()
    assert target.read_bytes()[:5] == b"%PDF-"
    assert "mine.pdf" in told[0].text
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_given: ("/proc/no/a.pdf", ""))
    panel.page.pdf.click()
    assert told[1].severity == "error"


def test_findings_of_the_case_are_listed_the_likeliest_first(panel, add_run, session, qtbot):
    run_id = add_run(evaluated="test")
    logits = np.array([0.0, 2.0], np.float32)
    version = session.project.label_version
    session.project.record_predictions(
        [PredictionRecord("cell-1", run_id, "h", version, logits=logits)]
    )
    session.show_case("cell-1")
    panel.case._predictions = type(panel.case._predictions)()
    panel.refresh()
    qtbot.waitUntil(lambda: not panel.case.findings.isHidden())
    assert panel.case.findings.tip_at(QPoint(0, 0)).startswith("rare: 0.88")
    assert panel.case.predict.isHidden()


def test_findings_follow_the_setting_that_is_kept_and_say_so(panel, add_run, session, qtbot):
    run_id = add_run(evaluated="test")
    project = session.project
    logits = np.array([2.0, 0.0], np.float32)
    version = project.label_version
    project.record_predictions([PredictionRecord("cell-1", run_id, "h", version, logits=logits)])
    project.record_run(run_id, state="completed", result={"prior": [0.9, 0.1]})
    session.show_case("cell-1")
    panel.case._predictions = type(panel.case._predictions)()
    panel.refresh()
    qtbot.waitUntil(lambda: panel.case.findings.tip_at(QPoint(0, 0)).startswith("common: 0.88"))
    project.set_run_setting(run_id, "prior_target", [0.5, 0.5])
    session.runs_changed.emit()
    # The odds of e^2 to 1 are divided by 9.
    qtbot.waitUntil(lambda: panel.case.findings.tip_at(QPoint(0, 0)).startswith("rare: 0.55"))
    assert "prior slider" in panel.case.words.text()
    assert panel.ask.title.text().startswith("These figures are as trained")
    assert not panel.again.isHidden()


def test_what_is_asked_for_in_the_details_goes_to_the_list(panel, add_run, session):
    add_run(evaluated="test")
    asked, told = [], []
    session.cases_asked.connect(lambda ids, words: asked.append((ids, words)))
    session.notice.connect(lambda notice: told.append(notice.text))
    panel.details.cases_asked.emit(("cell-1", "cell-2"), "rare taken for common")
    assert asked == [(("cell-1", "cell-2"), "rare taken for common")]
    panel.details.cases_asked.emit((), "rare found")
    assert len(asked) == 1
    assert told == ["No case: rare found."]


def test_a_case_that_was_not_predicted_can_be_while_training_runs(
    panel, add_run, session, stage, canvas, qtbot
):
    run_id = add_run(evaluated="test")
    session.show_case("cell-2")
    qtbot.waitUntil(lambda: not panel.case.predict.isHidden())
    panel.case.predict.click()
    assert stage.jobs == [PredictCaseJob(session.project.path.as_posix(), run_id, "cell-2")]
    assert panel.case.predict.isHidden()
    # It does not take the place of the figures.
    assert panel.working.isHidden()
    stage.tell(Started("Predict", "CPU"), Finished(Outcome.COMPLETED, {"count": 1}))
    assert canvas.run == run_id


def test_the_overlay_follows_its_switch(panel, add_run, canvas, session):
    run_id = add_run(evaluated="test")
    session.show_case("cell-2")
    panel.refresh()
    panel.case.shown_changed.emit(False)
    assert canvas.prediction_visible is False
    panel.case.shown_changed.emit(True)
    assert (canvas.prediction_visible, canvas.run) == (True, run_id)
    panel.case.opacity_changed.emit(0.3)
    assert canvas.prediction_opacity == pytest.approx(0.3)


def test_without_test_cases_it_says_how_to_get_some(panel, add_run, session, qtbot):
    project = session.project
    project.set_split([f"cell-{n}" for n in range(4)], Split.TRAIN)
    session.refresh()
    add_run()
    assert "No labelled test image" in panel.ask.title.text()
    with qtbot.waitSignal(panel.panel_asked) as asked:
        panel.primary.click()
    assert asked.args == ["Cases"]


def test_large_reports_are_read_off_the_main_thread(panel, add_run, monkeypatch, qtbot):
    monkeypatch.setattr(results_shelf, "SMALL_BYTES", 10)
    add_run(evaluated="test", rare=0.1)
    add_run(evaluated="test")
    assert panel.ask.title.text() == "Reading the results"
    assert panel.figures.isHidden()
    qtbot.waitUntil(lambda: panel.figures.number.right_second.text() == "over run 1")
    assert panel.ask.isHidden()


def test_a_large_damaged_report_is_told_too(panel, add_run, session, monkeypatch, qtbot):
    monkeypatch.setattr(results_shelf, "SMALL_BYTES", 1)
    run_id = add_run()
    path = session.project.run_folder(run_id) / "evaluation-test.json"
    path.write_text("{not json")
    panel.refresh()
    qtbot.waitUntil(lambda: panel.ask.property("tone") == "bad")


def test_a_hidden_panel_does_not_read(panel, add_run, session):
    add_run(evaluated="test")
    panel.hide()
    panel._soon.stop()
    session.refresh()
    assert not panel._soon.isActive()
    panel.show()
    assert panel._soon.isActive()


def test_closing_the_project_empties_the_panel(panel, add_run, session, qtbot):
    add_run(evaluated="test")
    session.close_project()
    qtbot.waitUntil(lambda: panel.pages.currentWidget() is panel.nothing)


def test_uncertainty_can_be_shown_where_there_is_a_map_of_it(panel, add_run, canvas, session):
    add_run(evaluated="test")
    session.show_case("cell-2")
    panel.refresh()
    row, view = panel.case.unsure, canvas.prediction.uncertainty
    assert row.isHidden()
    view.layer, view.score = object(), 0.0123
    view.changed.emit()
    assert not row.isHidden()
    assert row.score.text() == "0.012 on average"
    row.switch.click()
    assert view.visible
    view.visible = False
    view.changed.emit()
    assert not row.switch.isChecked()
    assert "Shift+U" in row.switch.toolTip()
    assert panel.page.scroll.widget().minimumSizeHint().width() <= 310


def test_a_run_in_training_predicts_from_its_first_checkpoint_on(
    panel, add_run, stage, session, qtbot
):
    run_id = add_run("running")
    assert panel.pages.currentWidget() is panel.nothing
    session.show_case("cell-0")
    tracked = session.submit(TrainJob(session.project.path.as_posix(), run_id))
    last = session.project.run_folder(run_id) / "checkpoints" / "last.pt"
    last.parent.mkdir(exist_ok=True)
    last.write_bytes(b"weights")
    stage.tell(Started("Train", "CPU"), Artifact("checkpoints/last.pt", "checkpoint"))
    qtbot.waitUntil(lambda: panel.pages.currentWidget() is panel.page)
    assert panel.run.currentText() == "training · Cross-entropy"
    assert panel.ask.title.text() == "Still training"
    assert panel.primary.isHidden()
    assert panel.case.predict.text() == "Predict this image"
    panel.case.predict.click()
    assert stage.jobs[-1] == PredictCaseJob(session.project.path.as_posix(), run_id, "cell-0")
    assert tracked.finished is None


def test_a_prediction_of_a_run_in_training_can_be_made_again(panel, add_run, session, qtbot):
    run_id = add_run("running")
    last = session.project.run_folder(run_id) / "checkpoints" / "last.pt"
    last.parent.mkdir(exist_ok=True)
    last.write_bytes(b"weights")
    logits = np.array([0.1, 0.2], np.float32)
    session.project.record_predictions(
        [PredictionRecord("cell-0", run_id, "h", session.project.label_version, logits=logits)]
    )
    session.show_case("cell-0")
    session.runs_changed.emit()
    qtbot.waitUntil(lambda: panel.case.predict.text() == "Predict again")
    assert not panel.case.predict.isHidden()
    assert "learned more since" in panel.case.words.text()
