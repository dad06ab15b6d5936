"""Which unlabelled patches a step looks at."""

from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from longtail.core.data.pool import UnlabelledPool
from longtail.core.errors import LongtailError


class Store:
    """Cases of different sizes; some cannot be read."""

    def __init__(self, sizes, broken=()):
        self.sizes = sizes
        self.broken = set(broken)
        self.asked = Counter()

    def get(self, case_id):
        self.asked[case_id] += 1
        if case_id in self.broken:
            raise LongtailError(f"{case_id} is damaged.", "Import it again.")
        return SimpleNamespace(image=torch.empty(1, *self.sizes[case_id]))


SIZES = {f"c{number}": (1 + number, 10, 20) for number in range(5)}


def test_a_draw_is_a_function_of_seed_and_step():
    pool, again = UnlabelledPool(Store(SIZES), SIZES), UnlabelledPool(Store(SIZES), SIZES)
    later = pool.draw(7, 3)
    pool.draw(1, 3)
    assert pool.draw(7, 3) == later == again.draw(7, 3)
    assert UnlabelledPool(Store(SIZES), SIZES, seed=1).draw(7, 3) != later


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_step_sees_different_cases_and_each_as_often(count):
    pool = UnlabelledPool(Store(SIZES), SIZES)
    seen = Counter()
    for step in range(400):
        cases = [patch.case_id for patch in pool.draw(step, count)]
        assert len(set(cases)) == count
        seen.update(cases)
    assert set(seen) == set(SIZES)
    assert max(seen.values()) < 1.3 * min(seen.values())


def test_more_patches_than_cases_go_round():
    pool = UnlabelledPool(Store(SIZES), list(SIZES)[:2])
    for step in range(20):
        seen = Counter(patch.case_id for patch in pool.draw(step, 5))
        assert sorted(seen.values()) == [2, 3]


def test_one_case_is_enough():
    pool = UnlabelledPool(Store(SIZES), ["c4"])
    drawn = [patch for step in range(200) for patch in pool.draw(step, 2)]
    assert {patch.case_id for patch in drawn} == {"c4"}
    for axis, length in enumerate(SIZES["c4"]):
        assert {patch.centre[axis] for patch in drawn} == set(range(length))


def test_cases_that_cannot_be_read_are_left_out_once():
    store = Store(SIZES, broken=["c1", "c3"])
    pool = UnlabelledPool(store, SIZES)
    drawn = {patch.case_id for step in range(50) for patch in pool.draw(step, 2)}
    assert drawn == {"c0", "c2", "c4"}
    assert set(pool.failed) == {"c1", "c3"}
    assert store.asked["c1"] == store.asked["c3"] == 1
    assert len(pool) == 3


def test_nothing_left_is_an_error():
    pool = UnlabelledPool(Store(SIZES, broken=SIZES), SIZES)
    with pytest.raises(LongtailError, match="is damaged"):
        pool.draw(0, 2)


def test_cases_may_leave_and_come():
    pool = UnlabelledPool(Store(SIZES), ["c0", "c1"])
    pool.leave_out(["c0", "unknown"])
    assert pool.case_ids == ("c1",)
    pool.take(["c2", "c3"])
    assert {patch.case_id for patch in pool.draw(0, 2)} == {"c2", "c3"}
