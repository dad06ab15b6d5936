"""Pictures whose classes differ by texture alone."""

import numpy as np
import pytest

from longtail.core.io.texture_phantom import KINDS, textured_film


def patches(kind, count=24):
    random = np.random.default_rng(1)
    films = [textured_film(random, kind) for _ in range(count)]
    return [
        film.picture[y : y + high, x : x + wide].astype(float)
        for film in films
        for x, y, wide, high in [film.box]
    ]


def test_a_film_repeats_and_holds_its_patch():
    first, second = (textured_film(np.random.default_rng(3), "fine") for _ in "ab")
    assert np.array_equal(first.picture, second.picture)
    assert first.box == second.box
    x, y, wide, high = first.box
    assert (wide, high) == (24, 24)
    assert 0 <= min(x, y)
    assert max(x + wide, y + high) <= 64


def test_patches_lie_at_random_places():
    random = np.random.default_rng(0)
    places = {textured_film(random, "fine").box[:2] for _ in range(12)}
    assert len(places) > 9


def test_the_classes_differ_by_texture_alone():
    fine, coarse = (patches(kind) for kind in KINDS)
    means = [np.mean([patch.mean() for patch in each]) for each in (fine, coarse)]
    spreads = [np.mean([patch.std() for patch in each]) for each in (fine, coarse)]
    steps = [
        np.mean([np.abs(np.diff(patch, axis=1)).mean() for patch in each])
        for each in (fine, coarse)
    ]
    # The same seed draws the same chests and places, so that these are paired.
    assert means[0] == pytest.approx(means[1], abs=1.0)
    assert spreads[0] == pytest.approx(spreads[1], rel=0.15)
    assert steps[0] > 1.5 * steps[1]
