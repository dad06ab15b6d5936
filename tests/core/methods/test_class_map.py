"""Pictures of the classes: their arrays, one plane for a run, and files without surprises."""

import numpy as np
import pytest
import torch

from longtail.core.losses.simplex import simplex_centres
from longtail.core.methods.class_map import POINTS_A_CLASS, ClassMap, write_map


def points(outputs=3, width=16, count=200, seed=0):
    random = torch.Generator().manual_seed(seed)
    classes = torch.randint(0, outputs, (count,), generator=random)
    near = simplex_centres(outputs, width)[classes]
    return near + 0.1 * torch.randn(count, width, generator=random), classes


@pytest.mark.parametrize("outputs", [2, 3, 6])
def test_a_picture_has_what_the_window_draws(outputs, tmp_path):
    features, classes = points(outputs)
    arrays = ClassMap().draw(features, classes, simplex_centres(outputs, 16), 1234)
    name = write_map(tmp_path, arrays)
    assert name == "maps/step-0001234.npz"
    with np.load(tmp_path / name, allow_pickle=False) as loaded:
        found = {key: loaded[key] for key in loaded.files}
    assert found["points"].dtype == found["centres"].dtype == np.float32
    assert found["point_classes"].dtype == found["centre_classes"].dtype == np.int16
    assert found["points"].shape == (len(found["point_classes"]), 2)
    assert found["centres"].shape == (outputs, 2)
    assert found["centre_classes"].tolist() == list(range(outputs))
    assert found["step"].dtype == np.int64
    assert int(found["step"]) == 1234
    assert np.isfinite(found["points"]).all()
    assert np.bincount(found["point_classes"]).max() <= POINTS_A_CLASS


def test_points_of_a_class_lie_at_its_centre():
    features, classes = points()
    arrays = ClassMap().draw(features, classes, simplex_centres(3, 16), 0)
    centres = arrays["centres"][arrays["point_classes"]]
    apart = np.linalg.norm(arrays["points"] - centres, axis=1).mean()
    between = np.linalg.norm(arrays["centres"][0] - arrays["centres"][1])
    assert apart < 0.3 * between


def test_one_plane_serves_a_whole_run():
    made = ClassMap()
    first = made.draw(*points(), simplex_centres(3, 16), 0)
    second = made.draw(*points(seed=1), simplex_centres(3, 16)[[1, 2, 0]], 1)
    np.testing.assert_allclose(second["centres"], first["centres"][[1, 2, 0]], atol=1e-6)


def test_classes_without_a_centre_and_without_points_are_left_out():
    features, classes = points()
    centres = simplex_centres(4, 16)
    centres[3] = 0
    arrays = ClassMap().draw(features, classes, centres, 0)
    assert arrays["centre_classes"].tolist() == [0, 1, 2]
    nothing = ClassMap().draw(features[:0], classes[:0], centres, 0)
    assert nothing["points"].shape == (0, 2)
