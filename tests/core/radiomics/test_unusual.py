import math

import numpy as np
import pytest

from longtail.core.radiomics.unusual import FEWEST, Compared, TrainingRegions, most_unusual

NAMES = ("original_glcm_Contrast", "original_glcm_Idm", "original_firstorder_Mean")


def regions(*rows):
    return TrainingRegions(NAMES, np.array(rows, float).reshape(len(rows), len(NAMES)))


def test_a_z_score_is_that_of_a_sample():
    found = regions(*[(value, 1.0, 5.0) for value in (1.0, 2.0, 3.0, 4.0, 5.0)])
    one = found.compared({"original_glcm_Contrast": 6.0})["original_glcm_Contrast"]
    # mean 3; squares 4 1 0 1 4, over n - 1 = 4: 2.5
    assert one.z == pytest.approx((6 - 3) / math.sqrt(2.5))
    assert (one.mean, one.below, one.count) == (3.0, 5, 5)


def test_the_rank_counts_smaller_values_alone():
    found = regions(*[(value, 0.0, 0.0) for value in (1.0, 2.0, 2.0, 3.0, 9.0)])
    one = found.compared({"original_glcm_Contrast": 2.0})["original_glcm_Contrast"]
    assert one.below == 1


def test_regions_that_are_all_alike_give_no_z_score():
    found = regions(*[(0.1 + 0.2, 0.3, 0.3)] * 6)
    one = found.compared({"original_glcm_Contrast": 1.0})["original_glcm_Contrast"]
    assert one.z is None
    assert one.below == 6


def test_a_feature_with_few_values_is_left_out():
    rows = [(float(n), math.nan, 1.0) for n in range(FEWEST)]
    rows[0] = (0.0, 1.0, 1.0)
    told = regions(*rows).compared(dict.fromkeys(NAMES, 1.0))
    assert "original_glcm_Idm" not in told
    assert "original_glcm_Contrast" in told


def test_a_feature_without_a_value_is_left_out():
    found = regions(*[(float(n), float(n), float(n)) for n in range(6)])
    assert set(found.compared({NAMES[0]: None, NAMES[1]: 2.0})) == {NAMES[1]}


def test_few_regions_are_too_few():
    assert not TrainingRegions().is_enough
    assert not regions(*[(1.0, 1.0, 1.0)] * (FEWEST - 1)).is_enough
    assert regions(*[(1.0, 1.0, 1.0)] * FEWEST).is_enough


def test_the_most_unusual_are_of_different_classes():
    told = {
        "original_glcm_Contrast": Compared(9.0, 0.0, 1.0, 5, 5),
        "original_glcm_Idm": Compared(8.0, 0.0, 1.0, 5, 5),
        "original_firstorder_Mean": Compared(-3.0, 0.0, 1.0, 0, 5),
        "original_glszm_ZoneEntropy": Compared(1.0, 0.0, 0.0, 0, 5),
    }
    assert most_unusual(told) == ["original_glcm_Contrast", "original_firstorder_Mean"]
    assert most_unusual(told, 1) == ["original_glcm_Contrast"]
    assert most_unusual({}) == []
