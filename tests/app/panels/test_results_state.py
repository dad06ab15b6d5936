"""What is said of a run where there are no figures, and what is offered."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from longtail.app.panels.results_state import (
    Facts,
    Predictions,
    predicted_classes,
    run_title,
    stand,
)
from longtail.core.backend.events import Finished, Outcome
from longtail.core.project.records import PredictionRecord, RunRecord, Split

RUN = RunRecord(
    "run-005-supervised",
    "supervised",
    "completed",
    datetime(2026, 1, 1, tzinfo=UTC),
    {"classes": [{"id": 2, "name": "scar"}]},
    {},
    "",
    4,
)
FACTS = Facts(RUN, Split.TEST, 40, "scan", writable=True, label_version=4)


def evaluated(version, setting=""):
    return SimpleNamespace(provenance=SimpleNamespace(label_version=version), setting=setting)


def test_a_run_that_was_not_evaluated_offers_it_with_the_number_of_cases():
    told = stand(FACTS)
    assert told.title == "Not evaluated yet"
    assert (told.primary, told.act) == ("Evaluate on 40 test scans", "evaluate")


def test_one_case_is_told_in_the_singular():
    told = stand(replace(FACTS, held=1))
    assert told.text.startswith("1 test scan has labels")
    assert told.primary == "Evaluate on 1 test scan"


def test_validation_says_that_it_is_kind_to_the_run():
    assert "chose the best moment" in stand(replace(FACTS, split=Split.VAL)).text


def test_without_labelled_cases_there_is_no_dead_button():
    told = stand(replace(FACTS, held=0))
    assert told.act == "cases"
    assert "No labelled test scan" in told.title


def test_a_project_that_is_read_only_offers_nothing():
    assert stand(replace(FACTS, writable=False)).act == ""


def test_work_says_nothing_beside_its_progress():
    assert stand(replace(FACTS, working=True)).title == ""


def test_a_failure_is_told_and_can_be_tried_again():
    failed = Finished(Outcome.FAILED, None, "A scan is gone.", "Relink its folder.")
    told = stand(replace(FACTS, failed=failed))
    assert (told.title, told.text, told.tone) == ("A scan is gone.", "Relink its folder.", "bad")
    assert told.act == "evaluate"


def test_an_evaluated_run_leads_to_its_report():
    told = stand(replace(FACTS, report=evaluated(4)))
    assert (told.act, told.title, told.again) == ("report", "", False)


def test_changed_labels_are_told_and_the_run_can_be_evaluated_again():
    told = stand(replace(FACTS, report=evaluated(4), label_version=9))
    assert told.title == "Labels have changed since this run was trained and evaluated."
    assert "Train again" in told.text
    assert told.again
    assert not stand(replace(FACTS, report=evaluated(4), label_version=9, writable=False)).again


@pytest.mark.parametrize(
    ("made", "now", "told"),
    [("", "", ""), ("", "even", "as trained"), ("even", "", "set back"), ("a", "b", "again")],
)
def test_figures_of_another_setting_are_told(made, now, told):
    stood = stand(replace(FACTS, report=evaluated(4, made), setting=now))
    assert told in stood.title
    assert stood.again == bool(told)
    both = stand(replace(FACTS, report=evaluated(4, made), setting=now, label_version=9))
    assert both.title.startswith("Labels have changed")
    assert told in both.text


def test_runs_are_named_for_the_chooser():
    assert run_title(RUN) == "run 5 · Supervised"
    assert run_title(replace(RUN, method="gone")) == "run 5 · gone"
    assert predicted_classes(RUN) == ((2, "scar"),)


def test_logits_are_found_by_case():
    record = PredictionRecord("a", RUN.id, "h", 4, logits=np.array([1.0, 2.0], np.float32))
    known = Predictions(RUN.id, {"a": record})
    assert known.logits("a") == (1.0, 2.0)
    assert known.logits("b") == ()
