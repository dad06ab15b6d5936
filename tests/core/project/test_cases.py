import os
from pathlib import Path

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project


def test_a_case_comes_back_as_it_went_in(chest: Project) -> None:
    new = NewCase(
        "a/b",
        ("/data/x/a/b_0.nii.gz", "/data/x/a/b_1.nii.gz"),
        (3, 4, 5),
        2,
        (2.5, 0.1, 0.3),
        Split.VAL,
        patient="P 7",
        labels=ImageLabels(frozenset({1, 3}), frozenset({2})),
        metadata={"age": "40", "größe": "ü\n"},
    )
    result = chest.add_cases([new])
    assert (result.added, result.updated, result.skipped) == (1, 0, ())
    case = chest.case("a/b")
    assert case.channels == new.channels
    assert (case.shape, case.channel_count, case.spacing_mm) == ((3, 4, 5), 2, (2.5, 0.1, 0.3))
    assert (case.split, case.patient, case.labels) == (Split.VAL, "P 7", new.labels)
    assert (case.status, case.author) == (Status.REVIEWED, "import")
    assert dict(case.metadata) == dict(new.metadata)
    assert case.changed.tzinfo is not None


def test_a_case_without_a_split_is_train_and_unlabelled(chest: Project, picture) -> None:
    chest.add_cases([picture("x")])
    assert (chest.case("x").split, chest.case("x").status) == (Split.TRAIN, Status.UNLABELLED)
    assert chest.label_version == 0


def test_listing(chest: Project, picture) -> None:
    chest.add_cases([picture("b", 1), picture("a", split=Split.TEST), picture("c")])
    assert [case.id for case in chest.cases()] == ["b", "a", "c"]
    assert [case.id for case in chest.cases(split=Split.TRAIN)] == ["b", "c"]
    assert [case.id for case in chest.cases(labelled=True)] == ["b"]
    assert [case.id for case in chest.cases(labelled=False, split=Split.TRAIN)] == ["c"]
    assert [case.id for case in chest.cases(ids=["c", "b"])] == ["c", "b"]
    assert [case.id for case in chest.cases(ids=["c", "b"], labelled=True)] == ["b"]
    assert chest.cases(ids=[]) == []
    assert chest.case_count == 3


def test_an_unknown_case_is_named(chest: Project, picture) -> None:
    chest.add_cases([picture("x")])
    for ask in (
        lambda: chest.case("y"),
        lambda: chest.cases(ids=["x", "y"]),
        lambda: chest.set_split(["x", "y"], Split.TEST),
        lambda: chest.set_labels(["y"], None, author="me"),
        lambda: chest.delete_cases(["x", "y"]),
        lambda: chest.history("y"),
    ):
        with pytest.raises(LongtailError, match="no case named 'y'"):
            ask()
    assert chest.case("x").split is Split.TRAIN


def test_more_cases_than_one_statement_takes(chest: Project, picture) -> None:
    ids = [f"case {number}" for number in range(2500)]
    chest.add_cases([picture(case_id) for case_id in ids])
    chest.set_split(ids[::2], Split.TEST)
    chest.set_patient(ids[:5], "p")
    assert len(chest.cases(split=Split.TEST)) == 1250
    assert [case.id for case in chest.cases(ids=ids[::-1])] == ids[::-1]
    assert chest.case("case 4").patient == "p"
    chest.set_patient(["case 4"], "")
    assert chest.case("case 4").patient is None


def test_importing_again_updates_and_keeps_what_is_not_said(chest: Project, picture) -> None:
    chest.add_cases([picture("x", 1, split=Split.TEST, patient="p", metadata={"age": "1"})])
    before = chest.label_version
    result = chest.add_cases([picture("x", metadata={"age": "2"}), picture("y")])
    assert (result.added, result.updated) == (1, 1)
    case = chest.case("x")
    assert (case.split, case.patient, case.labels.yes) == (Split.TEST, "p", {1})
    assert case.metadata["age"] == "2"
    assert chest.label_version == before
    assert len(chest.history("x")) == 1


def test_importing_other_labels_keeps_the_older_ones(chest: Project, picture) -> None:
    chest.add_cases([picture("x", 1)])
    chest.add_cases([picture("x", 2)], author="expert", status=Status.DRAFT)
    assert [sorted(entry.labels.yes) for entry in chest.history("x")] == [[1], [2]]
    assert (chest.case("x").author, chest.case("x").status) == ("expert", Status.DRAFT)
    chest.add_cases([picture("x", 2)], author="expert")
    assert len(chest.history("x")) == 2


@pytest.mark.parametrize(
    ("case_id", "words"),
    [
        ("", "empty"),
        ("a\\b", "file names"),
        ("/a", "file names"),
        ("a\x00b", "file names"),
        ("a" * 201, "longer"),
    ],
)
def test_names_that_no_case_may_have(chest: Project, picture, case_id: str, words: str) -> None:
    result = chest.add_cases([picture(case_id), picture("fine")])
    assert result.added == 1
    assert result.skipped[0][0] == case_id
    assert words in result.skipped[0][1]


def test_two_cases_never_share_their_files(chest: Project, picture) -> None:
    result = chest.add_cases([picture("a/b"), picture("a__b"), picture("A/b"), picture("a/b")])
    assert result.added == 1
    assert [case_id for case_id, _ in result.skipped] == ["a__b", "A/b", "a/b"]
    assert chest.add_cases([picture("a__b")]).skipped[0][0] == "a__b"


def test_labels_that_do_not_fit_are_left_out_and_named(blood: Project, picture) -> None:
    result = blood.add_cases([picture("two", 1, 2), picture("unknown", 9), picture("fine", 3)])
    assert result.added == 3
    assert [case_id for case_id, _ in result.skipped] == ["two", "unknown"]
    assert [case.id for case in blood.cases(labelled=True)] == ["fine"]


def test_a_mask_becomes_the_label_map(heart: Project, volume, mask) -> None:
    steps = []
    result = heart.add_cases(
        [volume("one", mask), volume("two")], tell=lambda done, total: steps.append((done, total))
    )
    assert (result.added, result.skipped) == (2, ())
    assert (heart.read_label_map("one") == mask).all()
    assert heart.case("one").status is Status.REVIEWED
    assert heart.case("two").status is Status.UNLABELLED
    assert steps == [(1, 1)]


def test_masks_that_do_not_fit_leave_the_case_unlabelled(
    heart: Project, volume, write, mask, tmp_path: Path
) -> None:
    small = volume("small", mask[:3])
    stray = volume("stray", mask + 7)
    broken = volume("broken", mask)
    Path(broken.mask).write_bytes(b"no image")
    absent = volume("absent", mask)
    Path(absent.mask).unlink()
    result = heart.add_cases([small, stray, broken, absent, volume("fine", mask)])
    assert result.added == 5
    reasons = dict(result.skipped)
    assert set(reasons) == {"small", "stray", "broken", "absent"}
    assert "3 x 6 x 5" in reasons["small"]
    assert "7" in reasons["stray"]
    assert [case.id for case in heart.cases(labelled=True)] == ["fine"]
    assert heart.case("small").status is Status.UNLABELLED


def test_white_on_black_is_the_first_class(heart: Project, volume, mask) -> None:
    heart.add_cases([volume("one", ((mask > 0) * 255).astype("uint8"))])
    assert (heart.read_label_map("one") == (mask > 0)).all()


def test_values_are_translated_to_class_ids(heart: Project, volume, mask) -> None:
    strange = (mask * 100).astype("uint8")
    case = volume("one", strange, mask_values={100: 2, 200: 1})
    heart.add_cases([case])
    array = heart.read_label_map("one")
    assert ((array == 2) == (mask == 1)).all()
    assert ((array == 1) == (mask == 2)).all()


def test_importing_a_mask_again_keeps_hand_work_in_the_history(
    heart: Project, volume, mask
) -> None:
    case = volume("one", mask)
    heart.add_cases([case])
    version = heart.label_version
    heart.add_cases([case])
    assert (heart.label_version, len(heart.history("one"))) == (version, 1)
    heart.journal("one").append((np.array([0]), np.array([0]), np.array([0])), 2)
    heart.add_cases([case])
    assert [entry.version for entry in heart.history("one")] == [1, 2, 3]
    assert heart.read_history_map("one", 2)[0, 0, 0] == 2
    assert (heart.read_label_map("one") == mask).all()


def test_a_mask_in_a_project_of_images(blood: Project, volume, mask) -> None:
    result = blood.add_cases([volume("one", mask)])
    assert "whole images" in dict(result.skipped)["one"]


def test_a_full_disk_during_an_import_stops_it(
    heart: Project, volume, mask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LongtailError, match="disk is full"):
        heart.add_cases([volume("one", mask)])
    assert heart.case("one").status is Status.UNLABELLED


def test_moved_images_are_missed_and_relinked(heart: Project, volume, tmp_path: Path) -> None:
    heart.add_cases([volume("a/one"), volume("b/two")])
    assert heart.missing_sources() == []
    name = next(iter(heart.roots))
    assert heart.roots == {name: (tmp_path / "images").as_posix()}
    moved = (tmp_path / "images").rename(tmp_path / "moved away")
    assert heart.missing_sources() == ["a/one", "b/two"]
    assert heart.relink(name, moved) == 0
    assert Path(heart.case("a/one").channels[0]).is_file()
    (moved / "a" / "one.nii.gz").unlink()
    assert heart.missing_sources() == ["a/one"]
    with pytest.raises(LongtailError, match="no folder named 'x'"):
        heart.relink("x", moved)
    with pytest.raises(LongtailError, match="There is no folder"):
        heart.relink(name, tmp_path / "nowhere")


def test_a_moved_project_finds_images_inside_of_it(tmp_path: Path, heart: Project, write) -> None:
    inside = write(heart.path / "images" / "one.nii.gz", np.zeros((2, 3, 4), np.int16))
    heart.add_cases([NewCase("one", (inside,), (2, 3, 4), 1, None)])
    assert heart.roots == {}
    heart.close()
    moved = heart.path.rename(tmp_path / "elsewhere.longtail")
    with Project.open(moved) as project:
        assert project.missing_sources() == []
        assert project.case("one").channels == ((moved / "images/one.nii.gz").as_posix(),)


def test_parts_of_files_are_found(chest: Project, tmp_path: Path) -> None:
    (tmp_path / "set.npz").touch()
    chest.add_cases(
        [
            NewCase(f"set/{row}", (f"{(tmp_path / name).as_posix()}#{row}",), (28, 28), 1, None)
            for row, name in enumerate(("set.npz", "gone.npz"))
        ]
    )
    assert chest.missing_sources() == ["set/1"]
    assert chest.case("set/0").channels[0].endswith("set.npz#0")


def test_a_shape_like_an_earlier_spacing_is_read_back(tmp_path: Path) -> None:
    with Project.create(tmp_path / "cubes", task=Task.SEGMENTATION, classes=["one"]) as project:
        for number in range(2):
            case = NewCase(f"cube{number}", ("a.nii",), (3, 3, 3), 1, (3.0, 3.0, 3.0))
            project.add_cases([case])
        assert [case.shape for case in project.cases()] == [(3, 3, 3), (3, 3, 3)]
