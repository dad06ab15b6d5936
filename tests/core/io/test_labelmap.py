import errno

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io import labelmap
from longtail.core.io.geometry import Geometry, plain_geometry
from longtail.core.io.image import read_header
from longtail.core.io.labelmap import check_mask, read_label_map, write_label_map


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    return rng.choice(np.array([0, 1, 2, 255], np.uint8), (4, 5, 6))


def rotation(seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
@pytest.mark.parametrize("seed", range(8))
def test_written_maps_keep_grid_and_values_for_every_reader(name, seed, tmp_path, labels):
    place = Geometry((3.0, 2.0, 1.5), (-7.0, 8.0, 9.0), tuple(rotation(seed).ravel()))
    write_label_map(tmp_path / name, labels, place)
    read = read_label_map(tmp_path / name)
    np.testing.assert_array_equal(read.array, labels)
    assert read.array.dtype == np.uint8
    assert read.geometry.matches(place)
    seen = sitk.ReadImage(str(tmp_path / name))
    assert seen.GetDirection() == pytest.approx(place.direction, abs=1e-5)
    header = nibabel.load(tmp_path / name).header
    np.testing.assert_allclose(header.get_qform(), header.get_sform(), atol=1e-4)


def test_flat_maps(tmp_path, labels):
    place = plain_geometry((0.5, 0.25))
    write_label_map(tmp_path / "a.nii.gz", labels[0], place)
    read = read_label_map(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(read.array, labels[0])
    assert read.geometry == place


def test_the_same_map_gives_the_same_bytes(tmp_path, labels):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_label_map(tmp_path / name, labels, None)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_full_disk_leaves_the_old_map(tmp_path, labels, monkeypatch):
    write_label_map(tmp_path / "a.nii.gz", labels, None)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(labelmap, "write_nifti", full)
    with pytest.raises(LongtailError, match="disk is full"):
        write_label_map(tmp_path / "a.nii.gz", labels * 0, None)
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.nii.gz").array, labels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_palette_pictures_give_their_indices(tmp_path):
    indices = np.array([[0, 1], [2, 1]], np.uint8)
    picture = PillowImage.fromarray(indices, "P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png").array, indices)


def test_grey_stored_as_colour_is_grey(tmp_path):
    grey = np.array([[0, 1], [2, 1]], np.uint8)
    PillowImage.fromarray(np.stack([grey] * 3, -1)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png").array, grey)


def test_colour_masks_get_a_sentence(tmp_path):
    colours = np.zeros((4, 4, 3), np.uint8)
    colours[:2, :, 0] = 255
    PillowImage.fromarray(colours).save(tmp_path / "a.png")
    with pytest.raises(LongtailError, match=r"a\.png is drawn in 2 colours"):
        read_label_map(tmp_path / "a.png")


def test_jpeg_masks_get_a_sentence(tmp_path):
    rough = np.random.default_rng(0).choice([0, 60, 255], (40, 40)).astype(np.uint8)
    PillowImage.fromarray(rough).save(tmp_path / "a.jpg")
    with pytest.raises(LongtailError, match="is a JPEG, which smears"):
        read_label_map(tmp_path / "a.jpg")


def test_floating_point_masks_with_whole_numbers(tmp_path, labels, volume_at):
    path = volume_at(tmp_path / "a.nii.gz", labels.astype(np.float32))
    assert read_label_map(path).array.dtype.kind == "i"
    np.testing.assert_array_equal(read_label_map(path).array, labels)


def test_fractions_are_no_mask(tmp_path, labels, volume_at):
    path = volume_at(tmp_path / "a.nii.gz", labels.astype(np.float32) / 2)
    with pytest.raises(LongtailError, match="holds fractions"):
        read_label_map(path)


def test_channels_are_no_mask(tmp_path, labels, volume_at):
    nibabel.save(
        nibabel.Nifti1Image(np.zeros((3, 4, 5, 2), np.uint8), np.eye(4)), tmp_path / "a.nii"
    )
    with pytest.raises(LongtailError, match="has 2 channels"):
        read_label_map(tmp_path / "a.nii")


def checked(path, image, values):
    header = read_header(str(image))
    return check_mask(path, header.shape, header.geometry, values)


def test_values_become_class_ids(tmp_path, volume_at):
    stored = np.array([[[0, 4, 9], [255, 1000, 4]]], np.uint16)
    image = volume_at(tmp_path / "image.nii.gz", stored)
    mask = volume_at(tmp_path / "mask.nii.gz", stored)
    ids = checked(mask, image, {4: 1, 9: 2, 1000: 3, 255: 255})
    np.testing.assert_array_equal(ids, [[[0, 1, 2], [255, 3, 1]]])
    assert ids.dtype == np.uint8


def test_negative_and_large_values(tmp_path, volume_at):
    stored = np.array([[[0, -5], [70000, 0]]], np.int32)
    mask = volume_at(tmp_path / "mask.nii.gz", stored)
    np.testing.assert_array_equal(checked(mask, mask, {-5: 1, 70000: 2}), [[[0, 1], [2, 0]]])


def test_a_value_outside_of_the_classes_is_named(tmp_path, volume_at):
    mask = volume_at(tmp_path / "mask.nii.gz", np.array([[[0, 1, 7]]], np.uint8))
    with pytest.raises(LongtailError, match=r"mask\.nii\.gz holds the value 7, which no class"):
        checked(mask, mask, {1: 1})


def test_255_is_an_error_unless_it_is_named(tmp_path, volume_at):
    mask = volume_at(tmp_path / "mask.nii.gz", np.array([[[0, 1, 255]]], np.uint8))
    with pytest.raises(LongtailError, match="the value 255"):
        checked(mask, mask, {1: 1})


def test_another_shape_is_told(tmp_path, labels, volume_at):
    image = volume_at(tmp_path / "image.nii.gz", labels)
    mask = volume_at(tmp_path / "mask.nii.gz", labels[:, :4])
    with pytest.raises(
        LongtailError, match=r"mask\.nii\.gz is 4 x 4 x 6 but its image is 4 x 5 x 6"
    ):
        checked(mask, image, {1: 1})


@pytest.mark.parametrize("change", [{"origin": (50.0, 0, 0)}, {"spacing": (1.0, 1.0, 1.0)}])
def test_another_place_is_told(change, tmp_path, labels, volume_at):
    image = volume_at(tmp_path / "image.nii.gz", labels)
    mask = volume_at(tmp_path / "mask.nii.gz", labels, **change)
    with pytest.raises(LongtailError, match="lies elsewhere than its image"):
        checked(mask, image, {1: 1, 2: 2, 255: 255})


def test_a_single_slice_fits_a_picture(tmp_path, labels, volume_at):
    PillowImage.fromarray(labels[0]).save(tmp_path / "image.png")
    mask = volume_at(tmp_path / "mask.nii.gz", labels[:1])
    ids = checked(mask, tmp_path / "image.png", {1: 1, 2: 2, 255: 255})
    np.testing.assert_array_equal(ids, labels[0])


def test_all_hippocampus_masks_fit(shared):
    folder = shared / "msd_hippocampus"
    for image in sorted((folder / "images").iterdir())[:40]:
        ids = checked(folder / "labels" / image.name, image, {1: 1, 2: 2})
        assert set(np.unique(ids)) == {0, 1, 2}
