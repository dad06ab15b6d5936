"""Which labelled cases sit out in turn."""

from collections import Counter

import numpy as np

from longtail.core.methods.aside import case_groups, image_groups


def test_each_case_sits_out_once_and_each_class_keeps_one():
    held = {f"case{n}": {1, 2} if n < 2 else {1} for n in range(14)}
    groups = case_groups(held, 6, seed=0)
    assert 4 <= len(groups) <= 6
    counts = Counter(case for group in groups for case in group)
    assert set(counts.values()) == {1}
    assert len(counts) >= 12
    assert {len(group) for group in case_groups({n: {1} for n in "abcdefgh"}, 6, 0)} == {1, 2}
    for group in groups:
        assert any(2 in held[case] for case in held if case not in group)
    assert groups == case_groups(held, 6, seed=0) != case_groups(held, 6, seed=1)


def test_the_only_case_with_a_class_never_sits_out():
    held = {f"case{n}": {1} for n in range(7)} | {"rare": {1, 2}}
    groups = case_groups(held, 6, seed=3)
    assert groups
    assert all("rare" not in group for group in groups)


def test_few_cases_all_learn():
    assert case_groups({f"case{n}": {1} for n in range(5)}, 6, seed=0) == ()
    assert case_groups({f"case{n}": {n} for n in range(9)}, 6, seed=0) == ()


def test_a_tenth_of_the_common_images_sits_out():
    presence = np.eye(3, dtype=bool)[np.repeat(np.arange(3), (60, 25, 8))]
    groups = image_groups(presence, 6, seed=0)
    assert [len(group) for group in groups] == [6 + 2] * 6
    rows = np.concatenate(groups)
    assert len(set(rows.tolist())) == len(rows)
    assert not presence[rows, 2].any()
    assert image_groups(presence[-8:], 6, seed=0) == ()
    assert image_groups(np.zeros((0, 3), bool), 6, seed=0) == ()
