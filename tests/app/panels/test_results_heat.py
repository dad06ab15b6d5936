import numpy as np
import pytest

from longtail.app.panels.results_heat import energy_in, mask_above


def test_energy_is_the_share_of_the_map_inside_the_label():
    values = np.array([[0.75, 0.25], [0.0, 0.0]], np.float16)
    drawn = np.array([[1, 2], [1, 255]], np.uint8)
    assert energy_in(values, drawn, 1) == pytest.approx(0.75)
    assert energy_in(values, drawn, 2) == pytest.approx(0.25)
    assert energy_in(values, drawn, 3) is None
    assert energy_in(np.zeros((2, 2)), drawn, 1) is None
    assert energy_in(np.ones((3, 3)), drawn, 1) is None


def test_a_mask_leaves_other_classes_alone():
    values = np.array([1.0, 0.6, 0.4, 0.6, 0.6], np.float16)
    known = np.array([0, 255, 255, 2, 1], np.uint8)
    assert mask_above(values, known, 1, 0.5).tolist() == [1, 1, 255, 2, 1]
    assert known.tolist() == [0, 255, 255, 2, 1]


def test_a_map_of_zeros_labels_nothing():
    known = np.array([0, 255], np.uint8)
    assert mask_above(np.zeros(2, np.float16), known, 1, 0.5).tolist() == [0, 255]
