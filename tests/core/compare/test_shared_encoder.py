"""One contender on the encoder of another: planned without the run, run on it."""

import pytest

from longtail.core.compare.cells import CellRecord
from longtail.core.compare.plan import Contender
from longtail.core.compare.shared_encoder import check_order, standing_on_run
from longtail.core.errors import LongtailError

METHODS = ["ce", "two-stage:extractor=ce", "two-stage"]


@pytest.fixture
def plan(plan_for, pictures):
    return plan_for(pictures, methods=METHODS, seeds=[0, 1])


def cells_of(plan, name):
    return [cell for cell in plan.cells() if cell.contender == name]


def test_each_run_stands_on_the_run_of_the_same_seed(plan):
    bases = cells_of(plan, "ce")
    records = {
        cell: CellRecord(**cell._asdict(), state="done", run=f"run-00{number}-cross-entropy")
        for number, cell in enumerate(bases, start=1)
    }
    standing = [standing_on_run(cell, plan, records) for cell in cells_of(plan, METHODS[1])]
    assert [one.settings["extractor"] for one in standing] == [
        "run-001-cross-entropy",
        "run-002-cross-entropy",
    ]
    assert {one.name for one in standing} == {METHODS[1]}


def test_others_are_left_as_they_are(plan):
    for name in ("ce", "two-stage"):
        for cell in cells_of(plan, name):
            assert standing_on_run(cell, plan, {}) == plan.contender(name)


@pytest.mark.parametrize("state", [None, "failed"])
def test_without_the_run_below_the_sentence_names_it(plan, state):
    cell, base = cells_of(plan, METHODS[1])[0], cells_of(plan, "ce")[0]
    records = {base: CellRecord(**base._asdict(), state=state, run="run-001")} if state else {}
    with pytest.raises(LongtailError, match="encoder of ce, whose run has failed"):
        standing_on_run(cell, plan, records)


def test_an_encoder_is_trained_before_it_is_taken(plan_for, pictures):
    with pytest.raises(LongtailError, match="not trained before it"):
        plan_for(pictures, methods=["two-stage:extractor=ce", "ce"])


def test_no_contender_takes_its_own_encoder():
    itself = Contender(name="mine", method="two-stage", settings={"extractor": "mine"})
    with pytest.raises(LongtailError, match="takes the encoder of mine"):
        check_order([itself])


def test_a_name_that_is_no_contender_is_looked_for_among_the_runs(plan_for, pictures):
    with pytest.raises(LongtailError, match="run-009"):
        plan_for(pictures, methods=["ce", "two-stage:extractor=run-009"])
