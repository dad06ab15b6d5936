import json
import os
from pathlib import Path

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.project import boxes as box_module
from longtail.core.project.boxes import DrawnBox
from longtail.core.project.records import ImageLabels, Status
from longtail.core.project.store import Project

MASS = DrawnBox(1, 3.5, 4.0, 10.0, 20.25)
NODULE = DrawnBox(2, 40.0, 50.0, 24.0, 14.0, author="reader 2")


@pytest.fixture
def study(chest: Project, picture) -> Project:
    chest.add_cases([picture("a/one", 1, no=(2, 3)), picture("two", 2), picture("three")])
    return chest


def _by(box: DrawnBox, author: str) -> DrawnBox:
    return DrawnBox(box.class_id, *box.xywh, slice=box.slice, author=author)


def test_boxes_come_back_and_nobody_looked_is_not_nothing_found(study: Project) -> None:
    study.set_boxes("a/one", [MASS, NODULE], author="me")
    study.set_boxes("two", [], author="me")
    assert study.boxes("a/one") == (_by(MASS, "me"), NODULE)
    assert study.boxes("two") == ()
    assert study.boxes("three") is None
    assert set(study.boxes_of(["three", "two", "a/one"])) == {"a/one", "two"}
    assert list(study.boxes_of()) == ["a/one", "two"]
    with Project.open(study.path, write=False) as reader:
        assert reader.boxes("a/one") == (_by(MASS, "me"), NODULE)


def test_boxes_never_change_image_level_labels(study: Project) -> None:
    before, version = study.case("a/one"), study.label_version
    study.set_boxes("a/one", [NODULE], author="me")
    study.set_boxes("three", [NODULE], author="me")
    after = study.case("a/one")
    assert after.labels == before.labels == ImageLabels(frozenset({1}), frozenset({2, 3}))
    assert (after.status, after.author) == (before.status, before.author)
    assert study.case("three").status is Status.UNLABELLED
    assert study.label_version == version
    assert len(study.history("a/one")) == 1
    assert study.box_version == 2


def test_each_change_is_a_version_and_the_same_boxes_are_none(study: Project) -> None:
    study.set_boxes("a/one", [MASS], author="me")
    study.set_boxes("a/one", [_by(MASS, "me"), NODULE], author="you")
    study.set_boxes("a/one", [_by(MASS, "me"), NODULE], author="somebody else")
    study.set_boxes("a/one", None, author="you")
    study.set_boxes("a/one", [], author="you")
    history = study.box_history("a/one")
    assert [(one.version, one.author, one.counts) for one in history] == [
        (1, "me", {1: 1}),
        (2, "you", {1: 1, 2: 1}),
        (3, "you", None),
        (4, "you", {}),
    ]
    assert study.read_history_boxes("a/one", 1) == (_by(MASS, "me"),)
    assert study.read_history_boxes("a/one", 2) == (_by(MASS, "me"), NODULE)
    assert study.read_history_boxes("a/one", 3) is None
    assert study.read_history_boxes("a/one", 4) == ()
    with pytest.raises(LongtailError, match="no boxes of version 9"):
        study.read_history_boxes("a/one", 9)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (DrawnBox(7, 1, 1, 5, 5), "no class with the number 7"),
        (DrawnBox(1, 1, 1, 0, 5), "no area"),
        (DrawnBox(1, 1, 1, 5, -2), "no area"),
        (DrawnBox(1, float("nan"), 1, 5, 5), "no number"),
        (DrawnBox(1, 1, 1, float("inf"), 5), "no number"),
        (DrawnBox(1, 62, 1, 5, 5), "outside of the image, which has 64 x 64"),
        (DrawnBox(1, 64, 1, 0.5, 5), "outside"),
        (DrawnBox(1, 1, 1, 5, 5, slice=2), "is no volume"),
    ],
)
def test_a_box_that_cannot_be_is_refused_and_the_former_stay(
    study: Project, box: DrawnBox, words: str
) -> None:
    study.set_boxes("a/one", [MASS], author="me")
    with pytest.raises(LongtailError, match=words):
        study.set_boxes_of({"two": [MASS], "a/one": [NODULE, box]}, author="me")
    assert study.boxes("a/one") == (_by(MASS, "me"),)
    assert study.boxes("two") is None


def test_what_rounding_pushed_over_the_edge_is_cut(study: Project) -> None:
    study.set_boxes("a/one", [DrawnBox(1, -0.4, 60, 10.4, 4.5, author="me")], author="me")
    assert study.boxes("a/one") == (DrawnBox(1, 0, 60, 10, 4, author="me"),)


def test_a_volume_takes_boxes_in_its_slices(heart: Project, volume) -> None:
    heart.add_cases([volume("scan")])
    with pytest.raises(LongtailError, match="no slice from 0 to 3"):
        heart.set_boxes("scan", [DrawnBox(1, 0, 0, 2, 2)], author="me")
    heart.set_boxes("scan", [DrawnBox(1, 0, 0, 2, 2, slice=3)], author="me")
    assert heart.boxes("scan") == (DrawnBox(1, 0, 0, 2, 2, slice=3, author="me"),)
    assert heart.case("scan").status is Status.UNLABELLED


def test_boxes_are_counted_in_the_catalogue(study: Project) -> None:
    study.set_boxes_of({"a/one": [MASS, NODULE, MASS], "two": []}, author="me")
    catalogue = study.catalogue()
    np.testing.assert_array_equal(catalogue.box_counts, [3, 0, -1])
    np.testing.assert_array_equal(catalogue.find(boxed=True), [0])
    np.testing.assert_array_equal(catalogue.find(boxed=False), [1, 2])
    assert catalogue.class_boxes() == {1: 2, 2: 1, 3: 0}
    assert study.case("a/one").box_counts == {1: 2, 2: 1}
    assert study.case("three").box_counts is None


def test_merged_and_retired_classes(study: Project) -> None:
    study.set_boxes("a/one", [MASS, NODULE], author="me")
    study.set_boxes("a/one", [MASS], author="me")
    study.merge_classes(1, 3)
    assert study.boxes("a/one") == (DrawnBox(3, *MASS.xywh, author="me"),)
    assert study.catalogue().class_boxes() == {2: 0, 3: 1}
    assert [box.class_id for box in study.read_history_boxes("a/one", 1)] == [3, 2]
    study.retire_class(3)
    study.set_boxes("a/one", [*study.boxes("a/one"), NODULE], author="me")
    assert [box.class_id for box in study.boxes("a/one")] == [3, 2]


def test_deleted_cases_take_their_boxes_along_and_bring_them_back(study: Project) -> None:
    study.set_boxes("a/one", [MASS], author="me")
    study.set_boxes("a/one", [MASS, NODULE], author="me")
    before = study.boxes("a/one")
    item = study.delete_cases(["a/one"])
    assert not list((study.path / "annotations").rglob("*.json"))
    study.restore(item.id)
    assert study.boxes("a/one") == before
    assert study.read_history_boxes("a/one", 1) == (_by(MASS, "me"),)
    study.delete_cases(["a/one"])
    study.empty_trash()
    assert study.case_count == 2


def test_a_failed_save_leaves_the_former_boxes(
    study: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.set_boxes("a/one", [MASS], author="me")
    monkeypatch.setattr(box_module, "_record", _broken)
    with pytest.raises(OSError, match="pulled out"):
        study.set_boxes_of({"a/one": [NODULE], "two": [NODULE]}, author="me")
    monkeypatch.undo()
    assert study.boxes("a/one") == (_by(MASS, "me"),)
    assert study.boxes("two") is None
    assert not (study.path / "annotations" / "two.boxes.json").exists()
    study.set_boxes("a/one", [NODULE], author="me")
    assert study.read_history_boxes("a/one", 1) == (_by(MASS, "me"),)


def test_a_process_killed_before_the_record_changes_nothing(
    study: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.set_boxes("a/one", [MASS], author="me")
    place = study.path / "annotations" / "a__one.boxes.json"
    kept = study.path / "annotations" / "history" / "a__one.v1.boxes.json"
    kept.parent.mkdir(exist_ok=True)
    os.link(place, kept)
    document = json.loads(place.read_text())
    place.unlink()
    place.write_text(json.dumps({**document, "version": 2, "boxes": []}))
    assert study.boxes("a/one") == (_by(MASS, "me"),)
    study.set_boxes("a/one", [NODULE], author="me")
    assert study.boxes("a/one") == (NODULE,)
    assert study.read_history_boxes("a/one", 1) == (_by(MASS, "me"),)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"format": 1, "version": 1}',
        '{"format": 1, "version": 1, "boxes": [{"class": 1}]}',
        '{"format": 1, "version": 1, "boxes": [{"class": 1, "x": NaN, "y": 1, "w": 1, "h": 1}]}',
        '{"format": 1, "version": 1, "boxes": [7]}',
        '{"format": 9, "version": 1, "boxes": []}',
    ],
)
def test_a_tampered_file_is_told_in_a_sentence(study: Project, text: str) -> None:
    study.set_boxes("two", [MASS], author="me")
    Path(study.path / "annotations" / "two.boxes.json").write_text(text)
    with pytest.raises(LongtailError, match=r"two\.boxes\.json"):
        study.boxes("two")


def test_a_project_that_is_read_only_keeps_its_boxes(study: Project) -> None:
    with (
        Project.open(study.path, write=False) as reader,
        pytest.raises(LongtailError, match="reading only"),
    ):
        reader.set_boxes("two", [MASS], author="me")


def _broken(*_: object) -> None:
    raise OSError("the disk was pulled out")
