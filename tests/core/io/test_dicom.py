import numpy as np
import pytest
from pydicom.data import get_testdata_file

from longtail.core.errors import LongtailError
from longtail.core.io.image import read_header, read_image

OBLIQUE = [0.8, 0.6, 0, -0.6, 0.8, 0]


def test_a_series_is_sorted_by_place(tmp_path, voxels, series_at):
    image = read_image(str(series_at(tmp_path / "ct", voxels)))
    np.testing.assert_array_equal(image.array, voxels[None])
    assert image.geometry.spacing_mm == pytest.approx((3.0, 2.0, 1.0))
    assert image.geometry.origin == pytest.approx((10, 20, 0))
    assert image.notes == ()


def test_header_agrees_with_the_pixels(tmp_path, voxels, series_at):
    folder = str(series_at(tmp_path / "ct", voxels, ImageOrientationPatient=OBLIQUE))
    header, image = read_header(folder), read_image(folder)
    assert header.shape == image.array.shape[1:]
    assert header.dtype == image.array.dtype.name
    assert header.geometry == image.geometry
    direction = np.reshape(header.geometry.direction, (3, 3))
    np.testing.assert_allclose(direction[:, 0], OBLIQUE[:3])
    np.testing.assert_allclose(direction[:, 1], OBLIQUE[3:])


def test_rescale_is_applied(tmp_path, voxels, series_at):
    folder = series_at(tmp_path / "ct", voxels, RescaleSlope=2, RescaleIntercept=-1000)
    np.testing.assert_array_equal(read_image(str(folder)).array[0], voxels * 2 - 1000)


def test_rescale_of_each_slice_is_its_own(tmp_path, voxels, slice_at):
    for index, slope in enumerate([0.5, 4.0]):
        place = {"ImagePositionPatient": [0, 0, 3 * index], "RescaleSlope": slope}
        slice_at(tmp_path / "pet" / f"{index}.dcm", voxels[index], **place, RescaleIntercept=0)
    array = read_image(str(tmp_path / "pet")).array[0]
    np.testing.assert_allclose(array, [voxels[0] * 0.5, voxels[1] * 4.0])


def test_a_single_picture_is_flat(tmp_path, slice_at):
    pixels = np.arange(30, dtype=np.uint16).reshape(5, 6)
    image = read_image(str(slice_at(tmp_path / "a.dcm", pixels)))
    assert image.array.shape == (1, 5, 6)
    assert image.geometry.spacing_mm == (2.0, 1.0)


def test_imager_spacing_and_no_spacing(tmp_path, slice_at):
    pixels = np.zeros((5, 6), np.uint16)
    own = slice_at(tmp_path / "a.dcm", pixels, PixelSpacing=None, ImagerPixelSpacing=[0.1, 0.2])
    assert read_header(str(own)).geometry.spacing_mm == (0.1, 0.2)
    none = slice_at(tmp_path / "b.dcm", pixels, PixelSpacing=None)
    assert read_header(str(none)).geometry is None


def test_monochrome1_is_turned_so_that_bone_is_bright(tmp_path, slice_at):
    pixels = np.arange(30, dtype=np.uint16).reshape(5, 6)
    path = slice_at(
        tmp_path / "a.dcm",
        pixels,
        PhotometricInterpretation="MONOCHROME1",
        BitsStored=12,
        HighBit=11,
    )
    np.testing.assert_array_equal(read_image(str(path)).array[0], 4095 - pixels)


def test_several_series_are_named(tmp_path, voxels, series_at):
    series_at(tmp_path / "study", voxels)
    for index in range(4):
        (tmp_path / "study" / f"{index + 1:03d}.dcm").rename(tmp_path / "study" / f"a{index}.dcm")
    series_at(tmp_path / "study", voxels + 1, SeriesInstanceUID="1.2.4", SeriesDescription="Neck")
    with pytest.raises(LongtailError, match=r"2 series: Thorax \(CT, 4 images\), Neck"):
        read_header(str(tmp_path / "study"))
    image = read_image(f"{tmp_path / 'study'}#1.2.4")
    np.testing.assert_array_equal(image.array[0], voxels + 1)


def test_missing_slices_are_told_with_the_mean_spacing(tmp_path, voxels, series_at):
    folder = series_at(tmp_path / "ct", voxels, depths=[0, 3, 6, 15])
    image = read_image(str(folder))
    assert image.geometry.spacing_mm[0] == pytest.approx(5.0)
    assert "lacks 2 slices" in image.notes[0]


def test_uneven_slices_are_told_with_the_mean_spacing(tmp_path, voxels, series_at):
    image = read_image(str(series_at(tmp_path / "ct", voxels, depths=[0, 3, 6, 10.2])))
    assert image.geometry.spacing_mm[0] == pytest.approx(3.4)
    assert "lie unevenly, 3 to 4.2 mm" in image.notes[0]


def test_several_images_at_one_place_are_a_time_series(tmp_path, voxels, series_at):
    folder = series_at(tmp_path / "cine", voxels, depths=[0, 0, 3, 3])
    with pytest.raises(LongtailError, match="several images at one place"):
        read_header(str(folder))


def test_slices_of_other_sizes_or_directions_are_no_volume(tmp_path, voxels, series_at, slice_at):
    folder = series_at(tmp_path / "ct", voxels)
    slice_at(folder / "odd.dcm", voxels[0, :3], ImagePositionPatient=[0, 0, 99])
    with pytest.raises(LongtailError, match="is not one volume"):
        read_header(str(folder))
    slice_at(
        folder / "odd.dcm",
        voxels[0],
        ImagePositionPatient=[0, 0, 99],
        ImageOrientationPatient=[1, 0, 0, 0, 0, 1],
    )
    with pytest.raises(LongtailError, match="lie in different directions"):
        read_header(str(folder))


def test_a_cut_slice_is_named(tmp_path, voxels, series_at):
    folder = series_at(tmp_path / "ct", voxels)
    cut = folder / "002.dcm"
    cut.write_bytes(cut.read_bytes()[:-20])
    with pytest.raises(LongtailError, match=r"002\.dcm in ct cannot be opened: it is cut off"):
        read_header(str(folder))


def test_a_cut_header_is_named(tmp_path, voxels, series_at):
    folder = series_at(tmp_path / "ct", voxels)
    (folder / "002.dcm").write_bytes((folder / "002.dcm").read_bytes()[:400])
    with pytest.raises(LongtailError, match=r"002\.dcm"):
        read_header(str(folder))


def test_other_files_beside_the_slices_do_not_matter(tmp_path, voxels, series_at):
    folder = series_at(tmp_path / "ct", voxels)
    (folder / "LICENSE").write_text("free")
    (folder / "DICOMDIR").write_bytes(b"\0" * 200)
    (folder / "._001.dcm").write_bytes(b"\0" * 200)
    assert read_header(str(folder)).shape == (4, 5, 6)


def test_files_without_a_suffix(tmp_path, voxels, series_at):
    folder = series_at(tmp_path / "ct", voxels)
    for path in list(folder.iterdir()):
        path.rename(folder / f"IM{path.stem}")
    np.testing.assert_array_equal(read_image(str(folder)).array[0], voxels)
    assert read_image(str(folder / "IM001")).array.shape == (1, 5, 6)


def test_an_empty_folder(tmp_path):
    with pytest.raises(LongtailError, match="holds no image"):
        read_header(str(tmp_path))


def test_a_film_is_refused(tmp_path, slice_at):
    frames = np.zeros((3, 5, 6), np.uint8)
    path = slice_at(tmp_path / "us.dcm", frames, NumberOfFrames=3, FrameTime=40, Modality="US")
    with pytest.raises(LongtailError, match="film of 3 pictures"):
        read_header(str(path))


def test_frames_are_slices_where_they_are_no_film(tmp_path, slice_at):
    frames = np.arange(3 * 5 * 6, dtype=np.uint8).reshape(3, 5, 6)
    path = slice_at(
        tmp_path / "ct.dcm",
        frames,
        NumberOfFrames=3,
        SpacingBetweenSlices=4,
        ImagePositionPatient=None,
    )
    image = read_image(str(path))
    np.testing.assert_array_equal(image.array[0], frames)
    assert image.geometry.spacing_mm == (4.0, 2.0, 1.0)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "examples_palette.dcm",
        "image_dfl.dcm",
    ],
)
def test_packings_of_the_world(name):
    path = str(get_testdata_file(name))
    header, image = read_header(path), read_image(path)
    assert image.array.shape == (header.channel_count, *header.shape)
    assert image.array.dtype.name == header.dtype
    assert image.array.max() > image.array.min()


def test_all_packings_of_one_picture_agree():
    names = ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"]
    names += ["MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"]
    first, *others = [read_image(str(get_testdata_file(name))).array for name in names]
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("MR_truncated.dcm", "cut off"),
        ("rtplan.dcm", "no picture"),
        ("test-SR.dcm", "no picture"),
        ("rtdose.dcm", "radiation dose"),
        ("rtstruct.dcm", "contours"),
        ("liver_1frame.dcm", "segmentation"),
        ("badVR.dcm", "radiation dose"),
        ("no_meta.dcm", "not a DICOM file"),
        ("examples_ybr_color.dcm", "film of 30"),
    ],
)
def test_what_is_no_image_gets_a_sentence(name, words):
    with pytest.raises(LongtailError, match=words):
        read_header(str(get_testdata_file(name)))


def test_gantry_tilt_and_uneven_spacing_of_a_real_scanner(shared):
    image = read_image(str(shared / "dicom_ct_ge_tilt"))
    assert image.array.shape == (1, 28, 512, 512)
    assert image.geometry.spacing_mm[0] == pytest.approx(5.34, abs=0.01)
    told = " ".join(image.notes)
    assert "unevenly" in told
    assert "tilted by 18.5 degrees" in told


def test_an_oblique_real_series(shared):
    image = read_image(str(shared / "dicom_mr_t1w_pddl"))
    assert image.array.shape == (1, 64, 384, 274)
    assert image.geometry.spacing_mm == pytest.approx((0.667, 0.667, 0.7), abs=1e-3)
    assert image.notes == ()


def test_kinds_of_real_edge_files(shared):
    folder = shared / "dicom_highdicom_edge"
    assert read_image(str(folder / "dx_image.dcm")).array.shape == (1, 169, 211)
    with pytest.raises(LongtailError, match="whole slide"):
        read_header(str(folder / "sm_image_jpegls.dcm"))
