import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longtail.core.evaluate import surface
from longtail.core.evaluate.surface import surface_distances


def brute_surface(mask):
    points = []
    for index in np.argwhere(mask):
        for axis in range(mask.ndim):
            for step in (-1, 1):
                neighbour = index.copy()
                neighbour[axis] += step
                inside = 0 <= neighbour[axis] < mask.shape[axis]
                if not inside or not mask[tuple(neighbour)]:
                    points.append(tuple(index))
    return np.array(sorted(set(points)), dtype=float)


def brute_distances(first, second, spacing):
    a, b = (brute_surface(mask) * np.asarray(spacing) for mask in (first, second))
    apart = np.linalg.norm(a[:, None] - b[None], axis=-1)
    return apart.min(axis=1), apart.min(axis=0)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shape=st.sampled_from([(7, 9), (1, 6), (4, 6, 5), (3, 1, 7)]),
    spacing=st.sampled_from([(1.0, 1.0, 1.0), (5.0, 0.7, 1.3), (0.1, 2.0, 0.9)]),
    density=st.sampled_from([0.05, 0.4, 0.9]),
)
@pytest.mark.parametrize("tree_at_most", [0, 400_000])
def test_equals_brute_force_with_any_spacing(tree_at_most, seed, shape, spacing, density):
    rng = np.random.default_rng(seed)
    first, second = rng.random((2, *shape)) < density
    first.flat[seed % first.size] = True
    second.flat[(seed * 7) % first.size] = True
    spacing = spacing[: len(shape)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surface, "TREE_AT_MOST", tree_at_most)
        found = surface.surface_distances(first, second, spacing)
    from_first, from_second = brute_distances(first, second, spacing)
    np.testing.assert_allclose(np.sort(found.from_first), np.sort(from_first))
    np.testing.assert_allclose(np.sort(found.from_second), np.sort(from_second))


def test_two_voxels_apart_along_the_thick_axis():
    first, second = np.zeros((2, 6, 6, 6), dtype=bool)
    first[1, 2, 2] = second[3, 2, 2] = True
    between = surface_distances(first, second, (4.0, 1.0, 1.0))
    assert between.hd95 == pytest.approx(8.0)
    assert between.average == between.average_of_means == pytest.approx(8.0)
    assert between.within(7.9) == 0.0
    assert between.within(8.0) == 1.0


def test_hd95_is_the_larger_direction_and_average_is_over_all_voxels():
    first, second = np.zeros((2, 1, 50), dtype=bool)
    first[0, 10] = True
    second[0, 10:15] = True
    between = surface_distances(first, second, (1.0, 2.0))
    # One row: each of its voxels is surface. From second: 0, 2, 4, 6, 8 mm; from first: 0.
    assert between.hd95 == pytest.approx(np.percentile([0, 2, 4, 6, 8], 95))
    assert between.average == pytest.approx(20 / 6)
    assert between.average_of_means == pytest.approx((0 + 4) / 2)


def test_a_float32_spacing_of_one_counts_as_within_one_millimetre():
    first, second = np.zeros((2, 4, 4), dtype=bool)
    first[1, 1] = second[1, 2] = True
    spacing = (1.0, math.nextafter(1.0, 2.0) + 1e-7)
    assert surface_distances(first, second, spacing).within(1.0) == 1.0
