"""The atrial challenge's folders, a scan each."""

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.image import read_channels
from longtail.core.io.importers import plan_import
from longtail.core.io.labelmap import check_mask
from longtail.core.project.importing import apply_plan
from longtail.core.project.records import Split, Task
from longtail.core.project.store import Project

SETS = {"Training Set": ("0RZDK210BSMWAA6467LU", "1D7CUD1955YZPGK8XHJX"), "Testing Set": ("A1",)}


def told(plan):
    return "\n".join(plan.sentences())


@pytest.fixture
def la(tmp_path, voxels, volume_at):
    for folder, scans in SETS.items():
        for scan in scans:
            volume_at(tmp_path / folder / scan / "lgemri.nrrd", voxels.astype(np.uint8))
            mask = (voxels % 2).astype(np.uint8) * np.uint8(255)
            volume_at(tmp_path / folder / scan / "laendo.nrrd", mask)
    return tmp_path


def test_scans_of_both_sets(la):
    plan = plan_import(la)
    assert plan.format == "la"
    assert plan.class_names == ("left atrium",)
    assert set(plan.mask_values.values()) == {"left atrium"}
    assert plan.ignore_values == ()
    cases = {case.id: case for case in plan.cases}
    assert list(cases) == ["Testing Set/A1", *(f"Training Set/{s}" for s in SETS["Training Set"])]
    assert [case.split for case in cases.values()] == ["test", "train", "train"]
    assert cases["Testing Set/A1"].patient == "A1"
    assert all(case.mask for case in cases.values())


def test_white_is_the_class_and_black_the_background(la, voxels):
    case = plan_import(la).cases[0]
    array = check_mask(case.mask, case.shape, None, {1: 1, 255: 1})
    np.testing.assert_array_equal(array, voxels % 2)


def test_the_projects_only_class(la):
    plan = plan_import(la, classes=["LA"])
    assert set(plan.mask_values.values()) == {"LA"}
    assert all(case.mask for case in plan.cases)
    plan = plan_import(la, classes=["aorta", "Left Atrium"])
    assert set(plan.mask_values.values()) == {"Left Atrium"}


def test_a_missing_mask_and_a_missing_scan(la):
    first, second = SETS["Training Set"]
    (la / "Training Set" / first / "laendo.nrrd").unlink()
    (la / "Training Set" / second / "lgemri.nrrd").unlink()
    plan = plan_import(la)
    assert [case.mask is not None for case in plan.cases] == [True, False]
    assert f"{first}/laendo.nrrd: the mask is not there." in told(plan)
    assert f"{second}/lgemri.nrrd: the scan is not there" in told(plan)


def test_lists_give_the_split(la):
    first, second = SETS["Training Set"]
    (la / "train.list").write_text(f"{first}\n{second}\n\n")
    (la / "test.list").write_text(f"{second}/mri_norm2.h5\ngone\n")
    plan = plan_import(la)
    assert {case.patient: case.split for case in plan.cases} == {
        first: "train",
        second: "test",
        "A1": None,
    }
    assert "The split is taken from train.list, test.list." in told(plan)
    assert "gone: test.list names it, but it is not there." in told(plan)


def test_a_list_that_is_no_text(la):
    (la / "train.list").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(LongtailError, match=r"The list train\.list cannot be read"):
        plan_import(la)


def test_nothing_of_the_challenge(tmp_path):
    with pytest.raises(LongtailError, match="no scan of the atrial challenge"):
        plan_import(tmp_path, format="la")


@pytest.fixture
def normalised(tmp_path, voxels, h5_at):
    """The folder of the semi-supervised literature; its axes go x, y, z."""
    for scan in ("A1", "B2", "C3"):
        folder = tmp_path / "2018LA_Seg_Training Set" / scan
        label = (voxels % 2).astype(np.uint8)
        h5_at(folder / "mri_norm2.h5", image=voxels.T.astype(np.float32), label=label.T)
    (tmp_path / "train.list").write_text("A1\nB2\n")
    (tmp_path / "test.list").write_text("C3\n")
    return tmp_path


def test_the_h5_files_of_the_literature(normalised, voxels):
    plan = plan_import(normalised)
    assert plan.format == "la"
    assert [case.split for case in plan.cases] == ["train", "train", "test"]
    case = plan.cases[0]
    assert (case.id, case.patient) == ("2018LA_Seg_Training Set/A1", "A1")
    assert (case.shape, case.spacing_mm) == ((4, 5, 6), None)
    np.testing.assert_array_equal(read_channels(case.channels).array[0], voxels)
    array = check_mask(case.mask, case.shape, None, {1: 1, 255: 1})
    np.testing.assert_array_equal(array, voxels % 2)
    assert "give no spacing" in told(plan)


def test_h5_files_become_cases_of_a_project(normalised, tmp_path_factory, voxels):
    place = tmp_path_factory.mktemp("projects") / "la.longtail"
    with Project.create(place, task=Task.SEGMENTATION, classes=["atrium"]) as project:
        plan = plan_import(normalised, task="segmentation", classes=["atrium"])
        result = apply_plan(project, plan)
        assert (result.added, result.skipped) == (3, ())
        name = "2018LA_Seg_Training Set/C3"
        np.testing.assert_array_equal(project.read_label_map(name), voxels % 2)
        assert project.case(name).split is Split.TEST
