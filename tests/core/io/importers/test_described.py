"""The Decathlon's and nnU-Net's folders, which a dataset.json describes."""

import json

import nibabel
import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.image import read_channels
from longtail.core.io.importers import plan_import


def told(plan):
    return "\n".join(plan.sentences())


def describe(root, **document):
    (root / "dataset.json").write_text(json.dumps(document))


@pytest.fixture
def mask(voxels):
    return (voxels % 3).astype(np.uint8)


@pytest.fixture
def msd(tmp_path, voxels, mask, volume_at):
    for name in ("h1", "h2", "h3"):
        volume_at(tmp_path / "imagesTr" / f"{name}.nii.gz", voxels)
        volume_at(tmp_path / "labelsTr" / f"{name}.nii.gz", mask)
    volume_at(tmp_path / "imagesTs" / "t1.nii.gz", voxels)
    describe(
        tmp_path,
        modality={"0": "MRI"},
        labels={"0": "background", "1": "Anterior", "2": "Posterior"},
        training=[
            {"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"}
            for n in ("h1", "h2", "h3")
        ],
        test=["./imagesTs/t1.nii.gz"],
    )
    return tmp_path


def test_decathlon(msd):
    plan = plan_import(msd)
    assert plan.format == "msd"
    assert plan.class_names == ("Anterior", "Posterior")
    assert plan.mask_values == {1: "Anterior", 2: "Posterior"}
    assert [case.id for case in plan.cases] == [
        "imagesTr/h1", "imagesTr/h2", "imagesTr/h3", "imagesTs/t1",
    ]  # fmt: skip
    assert [case.mask is not None for case in plan.cases] == [True, True, True, False]
    assert [case.split for case in plan.cases] == [None, None, None, "test"]


def test_its_names_are_matched_with_the_project(msd):
    plan = plan_import(msd, classes=["posterior", "anterior"])
    assert plan.mask_values == {1: "anterior", 2: "posterior"}
    plan = plan_import(msd, classes=["kopf", "schwanz"])
    assert plan.mask_values == {1: "kopf", 2: "schwanz"}
    assert "1 (Anterior) is kopf" in told(plan)


def test_a_name_that_the_project_lacks(msd):
    plan = plan_import(msd, classes=["Posterior"])
    assert plan.mask_values == {2: "Posterior"}
    assert "no class for the mask values 1 (Anterior)" in told(plan)
    assert not any(case.mask for case in plan.cases)


def test_missing_images_and_masks_are_named(msd):
    (msd / "imagesTr" / "h1.nii.gz").unlink()
    (msd / "labelsTr" / "h2.nii.gz").unlink()
    plan = plan_import(msd)
    assert [case.mask is not None for case in plan.cases] == [False, True, False]
    assert "imagesTr/h1.nii.gz: dataset.json names it, but it is not there" in told(plan)
    assert "labelsTr/h2.nii.gz: the mask is not there" in told(plan)


def test_channels_in_one_file_even_with_seconds(msd):
    for path in (msd / "imagesTr").iterdir():
        image = nibabel.Nifti1Image(np.zeros((6, 5, 4, 4), np.float32), np.diag([-1, -2, 3, 1]))
        image.header.set_xyzt_units("mm", "sec")
        nibabel.save(image, path)
    document = json.loads((msd / "dataset.json").read_text())
    modality = {str(k): n for k, n in enumerate(["FLAIR", "T1w", "t1gd", "T2w"])}
    describe(msd, **{**document, "modality": modality, "test": []})
    plan = plan_import(msd)
    assert {case.channel_count for case in plan.cases} == {4}
    assert read_channels(plan.cases[0].channels).array.shape == (4, 4, 5, 6)
    assert all(case.mask for case in plan.cases)


def test_files_outside_of_the_folder_are_not_followed(msd):
    (msd.parent / "secret.nii.gz").write_bytes(b"x")
    document = json.loads((msd / "dataset.json").read_text())
    training = [*document["training"], {"image": "../secret.nii.gz", "label": "../secret.nii.gz"}]
    describe(msd, **{**document, "training": training})
    assert len(plan_import(msd).cases) == 4


def test_nothing_left_is_an_error(msd):
    for path in [*(msd / "imagesTr").iterdir(), *(msd / "imagesTs").iterdir()]:
        path.unlink()
    with pytest.raises(LongtailError, match="None of the 4 images"):
        plan_import(msd)


@pytest.mark.parametrize("text", ["{", "[1]", '{"training": 7}'])
def test_a_broken_description(text, tmp_path):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(LongtailError):
        plan_import(tmp_path)


@pytest.fixture
def nnunet(tmp_path, voxels, mask, volume_at):
    for name in ("la_001", "la_002"):
        for channel in range(2):
            volume_at(tmp_path / "imagesTr" / f"{name}_{channel:04d}.nii.gz", voxels + channel)
        volume_at(tmp_path / "labelsTr" / f"{name}.nii.gz", mask)
    describe(
        tmp_path,
        channel_names={"0": "T1", "1": "T2"},
        labels={"background": 0, "edema": 1, "ignore": 2},
        file_ending=".nii.gz",
    )
    return tmp_path


def test_nnunet_channels_labels_and_ignore(nnunet):
    plan = plan_import(nnunet)
    assert plan.format == "nnunet"
    assert [case.id for case in plan.cases] == ["imagesTr/la_001", "imagesTr/la_002"]
    assert plan.cases[0].channel_count == len(plan.cases[0].channels) == 2
    assert plan.mask_values == {1: "edema"}
    assert plan.ignore_values == (2, 255)
    assert all(case.mask for case in plan.cases)
    assert "The value 2 (ignore) is read as not labelled." in told(plan)


def test_nnunet_labels_the_old_way_round(nnunet):
    describe(
        nnunet, modality={"0": "T1", "1": "T2"}, labels={"0": "background", "1": "a", "2": "b"}
    )
    assert plan_import(nnunet).mask_values == {1: "a", 2: "b"}


def test_nnunet_missing_channel_and_orphan_mask(nnunet):
    (nnunet / "imagesTr" / "la_002_0001.nii.gz").unlink()
    (nnunet / "labelsTr" / "la_009.nii.gz").write_bytes(b"x")
    plan = plan_import(nnunet)
    assert [case.id for case in plan.cases] == ["imagesTr/la_001"]
    assert "la_002: it has 1 channels, but dataset.json names 2." in told(plan)
    assert "la_009.nii.gz: there is no image of this name" in told(plan)


def test_nnunet_channels_on_other_grids(nnunet, voxels, volume_at):
    volume_at(nnunet / "imagesTr" / "la_002_0001.nii.gz", voxels[1:])
    plan = plan_import(nnunet)
    assert [case.id for case in plan.cases] == ["imagesTr/la_001"]
    assert "does not lie on the grid of la_002_0000.nii.gz" in told(plan)


def test_nnunet_regions_get_a_sentence(nnunet):
    describe(nnunet, channel_names={"0": "T1"}, labels={"background": 0, "tumour": [1, 2]})
    with pytest.raises(LongtailError, match="classes tumour of this data set overlap"):
        plan_import(nnunet)


def test_nnunet_without_images(tmp_path):
    describe(tmp_path, channel_names={"0": "T1"}, labels={"background": 0})
    with pytest.raises(LongtailError, match="holds no images of an nnU-Net data set"):
        plan_import(tmp_path)


def test_labels_from_elsewhere_are_refused(msd):
    with pytest.raises(LongtailError, match="without labels from elsewhere"):
        plan_import(msd, labels=msd / "labelsTr", format="msd")
