"""The table of a region's features: its words, its order, its panel in each state."""

import csv
import math
from types import SimpleNamespace

import numpy as np
import psygnal
import pytest
from qtpy.QtCore import Qt

from longtail.app.panels.radiomics import RadiomicsPanel
from longtail.app.panels.radiomics_bars import ZRow, ZRows
from longtail.app.panels.radiomics_model import (
    DIFFERENCE,
    NAME,
    RANK,
    VALUE,
    FeatureRow,
    Z,
    arranged,
    as_csv,
    feature_rows,
    shown_columns,
)
from longtail.app.panels.radiomics_regions import box_choices, map_choices
from longtail.app.panels.radiomics_words import short_name, value_words, z_words
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Started
from longtail.core.explain.boxes import FoundBox
from longtail.core.explain.stored import StoredMap
from longtail.core.jobs.regions import MeasureClassJob, MeasureRegionJob
from longtail.core.project.boxfiles import DrawnBox
from longtail.core.project.records import ClassRecord, ImageLabels, NewCase, Task
from longtail.core.project.store import Project
from longtail.core.radiomics.unusual import Compared

MEAN, CONTRAST = "original_firstorder_Mean", "original_glcm_Contrast"


def test_words_of_features():
    assert short_name(CONTRAST) == "glcm Contrast"
    assert z_words(2.44) == "+2.4"
    assert z_words(-0.04) == "-0.0"
    assert z_words(1000) == "> +99"
    assert [value_words(v) for v in (None, math.nan, 0.123456, 12345.6)][2:] == ["0.1235", "12,346"]
    assert value_words(None) == value_words(math.inf) == z_words(None)


def rows():
    compared = {MEAN: Compared(3.0, 1.0, 1.0, 4, 5), CONTRAST: Compared(1.0, 6.0, 1.0, 0, 5)}
    features = {MEAN: 3.0, CONTRAST: 1.0, "original_glcm_MCC": None}
    return feature_rows(features, {"original_glcm_MCC": "One grey level."}, compared, {MEAN: 2.5})


def test_the_most_unusual_stand_first_and_what_has_no_value_last():
    assert [row.name for row in arranged(rows())] == [CONTRAST, MEAN, "original_glcm_MCC"]
    assert [row.name for row in arranged(rows(), column=VALUE)][:2] == [MEAN, CONTRAST]
    assert next(row.name for row in arranged(rows(), column=RANK)) == MEAN
    assert [row.name for row in arranged(rows(), "MCC")] == ["original_glcm_MCC"]
    assert next(row.name for row in arranged(rows(), column=NAME, turned=True)).endswith("MCC")


def test_a_row_says_rank_and_difference():
    one = rows()[0]
    assert one.texts[Z] == "+2.0"
    assert one.texts[RANK] == "4 of 5"
    assert "higher than 4 of 5" in one.tip
    assert one.texts[DIFFERENCE] == "+0.5"
    assert rows()[2].tip == "glcm MCC: One grey level."


def test_columns_without_anything_are_left_out():
    assert shown_columns([FeatureRow(MEAN, 1.0)]) == (NAME, VALUE)
    assert DIFFERENCE in shown_columns(rows())


def test_the_table_is_saved_with_all_digits():
    lines = list(csv.DictReader(as_csv(rows()).splitlines()))
    assert lines[0]["feature"] == MEAN
    assert (lines[0]["z"], lines[0]["below"], lines[0]["of"]) == ("2.0", "4", "5")
    assert lines[2]["value"] == ""


def test_boxes_that_can_be_measured(tmp_path):
    case = SimpleNamespace(id="film")
    stored = StoredMap(np.zeros((4, 4), np.float16), 2, "b", "grad-cam", "graded")
    found = box_choices(
        case, {1: "a", 2: "b"}, [DrawnBox(1, 0, 0, 2, 2)], stored, FoundBox((1, 1), (2, 3), 1, 6)
    )
    assert [one.words for one in found] == ["b, predicted box", "a, drawn box"]
    assert found[0].asked.box == (1.0, 1.0, 3.0, 2.0)
    assert box_choices(case, {}, [], stored, None) == ()


def test_classes_of_a_scan_that_can_be_measured():
    classes = [ClassRecord(1, "organ", "#ffffff"), ClassRecord(2, "lesion", "#ffffff")]
    case = SimpleNamespace(id="scan", volumes_mm3={1: 4.0, 255: 9.0})
    predicted = np.array([[0, 2], [2, 255]], np.uint8)
    found = map_choices(case, classes, "run-003-x", predicted)
    assert [one.words for one in found] == ["organ, labelled", "lesion, predicted by run 3"]
    assert found[1].asked.map_of == "run-003-x"


@pytest.mark.parametrize("z", [None, math.nan, math.inf, -math.inf, 0.0, -3.0, 1e9])
def test_odd_figures_are_painted(qtbot, z):
    widget = ZRows()
    qtbot.addWidget(widget)
    widget.show_rows([ZRow("a very long name of a feature that does not fit", z), ZRow("", z)])
    widget.resize(160, 60)
    assert not widget.grab().isNull()


class Stage:
    """A backend and a driver that do as they are told."""

    def __init__(self):
        self.jobs, self.takes = [], []

    def submit(self, job):
        self.jobs.append(job)
        return SimpleNamespace(cancel=lambda: None)

    def watch(self, tracked, take):
        self.takes.append((tracked, take))

    def finish(self, kind, result):
        tracked, take = next(t for t in self.takes[::-1] if isinstance(t[0].job, kind))
        take(tracked, Started("x", "CPU"))
        take(tracked, Finished(Outcome.COMPLETED, result))

    def close(self, leave_running=False): ...

    def warm_up(self): ...

    def device_label(self):
        return "CPU"


class Canvas:
    changed = psygnal.Signal()

    def __init__(self):
        self.state = "shown"
        self.heat = SimpleNamespace(state="off", stored=None, best_box=None)
        self.boxes = SimpleNamespace(boxes=None)
        self.prediction = SimpleNamespace(layer=None, run_id=None)


@pytest.fixture
def stage(tmp_path, qtbot):
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=["a", "b"]) as project:
        for number in range(7):
            given = ImageLabels(frozenset({1}))
            case = NewCase(f"f{number}", (f"{number}.png",), (9, 9), 1, None, labels=given)
            project.add_cases([case])
            project.set_boxes(f"f{number}", [DrawnBox(1, 0, 0, 4, 4 + number / 2)], author="a")
    stage = Stage()
    session = Session(stage, stage, lambda *_: None)
    session.open_project(project.path)
    session.show_case("f0")
    canvas = Canvas()
    panel = RadiomicsPanel(session, canvas)
    qtbot.addWidget(panel)
    qtbot.addWidget(panel.head)
    panel.resize(760, 240)
    panel.show()
    qtbot.waitExposed(panel)
    yield SimpleNamespace(panel=panel, canvas=canvas, session=session, stage=stage)
    panel.close_threads()
    session.close()


def asked(stage, kind):
    return [job for job in stage.stage.jobs if isinstance(job, kind)]


def test_without_a_region_it_says_what_to_do(stage, qtbot):
    qtbot.waitUntil(lambda: "Draw a box" in stage.panel.nothing.text.text())
    assert stage.panel.pages.currentIndex() == 0
    assert stage.stage.jobs == []


def test_a_box_is_measured_and_the_rest_is_offered(stage, qtbot):
    stage.canvas.boxes.boxes = stage.session.project.boxes("f0")
    stage.canvas.changed.emit()
    qtbot.waitUntil(lambda: bool(asked(stage, MeasureRegionJob)), timeout=10_000)
    qtbot.waitUntil(lambda: stage.panel.measure.text() == "Measure 7 training images")
    assert not asked(stage, MeasureClassJob)
    qtbot.mouseClick(stage.panel.measure, Qt.MouseButton.LeftButton)
    assert asked(stage, MeasureClassJob)[0].class_id == 1
    assert "waiting" in stage.panel.words.text() or "Measuring" in stage.panel.words.text()


def test_another_region_stands_beside_a_kept_one(stage, qtbot, tmp_path):
    stage.canvas.boxes.boxes = (DrawnBox(1, 0, 0, 4, 4), DrawnBox(2, 1, 1, 5, 5))
    stage.canvas.changed.emit()
    qtbot.waitUntil(lambda: bool(asked(stage, MeasureRegionJob)), timeout=10_000)
    stage.stage.finish(MeasureRegionJob, {"features": {MEAN: 5.0}, "reasons": {}})
    table = stage.panel.table.features
    assert [row.value for row in table.rows] == [5.0]
    qtbot.mouseClick(stage.panel.keep, Qt.MouseButton.LeftButton)
    assert "a, drawn box 1" in stage.panel.kept.text()
    stage.panel.region.setCurrentIndex(1)
    stage.panel.region.activated.emit(1)
    qtbot.waitUntil(lambda: len(asked(stage, MeasureRegionJob)) == 2, timeout=10_000)
    stage.stage.finish(MeasureRegionJob, {"features": {MEAN: 7.5}, "reasons": {}})
    assert table.rows[0].difference == 2.5
    place = shown_columns(table.rows).index(DIFFERENCE)
    assert table.data(table.index(0, place)) == "+2.5"
    stage.panel.save(tmp_path / "out.csv")
    assert "7.5" in (tmp_path / "out.csv").read_text()
    stage.panel.forget.click()
    assert table.rows[0].difference is None
    assert not stage.panel.grab().isNull()
