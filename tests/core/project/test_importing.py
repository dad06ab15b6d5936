from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.importers import plan_import
from longtail.core.io.importers.plan import FoundBox, FoundCase, ImportPlan
from longtail.core.project.boxes import DrawnBox
from longtail.core.project.importing import apply_plan
from longtail.core.project.records import ImageLabels, Split, Status, Task
from longtail.core.project.store import Project


def _found(case_id: str, *names: str, **facts: object) -> FoundCase:
    facts = {"class_names": names or None} | facts
    return FoundCase(case_id, (f"/d/x/{case_id}.png",), (8, 8), 1, None, **facts)


def _plan(*found: FoundCase, **facts: object) -> ImportPlan:
    return ImportPlan("csv", found, **({"task": "multilabel"} | facts))


def test_several_labels_answer_for_all_classes(chest: Project) -> None:
    plan = _plan(
        _found("x", "Mass", "hernia"), _found("none", no_class=True, class_names=()), _found("open")
    )
    result = apply_plan(chest, plan)
    assert (result.added, result.notes) == (3, ())
    assert chest.case("x").labels == ImageLabels(frozenset({1, 3}), frozenset({2}))
    assert chest.case("none").labels == ImageLabels(frozenset(), frozenset({1, 2, 3}))
    assert chest.case("none").status is Status.REVIEWED
    assert chest.case("open").labels is None


def test_labels_outside_the_classes_are_dropped_counted_and_named(
    chest: Project, blood: Project
) -> None:
    plan = _plan(_found("x", "mass", "Edema"), _found("y", "Edema"), _found("z", "Fibrosis"))
    result = apply_plan(chest, plan)
    assert result.notes == (
        "Edema is no class of the project: 2 labels left out.",
        "Fibrosis is no class of the project: 1 label left out.",
    )
    assert chest.case("x").labels.yes == {1}
    assert chest.case("y").labels == ImageLabels(frozenset(), frozenset({1, 2, 3}))
    apply_plan(blood, _plan(_found("x", "a"), _found("y", "Edema"), task="classification"))
    assert [case.id for case in blood.cases(labelled=True)] == ["x"]


def test_normal_is_a_class_where_it_is_declared(chest: Project) -> None:
    chest.add_class("No Finding")
    apply_plan(chest, _plan(_found("x", no_class=True, class_names=())))
    assert chest.case("x").labels == ImageLabels(frozenset({4}), frozenset({1, 2, 3}))


def test_drafts_of_a_model(chest: Project) -> None:
    apply_plan(chest, _plan(_found("x", "mass")), status=Status.DRAFT, author="model")
    assert (chest.case("x").status, chest.case("x").author) == (Status.DRAFT, "model")


def test_a_drawn_split(chest: Project) -> None:
    found = [_found(f"x{n}", "mass", patient=f"{n // 2}") for n in range(40)]
    apply_plan(chest, _plan(*found), split="30/4/6", seed=1)
    counts = Counter(case.split for case in chest.cases())
    assert counts == {Split.TRAIN: 30, Split.VAL: 4, Split.TEST: 6}


def test_an_import_without_a_split_leaves_known_ones(chest: Project) -> None:
    plan = _plan(_found("x"), _found("y"))
    apply_plan(chest, plan, split="0/0/1")
    apply_plan(chest, _plan(_found("x"), _found("y", split="train"), _found("z")))
    splits = {case.id: case.split for case in chest.cases()}
    assert splits == {"x": Split.TEST, "y": Split.TEST, "z": Split.TRAIN}


def test_the_split_of_the_source(chest: Project) -> None:
    plan = _plan(_found("x", split="test"), _found("y", split="val"), _found("z"))
    apply_plan(chest, plan)
    assert [case.split for case in chest.cases()] == [Split.TEST, Split.VAL, Split.TRAIN]


@pytest.mark.parametrize("name", ["Fold", "fold "])
def test_a_column_of_the_table(chest: Project, name: str) -> None:
    found = [_found(word or "open", metadata={"Fold": word}) for word in ("Training", "TEST", "")]
    apply_plan(chest, _plan(*found), split=name)
    assert [case.split for case in chest.cases()] == [Split.TRAIN, Split.TEST, Split.TRAIN]


def test_the_column_split_is_the_one_the_importer_took(chest: Project) -> None:
    apply_plan(chest, _plan(_found("x"), _found("y", split="val")), split="split")
    assert chest.case("y").split is Split.VAL


def test_a_file_of_splits(chest: Project, tmp_path: Path) -> None:
    table = tmp_path / "draw 0.csv"
    table.write_text("file,split\na/x.png,test\ny.jpg,val\n", encoding="utf-8")
    plan = _plan(_found("a/x"), _found("deep/y"), _found("z"))
    apply_plan(chest, plan, split=str(table))
    assert [case.split for case in chest.cases()] == [Split.TEST, Split.VAL, Split.TRAIN]
    table.write_text("file,label\na/x.png,1\n", encoding="utf-8")
    with pytest.raises(LongtailError, match="no column named split"):
        apply_plan(chest, plan, split=str(table))


def test_splits_that_are_not_understood_change_nothing(chest: Project) -> None:
    plan = _plan(_found("x", metadata={"fold": "3"}))
    with pytest.raises(LongtailError, match="'3' where a part"):
        apply_plan(chest, plan, split="fold")
    with pytest.raises(LongtailError, match="neither a column"):
        apply_plan(chest, plan, split="70/30")
    assert chest.case_count == 0


@pytest.fixture
def scans(volume, mask: np.ndarray) -> ImportPlan:
    found = []
    for name in ("one", "two"):
        case = volume(name, mask)
        found.append(FoundCase(name, case.channels, case.shape, 1, case.spacing_mm, mask=case.mask))
    values = {1: "Wall", 2: "scar"}
    return ImportPlan("msd", tuple(found), mask_values=values, task="segmentation")


def test_masks_by_the_names_of_their_values(heart: Project, scans: ImportPlan, mask) -> None:
    swapped = replace(scans, mask_values={2: "wall", 1: "SCAR"})
    result = apply_plan(heart, swapped)
    assert (result.added, result.skipped, result.notes) == (2, (), ())
    expected = np.array([0, 2, 1], np.uint8)[mask]
    np.testing.assert_array_equal(heart.read_label_map("one"), expected)
    assert heart.case("one").author == "import"


def test_masks_by_the_order_of_their_values(heart: Project, scans: ImportPlan, mask) -> None:
    result = apply_plan(heart, replace(scans, mask_values={1: "Anterior", 2: "Posterior"}))
    assert "1 is wall, 2 is scar" in result.notes[0]
    np.testing.assert_array_equal(heart.read_label_map("one"), mask)


def test_a_class_that_the_project_lacks_becomes_background(
    heart: Project, scans: ImportPlan, mask
) -> None:
    result = apply_plan(heart, replace(scans, mask_values={1: "wall", 2: "fat"}))
    assert result.notes == ("fat is no class of the project: it becomes background.",)
    np.testing.assert_array_equal(heart.read_label_map("one"), np.where(mask == 1, 1, 0))


def test_ignored_values_are_not_labelled(heart: Project, scans: ImportPlan, mask) -> None:
    plan = replace(scans, mask_values={1: "wall"}, ignore_values=(2,))
    apply_plan(heart, plan)
    np.testing.assert_array_equal(heart.read_label_map("one"), np.array([0, 1, 255])[mask])


def test_a_value_without_a_meaning_skips_the_mask(heart: Project, scans: ImportPlan) -> None:
    result = apply_plan(heart, replace(scans, mask_values={1: "wall"}))
    assert {case_id for case_id, _ in result.skipped} == {"one", "two"}
    assert result.added == 2
    assert heart.cases(labelled=True) == []


def test_a_second_import_keeps_the_first_in_the_history(
    heart: Project, scans: ImportPlan, volume, mask
) -> None:
    apply_plan(heart, scans)
    heart.set_split(["one"], Split.TEST)
    volume("one", np.where(mask == 2, 1, mask).astype(np.uint8))
    result = apply_plan(heart, scans)
    assert (result.added, result.updated) == (0, 2)
    assert [len(heart.history(name)) for name in ("one", "two")] == [2, 1]
    np.testing.assert_array_equal(heart.read_history_map("one", 1), mask)
    assert heart.case("one").split is Split.TEST


HIPPOCAMPUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "msd_hippocampus"


@pytest.mark.slow
@pytest.mark.skipif(not HIPPOCAMPUS.is_dir(), reason="the shared data is not here")
def test_a_real_data_set(tmp_path: Path) -> None:
    plan = plan_import(HIPPOCAMPUS, format="folders")
    names = ["anterior", "posterior"]
    with Project.create(tmp_path / "h", task=Task.SEGMENTATION, classes=names) as project:
        result = apply_plan(project, plan, split="150/10/40", seed=0)
        assert (result.added, result.skipped) == (200, ())
        assert Counter(case.split for case in project.cases()) == {
            Split.TRAIN: 150,
            Split.VAL: 10,
            Split.TEST: 40,
        }
        labelled = project.cases(labelled=True)
        assert all(set(case.volumes_mm3) == {1, 2} for case in labelled)
        subset = project.labelled_subset("10", 0)
        assert set(project.labelled_subset("4", 0)) < set(subset)
        assert project.read_label_map(subset[0]).max() == 2


def _boxed(case_id: str, *boxes: FoundBox, **facts: object) -> FoundCase:
    return _found(case_id, boxes=boxes, **{"class_names": None} | facts)


def test_boxes_alone_leave_known_cases_as_they_are(chest: Project) -> None:
    apply_plan(chest, _plan(_found("x", "mass", patient="p", metadata={"age": "7"})))
    before = chest.case("x")
    plan = _plan(
        _boxed("x", FoundBox("Mass", 1, 2, 3, 4, author="R1"), split="test"),
        _boxed("new", FoundBox("nodule", 0, 0, 5, 5)),
        boxes_only=True,
    )
    result = apply_plan(chest, plan)
    assert (result.added, result.updated, result.boxed) == (1, 0, 2)
    after = chest.case("x")
    assert (after.labels, after.split, after.patient, after.metadata) == (
        before.labels,
        before.split,
        "p",
        {"age": "7"},
    )
    assert chest.boxes("x") == (DrawnBox(1, 1, 2, 3, 4, author="R1"),)
    assert chest.boxes("new") == (DrawnBox(2, 0, 0, 5, 5, author="import"),)
    assert chest.case("new").labels is None
    assert apply_plan(chest, plan).boxed == 0


def test_a_known_file_is_found_under_another_name(chest: Project) -> None:
    apply_plan(chest, _plan(_found("images/x", "mass")))
    again = replace(_boxed("images/x", FoundBox("mass", 1, 2, 3, 4)), id="x")
    result = apply_plan(chest, _plan(again, boxes_only=True))
    assert (result.added, chest.case_count) == (0, 1)
    assert chest.case("images/x").box_counts == {1: 1}


def test_boxes_of_one_part_alone(chest: Project) -> None:
    apply_plan(chest, _plan(*(_found(name, "mass", split=name) for name in ("train", "test"))))
    box = FoundBox("mass", 1, 2, 3, 4)
    plan = _plan(_boxed("train", box), _boxed("test", box), _boxed("new", box), boxes_only=True)
    result = apply_plan(chest, plan, boxes_of=Split.TEST)
    assert (result.added, result.boxed, chest.case_count) == (0, 1, 2)
    assert set(chest.boxes_of()) == {"test"}
    with pytest.raises(LongtailError, match="belongs to a val case"):
        apply_plan(chest, plan, boxes_of=Split.VAL)


def test_what_nobody_knows_stays_unknown(chest: Project) -> None:
    apply_plan(chest, _plan(_found("x", "mass", unknown=("nodule", "rib"))))
    assert chest.case("x").labels == ImageLabels(frozenset({1}), frozenset({3}))
