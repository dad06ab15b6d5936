"""When pictures of the classes are drawn, and of which images."""

import numpy as np
import torch

from longtail.core.methods.learned_map import LearnedMap


def test_a_turn_comes_with_each_tenth_once():
    learned = LearnedMap()
    assert not learned.takes_turn(5, None)
    taken = [step for step in range(1, 101) if learned.takes_turn(step, 100)]
    assert taken == list(range(10, 101, 10))
    seldom = LearnedMap()
    assert [step for step in (1, 45, 46, 100) if seldom.takes_turn(step, 100)] == [45, 100]


def test_some_images_of_each_class_are_chosen():
    presence = np.eye(3, dtype=bool)[np.repeat([0, 1], [50, 4])]
    rows, classes = LearnedMap().chosen(presence)
    assert np.bincount(classes.numpy()).tolist() == [24, 4]
    assert (presence[rows, classes.numpy()]).all()
    assert len(set(rows.tolist())) == 28


def test_an_image_of_several_classes_stands_for_its_rarest():
    presence = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]], bool)
    rows, classes = LearnedMap().chosen(presence)
    assert dict(zip(rows.tolist(), classes.tolist(), strict=True)) == {0: 0, 1: 0, 2: 1}


def test_pictures_share_a_plane_after_a_resume(tmp_path):
    generator = torch.Generator().manual_seed(0)
    features, classes = torch.randn(12, 6, generator=generator), torch.arange(12) % 3
    centres = torch.stack([features[classes == each].mean(0) for each in range(3)])
    first = LearnedMap()
    one = first.picture(tmp_path, features, classes, centres, 10)
    second = LearnedMap()
    second.load_state(first.state())
    # Other centres would span another plane.
    two = second.picture(tmp_path, features, classes, centres.flip(0), 20)
    with np.load(tmp_path / one.path) as before, np.load(tmp_path / two.path) as after:
        np.testing.assert_array_equal(before["points"], after["points"])
        assert set(after["point_classes"].tolist()) == {1, 2, 3}
        assert after["centre_classes"].tolist() == [1, 2, 3]
        assert after["step"] == 20
    assert one.kind == "map"
