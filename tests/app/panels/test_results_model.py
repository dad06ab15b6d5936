"""How a report is laid out, without Qt."""

import json
import math
import os

import pytest

from longtail.app.panels.results_model import (
    MEASURES,
    case_sentence,
    comparable,
    findings,
    measures_of,
    results,
)
from longtail.app.panels.results_shelf import ReportShelf, evaluated_splits
from longtail.core.errors import LongtailError
from longtail.core.evaluate.report import (
    ClassValue,
    EvaluatedClass,
    Figure,
    Provenance,
    Report,
    write_report,
)
from longtail.core.project.records import Split, Task


def report(values, *, task="classification", key="recall", head=None, counts=None, labelled=10):
    names = list(values)
    counts = counts or [100 - i for i in range(len(names))]
    classes = tuple(
        EvaluatedClass(i + 1, name, "#ffffff", "tail" if i else "head", counts[i], None, 8)
        for i, name in enumerate(names)
    )
    by_class = {
        name: ClassValue(value, None if value is None else value - 0.1, value, 8)
        for name, value in values.items()
    }
    known = [value for value in values.values() if value is not None]
    mean = sum(known) / len(known)
    figure = Figure(mean, mean - 0.05, mean + 0.05, 8, by_class)
    summary = {key: figure, f"{key}_head": figure, f"{key}_tail": figure}
    if head:
        summary[head] = Figure(mean, mean - 0.05, mean + 0.05, 8)
    made = Provenance(
        "p", task, "m", "M", {}, (0,), labelled, 0, "none", 0, 9, 3, "h", 8, 8, 0, "now"
    )
    return Report("run-002-m", "test", summary, (), made, classes, "")


def test_the_number_of_image_tasks_is_balanced_accuracy_and_rows_are_recall():
    made = report({"a": 0.9, "b": 0.5}, head="balanced_accuracy")
    told = results(made, measures_of(made)[0])
    assert told.measure.head == "balanced accuracy"
    assert told.head_text == "0.70"
    assert told.interval_text == "95 % interval .65 to .75"
    assert [row.value.mean for row in told.rows] == [0.9, 0.5]


def test_rows_begin_with_the_commonest_class():
    made = report({"rare": 0.1, "common": 0.9}, counts=[3, 300])
    assert [row.name for row in results(made, measures_of(made)[0]).rows] == ["common", "rare"]


def test_the_run_compared_with_gives_rings_and_changes():
    made, other = report({"a": 0.9, "b": 0.5}), report({"a": 0.95, "b": 0.2})
    told = results(made, measures_of(made)[0], other)
    assert told.change == pytest.approx(0.125)
    assert told.better is True
    assert [row.change for row in told.rows] == pytest.approx([-0.05, 0.3])


def test_a_class_that_the_other_run_lacks_has_no_ring():
    made, other = report({"a": 0.9, "new": 0.5}), report({"a": 0.95})
    told = results(made, measures_of(made)[0], other)
    assert told.rows[1].other is None
    assert told.rows[1].change is None


def test_shorter_distances_are_better():
    distance = next(m for m in MEASURES[Task.SEGMENTATION] if m.key == "hd95_mm")
    made = report({"a": 4.0}, task="segmentation", key="hd95_mm")
    other = report({"a": 9.0}, task="segmentation", key="hd95_mm")
    told = results(made, distance, other)
    assert told.better is True
    assert told.head_text == "4.0"
    assert told.track_end == 9.0
    assert told.interval_text.endswith("mm")


def test_what_was_not_measured_says_so():
    made = report({"a": 0.9, "gone": None})
    row = results(made, measures_of(made)[0]).rows[1]
    assert row.value.mean is None
    assert "not measured" in row.sentence


def test_values_that_are_no_numbers_are_not_measured():
    made = report({"a": 0.9, "b": math.nan})
    assert results(made, measures_of(made)[0]).rows[1].value.mean is None


def test_only_measures_with_classes_are_offered_the_most_telling_first():
    made = report({"a": 0.5}, task="segmentation", key="hd95_mm")
    assert [measure.key for measure in measures_of(made)] == ["hd95_mm"]


def test_one_tier_alone_is_not_told():
    made = report({"a": 0.9})
    summary = {key: value for key, value in made.summary.items() if not key.endswith("_tail")}
    alone = Report("r", "test", summary, (), made.provenance, made.classes, "")
    assert results(alone, measures_of(alone)[0]).tiers == ()
    assert [one.tier for one in results(made, measures_of(made)[0]).tiers] == ["head", "tail"]


def test_runs_that_had_other_labels_are_compared_with_care():
    assert "10 and 50" in comparable(report({"a": 1.0}), report({"a": 1.0}, labelled=50))
    assert comparable(report({"a": 1.0}), report({"a": 0.5})) == ""


def with_cases(made, *cases):
    return Report(
        made.run, made.split, made.summary, cases, made.provenance, made.classes, made.thresholds
    )


def test_one_case_is_told_by_its_measure_or_by_what_it_was_taken_for():
    made = report({"a": 0.5, "b": 0.5}, task="segmentation", key="dice")
    dice = measures_of(made)[0]
    told = with_cases(made, {"case": "one", "dice": {"a": 0.68, "b": None}})
    assert case_sentence(told, dice, "one") == "Dice here: a 0.68"
    assert case_sentence(told, dice, "two") == ""
    images = with_cases(
        report({"a": 0.5}),
        {"case": "right", "true": "a", "predicted": "a"},
        {"case": "wrong", "true": "a", "predicted": "b"},
        {"case": "several", "true": ["a"], "probabilities": {"a": 0.4}},
    )
    recall = measures_of(images)[0]
    assert case_sentence(images, recall, "right") == "Rightly a."
    assert case_sentence(images, recall, "wrong") == "Labelled a, taken for b."
    assert case_sentence(images, recall, "several") == ""


def test_findings_know_what_a_person_has_given():
    found = findings([0.0, 2.0], [("a", ""), ("b", "")], Task.MULTILABEL, {"a"})
    assert [(each.name, each.labelled) for each in found] == [("b", False), ("a", True)]


def test_findings_of_one_class_add_up_to_one_and_several_stand_alone():
    classes = [("a", "head"), ("b", "tail")]
    single = findings([0.0, 2.0], classes, Task.CLASSIFICATION)
    assert single[0].name == "b"
    assert sum(each.probability for each in single) == pytest.approx(1.0)
    several = findings([3.0, 3.0], classes, Task.MULTILABEL)
    assert several[0].probability == pytest.approx(1 / (1 + math.exp(-3)))


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.MULTILABEL])
def test_odd_logits_never_break_the_list(task):
    classes = [(str(i), "head") for i in range(4)]
    found = findings([math.nan, math.inf, -math.inf, 1e308], classes, task)
    assert all(0.0 <= each.probability <= 1.0 for each in found)
    assert findings([], classes, task) == ()


def test_a_report_is_read_again_only_when_its_file_changed(tmp_path):
    shelf, path = ReportShelf(), tmp_path / "evaluation-test.json"
    assert shelf.get(tmp_path, "test") is None
    write_report(path, report({"a": 0.5}))
    first = shelf.get(tmp_path, "test")
    assert shelf.get(tmp_path, "test") is first
    write_report(path, report({"a": 0.8}))
    os.utime(path, (1, 1))
    assert shelf.get(tmp_path, "test").summary["recall"].mean == pytest.approx(0.8)
    assert evaluated_splits(tmp_path) == (Split.TEST,)


def test_a_damaged_report_is_a_sentence(tmp_path):
    (tmp_path / "evaluation-test.json").write_text(json.dumps({"run": 1}))
    with pytest.raises(LongtailError, match="Evaluate the run again"):
        ReportShelf().get(tmp_path, "test")
