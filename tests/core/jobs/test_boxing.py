"""Boxes of a run's maps, compared with drawn ones while the run is evaluated."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from longtail.core.backend.events import Outcome
from longtail.core.checkpoints.card import ModelCard
from longtail.core.checkpoints.store import save
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.evaluate.box_scores import FIGURES
from longtail.core.evaluate.box_words import box_lines
from longtail.core.evaluate.report import Report, read_report
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.jobs.explaining import ExplainCaseJob
from longtail.core.methods.spec import RunSpec, read_spec, write_spec
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.project.boxes import DrawnBox
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project

HEIGHT, WIDTH = 48, 80
AS_IT_IS = Intensity("window", 0.0, 100.0, (0.0,), (1.0,))


@pytest.fixture
def films(tmp_path):
    """Four pictures with two findings, boxes in three of them, and a run with chance weights."""
    card = ModelCard(
        task=Task.MULTILABEL,
        class_ids=(1, 2),
        class_names=("blob", "line"),
        network=NetworkRecipe("encoder", 2, 1, 2, {"name": "resnet18"}),
        preprocessing=Preprocessing(2, 1, AS_IT_IS, size=(64, 64)),
        prior=(0.5, 0.1),
    )
    rng = np.random.default_rng(0)
    cases = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 90, (HEIGHT, WIDTH)).astype(np.uint8)).save(path)
        yes = frozenset({1, 2}) if number < 3 else frozenset()
        labels = ImageLabels(yes, frozenset({1, 2}) - yes)
        shape = () if number == 2 else (HEIGHT, WIDTH)
        cases.append(
            NewCase(str(number), (path.as_posix(),), shape, 1, None, Split.TEST, labels=labels)
        )
    with Project.create(
        tmp_path / "films", task=Task.MULTILABEL, classes=["blob", "line"]
    ) as project:
        assert project.add_cases(cases).skipped == ()
        project.set_boxes(
            "0", [DrawnBox(1, 10, 5, 30, 20), DrawnBox(1, 50, 20, 20, 20)], author="m"
        )
        project.set_boxes("1", [DrawnBox(2, 0, 0, 40, 30), DrawnBox(1, 40, 8, 33, 33)], author="m")
        project.set_boxes("2", [DrawnBox(2, 12, 12, 50, 30)], author="m")
        project.set_boxes("3", [], author="m")
        classes = [
            {"id": id_, "name": name, "examples": 10, "volume": 0.0}
            for id_, name in zip(card.class_ids, card.class_names, strict=True)
        ]
        spec = RunSpec(method="cross-entropy", task=card.task, classes=classes, iterations=7)
        run = project.new_run(spec.to_mapping())
        torch.manual_seed(0)
        weights = build_network(card.network).state_dict()
        path = project.run_folder(run.id) / "checkpoints" / "last.pt"
        save(path, {"card": card.to_mapping(), "weights": weights})
        yield project, run.id


def _found(finish, project, run_id):
    result = finish(EvaluateJob(project.path.as_posix(), run_id)).result
    lines = [line for line in result["cases"] if "boxes" in line]
    return [one["found"] for line in lines for one in line["boxes"].values()]


def test_a_run_that_looked_at_an_earlier_layer_is_measured_by_its_own_maps(films, finish):
    project, run_id = films
    usual = _found(finish, project, run_id)
    settings = {"map": "hirescam", "map_layer": "body.network.layer3"}
    spec = read_spec(project.run_folder(run_id))
    write_spec(project.run_folder(run_id), spec.replace(settings=settings))
    project.record_run(run_id, state="completed")
    assert _found(finish, project, run_id) != usual

    shown = ExplainCaseJob(project.path.as_posix(), run_id, "0", 1, variant="hirescam")
    named = replace(shown, layer="body.network.layer3")
    other = replace(shown, layer="body.network.layer4")
    boxes = [finish(job).result["boxes"] for job in (shown, named, other)]
    assert boxes[0] == boxes[1] != boxes[2]


def _overlap(first, second):
    """Give intersection over union, pixel by pixel, of boxes on whole pixels."""
    masks = []
    for x, y, w, h in (first, second):
        mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[int(y) : int(y + h), int(x) : int(x + w)] = True
        masks.append(mask)
    return (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()


def _own_box(finish, project, run_id, case, class_id):
    job = ExplainCaseJob(project.path.as_posix(), run_id, case, class_id)
    box = finish(job).result["box"]
    return [box[side] for side in "xywh"]


def test_boxes_are_compared_with_those_that_the_window_shows(films, finish):
    project, run_id = films
    ended = finish(EvaluateJob(project.path.as_posix(), run_id))
    assert ended.outcome is Outcome.COMPLETED, ended.reason
    summary = ended.result["summary"]
    assert set(FIGURES) <= set(summary)
    lines = {line["case"]: line for line in ended.result["cases"]}
    assert "boxes" not in lines["3"]
    by_class = {"blob": [], "line": []}
    for case, class_id, name in [
        ("0", 1, "blob"),
        ("1", 2, "line"),
        ("1", 1, "blob"),
        ("2", 2, "line"),
    ]:
        box = _own_box(finish, project, run_id, case, class_id)
        drawn = [one.xywh for one in project.boxes(case) if one.class_id == class_id]
        overlaps = [_overlap(one, box) for one in drawn]
        # One box can find one drawn box alone: the one that it covers most.
        best = int(np.argmax(overlaps))
        wanted = [value if place == best else 0.0 for place, value in enumerate(overlaps)]
        told = lines[case]["boxes"][name]
        assert told["found"] == [box]
        assert told["iou"] == pytest.approx(wanted, abs=1e-4)
        by_class[name] += wanted
    means = [float(np.mean(values)) for values in by_class.values()]
    assert summary["box_iou"]["mean"] == pytest.approx(np.mean(means), abs=1e-4)
    assert summary["box_iou"]["n"] == 5
    controls = ended.result["controls"]
    assert {way: set(row) for way, row in controls.items()} == {
        "random map": set(FIGURES),
        "centre box": set(FIGURES),
    }
    hits = [float(np.mean(np.array(values) > 0.1)) for values in by_class.values()]
    assert summary["box_acc_10"]["mean"] == pytest.approx(np.mean(hits))


def test_the_report_has_the_controls_and_tells_them(films, finish):
    project, run_id = films
    finish(EvaluateJob(project.path.as_posix(), run_id, boxes=3))
    folder = project.run_folder(run_id)
    report = read_report(folder / "evaluation-test.json")
    assert set(report.boxes.rows) == {"map", "random map", "centre box"}
    assert report.boxes.boxes == {"blob": 3, "line": 2}
    assert (report.boxes.cases, report.boxes.most) == (3, 3)
    assert Report.from_json(report.to_json()) == report
    page = (folder / "report.html").read_text(encoding="utf-8")
    for words in ("Where it looks", "A random map", "A box in the middle", "at most 3 boxes"):
        assert words.lower() in page.lower()
    told = box_lines(report)
    assert len(told) == 4
    assert "5 drawn boxes (blob 3, line 2) in 3 images" in told[0]


def test_without_boxes_nothing_is_said_of_them(films, finish):
    project, run_id = films
    for case in "0123":
        project.set_boxes(case, None, author="me")
    ended = finish(EvaluateJob(project.path.as_posix(), run_id))
    assert not set(FIGURES) & set(ended.result["summary"])
    assert "controls" not in ended.result
    report = read_report(project.run_folder(run_id) / "evaluation-test.json")
    assert report.boxes is None
    assert box_lines(report) == []
    assert "Where it looks" not in (project.run_folder(run_id) / "report.html").read_text("utf-8")


def test_a_picture_that_has_gone_is_said(films, finish):
    project, run_id = films
    finish(EvaluateJob(project.path.as_posix(), run_id))
    first = project.case("0")
    Path(first.channels[0]).unlink()
    ended = finish(EvaluateJob(project.path.as_posix(), run_id))
    assert ended.outcome is Outcome.COMPLETED, ended.reason
    report = read_report(project.run_folder(run_id) / "evaluation-test.json")
    assert "Images whose boxes could not be compared: 1." in report.notes
    assert report.boxes.boxes == {"blob": 1, "line": 2}


def test_a_network_without_maps_is_measured_all_the_same(findings, finish):
    project, run_id = findings, "run-001-cross-entropy"
    project.set_boxes("film-1", [DrawnBox(2, 1, 1, 4, 4)], author="me")
    ended = finish(EvaluateJob(project.path.as_posix(), run_id))
    assert ended.outcome is Outcome.COMPLETED, ended.reason
    report = read_report(project.run_folder(run_id) / "evaluation-test.json")
    assert any("Boxes are not compared" in note for note in report.notes)
