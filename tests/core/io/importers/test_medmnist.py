import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.image import read_channels
from longtail.core.io.importers import plan_import


def write(path, shape=(8, 9, 3), labels=1, counts=(5, 2, 3), seed=0):
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        arrays[f"{split}_images"] = rng.integers(0, 255, (count, *shape)).astype(np.uint8)
        if labels == 1:
            arrays[f"{split}_labels"] = (np.arange(count) % 3).reshape(-1, 1)
        elif labels:
            arrays[f"{split}_labels"] = (rng.random((count, labels)) < 0.4).astype(np.uint8)
    np.savez_compressed(path, **arrays)
    return arrays


def test_classes_and_splits(tmp_path):
    arrays = write(tmp_path / "pathmnist.npz")
    plan = plan_import(tmp_path / "pathmnist.npz")
    assert plan.format == "npz"
    assert plan.task == "classification"
    assert plan.class_names == ("class 0", "class 1", "class 2")
    assert [case.split for case in plan.cases] == ["train"] * 5 + ["val"] * 2 + ["test"] * 3
    case = plan.cases[4]
    assert (case.id, case.shape, case.channel_count) == ("train/00004", (8, 9), 3)
    assert case.class_names == ("class 1",)
    pixels = read_channels(case.channels).array
    np.testing.assert_array_equal(pixels, np.moveaxis(arrays["train_images"][4], -1, 0))


@pytest.mark.parametrize(("shape", "found"), [((8, 9), (8, 9)), ((7, 8, 9), (7, 8, 9))])
def test_grey_and_volumes(shape, found, tmp_path):
    write(tmp_path / "a.npz", shape)
    case = plan_import(tmp_path / "a.npz").cases[0]
    assert (case.shape, case.channel_count) == (found, 1)


def test_several_labels(tmp_path):
    arrays = write(tmp_path / "chestmnist.npz", labels=4, counts=(20, 2, 3))
    plan = plan_import(tmp_path / "chestmnist.npz", classes=["a", "b", "c"])
    assert plan.task == "multilabel"
    for case, row in zip(plan.cases[:20], arrays["train_labels"], strict=True):
        assert case.class_names == tuple("abc"[k] for k in range(3) if row[k])
        assert case.no_class == (not row[:3].any())
    assert "Dropped the labels 3" in "\n".join(plan.sentences())


def test_names_of_the_project(tmp_path):
    write(tmp_path / "a.npz")
    plan = plan_import(tmp_path / "a.npz", classes=["x", "y", "z"])
    assert plan.cases[2].class_names == ("z",)
    assert "0 is x, 1 is y, 2 is z" in "\n".join(plan.sentences())


def test_without_labels(tmp_path):
    write(tmp_path / "a.npz", labels=0)
    plan = plan_import(tmp_path)
    assert {case.class_names for case in plan.cases} == {None}
    assert plan.cases[0].id == "a/train/00000"


def test_labels_of_another_length(tmp_path):
    arrays = write(tmp_path / "a.npz")
    arrays["train_labels"] = arrays["train_labels"][1:]
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(LongtailError, match="train_labels has 4 rows for 5 images"):
        plan_import(tmp_path / "a.npz")


def test_another_archive(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3), y=np.zeros(3))
    with pytest.raises(LongtailError, match="is not a MedMNIST file"):
        plan_import(tmp_path / "a.npz", format="npz")
