import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from longtail.app.panels.xray_model import (
    FEW,
    FindingRow,
    energy_words,
    finding_rows,
    iou_of,
    overlap,
    rejected_boxes,
    shown_rows,
)
from longtail.core.explain.stored import StoredMap
from longtail.core.project.boxfiles import DrawnBox
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project


def stored(values, kind="graded", class_id=1):
    return StoredMap(np.asarray(values, np.float16), class_id, "blob", "grad-cam", kind)


def test_intersection_over_union():
    assert iou_of((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert iou_of((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(2 / 6)
    assert iou_of((0, 0, 2, 2), (2, 0, 2, 2)) == 0
    assert iou_of((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_a_map_is_compared_with_the_boxes_of_its_class_alone():
    values = np.zeros((4, 4))
    values[0, 0], values[3, 3] = 0.75, 0.25
    drawn = [DrawnBox(1, 0, 0, 2, 2), DrawnBox(1, 2, 0, 2, 2), DrawnBox(2, 0, 0, 4, 4)]
    told = overlap(stored(values), (0, 0, 2, 2), drawn)
    assert (told.drawn, told.iou) == (2, 1.0)
    assert told.energy == pytest.approx(0.75)
    assert told.is_kept
    assert energy_words(told) == "75 %"


def test_without_a_drawn_box_there_is_nothing_to_compare_with():
    told = overlap(stored(np.ones((2, 2))), (0, 0, 1, 1), [DrawnBox(2, 0, 0, 1, 1)])
    assert (told.drawn, told.iou, told.energy) == (0, None, None)
    assert not told.is_kept
    assert energy_words(told) == ""


def test_a_map_that_says_nothing_has_no_energy():
    told = overlap(stored(np.zeros((2, 2)), "empty"), None, [DrawnBox(1, 0, 0, 1, 1)])
    assert (told.drawn, told.iou, told.energy) == (1, None, None)


def rows(count):
    return [FindingRow(n, f"class {n}", "tail", 1 / n) for n in range(1, count + 1)]


def test_the_first_findings_the_chosen_one_and_those_with_boxes_are_shown():
    many = rows(12)
    many[10] = FindingRow(11, "boxed", "", 0.01, boxed=True)
    assert [row.class_id for row in shown_rows(many, 9, every=False)] == [*range(1, FEW + 1), 9, 11]
    assert len(shown_rows(many, None, every=True)) == 12


def test_rejections_that_are_damaged_are_left_out():
    good = SimpleNamespace(settings={"rejected_boxes": [["a", 1], ["b"], 3, ["c", "x"]]})
    assert rejected_boxes(good) == {("a", 1)}
    assert rejected_boxes(SimpleNamespace(settings={"rejected_boxes": "x"})) == frozenset()
    assert rejected_boxes(SimpleNamespace(settings={})) == frozenset()


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=["a", "b", "c"]) as project:
        given = ImageLabels(frozenset({2}))
        case = NewCase("film", ("f.png",), (4, 4), 1, None, Split.TEST, None, given)
        project.add_cases([case])
        yield project


def run_of(project):
    classes = [{"id": i, "name": n, "examples": 9} for i, n in ((1, "a"), (2, "b"), (3, "c"))]
    run = project.new_run({"method": "cross-entropy", "classes": classes})
    project.record_run(run.id, state="completed", result={"prior": [0.5, 0.3, 0.2]})
    return project.run(run.id)


def test_findings_stand_by_probability_with_what_people_said(project):
    found = finding_rows(
        project,
        run_of(project),
        project.case("film"),
        (-1.0, 2.0, 0.0),
        {1: "head", 2: "tail"},
        [DrawnBox(3, 0, 0, 1, 1)],
    )
    assert [(row.class_id, row.labelled, row.boxed) for row in found] == [
        (2, True, False),
        (3, False, True),
        (1, False, False),
    ]
    assert found[0].tier == "tail"
    assert found[0].probability == pytest.approx(1 / (1 + np.exp(-2)))
    assert "You have labelled it" in found[0].sentence


def test_a_merged_class_stands_once_with_its_likeliest_part(project):
    run = run_of(project)
    project.merge_classes(3, 2, author="a")
    found = finding_rows(project, run, project.case("film"), (0.0, -2.0, 3.0), {}, [])
    assert [row.class_id for row in found] == [2, 1]


def test_an_image_that_is_not_predicted_has_no_findings(project):
    assert finding_rows(project, run_of(project), project.case("film"), (), {}, []) == ()


def test_what_the_window_asks_with_imports_no_torch():
    script = (
        "import sys, longtail.core.jobs.regions, longtail.core.jobs.explaining\n"
        "import longtail.app.panels.radiomics_reader, longtail.app.canvas_map_reading\n"
        "from longtail.core.explain.boxes import boxes_of\n"
        "print({m.partition('.')[0] for m in sys.modules} & {'torch', 'monai'})"
    )
    told = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert told.strip() == "set()"
