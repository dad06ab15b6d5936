import gzip
import shutil

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.errors import LongtailError
from longtail.core.io.image import open_lazily, read_channels, read_header, read_image

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
FORMATS = ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mhd", "a.nhdr"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_voxels_and_place(name, packed, tmp_path, voxels, volume_at):
    path = volume_at(
        tmp_path / name, voxels, origin=(7.0, -8.0, 9.0), direction=OBLIQUE, packed=packed
    )
    for image in (read_image(str(path)), open_lazily(str(path))):
        np.testing.assert_array_equal(image.array, voxels[None])
        assert image.geometry is not None
        assert image.geometry.spacing_mm == pytest.approx((3.0, 2.0, 1.0))
        assert image.geometry.origin == pytest.approx((7.0, -8.0, 9.0), abs=1e-5)
        assert image.geometry.direction == pytest.approx(OBLIQUE, abs=1e-6)


@pytest.mark.parametrize("name", FORMATS)
def test_header_agrees_with_the_pixels(name, tmp_path, voxels, volume_at):
    path = str(volume_at(tmp_path / name, voxels))
    header, image = read_header(path), read_image(path)
    assert header.shape == image.array.shape[1:] == (4, 5, 6)
    assert header.dtype == image.array.dtype.name == "int16"
    assert header.geometry == image.geometry
    assert header.channel_count == 1


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.mha", "a.mhd", "a.nhdr"])
def test_uncompressed_files_are_mapped_not_read(name, tmp_path, voxels, volume_at):
    image = open_lazily(str(volume_at(tmp_path / name, voxels)))
    assert isinstance(image.array.base, np.memmap)
    assert not image.array.flags.writeable


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_order_is_kept_right(order, tmp_path, voxels):
    header = nibabel.Nifti1Header(endianness=order)
    path = tmp_path / "a.nii"
    nibabel.save(nibabel.Nifti1Image(voxels.T, np.eye(4), header), path)
    for image in (read_image(str(path)), open_lazily(str(path))):
        np.testing.assert_array_equal(image.array[0], voxels)
    assert read_image(str(path)).array.dtype.isnative


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_slope_and_intercept_are_applied(name, tmp_path, voxels):
    stored = nibabel.Nifti1Image(voxels.T, np.eye(4))
    stored.header.set_slope_inter(0.5, -1000)
    nibabel.save(stored, tmp_path / name)
    expected = voxels * 0.5 - 1000
    for image in (read_image(str(tmp_path / name)), open_lazily(str(tmp_path / name))):
        np.testing.assert_allclose(image.array[0], expected)
    assert read_header(str(tmp_path / name)).dtype == read_image(str(tmp_path / name)).array.dtype


def test_own_nifti_geometry_is_that_of_itk(tmp_path, voxels):
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = rotation * [1, 2, 3], [4, 5, 6]
    nibabel.save(nibabel.Nifti1Image(voxels.T, affine), tmp_path / "one.nii")
    nibabel.save(nibabel.Nifti2Image(voxels.T, affine), tmp_path / "two.nii.gz")  # ITK refuses it
    one, two = (read_image(str(tmp_path / name)) for name in ("one.nii", "two.nii.gz"))
    assert two.geometry.matches(one.geometry)
    np.testing.assert_array_equal(two.array, one.array)
    assert tuple(sitk.ReadImage(str(tmp_path / "one.nii")).GetDirection()) == pytest.approx(
        two.geometry.direction, abs=1e-5
    )


def test_slightly_sheared_grid_opens_upright(tmp_path, voxels):
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[0, 1] = 0.01
    nibabel.save(nibabel.Nifti1Image(voxels.T, affine), tmp_path / "a.nii")
    image = read_image(str(tmp_path / "a.nii"))
    np.testing.assert_array_equal(image.array[0], voxels)
    direction = np.reshape(image.geometry.direction, (3, 3))
    np.testing.assert_allclose(direction @ direction.T, np.eye(3), atol=1e-6)


def test_sheared_grid_is_refused_with_a_sentence(tmp_path, voxels):
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[0, 1] = 0.7
    nibabel.save(nibabel.Nifti1Image(voxels.T, affine), tmp_path / "sheared.nii")
    with pytest.raises(LongtailError, match=r"sheared\.nii has a sheared grid"):
        read_header(str(tmp_path / "sheared.nii"))


def four_d(path, count, units="mm", time_units=None):
    image = nibabel.Nifti1Image(np.zeros((6, 5, 4, count), np.int16), np.eye(4))
    image.header.set_xyzt_units(units, time_units)
    image.get_fdata()
    nibabel.save(image, path)
    return str(path)


def test_fourth_axis_is_channels(tmp_path):
    path = four_d(tmp_path / "a.nii.gz", 4)
    assert read_header(path).channel_count == 4
    assert read_image(path).array.shape == (4, 4, 5, 6)


def test_uncompressed_channels_are_mapped(tmp_path):
    path = four_d(tmp_path / "a.nii", 2)
    assert open_lazily(path).array.shape == (2, 4, 5, 6)


@pytest.mark.parametrize(("count", "time_units"), [(4, "sec"), (4, "msec"), (30, None)])
def test_time_series_is_refused(count, time_units, tmp_path):
    path = four_d(tmp_path / "cine.nii.gz", count, time_units=time_units)
    with pytest.raises(LongtailError, match=r"cine\.nii\.gz holds a series of"):
        read_header(path)


def test_an_importer_that_knows_channels_overrules_the_unit_of_time(tmp_path):
    path = four_d(tmp_path / "a.nii.gz", 4, time_units="sec")
    assert read_image(f"{path}#channels").array.shape == (4, 4, 5, 6)


def test_colour_volume_has_three_channels(tmp_path, voxels):
    colours = np.zeros((4, 5, 6, 3), np.uint8)
    colours[..., 1] = voxels
    image = sitk.GetImageFromArray(colours, isVector=True)
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    read = read_image(str(tmp_path / "a.nrrd"))
    assert read.colour
    assert read_header(str(tmp_path / "a.nrrd")).colour
    np.testing.assert_array_equal(read.array[1], voxels)


def test_not_a_number_becomes_the_least_value(tmp_path, volume_at):
    array = np.full((2, 3, 4), 5, np.float32)
    array[0, 0, :3] = [np.nan, np.inf, -7]
    image = read_image(str(volume_at(tmp_path / "a.nii.gz", array)))
    np.testing.assert_array_equal(image.array[0, 0, 0], [-7, 5, -7, 5])
    assert image.notes == ("2 pixels without a number were set to the least value",)


def test_image_without_any_number_is_refused(tmp_path, volume_at):
    path = volume_at(tmp_path / "a.nii.gz", np.full((2, 3, 4), np.nan, np.float32))
    with pytest.raises(LongtailError, match="not a single number"):
        read_image(str(path))


def test_complex_pixels_are_refused(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((2, 3, 4), np.complex64))
    sitk.WriteImage(image, str(tmp_path / "a.nii"))
    with pytest.raises(LongtailError, match="of a kind that Longtail does not read"):
        read_header(str(tmp_path / "a.nii"))


@pytest.mark.parametrize("name", FORMATS[:4])
@pytest.mark.parametrize("packed", [False, True])
def test_cut_file_is_named(name, packed, tmp_path, volume_at):
    noise = np.random.default_rng(0).integers(0, 1000, (20, 30, 40)).astype(np.int16)
    path = volume_at(tmp_path / name, noise, packed=packed)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LongtailError, match=name.replace(".", r"\.")):
        read_image(str(path))


def test_cut_by_a_few_bytes_is_noticed_when_packed(tmp_path, volume_at):
    noise = np.random.default_rng(0).integers(0, 1000, (20, 30, 40)).astype(np.int16)
    path = volume_at(tmp_path / "a.nii.gz", noise)
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(LongtailError, match="cut off"):
        read_image(str(path))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8bhello", b"\0" * 400])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
def test_rubbish_gets_a_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LongtailError, match=r"cannot be read"):
        read_header(str(tmp_path / name))


def test_header_that_promises_too_much_costs_no_memory(tmp_path, voxels):
    image = nibabel.Nifti1Image(voxels.T, np.eye(4))
    nibabel.save(image, tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[42:48] = (32000).to_bytes(2, "little") * 3
    with gzip.open(tmp_path / "bomb.nii.gz", "wb") as file:
        file.write(raw)
    with pytest.raises(LongtailError, match="cut off"):
        read_image(str(tmp_path / "bomb.nii.gz"))


def test_data_file_outside_of_the_folder_is_not_followed(tmp_path, voxels, volume_at):
    path = volume_at(tmp_path / "in" / "a.mhd", voxels)
    shutil.move(tmp_path / "in" / "a.raw", tmp_path / "a.raw")
    path.write_text(path.read_text().replace("= a.raw", "= ../a.raw"))
    with pytest.raises(LongtailError, match="outside of its folder"):
        read_image(str(path))


def test_missing_data_file_is_named(tmp_path, voxels, volume_at):
    path = volume_at(tmp_path / "a.mhd", voxels)
    (tmp_path / "a.raw").unlink()
    with pytest.raises(LongtailError, match=r"a\.mhd needs the data file a\.raw"):
        read_header(str(path))


def test_files_on_one_grid_become_channels(tmp_path, voxels, volume_at):
    paths = [volume_at(tmp_path / f"{k}.nii.gz", voxels + k) for k in range(3)]
    image = read_channels([str(path) for path in paths])
    np.testing.assert_array_equal(image.array[:, 0, 0, 0], [0, 1, 2])


@pytest.mark.parametrize("change", [{"spacing": (3.0, 2.0, 2.0)}, {"origin": (0.0, 5.0, 0.0)}])
def test_channels_on_other_grids_are_refused(change, tmp_path, voxels, volume_at):
    first = volume_at(tmp_path / "t1.nii.gz", voxels)
    second = volume_at(tmp_path / "t2.nii.gz", voxels, **change)
    with pytest.raises(LongtailError, match=r"t1\.nii\.gz and t2\.nii\.gz cannot be channels"):
        read_channels([str(first), str(second)])


def test_channels_of_other_sizes_are_refused(tmp_path, voxels, volume_at):
    first = volume_at(tmp_path / "t1.nii.gz", voxels)
    second = volume_at(tmp_path / "t2.nii.gz", voxels[1:])
    with pytest.raises(LongtailError, match="4 x 5 x 6 and 3 x 5 x 6"):
        read_channels([str(first), str(second)])


def test_paths_with_umlauts_and_spaces(tmp_path, voxels, volume_at):
    path = volume_at(tmp_path / "Übung mit Lücke" / "Schädel 1.nii.gz", voxels)
    np.testing.assert_array_equal(read_image(str(path)).array[0], voxels)


def test_a_hash_in_a_file_name_is_part_of_the_name(tmp_path, voxels, volume_at):
    path = volume_at(tmp_path / "scan#2.nii.gz", voxels)
    assert read_header(str(path)).shape == (4, 5, 6)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LongtailError, match=r"gone\.nii\.gz is not there"):
        read_header(str(tmp_path / "gone.nii.gz"))


def test_an_unknown_kind_is_named(tmp_path):
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(LongtailError, match=r"does not read notes\.docx"):
        read_header(str(tmp_path / "notes.docx"))


def test_real_volumes(shared):
    header = read_header(str(shared / "totalseg_example" / "example_ct.nii.gz"))
    assert header.shape == (112, 101, 122)
    assert header.geometry.spacing_mm == pytest.approx((3.0, 3.0, 3.0))
