import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.image import read_channels
from longtail.core.io.importers import plan_import
from longtail.core.io.labelmap import write_label_map


def told(plan):
    return "\n".join(plan.sentences())


def test_each_series_is_a_case(tmp_path, voxels, series_at):
    series_at(tmp_path / "p1" / "ct", voxels, PatientID="P1")
    mixed = series_at(tmp_path / "p2", voxels, PatientID="P2")
    for path in sorted(mixed.iterdir()):
        path.rename(mixed / f"a{path.name}")
    series_at(
        mixed, voxels + 1, PatientID="P2", SeriesInstanceUID="9.9", SeriesNumber=5,
        SeriesDescription="T1 / axial",
    )  # fmt: skip
    plan = plan_import(tmp_path)
    assert plan.format == "dicom"
    assert [case.id for case in plan.cases] == ["p1/ct", "p2/2-Thorax", "p2/5-T1-axial"]
    assert [case.patient for case in plan.cases] == ["P1", "P2", "P2"]
    assert plan.cases[0].shape == (4, 5, 6)
    assert plan.cases[0].metadata == {"modality": "CT", "series": "Thorax"}
    for case, expected in zip(plan.cases, (voxels, voxels, voxels + 1), strict=True):
        np.testing.assert_array_equal(read_channels(case.channels).array[0], expected)


def test_pictures_without_a_place_are_cases_of_their_own(tmp_path, slice_at):
    for index in range(3):
        slice_at(
            tmp_path / f"{index}.dcm", np.zeros((5, 6), np.uint16), ImagePositionPatient=None,
            Modality="DX", ViewPosition="PA",
        )  # fmt: skip
    plan = plan_import(tmp_path)
    assert [case.id for case in plan.cases] == ["0", "1", "2"]
    assert plan.cases[0].shape == (5, 6)
    assert plan.cases[0].metadata["view"] == "PA"


def test_a_cut_file_is_named_and_the_rest_imported(tmp_path, voxels, series_at, slice_at):
    series_at(tmp_path / "good", voxels)
    bad = series_at(tmp_path / "bad", voxels)
    (bad / "002.dcm").write_bytes((bad / "002.dcm").read_bytes()[:-20])
    plan = plan_import(tmp_path)
    assert [case.id for case in plan.cases] == ["good"]
    assert "002.dcm: it is cut off before its last pixel." in told(plan)


def test_oddities_are_told(tmp_path, voxels, series_at):
    series_at(tmp_path / "ct", voxels, depths=[0, 3, 6, 15])
    assert "Thorax in ct lacks 2 slices" in told(plan_import(tmp_path))


def test_no_image_at_all(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(LongtailError, match="no DICOM image below"):
        plan_import(tmp_path, format="dicom")


def test_real_series(shared):
    plan = plan_import(shared / "dicom_ct_ge_tilt")
    assert [case.shape for case in plan.cases] == [(28, 512, 512)]
    assert "tilted by 18.5 degrees" in told(plan)
    edge = plan_import(shared / "dicom_highdicom_edge")
    assert len(edge.cases) == 2
    assert "it is a whole slide" in told(edge)


def test_masks_for_series(tmp_path, voxels, series_at):
    for name in ("p1", "p2"):
        series_at(tmp_path / "scans" / name, voxels, SeriesInstanceUID=f"1.{name[1]}")
    image = read_channels([str(tmp_path / "scans" / "p1")])
    (tmp_path / "masks").mkdir()
    labels = (voxels % 3).astype(np.uint8)
    write_label_map(tmp_path / "masks" / "p1.nii.gz", labels, image.geometry)
    write_label_map(tmp_path / "masks" / "p9.nii.gz", labels, image.geometry)
    plan = plan_import(tmp_path / "scans", labels=tmp_path / "masks", classes=["a", "b"])
    assert plan.format == "dicom"
    assert [(case.id, case.mask is not None) for case in plan.cases] == [
        ("p1", True),
        ("p2", False),
    ]
    assert plan.mask_values == {1: "a", 2: "b"}
    assert "p9.nii.gz: there is no image of this name" in told(plan)


def test_a_table_may_name_series(tmp_path, voxels, series_at):
    series_at(tmp_path / "p1", voxels)
    (tmp_path / "t.csv").write_text("file,label,patient\np1,ill,P7\n")
    plan = plan_import(tmp_path, labels=tmp_path / "t.csv")
    assert [(case.id, case.shape, case.class_names) for case in plan.cases] == [
        ("p1", (4, 5, 6), ("ill",))
    ]
