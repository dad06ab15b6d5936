"""What is read of a run while it works."""

import json
import math

import pytest

from longtail.app.panels.train_live import (
    ClassLook,
    facts,
    live,
    news,
    run_line,
)
from longtail.app.panels.train_record import Record, joined, read_record
from longtail.app.tracked import TrackedJob
from longtail.core.backend.events import (
    Artifact,
    Finished,
    Log,
    Metric,
    Outcome,
    Paused,
    Progress,
    Started,
    Told,
    Warned,
    to_json,
)

LOOKS = (
    ClassLook("scar", "#cc79a7", "tail"),
    ClassLook("cavity", "#56b4e9", "head"),
    ClassLook("muscle", "#2fb58a", "medium"),
)


def tracked(*events):
    job = TrackedJob(None, iter(()), "Train run 3")
    for event in events:
        job.take(event)
    return job


def test_before_the_job_has_the_device_it_says_what_it_waits_for():
    assert live(tracked(), LOOKS).phase == "Starting the compute process"
    assert (
        live(tracked(), LOOKS, "Evaluate run 2").phase == "Waiting for the device: Evaluate run 2"
    )


def test_set_up_is_told_in_words_with_its_steps():
    told = live(tracked(Started("t", "CPU"), Progress(4, 10, None, "reading 10 scans")), LOOKS)
    assert told.phase == "Reading 10 scans"
    assert told.steps == "4 of 10"
    assert told.left == ""
    assert told.headline is None


def test_progress_tells_steps_fraction_and_time_left():
    told = live(tracked(Started("t", "CPU"), Progress(414, 628, 131.0, "training")), LOOKS)
    assert (told.steps, told.left) == ("414 of 628", "2:11 left")
    assert told.fraction == pytest.approx(414 / 628)
    assert told.total_steps == 628


def test_an_unknown_total_is_no_fraction():
    told = live(tracked(Started("t", "CPU"), Progress(0, 0)), LOOKS)
    assert told.fraction is None
    assert told.steps == ""


def test_validation_comes_before_training_figures_and_those_before_the_loss():
    job = tracked(Started("t", "CPU"), Metric(1, "loss", 2.0))
    assert live(job, LOOKS).headline.what == "training loss"
    job.take(Metric(2, "train_dice", 0.4))
    assert live(job, LOOKS).headline.what == "mean Dice, training"
    job.take(Metric(3, "dice", 0.3))
    told = live(job, LOOKS)
    assert told.headline.what == "mean Dice, validation"
    assert told.headline.text == "0.30"


def test_the_best_value_is_the_highest_dice_but_the_lowest_loss():
    dice = tracked(*(Metric(s, "dice", v) for s, v in ((1, 0.2), (2, 0.8), (3, 0.7))))
    assert live(dice, LOOKS).headline.best_text == "best 0.80, step 2"
    loss = tracked(*(Metric(s, "loss", v) for s, v in ((1, 2.0), (2, 0.5), (3, 0.9))))
    assert live(loss, LOOKS).headline.best_text == "lowest 0.5, step 2"


def test_curves_are_drawn_with_the_tail_last():
    job = tracked(*(Metric(1, "dice", 0.5, look.name) for look in LOOKS))
    assert [curve.name for curve in live(job, LOOKS).curves] == ["cavity", "muscle", "scar"]


def test_values_that_are_no_numbers_are_left_out():
    job = tracked(Metric(1, "dice", math.nan), Metric(1, "dice", math.nan, "scar"))
    job.take(Metric(2, "dice", 0.5, "scar"))
    told = live(job, LOOKS)
    assert told.headline is None
    assert told.curves[0].points == ((2, 0.5),)


def test_a_loss_alone_is_one_curve():
    told = live(tracked(Metric(1, "loss", 2.0), Metric(2, "loss", 1.0)), LOOKS)
    assert [curve.name for curve in told.curves] == ["loss"]
    assert told.curves_title == "Training loss"


def test_states_that_wait_say_so():
    job = tracked(Started("t", "CPU"), Progress(1, 10, 5.0, "training"), Paused())
    assert live(job, LOOKS).phase.startswith("Paused")
    job.state = "stopping"
    assert live(job, LOOKS).phase.startswith("Finishing")


def test_warnings_are_kept_in_order():
    first, second = Warned("a"), Warned("b")
    assert live(tracked(first, second), LOOKS).warnings == (first, second)


def test_a_finished_job_can_still_be_read():
    job = tracked(Progress(10, 10), Metric(9, "dice", 0.7), Finished(Outcome.COMPLETED))
    assert live(job, LOOKS).headline.text == "0.70"


def test_the_facts_of_a_run():
    spec = {
        "task": "segmentation",
        "train_labelled": ["a"] * 4,
        "train_unlabelled": ["b"] * 146,
        "minutes": 6.0,
        "seed": 0,
    }
    assert (
        facts(spec, "CPU", with_unlabelled=True)
        == "4 labelled and 146 unlabelled scans, CPU, 6 minutes"
    )
    assert facts(spec, "CPU", with_unlabelled=False) == "4 labelled scans, CPU, 6 minutes"
    assert run_line("run-003-action", spec) == "run 3 · seed 0"


def test_a_resumed_run_shows_what_it_told_before(tmp_path):
    log = tmp_path / "events.jsonl"
    told = [Metric(step, "dice", step / 100) for step in (10, 20, 30)]
    lines = [json.dumps(to_json(event)) for event in (Started("t", "CPU"), *told)]
    log.write_text("\n".join([*lines, '{"event": "Metric", "step": 4']), encoding="utf-8")
    earlier = read_record(log)
    assert earlier.metrics == {("dice", None): [(10, 0.1), (20, 0.2), (30, 0.3)]}
    # The last checkpoint was at step 20: what came after it is taken again.
    job = tracked(Metric(21, "dice", 0.5))
    assert joined(earlier.metrics, job.metrics)[("dice", None)] == [(10, 0.1), (20, 0.2), (21, 0.5)]
    assert live(job, LOOKS, earlier=earlier).headline.text == "0.50"
    assert live(tracked(), LOOKS, earlier=earlier).headline.text == "0.30"


def test_a_log_with_steps_taken_twice_keeps_the_later_ones(tmp_path):
    log = tmp_path / "events.jsonl"
    told = [Metric(step, "loss", value) for step, value in ((10, 3.0), (20, 2.0), (15, 1.0))]
    log.write_text("\n".join(json.dumps(to_json(event)) for event in told), encoding="utf-8")
    assert read_record(log).metrics[("loss", None)] == [(10, 3.0), (15, 1.0)]
    assert read_record(tmp_path / "nothing.jsonl") == Record()


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (Log("122 steps fit into 1 minute."), "122 steps fit into 1 minute."),
        (Artifact("checkpoints/best.pt", "checkpoint"), "The best so far was saved."),
        (Artifact("checkpoints/last.pt", "checkpoint"), ""),
        (Told("LabelsChanged", {"case_ids": ["a"]}), "Labels of 1 case were read again."),
        (Paused(), "Paused."),
        (Metric(1, "loss", 0.5), ""),
    ],
)
def test_only_news_get_a_line(event, sentence):
    assert news(event) == sentence


def test_a_budget_is_told_as_it_was_given():
    assert facts({"minutes": 1.0}, "", with_unlabelled=False).endswith("1 minute")
    assert facts({"minutes": 0.5}, "", with_unlabelled=False).endswith("30 seconds")


def test_the_facts_leave_out_what_is_not_known():
    spec = {"task": "classification", "train_labelled": ["a"], "iterations": 600}
    assert facts(spec, "", with_unlabelled=True) == "1 labelled image, 600 steps"
