"""Cases in memory."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from longtail.core.data.preprocessing import Preprocessing
from longtail.core.data.volumes import VolumeCase, VolumeStore, cut, find_places, output_table
from longtail.core.errors import LongtailError
from longtail.core.project.records import NewCase, Split, Task
from longtail.core.project.store import Project


@pytest.fixture
def project(tmp_path):
    cases = []
    for number in range(3):
        array = np.random.default_rng(number).normal(size=(6, 8, 7)).astype(np.float32)
        path = tmp_path / f"{number}.nii.gz"
        sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
        spacing = (1.0, 1.0, 1.0)
        cases.append(NewCase(str(number), (str(path),), array.shape, 1, spacing, Split.TRAIN))
    with Project.create(tmp_path / "p.longtail", task=Task.SEGMENTATION, classes=["a", "b"]) as one:
        one.add_cases(cases)
        one.retire_class(1)
        labels = np.full((6, 8, 7), 255, np.uint8)
        labels[2] = 0
        labels[2, 3, 1:4] = 2
        labels[2, 5, 5] = 1
        one.write_label_map("0", labels, author="me")
        yield one


def test_labels_become_outputs(project):
    case = VolumeStore(project, Preprocessing(3, 1), [2]).get("0")
    assert case.image.shape == (1, 6, 8, 7)
    assert case.labels[2, 3].tolist() == [0, 1, 1, 1, 0, 0, 0]
    assert case.labels[2, 5, 5] == 255
    assert sorted(case.places) == [-1, 1]
    assert case.places[1].tolist() == [[2, 3, 1], [2, 3, 2], [2, 3, 3]]
    assert (case.places[-1][:, 0] == 2).all()


def test_an_unlabelled_case_has_none(project):
    case = VolumeStore(project, Preprocessing(3, 1), [2]).get("1")
    assert case.labels is None
    assert case.places == {}


def test_memory_has_a_limit(project):
    store = VolumeStore(project, Preprocessing(3, 1), [2], limit_bytes=2000)
    first = store.get("0")
    places = store.places("0")
    store.get("1")
    assert store.get("0") is not first
    assert store.places("0") is places


def test_labels_are_read_again(project):
    store = VolumeStore(project, Preprocessing(3, 1), [2])
    assert store.get("1").labels is None
    project.write_label_map("1", np.full((6, 8, 7), 2, np.uint8), author="me")
    assert store.get("1").labels is None
    store.forget(["1"])
    assert (store.get("1").labels == 1).all()
    assert store.places("1").keys() == {1, -1}


def test_an_image_that_is_gone_is_named(project, tmp_path):
    (tmp_path / "2.nii.gz").unlink()
    with pytest.raises(LongtailError, match=r"^2: The image"):
        VolumeStore(project, Preprocessing(3, 1), [2]).get("2")


def test_unknown_values_are_not_labelled():
    table = output_table([2, 7])
    assert table[[0, 2, 7, 1, 255]].tolist() == [0, 1, 2, 255, 255]


def test_places_are_few_and_repeatable():
    labels = torch.ones(20, 20, 20, dtype=torch.uint8)
    places = find_places(labels, "name")
    assert len(places[1]) == 512
    np.testing.assert_array_equal(places[1], find_places(labels, "name")[1])


def test_a_patch_at_the_border_is_padded():
    image = torch.arange(24.0).view(1, 2, 3, 4)
    labels = torch.ones(2, 3, 4, dtype=torch.uint8)
    patch, truth = torch.zeros(1, 4, 3, 2), torch.full((4, 3, 2), 255, dtype=torch.uint8)
    cut(VolumeCase("a", image, labels, {}), (0, 1, 3), (4, 3, 2), patch, truth)
    assert torch.equal(patch[:, 1:3], image[:, :, :, 2:])
    assert (truth[1:3] == 1).all()
    assert (truth[[0, 3]] == 255).all()
