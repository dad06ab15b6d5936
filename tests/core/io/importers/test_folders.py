import numpy as np
import pytest
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io.importers import plan_import


@pytest.fixture
def two_class(voxels):
    return (voxels % 3).astype(np.uint8)


@pytest.fixture
def study(tmp_path, voxels, two_class, volume_at):
    """Three images, of which two have a mask, and a mask without an image."""
    for name in ("a", "b", "sub/c"):
        volume_at(tmp_path / "images" / f"{name}.nii.gz", voxels)
    for name in ("a", "sub/c", "orphan"):
        volume_at(tmp_path / "labels" / f"{name}.nii.gz", two_class)
    return tmp_path


def told(plan):
    return "\n".join(plan.sentences())


def masks_of(plan):
    return {case.id: case.mask is not None for case in plan.cases}


def test_images_and_masks_by_name(study):
    plan = plan_import(study / "images", labels=study / "labels", classes=["head", "tail"])
    assert plan.format == "folders"
    assert plan.task == "segmentation"
    assert masks_of(plan) == {"a": True, "b": False, "sub/c": True}
    assert plan.mask_values == {1: "head", 2: "tail"}
    assert plan.ignore_values == (255,)
    assert "orphan.nii.gz: there is no image of this name" in told(plan)
    assert plan.cases[0].shape == (4, 5, 6)
    assert plan.cases[0].spacing_mm == (3.0, 2.0, 1.0)


def test_images_beside_labels_are_found(study):
    plan = plan_import(study)
    assert masks_of(plan) == {"images/a": True, "images/b": False, "images/sub/c": True}
    assert plan.class_names == ("class 1", "class 2")
    assert "it holds a folder of images and a folder of masks" in told(plan)


def test_labels_below_the_source_are_no_images(study):
    (study / "images").rename(study / "data")
    plan = plan_import(study, labels=study / "labels")
    assert masks_of(plan).keys() == {"data/a", "data/b", "data/sub/c"}


@pytest.mark.parametrize("ending", ["_mask", "_seg", "_segmentation", "-label", "_gt"])
def test_endings_of_mask_names(ending, tmp_path, two_class):
    for folder, name in (("images", "ISIC_0000001.jpg"), ("masks", f"ISIC_0000001{ending}.png")):
        (tmp_path / folder).mkdir()
        PillowImage.fromarray(two_class[0]).save(tmp_path / folder / name)
    plan = plan_import(tmp_path / "images", labels=tmp_path / "masks")
    assert masks_of(plan) == {"ISIC_0000001": True}


def test_masks_among_their_images(tmp_path, two_class):
    for name in ("a.png", "a_mask.png", "b.png"):
        PillowImage.fromarray(two_class[0]).save(tmp_path / name)
    assert masks_of(plan_import(tmp_path, labels=tmp_path)) == {"a": True, "b": False}


def test_only_0_and_255_is_one_class(tmp_path, two_class):
    for folder, scale in (("images", 1), ("labels", 255)):
        (tmp_path / folder).mkdir()
        pixels = (two_class[0] > 0).astype(np.uint8) * np.uint8(scale)
        PillowImage.fromarray(pixels).save(tmp_path / folder / "a.png")
    plan = plan_import(tmp_path, classes=["lesion"])
    assert plan.mask_values == {255: "lesion"}
    assert plan.ignore_values == ()
    assert "The masks hold only 0 and 255, so 255 is taken as lesion." in told(plan)


def test_255_beside_classes_is_not_labelled(study, two_class, volume_at):
    two_class[0] = 255
    volume_at(study / "labels" / "a.nii.gz", two_class)
    # This one alone would look like white on black.
    volume_at(study / "labels" / "b.nii.gz", np.where(two_class == 255, 255, 0).astype(np.uint8))
    plan = plan_import(study)
    assert plan.mask_values == {1: "class 1", 2: "class 2"}
    assert plan.ignore_values == (255,)
    assert all(masks_of(plan).values())


def test_a_mask_of_another_shape_is_left_out_with_its_reason(study, two_class, volume_at):
    volume_at(study / "labels" / "a.nii.gz", two_class[1:])
    plan = plan_import(study)
    assert masks_of(plan)["images/a"] is False
    assert "The mask a.nii.gz is 3 x 5 x 6 but its image is 4 x 5 x 6." in told(plan)
    assert "imported unlabelled" in told(plan)


def test_a_mask_at_another_place_is_left_out_with_its_reason(study, two_class, volume_at):
    volume_at(study / "labels" / "a.nii.gz", two_class, origin=(90.0, 0, 0))
    plan = plan_import(study)
    assert masks_of(plan)["images/a"] is False
    assert "lies elsewhere than its image" in told(plan)


def test_a_value_outside_of_the_classes_is_named(study):
    plan = plan_import(study, classes=["head"])
    assert not any(masks_of(plan).values())
    assert "The mask holds the value 2, which no class has." in told(plan)


def test_a_broken_mask_and_a_broken_image(study):
    (study / "labels" / "a.nii.gz").write_bytes(b"broken")
    (study / "images" / "b.nii.gz").write_bytes(b"broken")
    plan = plan_import(study)
    assert masks_of(plan) == {"images/a": False, "images/sub/c": True}
    assert "a.nii.gz cannot be read" in told(plan)
    assert "b.nii.gz cannot be read" in told(plan)


def write_classes(root, counts, suffix=".png"):
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for index in range(count):
            PillowImage.new("L", (6, 5)).save(root / name / f"{index}{suffix}")


def test_one_folder_a_class(tmp_path):
    write_classes(tmp_path, {"rare": 2, "common": 5})
    plan = plan_import(tmp_path)
    assert plan.task == "classification"
    assert plan.class_names == ("common", "rare")
    assert {case.id: case.class_names for case in plan.cases}["rare/0"] == ("rare",)
    assert "Cases of each class: common 5, rare 2." in told(plan)


def test_folders_of_splits_above_classes(tmp_path):
    write_classes(tmp_path, {"train/a": 3, "train/b": 2, "test/a": 2, "test/b": 2})
    plan = plan_import(tmp_path)
    assert plan.class_names == ("a", "b")
    assert sum(case.split == "test" for case in plan.cases) == 4


def test_folders_that_are_no_class(tmp_path):
    write_classes(tmp_path, {"rare": 2, "common": 5})
    plan = plan_import(tmp_path, classes=["Rare"], task="classification")
    assert {case.class_names for case in plan.cases} == {("Rare",), None}
    assert "no class of the project: common (5)" in told(plan)


def test_folders_of_patients_are_no_classes(tmp_path, voxels, volume_at):
    for patient in range(6):
        volume_at(tmp_path / f"p{patient}" / "t1.nii.gz", voxels)
    plan = plan_import(tmp_path)
    assert plan.task == "segmentation"
    assert plan.class_names == ()
    assert all(case.class_names is None for case in plan.cases)
    assert plan.cases[0].id == "p0/t1"


def test_a_plain_folder_is_unlabelled(tmp_path):
    write_classes(tmp_path, {"x": 3})
    plan = plan_import(tmp_path / "x")
    assert [case.class_names for case in plan.cases] == [None] * 3
    assert "0 labelled and 3 unlabelled" in told(plan)


def test_one_file(tmp_path, voxels, volume_at):
    plan = plan_import(volume_at(tmp_path / "scan.nrrd", voxels))
    assert [case.id for case in plan.cases] == ["scan"]


def test_an_empty_folder(tmp_path):
    with pytest.raises(LongtailError, match="holds no images that Longtail reads"):
        plan_import(tmp_path)


def test_a_missing_folder(tmp_path):
    with pytest.raises(LongtailError, match="is not there"):
        plan_import(tmp_path / "gone")


def test_hidden_and_foreign_files_are_not_listed(study):
    (study / "images" / "._a.nii.gz").write_bytes(b"x")
    (study / "images" / "notes.txt").write_bytes(b"x")
    (study / "__MACOSX").mkdir()
    (study / "__MACOSX" / "a.png").write_bytes(b"x")
    assert len(plan_import(study / "images").cases) == 3


def test_a_format_that_nobody_knows(study):
    with pytest.raises(LongtailError, match="does not know the format x"):
        plan_import(study, format="x")


def test_real_hippocampus(shared):
    folder = shared / "msd_hippocampus"
    plan = plan_import(
        folder / "images", labels=folder / "labels", classes=["anterior", "posterior"]
    )
    assert len(plan.cases) == 200
    assert all(case.mask for case in plan.cases)
    assert not plan.skipped
    odd = plan_import(folder / "odd" / "images", labels=folder / "odd" / "labels")
    assert [case.mask for case in odd.cases] == [None]
    assert len(odd.skipped) == 2


def test_channels_without_a_description(tmp_path, voxels, two_class, volume_at):
    for name in ("a", "b"):
        for channel in range(2):
            volume_at(tmp_path / "imagesTr" / f"{name}_{channel:04d}.nii.gz", voxels)
    volume_at(tmp_path / "labelsTr" / "a.nii.gz", two_class)
    plan = plan_import(tmp_path)
    assert masks_of(plan) == {"imagesTr/a": True, "imagesTr/b": False}
    assert [case.channel_count for case in plan.cases] == [2, 2]


def test_numbers_at_the_end_of_names_are_no_channels(tmp_path, voxels, two_class, volume_at):
    for number in range(3):
        volume_at(tmp_path / "images" / f"p_{number:04d}.nii.gz", voxels)
        volume_at(tmp_path / "labels" / f"p_{number:04d}.nii.gz", two_class)
    plan = plan_import(tmp_path)
    assert len(plan.cases) == 3
    assert all(masks_of(plan).values())


def test_masks_in_a_project_of_whole_image_classes(study):
    with pytest.raises(LongtailError, match="labels is a folder of masks, but"):
        plan_import(study / "images", labels=study / "labels", task="classification")
    plan = plan_import(study, task="classification")
    assert {case.id for case in plan.cases} == {"images/a", "images/b", "images/sub/c"}


def test_a_folder_of_links_stays_one_study(study, tmp_path_factory):
    other = tmp_path_factory.mktemp("linked")
    try:
        (other / "images").symlink_to(study / "images", target_is_directory=True)
        (other / "labels").symlink_to(study / "labels", target_is_directory=True)
        (study / "images" / "round").symlink_to(study / "images", target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")
    plan = plan_import(other)
    assert masks_of(plan) == {"images/a": True, "images/b": False, "images/sub/c": True}
    assert plan.cases[0].channels[0] == f"{other.as_posix()}/images/a.nii.gz"
    (other / "t.csv").write_text("file,label\nimages/a.nii.gz,labels/a.nii.gz\n")
    assert masks_of(plan_import(other, labels=other / "t.csv")) == {"images/a": True}
