"""What tables and plots say of runs whose figures are known."""

import csv
import io
import xml.etree.ElementTree as Xml

import numpy as np
import pytest

from longtail.core.compare.cells import CaseScores, CellClass, CellRecord, append_cell
from longtail.core.compare.measuring import adjusted
from longtail.core.compare.plan import Contender, Plan, write_plan
from longtail.core.compare.plot import draw
from longtail.core.compare.svg import Scale
from longtail.core.compare.tables import cases_csv, markdown, table_csv
from longtail.core.compare.tabulate import tabulate
from longtail.core.errors import LongtailError
from longtail.core.evaluate.classification import single_label_measures
from longtail.core.project.records import Task

NAMES = ("liver", "a | <b>")
MEASURES = ("dice", "jaccard", "hd95_mm", "asd_mm", "nsd_1mm")


def maps_record(name, seed, shift, *, classes=NAMES, without=()):
    """Six test cases, whose Dice is 0.5 + `shift` and a little more a case."""
    cases = []
    for number in range(6):
        value = 0.5 + shift + 0.01 * number
        one = {each: None if each in without else value for each in classes}
        cases.append(CaseScores(case=f"case{number}", scores=dict.fromkeys(MEASURES, one)))
    known = tuple(CellClass(name=each, tier="head", training=3) for each in classes)
    return CellRecord(
        contender=name, seed=seed, state="done", run="r", classes=known, cases=tuple(cases)
    )


def image_record(name, *, adjustable, seed=0, labelled=None):
    """Thirty images of three classes, the logits of a run that favours the first."""
    rng = np.random.default_rng(seed)
    prior = np.array([0.8, 0.15, 0.05])
    truth = np.repeat([0, 1, 2], 10)
    logits = rng.normal(size=(30, 3)) + 2 * np.eye(3)[truth] + np.log(prior)
    cases = tuple(
        CaseScores(
            case=f"i{row}",
            patient=f"p{row // 2}",
            truth=tuple(int(k == truth[row]) for k in range(3)),
            logits=tuple(logits[row]),
        )
        for row in range(30)
    )
    tiers = zip("abc", ("head", "medium", "tail"), strict=True)
    return CellRecord(
        contender=name,
        seed=seed,
        labelled=labelled,
        labels=int(labelled or 30),
        state="done",
        classes=tuple(CellClass(name=n, tier=t, training=5) for n, t in tiers),
        prior=tuple(prior),
        adjustable=adjustable,
        cases=cases,
    )


@pytest.fixture
def folder_of(tmp_path):
    """Write a comparison with these runs, and give its folder."""

    def write(records, task=Task.SEGMENTATION, **changes):
        names = list(dict.fromkeys(record.contender for record in records)) or ["a"]
        fields = {
            "task": task,
            "project": "/p",
            "data": "d",
            "contenders": tuple(Contender(name=name, method="m") for name in names),
            "seeds": tuple(sorted({record.seed for record in records})) or (0,),
            "iterations": 5,
            "reference": names[0],
            "title": "A <title>",
        }
        folder = tmp_path / "comparison"
        folder.mkdir()
        write_plan(folder, Plan(**{**fields, **changes}))
        for record in records:
            append_cell(folder, record)
        return folder

    return write


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_means_deviations_and_paired_differences(folder_of):
    records = [maps_record("a", s, 0.1 * s) for s in (0, 1, 2)]
    records += [maps_record("b", s, 0.1 * s + 0.05) for s in (0, 1, 2)]
    found = tabulate(folder_of(records))
    first, second = found.rows
    assert first.overall["dice"].mean == pytest.approx(0.625)
    assert first.overall["dice"].sd == pytest.approx(0.1)
    assert first.overall["dice"].n == 3
    difference = second.differences["dice"]
    assert (difference.mean, difference.low, difference.high) == pytest.approx((0.05,) * 3)
    assert difference.is_clear
    assert second.pairs == 3
    assert second.class_differences["dice"]["liver"].mean == pytest.approx(0.05)
    assert not first.differences


def test_one_seed_has_no_deviation(folder_of):
    found = tabulate(folder_of([maps_record("a", 0, 0.1)]))
    assert found.rows[0].overall["dice"].sd is None
    assert "\u00b1" not in markdown(found)


def test_pairs_are_the_seeds_and_the_cases_that_both_have(folder_of):
    short = maps_record("b", 0, 0.2)
    short = short.model_copy(update={"cases": short.cases[3:]})
    records = [maps_record("a", 0, 0.0), maps_record("a", 1, 0.9), short]
    row = tabulate(folder_of(records)).rows[1]
    assert row.pairs == 1
    assert row.differences["dice"].mean == pytest.approx(0.2)


def test_a_class_absent_in_a_draw_is_left_out_there(folder_of):
    records = [maps_record("a", 0, 0.0, without=("a | <b>",)), maps_record("a", 1, 0.2)]
    row = tabulate(folder_of(records)).rows[0]
    assert row.classes["dice"]["a | <b>"].n == 1
    assert row.classes["dice"]["liver"].n == 2
    assert row.overall["dice"].mean == pytest.approx(0.625)


def test_names_are_never_read_as_markup(folder_of):
    found = tabulate(folder_of([maps_record("x|<i>y", 0, 0.0), maps_record("<&'\">", 0, 0.1)]))
    page = markdown(found)
    lines = [line.replace("\\|", "") for line in page.splitlines() if line.startswith("|")]
    start = next(number for number, line in enumerate(lines) if "| class |" in line)
    assert {line.count("|") for line in lines[start : start + 6]} == {lines[start].count("|")}
    assert "<i>" not in page
    picture = Xml.fromstring(draw(found))
    words = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "<&'\">" in words
    assert "A <title>" in words


def test_the_tables_for_machines_hold_every_value(folder_of):
    records = [maps_record("a", s, 0.0) for s in (0, 1)] + [maps_record("b", 0, 0.1)]
    found = tabulate(folder_of(records))
    table = rows_of(table_csv(found))
    assert len(table) == 2 * 5 * 3
    one = next(r for r in table if r["method"] == "b" and r["class"] == "liver")
    assert (one["measure"], float(one["difference"]), one["clear"]) == ("dice", 0.1, "1")
    cases = rows_of(cases_csv(found))
    assert len(cases) == 3 * 6 * 2
    assert float(cases[0]["dice"]) == 0.5


def test_post_hoc_adjustment_is_a_row_from_the_stored_logits(folder_of):
    records = [image_record("ce", adjustable=True), image_record("focal", adjustable=False)]
    found = tabulate(folder_of(records, Task.CLASSIFICATION))
    assert [row.name for row in found.rows] == ["ce", "ce, post-hoc adjusted", "focal"]
    logits = np.array([case.logits for case in records[0].cases]) - np.log([0.8, 0.15, 0.05])
    truth = np.repeat([0, 1, 2], 10)
    tiers = {"head": [0], "medium": [1], "tail": [2]}
    expected = single_label_measures(truth, logits, tiers)(np.ones((1, 30)))
    row = found.rows[1]
    for name in ("balanced_accuracy", "recall_tail", "auc", "ece", "macro_f1"):
        assert row.overall[name].mean == pytest.approx(float(expected[name].overall[0]))
    assert row.differences["recall_tail"].mean > 0
    assert row.differences["recall_tail"].low is not None


def test_a_uniform_prior_is_not_adjusted_again():
    record = image_record("ce", adjustable=True)
    assert adjusted(record.model_copy(update={"prior": (1 / 3,) * 3})) is None
    assert adjusted(record.model_copy(update={"prior": None})) is None
    assert adjusted(image_record("focal", adjustable=False)) is None


def test_recall_is_told_of_head_medium_and_tail(folder_of):
    found = tabulate(folder_of([image_record("ce", adjustable=False)], Task.CLASSIFICATION))
    page = markdown(found)
    assert "Recall, head | Recall, medium | Recall, tail" in page
    assert len(rows_of(cases_csv(found))) == 90


def test_several_numbers_of_labels_are_a_curve(folder_of):
    records = [image_record("ce", adjustable=False, labelled=n) for n in ("4", "8")]
    found = tabulate(folder_of(records, Task.CLASSIFICATION, labelled=("4", "8")))
    words = [one.text for one in Xml.fromstring(draw(found)).iter() if one.text]
    assert "Balanced accuracy by labelled cases" in words
    assert [row.labelled for row in found.rows] == ["4", "8"]


def test_of_many_classes_the_picture_shows_the_rarer(folder_of):
    names = tuple("abcdef")
    record = maps_record("x", 0, 0.0, classes=names)
    tiers = ("tail", "head", "head", "medium", "tail", "medium")
    known = tuple(CellClass(name=n, tier=t, training=1) for n, t in zip(names, tiers, strict=True))
    found = tabulate(folder_of([record.model_copy(update={"classes": known})]))
    words = [one.text for one in Xml.fromstring(draw(found)).iter() if one.text]
    assert [word for word in words if word.endswith(", Dice")] == [
        f"{name}, Dice" for name in "adef"
    ]


def test_nothing_finished_is_a_page_too(folder_of):
    found = tabulate(folder_of([]))
    assert "0 of 1 runs are measured" in markdown(found)
    assert "No run has been measured" in draw(found)
    assert found.to_json()["complete"] is False


def test_a_folder_without_a_comparison_is_a_sentence(tmp_path):
    with pytest.raises(LongtailError, match="no comparison"):
        tabulate(tmp_path)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.341, 0.349), (5.0, 5.0), (-3.0, 40.0)])
def test_an_axis_holds_its_values_between_round_numbers(low, high):
    scale = Scale(low, high, 0.0, 100.0)
    marks = scale.marks()
    assert marks[0][0] <= low <= high <= marks[-1][0] + 1e-9
    assert 2 <= len(marks) <= 9
    assert len({words for _, words in marks}) == len(marks)
    assert scale.place(scale.low) == 0.0
    assert scale.place(scale.high) == 100.0
