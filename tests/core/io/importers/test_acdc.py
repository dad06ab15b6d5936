"""The heart challenge's folders, a patient each."""

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.image import read_channels
from longtail.core.io.importers import plan_import
from longtail.core.io.labelmap import check_mask

CLASSES = ("right ventricle", "myocardium", "left ventricle")


def told(plan):
    return "\n".join(plan.sentences())


def write_patient(folder, voxels, volume_at, *, group="DCM", es=8, labelled=True):
    for frame in (1, es):
        name = f"{folder.name}_frame{frame:02d}"
        volume_at(folder / f"{name}.nii.gz", voxels)
        if labelled:
            volume_at(folder / f"{name}_gt.nii.gz", (voxels % 4).astype(np.uint8))
    volume_at(folder / f"{folder.name}_4d.nii.gz", voxels)
    (folder / "Info.cfg").write_text(f"ED: 1\nES: {es}\nGroup: {group}\nHeight: 184.0\n")


@pytest.fixture
def acdc(tmp_path, voxels, volume_at):
    for number, group in ((1, "DCM"), (2, "NOR")):
        write_patient(tmp_path / f"training/patient{number:03d}", voxels, volume_at, group=group)
    write_patient(tmp_path / "testing/patient101", voxels, volume_at, es=12)
    return tmp_path


def test_frames_of_patients(acdc):
    plan = plan_import(acdc)
    assert plan.format == "acdc"
    assert plan.task == "segmentation"
    assert plan.class_names == CLASSES
    assert plan.mask_values == dict(enumerate(CLASSES, start=1))
    cases = {case.id: case for case in plan.cases}
    assert len(cases) == 6
    ed = cases["training/patient001/patient001_frame01"]
    es = cases["testing/patient101/patient101_frame12"]
    assert (ed.patient, ed.split) == ("patient001", "train")
    assert (es.patient, es.split) == ("patient101", "test")
    assert ed.metadata == {"phase": "ED", "group": "DCM"}
    assert es.metadata == {"phase": "ES", "group": "DCM"}
    assert ed.mask.endswith("patient001_frame01_gt.nii.gz")
    assert ed.shape == (4, 5, 6)
    assert "3 films of the whole heartbeat" in told(plan)
    assert "6 labelled and 0 unlabelled" in told(plan)


def test_the_training_folder_alone_and_one_patient_alone(acdc):
    plan = plan_import(acdc / "training")
    assert plan.format == "acdc"
    assert {case.split for case in plan.cases} == {None}
    plan = plan_import(acdc / "training" / "patient002")
    assert [case.id for case in plan.cases] == ["patient002_frame01", "patient002_frame08"]
    assert {case.patient for case in plan.cases} == {"patient002"}


def test_what_is_missing_is_named(acdc):
    folder = acdc / "training" / "patient001"
    (folder / "patient001_frame08.nii.gz").unlink()
    (acdc / "training" / "patient002" / "patient002_frame01_gt.nii.gz").unlink()
    (acdc / "testing" / "patient101" / "Info.cfg").unlink()
    plan = plan_import(acdc)
    assert len(plan.cases) == 5
    assert sum(case.mask is not None for case in plan.cases) == 4
    assert "patient001_frame08.nii.gz: Info.cfg names it, but it is not there." in told(plan)
    assert "patient001_frame08_gt.nii.gz: there is no image of this name for the mask." in told(
        plan
    )
    assert "patient002_frame01_gt.nii.gz: the mask is not there." in told(plan)
    assert "No Info.cfg says which frame is which (ED, ES) of patient101." in told(plan)


def test_the_projects_own_words(acdc):
    plan = plan_import(acdc, classes=["RV", "Myo", "LV"], task="segmentation")
    assert plan.mask_values == {1: "RV", 2: "Myo", 3: "LV"}
    assert "2 (myocardium) is Myo" in told(plan)
    plan = plan_import(acdc, classes=["Left ventricle", "myocardium", "right ventricle"])
    assert plan.mask_values == {1: "right ventricle", 2: "myocardium", 3: "Left ventricle"}


def test_a_broken_info_is_not_believed(acdc):
    info = acdc / "training" / "patient001" / "Info.cfg"
    info.write_bytes(b"ED: one\n\xff\xfe\x00 no colon\nES:\n")
    plan = plan_import(acdc)
    assert plan.cases[0].patient == "patient101"
    first = next(case for case in plan.cases if case.patient == "patient001")
    assert first.metadata == {}


def test_folders_of_patients_without_frames_are_something_else(tmp_path, voxels, volume_at):
    for number in range(3):
        volume_at(tmp_path / f"patient{number:03d}" / "t1.nii.gz", voxels)
    assert plan_import(tmp_path).format == "folders"
    with pytest.raises(LongtailError, match="holds no patient of ACDC"):
        plan_import(tmp_path, format="acdc")


def test_labels_from_elsewhere_are_refused(acdc):
    with pytest.raises(LongtailError, match="without labels from elsewhere"):
        plan_import(acdc, labels=acdc / "training", format="acdc")


@pytest.fixture
def slices_and_volumes(tmp_path, voxels, h5_at):
    """The folder of the semi-supervised literature: three patients, one with slices alone."""
    image, label = voxels.astype(np.float32), (voxels % 4).astype(np.uint8)
    for name in ("patient001_frame01", "patient001_frame12", "patient002_frame01"):
        h5_at(tmp_path / "data" / f"{name}.h5", image=image, label=label, scribble=label)
    for name in ("patient001_frame01_slice_1", "patient003_frame01_slice_1"):
        h5_at(tmp_path / "data" / "slices" / f"{name}.h5", image=image[0], label=label[0])
    lists = {
        "train_slices": ["patient001_frame01_slice_1", "patient003_frame01_slice_1"],
        "train": ["patient001_frame01", "patient001_frame12"],
        "val": ["patient002_frame01"],
        "test": ["patient004_frame01"],
    }
    for name, lines in lists.items():
        (tmp_path / f"{name}.list").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_h5_files_of_the_literature(slices_and_volumes, voxels):
    plan = plan_import(slices_and_volumes)
    assert plan.format == "acdc"
    cases = {case.id: case for case in plan.cases}
    assert {name: case.split for name, case in cases.items()} == {
        "data/patient001_frame01": "train",
        "data/patient001_frame12": "train",
        "data/patient002_frame01": "val",
        "data/slices/patient003_frame01_slice_1": "train",
    }
    first = cases["data/patient001_frame01"]
    assert (first.patient, first.shape, first.spacing_mm) == ("patient001", (4, 5, 6), None)
    np.testing.assert_array_equal(read_channels(first.channels).array[0], voxels)
    np.testing.assert_array_equal(
        check_mask(first.mask, first.shape, None, {1: 1, 2: 2, 3: 3}), voxels % 4
    )
    assert cases["data/slices/patient003_frame01_slice_1"].shape == (5, 6)
    assert "1 slice is left out: its volume is imported." in told(plan)
    assert "patient004_frame01: test.list names it, but it is not there." in told(plan)
    assert "give no spacing" in told(plan)
    assert plan.class_names == CLASSES


def test_h5_files_without_lists(slices_and_volumes):
    for path in slices_and_volumes.glob("*.list"):
        path.unlink()
    plan = plan_import(slices_and_volumes / "data")
    assert plan.format == "acdc"
    assert {case.split for case in plan.cases} == {None}
    assert "no lists of training and test cases" in told(plan)


def test_a_broken_h5_file_is_left_out(slices_and_volumes):
    path = slices_and_volumes / "data" / "patient002_frame01.h5"
    path.write_bytes(path.read_bytes()[:700])
    plan = plan_import(slices_and_volumes)
    assert len(plan.cases) == 3
    assert "patient002_frame01.h5" in told(plan)
