import csv

import numpy as np
import SimpleITK as sitk

from longtail.core.io.geometry import Geometry
from longtail.core.io.labelmap import read_label_map
from longtail.core.predict.write import (
    write_classes,
    write_entropy,
    write_map_like,
    write_probabilities,
)

TILTED = Geometry((3.0, 0.8, 0.7), (-10.5, 20.0, 5.0), (0, -1, 0, 1, 0, 0, 0, 0, 1))


def test_a_map_keeps_the_sources_geometry(tmp_path):
    labels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = write_map_like(tmp_path, "a/b ü", "/x/scan.nii.gz", labels, TILTED)
    assert path == tmp_path / "a" / "b ü.nii.gz"
    found = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), labels)
    np.testing.assert_allclose(found.GetSpacing(), (0.7, 0.8, 3.0), rtol=1e-6)
    np.testing.assert_allclose(found.GetOrigin(), TILTED.origin, rtol=1e-6)
    np.testing.assert_allclose(found.GetDirection(), TILTED.direction, atol=1e-6)


def test_a_picture_gets_a_picture(tmp_path):
    labels = np.array([[0, 1], [254, 2]], dtype=np.uint8)
    path = write_map_like(tmp_path, "p", "/x/p.jpg", labels, None)
    assert path.name == "p.png"
    np.testing.assert_array_equal(read_label_map(path).array, labels)


def test_entropy_is_kept_in_255_steps_on_the_sources_grid(tmp_path):
    entropy = np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 2, 2)
    entropy[0, 0, 1] = np.nan
    write_entropy(tmp_path / "e.nii.gz", entropy, TILTED)
    found = sitk.ReadImage(str(tmp_path / "e.nii.gz"))
    stored = sitk.GetArrayFromImage(found)
    assert stored.dtype == np.uint8
    entropy[0, 0, 1] = 1.0
    np.testing.assert_allclose(stored / 255, entropy, atol=0.5 / 255 + 1e-6)
    assert (stored.min(), stored.max()) == (0, 255)
    np.testing.assert_allclose(found.GetSpacing(), (0.7, 0.8, 3.0), rtol=1e-6)
    np.testing.assert_allclose(found.GetDirection(), TILTED.direction, atol=1e-6)


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_table_of_exclusive_classes(tmp_path):
    rows = [("a", [0.7, 0.3], 0.1), ("=cmd", [0.2, 0.8], 0.9)]
    write_probabilities(tmp_path / "t.csv", ["x", "y"], rows, exclusive=True)
    assert read(tmp_path / "t.csv") == [
        ["file", "x", "y", "predicted", "uncertainty"],
        ["a", "0.700000", "0.300000", "x", "0.1000"],
        ["'=cmd", "0.200000", "0.800000", "y", "0.9000"],
    ]


def test_table_of_several_classes(tmp_path):
    rows = [("a", [0.7, 0.6], 0.1), ("b", [0.1, 0.2], 0.2)]
    write_probabilities(tmp_path / "t.csv", ["x", "y"], rows, exclusive=False)
    assert [row[3] for row in read(tmp_path / "t.csv")[1:]] == ["x|y", "none"]


def test_classes_are_named_beside_the_maps(tmp_path):
    write_classes(tmp_path / "classes.csv", {1: "a", 9: "b, c"}.items())
    assert read(tmp_path / "classes.csv") == [["id", "name"], ["1", "a"], ["9", "b, c"]]
