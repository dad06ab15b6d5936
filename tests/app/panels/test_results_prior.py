"""The prior slider's widgets, and the slider at work on a run of a session."""

from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from longtail.app.panels.results_prior import PriorPart
from longtail.app.panels.results_prior_model import PriorClass, PriorModel
from longtail.app.panels.results_prior_table import HEAD_PX, PriorTable
from longtail.app.panels.results_rows import ROW_PX
from longtail.app.panels.results_slider import RunSlider
from longtail.app.session import Session
from longtail.core.evaluate.operating import Answers
from longtail.core.evaluate.report import Provenance, Report, Tuned
from longtail.core.evaluate.setting import read_setting
from longtail.core.predict.shelf import Shelf, Shelved, write_shelf
from longtail.core.project.records import Split

PRIOR = [0.9, 0.1]


def classes(count):
    return tuple(
        PriorClass(i + 1, f"class {i}", "tail" if i else "head", 900 // (i + 1) ** 2)
        for i in range(count)
    )


def model(count=3, exclusive=True, size=60):
    rng = np.random.default_rng(0)
    prior = np.array([one.training for one in classes(count)], float)
    prior /= prior.sum()
    logits = rng.normal(size=(size, count)) + np.log(prior)
    if exclusive:
        truth = rng.integers(0, count, size)
    else:
        truth = (rng.random((size, count)) < 0.3).astype(np.int8)
    return PriorModel(classes(count), classes(count), prior, Answers(truth, logits))


@pytest.fixture
def part(qtbot):
    widget = PriorPart()
    qtbot.addWidget(widget)
    widget.resize(286, 600)
    return widget


def test_without_a_run_there_is_no_slider(part):
    part.show_model(None)
    assert part.isHidden()


def test_moving_it_tells_what_it_costs_and_back_undoes_it(part, qtbot):
    part.show_model(model())
    assert part.cost.isHidden()
    assert part.back.isHidden()
    assert not part.use.isEnabled()
    part.slider.setValue(100)
    assert "found" in part.words.text()
    assert part.section.aside.text() == "τ = 1"
    assert part.use.isEnabled()
    part.back.click()
    assert part.model.is_as_trained
    assert part.slider.value() == 0
    assert part.cost.isHidden()


def test_the_slider_moves_with_the_keys(part, qtbot):
    part.show_model(model())
    part.show()
    part.slider.setFocus()
    qtbot.keyClick(part.slider, Qt.Key.Key_Right)
    assert part.model.position.amount == pytest.approx(0.01)


def test_each_class_has_a_fine_slider_in_words(part):
    part.show_model(model())
    part.fine.sliders[3].setValue(30)
    assert part.model.position.factors == {3: pytest.approx(8.0)}
    assert part.fine._words[3].text() == part.model.share_text(3)


def test_findings_have_thresholds_and_those_of_validation_can_be_taken(part):
    part.show_model(model(exclusive=False), tuned={2: 0.31}, tuned_on=40)
    assert "40 validation images" in part.fine.tuned.text()
    part.fine.sliders[1].setValue(20)
    assert part.model.setting.thresholds == {1: 0.2}
    part.fine.tuned.click()
    assert part.model.setting.thresholds == {2: 0.31}
    assert part.fine.sliders[2].value() == 31


def test_a_project_that_can_only_be_looked_at_keeps_nothing(part):
    part.show_model(model(), writable=False)
    part.slider.setValue(80)
    assert not part.use.isEnabled()
    assert "only be looked at" in part.state.text()


@pytest.mark.parametrize("width", [30, 160, 286, 900])
@pytest.mark.parametrize("count", [1, 2, 20])
def test_tables_of_any_size_are_painted(qtbot, count, width):
    table = PriorTable()
    qtbot.addWidget(table)
    made = model(count, size=7)
    made.move(1.0)
    table.show_rows(made.rows())
    table.resize(width, HEAD_PX + count * ROW_PX)
    assert not table.grab().isNull()
    assert table.tip_at(QPoint(0, HEAD_PX + 1)).startswith("class 0: ")
    assert table.tip_at(QPoint(0, 1)) == ""


class Stage:
    def submit(self, job):
        return SimpleNamespace()

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"

    def watch(self, tracked, take): ...


@pytest.fixture
def session(cells):
    made = Session(Stage(), Stage(), record=lambda project, job, finished: None)
    made.open_project(cells)
    yield made
    made.close_project()


@pytest.fixture
def run(session):
    project = session.project
    names = [(1, "common", 90), (2, "rare", 10)]
    spec = {
        "method": "cross-entropy",
        "task": "classification",
        "classes": [{"id": i, "name": name, "examples": n} for i, name, n in names],
    }
    made = project.new_run(spec)
    logits = {f"cell_{n:02d}": np.array([1.0, 0.0 if n else 2.0], np.float32) for n in range(6)}
    cases = {case: Shelved(0.1, logits=row) for case, row in logits.items()}
    write_shelf(project.run_folder(made.id), Shelf("h" * 64, 1, (1, 2), cases))
    return project.record_run(made.id, state="completed", result={"prior": PRIOR})


def report(run, tuned=None):
    about = Provenance(
        "p", "classification", "m", "M", {}, (0,), 9, 0, "none", 0, 1, 1, "h", 6, 6, 0, "now"
    )
    return Report(run.id, "train", {}, (), about, (), "", tuned=tuned)


@pytest.fixture
def slider(session, run, qtbot):
    widget = RunSlider(session)
    qtbot.addWidget(widget)
    widget.show_run(session.project, run, Split.TRAIN, report(run))
    qtbot.waitUntil(lambda: widget.model is not None)
    yield widget
    widget.close_threads()


def test_the_setting_is_kept_with_the_run_and_wiped_again(slider, session, run):
    told = []
    session.runs_changed.connect(lambda: told.append(1))
    slider.slider.setValue(100)
    slider.use.click()
    kept = session.project.run(run.id).settings
    assert read_setting(kept, [1, 2]).target == pytest.approx((0.5, 0.5))
    assert told == [1]
    assert "predictions" in slider.state.text()
    assert not slider.use.isEnabled()
    slider.back.click()
    assert read_setting(session.project.run(run.id).settings, [1, 2]).is_as_trained
    assert told == [1, 1]
    assert slider.back.isHidden()


def test_what_was_kept_is_shown_on_the_next_opening(slider, session, run, qtbot):
    slider.slider.setValue(60)
    slider.use.click()
    again = RunSlider(session)
    qtbot.addWidget(again)
    again.show_run(session.project, session.project.run(run.id), Split.TRAIN, report(run))
    qtbot.waitUntil(lambda: again.model is not None)
    assert again.slider.value() == 60
    assert again.model.is_kept
    again.close_threads()


def test_nothing_is_shown_before_the_run_was_evaluated(slider, session, run):
    slider.show_run(session.project, run, Split.TRAIN, None)
    assert slider.model is None
    assert slider.isHidden()


def test_a_damaged_setting_is_told(session, run, qtbot):
    told = []
    session.notice.connect(lambda notice: told.append(notice.text))
    session.project.set_run_setting(run.id, "prior_target", "much")
    widget = RunSlider(session)
    qtbot.addWidget(widget)
    widget.show_run(session.project, session.project.run(run.id), Split.TRAIN, report(run))
    qtbot.waitUntil(lambda: bool(told))
    assert "damaged" in told[0]
    widget.close_threads()


def test_thresholds_of_a_report_are_offered_by_class(slider, session, run, qtbot):
    from longtail.core.evaluate.report import EvaluatedClass

    made = report(run, Tuned({"rare": 0.3, "gone": 0.2}, 12, {}))
    known = EvaluatedClass(2, "rare", "#ffffff", "tail", 10, None, 1)
    made = Report(**{**{f: getattr(made, f) for f in made.__slots__}, "classes": (known,)})
    session.project.set_labels(["cell_07"], None, author="me")
    slider.show_run(session.project, run, Split.TRAIN, made)
    qtbot.waitUntil(lambda: slider._tuned == {2: 0.3})
    assert slider._tuned_on == 12
