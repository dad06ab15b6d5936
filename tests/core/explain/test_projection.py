import numpy as np
import pytest

from longtail.core.explain.nearest import directions, nearest
from longtail.core.explain.projection import align, principal
from longtail.core.explain.projection_ways import _Halted, _in_thread, flatten


def run(steps):
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            return end.value, seen


def blobs(count=40, width=12):
    rng = np.random.default_rng(3)
    centres = 4 * rng.normal(size=(3, width))
    classes = np.repeat(np.arange(3), count)
    return centres[classes] + rng.normal(size=(len(classes), width)), classes


@pytest.mark.parametrize("shape", [(50, 7), (6, 30)])
def test_principal_components_are_those_of_the_singular_value_decomposition(shape):
    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    points, shares = principal(rows, 3)
    centred = rows.astype(np.float64) - rows.mean(axis=0)
    _, values, right = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ right[:3].T
    for axis in range(3):
        loading = right[axis][np.abs(right[axis]).argmax()]
        assert points[:, axis] == pytest.approx(expected[:, axis] * np.sign(loading), abs=1e-4)
    assert shares == pytest.approx((values**2 / (values**2).sum())[:3], abs=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points_have_a_picture(count):
    flat, _ = run(flatten(np.eye(2, 5)[:count], "umap"))
    assert flat.points.shape == (count, 2)
    assert np.isfinite(flat.points).all()


def test_equal_points_have_a_picture():
    flat, _ = run(flatten(np.ones((8, 4)), "pca"))
    assert flat.points == pytest.approx(np.zeros((8, 2)), abs=1e-5)
    assert flat.explained == pytest.approx((0, 0), abs=1e-5)


def test_align_finds_the_turn_that_was_made():
    onto = np.random.default_rng(1).normal(size=(30, 2)).astype(np.float32)
    angle = 2.1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (3 * onto @ turn @ np.diag([1, -1]) + 7).astype(np.float32)
    assert align(moved, onto) == pytest.approx(onto, abs=1e-4)


def test_align_never_makes_frames_lie_farther_apart():
    rng = np.random.default_rng(2)
    for _ in range(20):
        points, onto = rng.normal(size=(2, 12, 2)).astype(np.float32)
        after = np.square(align(points, onto) - onto).sum()
        assert after <= np.square(points - onto).sum() + 1e-5


def test_align_of_equal_points_is_finite():
    onto = np.arange(8, dtype=np.float32).reshape(4, 2)
    found = align(np.ones((4, 2), np.float32), onto)
    assert found == pytest.approx(np.tile(onto.mean(axis=0), (4, 1)))


def test_directions_are_taken_from_the_mean():
    features = np.array([[3, 1], [3, 5], [9, 3]], np.float16)
    expected = np.array([[-2, -2], [-2, 2], [4, 0]]) / np.array([[8**0.5], [8**0.5], [4]])
    assert directions(features) == pytest.approx(expected, abs=1e-6)
    assert (features == [[3, 1], [3, 5], [9, 3]]).all()
    assert (directions(np.full((4, 3), 0.1, np.float32)) == 0).all()


def test_nearest_are_those_of_all_distances():
    points = directions(np.random.default_rng(0).normal(size=(60, 5)))
    points[7] = points[3]
    (places, distances), seen = run(nearest(points, 4))
    every = np.linalg.norm(points[:, None].astype(float) - points[None], axis=2)
    np.fill_diagonal(every, np.inf)
    assert (places != np.arange(60)[:, None]).all()
    assert distances == pytest.approx(np.sort(every, axis=1)[:, :4], abs=1e-3)
    assert seen[-1] == (60, 60)


def test_many_equal_points_are_never_their_own_neighbours():
    (places, _), _ = run(nearest(np.ones((9, 2), np.float32), 3))
    assert places.shape == (9, 3)
    assert (places != np.arange(9)[:, None]).all()


@pytest.mark.parametrize("way", ["pca", "tsne"])
def test_a_picture_keeps_groups_and_depends_on_the_seed_alone(way):
    features, classes = blobs()
    (first, _), (again, _) = (run(flatten(features, way, seed=4)) for _ in range(2))
    assert (first.points == again.points).all()
    (places, _), _ = run(nearest(first.points, 1))
    assert (classes[places[:, 0]] == classes).mean() > 0.95


@pytest.mark.slow
def test_umap_keeps_groups_tells_progress_and_depends_on_the_seed_alone():
    features, classes = blobs()
    (first, seen), (again, _), (other, _) = (
        run(flatten(features, "umap", seed=seed)) for seed in (4, 4, 5)
    )
    assert (first.points == again.points).all()
    assert (first.points != other.points).any()
    (places, _), _ = run(nearest(first.points, 1))
    assert (classes[places[:, 0]] == classes).mean() > 0.95
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_closing_the_steps_ends_the_thread():
    ended = []

    def work(tell):
        try:
            while True:
                tell(1, 2)
        except _Halted:
            ended.append(True)
            raise

    steps = _in_thread(work)
    assert next(steps) == (1, 2)
    steps.close()
    assert ended == [True]


def test_a_failure_in_the_thread_reaches_the_caller():
    def work(tell):
        raise ValueError("too bad")

    with pytest.raises(ValueError, match="too bad"):
        run(_in_thread(work))
