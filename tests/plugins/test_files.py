"""Readers and writer: layers in millimetres in, a NIfTI on the same grid out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from longtail.core.errors import LongtailError
from longtail.core.project.records import Task
from longtail.core.project.store import Project
from longtail.plugins.readers import read_folder, read_image
from longtail.plugins.samples import chest, heart
from longtail.plugins.writers import write_labels

SPACING_XYZ = (0.5, 0.75, 3.0)
ORIGIN = (-11.0, 7.5, 100.0)
DIRECTION = (0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    image = sitk.GetImageFromArray(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6))
    image.SetSpacing(SPACING_XYZ)
    image.SetOrigin(ORIGIN)
    image.SetDirection(DIRECTION)
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(image, str(path))
    return path


def layers_from(reader: Any, path: Path) -> list[Any]:
    chosen = reader(str(path))
    assert chosen is not None
    layers: list[Any] = chosen(str(path))
    return layers


def test_a_volume_is_a_layer_in_millimetres(volume: Path) -> None:
    ((data, attributes, kind),) = layers_from(read_image, volume)
    assert kind == "image"
    assert data.shape == (4, 5, 6)
    assert attributes["scale"] == pytest.approx(SPACING_XYZ[::-1])
    assert attributes["units"] == ("mm", "mm", "mm")
    assert attributes["name"] == "scan"


def test_labels_go_back_onto_the_grid_they_were_drawn_on(volume: Path, tmp_path: Path) -> None:
    ((data, attributes, _),) = layers_from(read_image, volume)
    labels = np.zeros(data.shape, np.int32)
    labels[2, 1, 3] = 2
    written = write_labels(str(tmp_path / "out.nii.gz"), labels, attributes)
    image = sitk.ReadImage(written[0])
    assert image.GetSpacing() == pytest.approx(SPACING_XYZ)
    assert image.GetOrigin() == pytest.approx(ORIGIN)
    assert image.GetDirection() == pytest.approx(DIRECTION)
    assert image.GetPixel(3, 1, 2) == 2


def test_a_layer_from_elsewhere_keeps_its_scale(tmp_path: Path) -> None:
    labels = np.ones((3, 4, 5), np.uint8)
    (path,) = write_labels(str(tmp_path / "own.nii.gz"), labels, {"scale": (3.0, 1.0, 2.0)})
    assert sitk.ReadImage(path).GetSpacing() == pytest.approx((2.0, 1.0, 3.0))


def test_labels_that_nifti_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LongtailError, match="between 0 and"):
        write_labels(str(tmp_path / "large.nii.gz"), np.full((2, 2, 2), 70_000), {})
    assert not list(tmp_path.iterdir())


def test_a_folder_without_dicom_or_project_is_left_to_others(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "one.png")
    assert read_folder(str(tmp_path)) is None


def test_a_project_folder_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "study.longtail"
    Project.create(path, task=Task.SEGMENTATION, classes=["one"]).close()
    assert read_folder(str(path)) is not None


def test_samples_are_generated(make_napari_viewer_proxy: Any) -> None:
    viewer = make_napari_viewer_proxy()
    for data, attributes, kind in (*heart(), *chest()):
        getattr(viewer, f"add_{kind}")(data, **attributes)
    assert [layer.name for layer in viewer.layers] == ["heart", "heart labels", "chest"]
    assert viewer.layers["heart labels"].data.max() >= 3
