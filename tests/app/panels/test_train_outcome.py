"""What came of a run, in words."""

from datetime import UTC, datetime

import pytest

from longtail.app.panels.train_live import Headline
from longtail.app.panels.train_outcome import ending, value_in
from longtail.core.backend.events import Finished, Outcome
from longtail.core.project.records import RunRecord

DICE = Headline(0.82, "mean Dice, validation", 0.83, 600, "dice")


def run(number, state="completed", **measured):
    result = {"validation": {name: {"mean": value} for name, value in measured.items()}}
    return RunRecord(
        f"run-{number:03d}-supervised",
        "supervised",
        state,
        datetime(2026, 1, number, tzinfo=UTC),
        {},
        result,
        "",
        0,
    )


def test_a_completed_run_leads_to_its_results():
    done = Finished(Outcome.COMPLETED, {"iterations": 628, "seconds": 362.0})
    told = ending(done, DICE, run(1), [run(1)], has_checkpoint=True)
    assert told.has_results
    assert not told.can_resume
    assert "628 steps in 6:02" in told.text


def test_the_change_is_against_the_last_kept_run_before():
    runs = [run(1, dice=0.70), run(2, dice=0.78), run(3, "failed", dice=0.1), run(4)]
    told = ending(Finished(Outcome.COMPLETED), DICE, runs[3], runs, has_checkpoint=True)
    assert told.versus == "run 2"
    assert told.change == pytest.approx(0.04)
    assert told.change_text == "+0.04"
    assert told.better is True


def test_a_first_run_has_no_change():
    told = ending(Finished(Outcome.COMPLETED), DICE, run(1), [run(1)], has_checkpoint=True)
    assert told.change is None
    assert told.better is None


def test_other_measures_are_not_compared():
    runs = [run(1, recall=0.5), run(2)]
    told = ending(Finished(Outcome.COMPLETED), DICE, runs[1], runs, has_checkpoint=True)
    assert told.change is None


def test_a_stopped_run_can_be_used_and_resumed():
    told = ending(Finished(Outcome.STOPPED), DICE, run(1), [run(1)], has_checkpoint=True)
    assert told.has_results
    assert told.can_resume


def test_a_cancelled_run_keeps_nothing():
    told = ending(Finished(Outcome.CANCELLED), DICE, run(1), [run(1)], has_checkpoint=True)
    assert not told.has_results
    assert not told.can_resume
    assert told.headline is None


def test_a_killed_process_is_told_with_what_is_safe_and_can_be_resumed():
    killed = Finished(Outcome.FAILED, None, "The compute process was killed.", "Resume the run.")
    told = ending(killed, DICE, run(1), [run(1)], has_checkpoint=True)
    assert told.title == "The compute process was killed."
    assert told.text == "Resume the run. Labels are as they were."
    silent = ending(
        Finished(Outcome.FAILED, None, "Killed."), DICE, run(1), [run(1)], has_checkpoint=True
    )
    assert "can be resumed" in silent.text
    assert told.tone == "bad"
    assert told.can_resume


def test_a_failure_before_the_first_checkpoint_cannot_be_resumed():
    told = ending(Finished(Outcome.FAILED, None, "Broken."), None, run(1), [], has_checkpoint=False)
    assert not told.can_resume
    assert "resume" not in told.text


def test_a_lower_loss_is_better():
    loss = Headline(0.4, "training loss", 0.4, 10, "loss")
    runs = [run(1, loss=0.6), run(2)]
    told = ending(Finished(Outcome.COMPLETED), loss, runs[1], runs, has_checkpoint=True)
    assert told.better is True


def test_the_number_of_a_run_is_read_from_what_the_engine_left():
    validated = {"validation": {"dice": {"mean": 0.8, "classes": {"a": 0.8}}}, "train": {"a": 0.9}}
    assert value_in(validated, "dice") == 0.8
    assert value_in(validated, "recall") is None
    assert value_in(validated, "train_dice") == 0.9
    assert value_in({"validation": None, "train": {"a": 0.5, "b": None}}, "train_recall") == 0.5
    assert value_in({}, "train_recall") is None
