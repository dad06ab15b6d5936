"""Who sits out when, and what measuring may cost."""

import pytest

from longtail.core.training.rotation import COST_SHARE, Rotation

TOTAL = 600


class Run:
    """Six groups of two cases; measuring a case takes as long as a test says."""

    decisive = "dice"

    def __init__(self, groups=6):
        self.groups = tuple((f"a{n}", f"b{n}") for n in range(groups))
        self.sitting, self.measured = (), []

    def aside_groups(self, count):
        return self.groups[:count]

    def sit_out(self, case_ids):
        self.sitting = tuple(case_ids)

    def measure_cases(self, network, case_ids):
        for _ in case_ids:
            yield
        self.measured.append((self.sitting, tuple(case_ids)))
        return {"dice": [len(case_ids) / 2]}


def finish(turn):
    while True:
        try:
            next(turn)
        except StopIteration as end:
            return end.value


def go(rotation, run, *, start=0, until=TOTAL, cost_s=0.1):
    """Take the steps of a run of a second each; who sat out at each of them."""
    sat = []
    for done in range(start, until):
        if rotation.is_due(done, TOTAL):
            before = len(run.measured)
            finish(rotation.turn(done, TOTAL, None, float(done), 1.0))
            cases = [case for _, cases in run.measured[before:] for case in cases]
            rotation.spend(cost_s * len(cases))
        sat.append(run.sitting)
    return sat


def test_each_group_sits_out_once_and_is_measured_before_it_learns_again():
    run = Run()
    sat = go(Rotation(run, wanted=True), run)
    assert sat[:60] == [()] * 60
    assert sat[420:] == [()] * 180
    assert [sat[at] for at in range(60, 420, 60)] == list(run.groups)
    assert all(len(set(sat[at : at + 60])) == 1 for at in range(60, 420, 60))
    assert run.measured == [(group, group) for group in run.groups]


def test_measuring_takes_its_share_at_most():
    run = Run()
    go(Rotation(run, wanted=True), run, cost_s=4.0)
    spent = 4.0 * sum(len(cases) for _, cases in run.measured)
    assert run.measured
    assert spent <= COST_SHARE * 420
    dear = Run()
    go(Rotation(dear, wanted=True), dear, cost_s=400.0)
    assert len(dear.measured) == 1


def test_going_on_from_a_checkpoint_changes_nothing():
    whole, first, second = Run(), Run(), Run()
    sat = go(Rotation(whole, wanted=True), whole)
    before = Rotation(first, wanted=True)
    parted = go(before, first, until=205)
    after = Rotation(second, wanted=True)
    after.load_state(before.state())
    parted += go(after, second, start=205)
    assert parted == sat
    assert first.measured + second.measured == whole.measured


def test_new_labels_deal_anew():
    run = Run()
    rotation = Rotation(run, wanted=True)
    go(rotation, run, until=100)
    rotation.come_back()
    assert run.sitting == ()
    run.groups = tuple((f"c{n}",) for n in range(4))
    rotation.deal_anew()
    assert run.sitting == ("c0",)
    assert set(go(rotation, run, start=100)) == {*run.groups, ()}


@pytest.mark.parametrize(
    ("groups", "wanted", "total"), [(0, True, 600), (6, False, 600), (6, True, 100)]
)
def test_nobody_sits_out_in_short_runs_or_without_a_wish(groups, wanted, total):
    run = Run(groups)
    rotation = Rotation(run, wanted)
    assert not any(rotation.is_due(done, total) for done in range(total))
    assert not rotation.works(total)


def test_nobody_sits_out_before_the_number_of_steps_is_known():
    run = Run()
    rotation = Rotation(run, wanted=True)
    assert not rotation.is_due(100, None)
    # Known late in a turn: those who sat out for a moment only are not measured.
    finish(rotation.turn(110, TOTAL, None, 110.0, 1.0))
    assert run.sitting == run.groups[0]
    finish(rotation.turn(120, TOTAL, None, 120.0, 1.0))
    assert run.measured == []
    assert run.sitting == run.groups[1]
