import errno
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.errors import LongtailError
from longtail.core.project.records import ImageLabels, Split, Status
from longtail.core.project.store import Project

SHAPE = (4, 6, 5)
VOXEL_MM3 = 3.0 * 1.5 * 1.25


@pytest.fixture
def one(heart: Project, volume) -> Project:
    heart.add_cases([volume("a/one")])
    return heart


def _full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def test_a_new_map_is_not_labelled(one: Project) -> None:
    array = one.read_label_map("a/one")
    assert array.dtype == np.uint8
    assert array.shape == SHAPE
    assert (array == 255).all()
    assert one.case("a/one").status is Status.UNLABELLED
    assert not one.case("a/one").has_mask


def test_a_map_is_written_on_the_grid_of_its_image(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="me")
    file = one.path / "annotations" / "a__one.nii.gz"
    assert file == one.label_map_path("a/one")
    written, source = sitk.ReadImage(str(file)), sitk.ReadImage(one.case("a/one").channels[0])
    assert written.GetSpacing() == pytest.approx(source.GetSpacing())
    assert written.GetOrigin() == pytest.approx(source.GetOrigin())
    assert written.GetDirection() == pytest.approx(source.GetDirection())
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), mask)
    np.testing.assert_array_equal(one.read_label_map("a/one"), mask)


def test_a_map_makes_the_case_labelled_and_measured(one: Project, mask: np.ndarray) -> None:
    mask[3] = 255
    version = one.label_version
    one.write_label_map("a/one", mask, author="me")
    case = one.case("a/one")
    assert (case.status, case.has_mask, case.author) == (Status.DRAFT, True, "me")
    assert case.volumes_mm3 == pytest.approx({1: 9 * VOXEL_MM3, 2: VOXEL_MM3, 255: 30 * VOXEL_MM3})
    assert one.label_version == version + 1


def test_older_versions_are_kept(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="me")
    later = np.where(mask == 2, 0, mask).astype(np.uint8)
    one.write_label_map("a/one", later, author="you", status=Status.REVIEWED)
    history = one.history("a/one")
    assert [(entry.version, entry.author, entry.status) for entry in history] == [
        (1, "me", Status.DRAFT),
        (2, "you", Status.REVIEWED),
    ]
    assert history[0].file == "annotations/history/a__one.v1.nii.gz"
    np.testing.assert_array_equal(one.read_history_map("a/one", 1), mask)
    np.testing.assert_array_equal(one.read_history_map("a/one", 2), later)
    with pytest.raises(LongtailError, match="no label map of version 3"):
        one.read_history_map("a/one", 3)


def test_saving_automatically_does_not_fill_the_history(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="import")
    for value in (1, 2, 0, 1):
        mask[0, 0, 0] = value
        one.write_label_map("a/one", mask, author="me", autosave=True)
    assert [entry.author for entry in one.history("a/one")] == ["import", "me"]
    assert one.read_history_map("a/one", 1)[0, 0, 0] == 0
    assert one.read_label_map("a/one")[0, 0, 0] == 1
    one.write_label_map("a/one", mask, author="you", autosave=True)
    assert [entry.version for entry in one.history("a/one")] == [1, 2, 3]
    assert len(list((one.path / "annotations/history").iterdir())) == 2


def test_strokes_are_replayed_until_they_are_folded(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="me")
    one.journal("a/one").append((np.array([0]), np.array([0]), np.array([0])), 2)
    array = one.read_label_map("a/one")
    assert array[0, 0, 0] == 2
    one.write_label_map("a/one", array, author="me")
    assert one.journal("a/one").pending == 0
    assert one.read_label_map("a/one")[0, 0, 0] == 2


def test_a_stroke_drawn_while_saving_is_not_lost(one: Project) -> None:
    journal = one.journal("a/one")
    journal.append((np.array([0]), np.array([0]), np.array([0])), 1)
    array, mark = one.read_label_map("a/one"), journal.mark()
    journal.append((np.array([1]), np.array([1]), np.array([1])), 2)
    one.write_label_map("a/one", array, author="me", mark=mark)
    assert journal.pending == 1
    assert one.read_label_map("a/one")[1, 1, 1] == 2


@pytest.mark.parametrize("broken", ["fsync", "replace", "link and copy"])
def test_a_full_disk_leaves_map_strokes_and_history(
    one: Project, mask: np.ndarray, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.write_label_map("a/one", mask, author="me")
    one.journal("a/one").append((np.array([0]), np.array([0]), np.array([0])), 2)
    array, version = one.read_label_map("a/one"), one.label_version

    def full(*_: object, **__: object) -> None:
        raise _full()

    real = os.replace

    def full_in_place(source: Path, target: Path) -> None:
        if Path(source).name.startswith(".writing-"):
            raise _full()
        real(source, target)

    with monkeypatch.context() as patch:
        if broken == "fsync":
            patch.setattr(os, "fsync", full)
        elif broken == "replace":
            patch.setattr(os, "replace", full_in_place)
        else:
            patch.setattr(os, "link", full)
            patch.setattr("shutil.copy2", full)
        with pytest.raises(LongtailError, match="disk is full"):
            one.write_label_map("a/one", array, author="me")
    assert one.label_version == version
    assert one.journal("a/one").pending == 1
    assert [entry.version for entry in one.history("a/one")] == [1]
    np.testing.assert_array_equal(one.read_history_map("a/one", 1), mask)
    np.testing.assert_array_equal(one.read_label_map("a/one"), array)
    one.write_label_map("a/one", array, author="me")
    np.testing.assert_array_equal(one.read_history_map("a/one", 1), mask)


def test_a_full_database_brings_the_former_map_back(
    one: Project, mask: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.write_label_map("a/one", mask, author="me")

    def full(*_: object) -> None:
        raise LongtailError("The disk is full.")

    monkeypatch.setattr("longtail.core.project.labels.add_versions", full)
    with pytest.raises(LongtailError, match="disk is full"):
        one.write_label_map("a/one", np.zeros_like(mask), author="me")
    np.testing.assert_array_equal(one.read_label_map("a/one"), mask)
    assert [entry.file for entry in one.history("a/one")] == ["annotations/a__one.nii.gz"]


def test_killed_between_keeping_and_writing(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="me")
    current = one.label_map_path("a/one")
    kept = one.path / "annotations/history/a__one.v1.nii.gz"
    kept.parent.mkdir()
    os.link(current, kept)
    later = np.where(mask == 2, 1, mask).astype(np.uint8)
    one.write_label_map("a/one", later, author="me")
    np.testing.assert_array_equal(one.read_history_map("a/one", 1), mask)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 6, 4), np.uint8), "has the size"),
        (np.full(SHAPE, 7, np.uint8), r"holds the values \[7\]"),
        (np.zeros(SHAPE, np.int64), "not uint8"),
    ],
)
def test_a_map_that_does_not_fit(one: Project, array: np.ndarray, words: str) -> None:
    with pytest.raises(LongtailError, match=words):
        one.write_label_map("a/one", array, author="me")
    assert one.history("a/one") == []


def test_status_rules(one: Project, mask: np.ndarray) -> None:
    with pytest.raises(LongtailError, match="no labels yet"):
        one.set_status(["a/one"], Status.REVIEWED)
    with pytest.raises(LongtailError, match="Nothing is labelled"):
        one.write_label_map(
            "a/one", np.full(SHAPE, 255, np.uint8), author="me", status=Status.REVIEWED
        )
    one.write_label_map("a/one", mask, author="me")
    with pytest.raises(LongtailError, match="has labels"):
        one.set_status(["a/one"], Status.UNLABELLED)
    with pytest.raises(LongtailError, match="has labels"):
        one.write_label_map("a/one", mask, author="me", status=Status.UNLABELLED)
    one.set_status(["a/one"], Status.REVIEWED)
    assert one.case("a/one").status is Status.REVIEWED
    assert one.history("a/one")[-1].status is Status.REVIEWED
    one.write_label_map("a/one", mask, author="me")
    assert one.case("a/one").status is Status.REVIEWED


def test_wiping_everything_out_makes_it_unlabelled_again(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="me")
    one.write_label_map("a/one", np.full(SHAPE, 255, np.uint8), author="me")
    assert one.case("a/one").status is Status.UNLABELLED


def test_an_empty_scan_is_labelled_with_background(one: Project) -> None:
    one.write_label_map("a/one", np.zeros(SHAPE, np.uint8), author="me")
    assert one.case("a/one").status is Status.DRAFT
    assert one.catalogue().presence.tolist() == [[0, 0]]


def test_clearing_a_map_keeps_it_in_the_history(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="me")
    one.journal("a/one").append((np.array([0]), np.array([0]), np.array([0])), 2)
    one.set_labels(["a/one"], None, author="me")
    case = one.case("a/one")
    assert (case.status, case.has_mask, dict(case.volumes_mm3)) == (Status.UNLABELLED, False, {})
    assert (one.read_label_map("a/one") == 255).all()
    assert not one.label_map_path("a/one").exists()
    assert one.read_history_map("a/one", 2)[0, 0, 0] == 2
    assert one.history("a/one")[-1].file is None
    one.write_label_map("a/one", mask, author="me")
    assert [entry.version for entry in one.history("a/one")] == [1, 2, 3, 4]


def test_a_map_whose_image_is_away_is_saved_on_its_own_grid(
    one: Project, mask: np.ndarray, tmp_path: Path
) -> None:
    one.write_label_map("a/one", mask, author="me")
    (tmp_path / "images").rename(tmp_path / "moved")
    mask[0] = 2
    one.write_label_map("a/one", mask, author="me")
    written = sitk.ReadImage(str(one.label_map_path("a/one")))
    assert written.GetOrigin() == pytest.approx((-10.0, 20.0, 5.5))


def test_image_labels_are_given_and_taken(chest: Project, picture) -> None:
    chest.add_cases([picture("x", 1, no=(2, 3)), picture("y"), picture("z")])
    chest.set_labels(["y", "z"], ImageLabels(frozenset({2}), frozenset({1})), author="me")
    assert chest.case("y").labels == ImageLabels(frozenset({2}), frozenset({1}))
    assert chest.case("y").status is Status.REVIEWED
    chest.set_labels(["y"], None, author="me")
    assert (chest.case("y").labels, chest.case("y").status) == (None, Status.UNLABELLED)
    assert [entry.labels is None for entry in chest.history("y")] == [False, True]
    assert chest.case("z").labels is not None


def test_labelled_with_no_class_is_labelled(chest: Project, picture) -> None:
    chest.add_cases([picture("x")])
    chest.set_labels(["x"], ImageLabels(), author="me", status=Status.DRAFT)
    assert chest.case("x").labels == ImageLabels()
    assert chest.cases(labelled=True)[0].id == "x"


def test_image_labels_that_cannot_be(chest: Project, blood: Project, picture) -> None:
    chest.add_cases([picture("x")])
    blood.add_cases([picture("x")])
    with pytest.raises(LongtailError, match="number 9"):
        chest.set_labels(["x"], ImageLabels(frozenset({9})), author="me")
    with pytest.raises(LongtailError, match="yes and no at once"):
        chest.set_labels(["x"], ImageLabels(frozenset({1}), frozenset({1})), author="me")
    with pytest.raises(LongtailError, match="one class"):
        blood.set_labels(["x"], ImageLabels(frozenset({1, 2})), author="me")
    chest.retire_class(3)
    with pytest.raises(LongtailError, match="number 3"):
        chest.set_labels(["x"], ImageLabels(frozenset({3})), author="me")
    with pytest.raises(LongtailError, match="no label maps"):
        chest.read_label_map("x")


def test_image_labels_in_a_segmentation_project(one: Project) -> None:
    with pytest.raises(LongtailError, match="no image-level classes"):
        one.set_labels(["a/one"], ImageLabels(frozenset({1})), author="me")


def test_merging_rewrites_maps_through_the_history(one: Project, volume, mask: np.ndarray) -> None:
    one.add_cases(
        [volume("b", mask=np.where(mask == 2, 0, mask).astype(np.uint8), split=Split.TEST)]
    )
    one.write_label_map("a/one", mask, author="me", status=Status.REVIEWED)
    one.merge_classes(2, 1)
    assert [record.name for record in one.classes] == ["wall"]
    assert one.class_with_id(2).merged_into == 1
    merged = np.where(mask == 2, 1, mask)
    np.testing.assert_array_equal(one.read_label_map("a/one"), merged)
    kept = sitk.ReadImage(str(one.path / one.history("a/one")[0].file))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(kept), mask)
    assert one.case("a/one").status is Status.REVIEWED
    assert 2 not in one.case("a/one").volumes_mm3
    assert len(one.history("b")) == 1
    with pytest.raises(LongtailError, match="not in use"):
        one.merge_classes(2, 1)


def test_an_older_version_speaks_of_the_merged_class(one: Project, mask: np.ndarray) -> None:
    one.write_label_map("a/one", mask, author="me")
    heart_id = one.add_class("both").id
    one.merge_classes(2, 1)
    one.merge_classes(1, heart_id)
    older = one.read_history_map("a/one", 1)
    np.testing.assert_array_equal(older, np.array([0, heart_id, heart_id])[mask])
    one.write_label_map("a/one", mask, author="me")
    np.testing.assert_array_equal(one.read_label_map("a/one"), older)


def test_merging_folds_waiting_strokes(one: Project) -> None:
    one.journal("a/one").append((np.array([0]), np.array([0]), np.array([0])), 2)
    one.merge_classes(2, 1)
    assert one.read_label_map("a/one")[0, 0, 0] == 1
    assert one.journal("a/one").pending == 0


def test_merging_answers(chest: Project, picture) -> None:
    chest.add_cases(
        [
            picture("either", 2, no=(1, 3)),
            picture("both no", no=(1, 2)),
            picture("half no", 3, no=(2,)),
            picture("untouched", 3),
            picture("unlabelled"),
        ]
    )
    chest.merge_classes(2, 1)
    labels = {case.id: case.labels for case in chest.cases()}
    assert labels["either"] == ImageLabels(frozenset({1}), frozenset({3}))
    assert labels["both no"] == ImageLabels(frozenset(), frozenset({1}))
    assert labels["half no"] == ImageLabels(frozenset({3}), frozenset())
    assert labels["untouched"] == ImageLabels(frozenset({3}), frozenset())
    assert labels["unlabelled"] is None
    assert len(chest.history("untouched")) == 1
    assert len(chest.history("either")) == 2


def test_reading_while_another_thread_writes(chest: Project, picture) -> None:
    chest.add_cases([picture(f"x{number}", 1) for number in range(300)])
    ids = [f"x{number}" for number in range(300)]
    failures: list[BaseException] = []

    def relabel(class_id: int) -> None:
        try:
            for _ in range(10):
                chest.set_labels(ids, ImageLabels(frozenset({class_id})), author="me")
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=relabel, args=(class_id,)) for class_id in (2, 3)]
    for thread in threads:
        thread.start()
    seen = [chest.catalogue().class_counts() for _ in range(20)]
    for thread in threads:
        thread.join()
    assert failures == []
    # Every look sees one whole state, never half of one.
    assert all(sorted(counts.values()) == [0, 0, 300] for counts in seen)
    assert chest.label_version == 21
    assert len(chest.history("x7")) == 21
