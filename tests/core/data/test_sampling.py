"""Which images and patches are drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from longtail.core.data.patches import PatchSampler
from longtail.core.data.sampling import ClassBatchSampler, ImageSampler
from longtail.core.data.volumes import box_start

COUNTS = (80, 15, 5)


def presence():
    return np.eye(3, dtype=bool)[np.repeat(np.arange(3), COUNTS)]


def drawn_shares(sampler, steps=400, batch=16):
    rows = np.concatenate([sampler.draw(step, batch) for step in range(steps)])
    return sampler.presence[rows].mean(0)


@pytest.mark.parametrize("how", ["instance", "class-balanced", "square-root"])
def test_shares_are_what_is_drawn(how):
    sampler = ImageSampler(presence(), how, seed=1)
    np.testing.assert_allclose(drawn_shares(sampler), sampler.class_shares, atol=0.02)


def test_shares_of_each_sampler():
    np.testing.assert_allclose(ImageSampler(presence()).class_shares, [0.8, 0.15, 0.05])
    np.testing.assert_allclose(ImageSampler(presence(), "class-balanced").class_shares, 1 / 3)
    root = np.sqrt(COUNTS)
    found = ImageSampler(presence(), "square-root").class_shares
    np.testing.assert_allclose(found, root / root.sum())


def test_an_absent_class_gets_nothing():
    with_gap = np.pad(presence(), ((0, 0), (0, 1)))
    shares = ImageSampler(with_gap, "class-balanced").class_shares
    assert shares[3] == 0
    np.testing.assert_allclose(shares[:3], 1 / 3)


def test_in_turn_shows_every_image_once_a_round():
    sampler = ImageSampler(presence(), seed=2)
    rows = np.concatenate([sampler.draw(step, 10) for step in range(20)])
    for start in (0, 100):
        assert sorted(rows[start : start + 100].tolist()) == list(range(100))
    assert rows[:100].tolist() != rows[100:].tolist()


def test_a_step_can_be_drawn_again():
    for how in ("instance", "class-balanced"):
        first, second = ImageSampler(presence(), how, 3), ImageSampler(presence(), how, 3)
        first.draw(0, 8)
        np.testing.assert_array_equal(first.draw(7, 8), second.draw(7, 8))


def test_class_batches_hold_some_images_of_some_classes():
    sampler = ClassBatchSampler(np.pad(presence(), ((0, 0), (0, 1))), classes=9, images=8, seed=4)
    rows = sampler.draw(3)
    np.testing.assert_array_equal(rows, sampler.draw(3))
    of_class = np.repeat(np.arange(3), COUNTS)[rows].reshape(3, 8)
    assert (of_class == of_class[:, :1]).all()
    assert sorted(of_class[:, 0].tolist()) == [0, 1, 2]
    rare = rows[(of_class == 2).ravel()]
    assert set(rare.tolist()) == set(range(95, 100))
    assert len(set(rows[(of_class == 0).ravel()].tolist())) == 8


def test_class_batches_choose_among_the_classes():
    sampler = ClassBatchSampler(presence(), classes=2, images=2)
    seen = {tuple(sorted({row // 80 + (row >= 95) for row in sampler.draw(s)})) for s in range(30)}
    assert seen == {(0, 1), (0, 2), (1, 2)}


def test_class_batches_let_images_rest():
    sampler = ClassBatchSampler(presence(), classes=3, images=4)
    resting = [95, 96, 97, 98]
    for step in range(10):
        rows = sampler.draw(step, resting)
        assert not set(resting) & set(rows.tolist())
    assert {95, 96, 97, 98, 99} >= set(sampler.draw(0, range(95, 100)).tolist()) - set(range(95))


def test_more_of_a_class_is_more():
    sampler = ImageSampler(presence(), seed=1)
    sampler.sample_more(2, 4.0)
    np.testing.assert_allclose(drawn_shares(sampler), sampler.class_shares, atol=0.02)
    assert sampler.class_shares[2] == pytest.approx(20 / 115)


def test_images_with_several_classes_and_with_none():
    many = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], bool)
    sampler = ImageSampler(many, "class-balanced", seed=1)
    rows = np.concatenate([sampler.draw(step, 16) for step in range(100)])
    counts = np.bincount(rows, minlength=4)
    assert counts[1] > counts[0]
    assert counts[2] > 0


def places(**cases):
    return SimpleNamespace(places=lambda case_id: cases[case_id])


def spot(*voxels):
    return np.array(voxels, np.int32)


def store():
    return places(
        a={-1: spot((0, 0, 0)), 1: spot((1, 1, 1), (1, 1, 2), (1, 1, 3))},
        b={-1: spot((5, 5, 5)), 1: spot((6, 6, 6)), 2: spot((7, 7, 7))},
    )


def centres(sampler, count=4000):
    return [tuple(patch.centre) for patch in sampler.draw(0, count)]


def test_rare_classes_are_drawn_as_often_as_common_ones():
    found = centres(PatchSampler(store(), ["a", "b"], 2, "rare", 1.0))
    assert 0.45 < np.mean([centre == (7, 7, 7) for centre in found]) < 0.55


def test_foreground_is_drawn_as_often_as_it_is():
    found = centres(PatchSampler(store(), ["a", "b"], 2, "foreground", 1.0))
    assert 0.15 < np.mean([centre == (7, 7, 7) for centre in found]) < 0.25


def test_anywhere_means_any_labelled_voxel():
    found = set(centres(PatchSampler(store(), ["a", "b"], 2, "none")))
    assert found == {(0, 0, 0), (5, 5, 5)}


def test_a_class_may_be_looked_at_more():
    sampler = PatchSampler(store(), ["a", "b"], 2, "rare", 1.0)
    sampler.sample_more(2, 3.0)
    assert 0.7 < np.mean([centre == (7, 7, 7) for centre in centres(sampler)]) < 0.8


def test_patches_of_a_step_can_be_drawn_again():
    one, two = (PatchSampler(store(), ["a", "b"], 2, seed=4) for _ in range(2))
    one.draw(0, 5)
    assert one.draw(9, 5) == two.draw(9, 5)
    assert one.draw(9, 5) != one.draw(10, 5)


@pytest.mark.parametrize(
    ("centre", "length", "have", "start"),
    [(5, 4, 20, 3), (0, 4, 20, 0), (19, 4, 20, 16), (3, 10, 6, -2), (3, 6, 6, 0)],
)
def test_a_box_stays_inside_where_it_fits(centre, length, have, start):
    assert box_start(centre, length, have) == start


def test_resting_images_are_not_shown_and_shares_stay():
    resting = [0, 5, 7, 81, 96]
    for how in ("instance", "class-balanced"):
        sampler, before = ImageSampler(presence(), how, 1), ImageSampler(presence(), how, 1)
        sampler.rest(resting)
        drawn = np.concatenate([sampler.draw(step, 16) for step in range(200)])
        plain = np.concatenate([before.draw(step, 16) for step in range(200)])
        assert not set(drawn) & set(resting)
        np.testing.assert_array_equal(presence()[drawn], presence()[plain])
        sampler.rest(())
        np.testing.assert_array_equal(sampler.draw(3, 16), before.draw(3, 16))


def test_the_only_image_of_its_kind_is_shown_all_the_same():
    sampler = ImageSampler(np.eye(2, dtype=bool)[[0, 0, 1]], seed=1)
    sampler.rest([2])
    assert 2 in sampler.draw(0, 6)


def test_resting_cases_are_not_drawn():
    sampler = PatchSampler(store(), ["a", "b"], 2, "rare", 0.5)
    sampler.rest(["a"])
    assert {patch.case_id for patch in sampler.draw(0, 200)} == {"b"}
    assert sampler.case_ids == ("a", "b")
    sampler.rest(())
    assert {patch.case_id for patch in sampler.draw(0, 200)} == {"a", "b"}


def test_a_class_may_be_looked_at_where_nothing_is_sampled_by_class():
    sampler = PatchSampler(store(), ["a", "b"], 2, "none")
    sampler.sample_more(2, 3.0)
    found = centres(sampler)
    # One of two classes, three times as often: as often as all places together.
    assert 0.45 < np.mean([centre == (7, 7, 7) for centre in found]) < 0.55
    assert (6, 6, 6) not in found


def test_a_lone_class_takes_the_place_of_anywhere():
    lone = places(a={-1: spot((0, 0, 0)), 1: spot((1, 1, 1))})
    sampler = PatchSampler(lone, ["a"], 1, "rare", 0.5)
    sampler.sample_more(1, 3.0)
    assert 0.7 < np.mean([centre == (1, 1, 1) for centre in centres(sampler)]) < 0.8
