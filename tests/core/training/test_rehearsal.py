"""Steps that are taken back: what they cost is known, and nothing else is left of them."""

import copy
from types import SimpleNamespace

import pytest
import torch

from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.run import Moment, Setup
from longtail.core.methods.spec import read_spec
from longtail.core.training import rehearsal
from longtail.core.training.plan import plan_run
from longtail.core.training.rehearsal import LEAST_TIMED, WARM_UP_STEPS, rehearse
from longtail.core.training.stepper import Stepper

SMALL = {"width": 4, "patch": "16x16x16", "levels": 2, "batch": 2}


class FakeStepper:
    """Steps that take a second before a quarter of the run, and three afterwards."""

    def __init__(self, clock):
        self.clock = clock
        self.average = SimpleNamespace(state_dict=lambda: {"average": 1})
        self.loaded = None
        self.taken = []

    def step(self, batch, moment):
        self.taken.append(moment)
        late = len(self.taken) > 40  # a hiccup that must not count
        self.clock.now += 100.0 if late else 1.0 if moment.share < 0.25 else 3.0

    def state(self):
        return {"weights": 7}

    def load_state(self, state, average):
        self.loaded = (state, average)


@pytest.fixture
def clock(monkeypatch):
    made = SimpleNamespace(now=0.0)
    monkeypatch.setattr(rehearsal, "time", SimpleNamespace(perf_counter=lambda: made.now))
    return made


def run_of(*phases):
    return SimpleNamespace(phases=phases, batch=lambda step: step)


def finished(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_phases_count_by_their_share(clock, context):
    stepper = FakeStepper(clock)
    mean_s = finished(rehearse(run_of(0.0, 0.25), stepper, context()))
    assert mean_s == pytest.approx(0.25 * 1 + 0.75 * 3)
    assert len(stepper.taken) == 2 * (WARM_UP_STEPS + LEAST_TIMED)
    assert {moment.share < 0.25 for moment in stepper.taken} == {True, False}
    assert stepper.loaded == ({"weights": 7}, {"average": 1})


def test_one_phase_is_timed_too(clock, context):
    assert finished(rehearse(run_of(0.0), FakeStepper(clock), context())) == pytest.approx(1.0)


def test_running_out_of_memory_leaves_the_plan_to_the_run(clock, context):
    stepper = FakeStepper(clock)
    stepper.step = lambda batch, moment: (_ for _ in ()).throw(MemoryError("no room"))
    assert finished(rehearse(run_of(0.0, 0.5), stepper, context())) == 0.0
    assert stepper.loaded is not None


def test_other_faults_are_not_hidden_but_weights_come_back(clock, context):
    stepper = FakeStepper(clock)
    stepper.step = lambda batch, moment: (_ for _ in ()).throw(RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        finished(rehearse(run_of(0.0, 0.5), stepper, context()))
    assert stepper.loaded is not None


def test_a_stop_ends_it(clock, context):
    stepper = FakeStepper(clock)
    finished(rehearse(run_of(0.0, 0.5), stepper, context(stop_after=-1)))
    assert stepper.taken == []


def same(first, second, at=""):
    if isinstance(first, torch.Tensor):
        assert torch.equal(torch.nan_to_num(first), torch.nan_to_num(second)), at
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), at
        for key in first:
            same(first[key], second[key], f"{at}.{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), at
        for number in range(len(first)):
            same(first[number], second[number], f"{at}[{number}]")
    else:
        assert first == second, at


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("method", ["bcp", "action++"])
def test_nothing_is_left_of_it(volumes, context, monkeypatch, method, begun):
    monkeypatch.setattr(rehearsal, "TIMED_S", 0.0)
    spec = plan_run(volumes, method=method, settings=SMALL, iterations=6)
    run = METHODS.get(method).load()(Setup(spec, volumes, "cpu"))
    list(run.prepare())
    stepper = Stepper(run)
    if begun:
        for step in (0, 3, 4):
            stepper.step(run.batch(step), Moment(step, 6))
    before = copy.deepcopy((stepper.state(), stepper.average.state_dict()))
    assert finished(rehearse(run, stepper, context())) > 0
    same(before, (stepper.state(), stepper.average.state_dict()))


def test_minutes_become_steps_before_the_first_one(volumes, start, monkeypatch):
    monkeypatch.setattr(rehearsal, "TIMED_S", 0.0)
    asked = []

    def fixed(run, stepper, context):
        asked.append(run)
        yield
        return 0.5

    monkeypatch.setattr("longtail.core.training.engine.rehearse", fixed)
    spec = plan_run(volumes, method="bcp", settings=SMALL, minutes=0.05, validation="none")
    _, result, folder = start(volumes, "bcp", spec=spec)
    assert len(asked) == 1
    # 3 s less what the rehearsal took, at half a second a step.
    assert read_spec(folder).iterations_planned in (4, 5, 6)
    assert result["iterations"] == read_spec(folder).iterations_planned


def test_a_resumed_run_is_not_rehearsed_again(volumes, start, monkeypatch):
    monkeypatch.setattr(rehearsal, "TIMED_S", 0.0)
    spec = plan_run(volumes, method="bcp", settings=SMALL, minutes=0.05, validation="none")
    _, _, folder = start(volumes, "bcp", spec=spec, stop_after=16)
    planned = read_spec(folder).iterations_planned
    assert planned is not None

    def never(*given):
        raise AssertionError("rehearsed again")

    monkeypatch.setattr("longtail.core.training.engine.rehearse", never)
    start(volumes, "bcp", spec=spec, resume=True)
    assert read_spec(folder).iterations_planned == planned
