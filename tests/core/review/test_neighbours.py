import subprocess
import sys

import numpy as np
import pytest

from longtail.core.review.neighbours import Neighbours, neighbour_accuracy


def cosine_rows(features, counts=slice(None)):
    """Take the mean of those that count away, and bring each to length 1."""
    away = features.astype(float) - features[counts].astype(float).mean(axis=0)
    return away / np.linalg.norm(away, axis=1, keepdims=True)


def brute(features, classes, count, groups=None):
    """Vote by loops over all pairs."""
    unit = cosine_rows(features, classes != -1)
    said = []
    for row in range(len(unit)):
        others = [
            (-float(unit[row] @ unit[other]), other)
            for other in range(len(unit))
            if other != row
            and classes[other] != -1
            and (groups is None or groups[other] != groups[row])
        ]
        votes = {}
        for rank, (_, other) in enumerate(sorted(others)[:count]):
            votes.setdefault(classes[other], []).append(rank)
        # Most votes, then the nearest.
        best = min(votes, key=lambda key: (-len(votes[key]), votes[key][0])) if votes else None
        said.append(best)
    return said


@pytest.mark.parametrize("grouped", [False, True])
def test_accuracy_is_that_of_a_vote_by_loops(grouped):
    rng = np.random.default_rng(5)
    features = rng.normal(size=(70, 4))
    classes = rng.integers(-1, 3, 70)
    groups = rng.integers(0, 12, 70) if grouped else None
    said = brute(features, classes, 3, groups)
    found = neighbour_accuracy(features, classes, 3, groups)
    known = classes != -1
    hits = np.array([a == b for a, b in zip(said, classes, strict=True)])[known]
    assert found.accuracy == pytest.approx(hits.mean())
    shares = [hits[classes[known] == one].mean() for one in range(3)]
    assert found.balanced == pytest.approx(np.mean(shares))
    assert list(found.classes.values()) == pytest.approx(shares)
    assert (found.neighbours, found.cases) == (3, known.sum())


def test_a_rare_class_weighs_as_much_as_a_common_one():
    angles = np.append(np.linspace(0, 6, 9), 1.4)
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = neighbour_accuracy(features, np.array([0] * 9 + [1]), 3)
    assert found.accuracy == pytest.approx(0.9)
    assert found.balanced == pytest.approx(0.5)
    assert found.chance == 0.5


def test_images_of_one_patient_alone_say_nothing():
    found = neighbour_accuracy(np.eye(4), np.array([0, 0, 1, 1]), 2, np.zeros(4))
    assert found.accuracy == 0


def test_one_case_has_no_neighbours():
    assert neighbour_accuracy(np.ones((3, 2)), np.array([-1, 2, -1])) is None


def test_more_like_gives_the_largest_cosines_without_what_was_asked():
    features = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float16)
    unit = cosine_rows(features)
    alike = Neighbours(features).more_like([7], 5)
    expected = [row for row in np.argsort(-(unit @ unit[7])) if row != 7][:5]
    assert alike.rows.tolist() == expected
    assert alike.cosines == pytest.approx((unit @ unit[7])[expected], abs=1e-3)


def test_more_like_several_looks_around_their_middle():
    features = np.array([[4, 0], [0, 4], [3, 3], [-1, -2], [-6, -5]], np.float32)
    assert Neighbours(features).more_like([0, 1], 1).rows.tolist() == [2]
    assert sorted(Neighbours(features).more_like([0, 1], 9).rows.tolist()) == [2, 3, 4]
    assert Neighbours(features).more_like([]).rows.tolist() == []


def test_neighbours_of_all_leave_each_out():
    found = Neighbours(np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])).of_all(1)
    assert found.tolist() == [[1], [0], [3], [2]]


def test_it_needs_no_torch():
    code = (
        "import sys, numpy as np; from longtail.core.review.neighbours import neighbour_accuracy;"
        "neighbour_accuracy(np.eye(4), np.array([0, 0, 1, 1]));"
        "import longtail.core.explain.embedding_file, longtail.core.jobs.embedding;"
        "assert not {'torch', 'monai', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
