import json
import os
import shutil

import numpy as np
import pytest

from longtail.core.backend.events import Artifact, Outcome
from longtail.core.backend.local import LocalBackend
from longtail.core.evaluate.operating import Count
from longtail.core.evaluate.report import read_report
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.jobs.prediction import PredictJob
from longtail.core.jobs.record import record
from longtail.core.project.records import ImageLabels, Split
from longtail.core.project.runs import read_spec, write_spec

RUN = "run-001-supervised"
IMAGE_RUN = "run-001-cross-entropy"


def where(project):
    return project.path.as_posix()


def test_the_result_is_the_contracts_document(volumes, finish):
    finished = finish(EvaluateJob(where(volumes), RUN, "test"))
    assert finished.outcome is Outcome.COMPLETED, finished
    document = finished.result
    assert list(document) == ["run", "split", "summary", "cases"]
    assert (document["run"], document["split"]) == (RUN, "test")
    assert list(document["summary"]) == ["dice", "jaccard", "hd95_mm", "asd_mm", "nsd_1mm"]
    dice = document["summary"]["dice"]
    assert (dice["mean"], dice["n"]) == (1.0, 3)
    # The rim is in neither the labels nor the prediction of the third case.
    assert [dice["classes"][name]["n"] for name in ("core", "rim")] == [3, 2]
    assert [case["case"] for case in document["cases"]] == ["scan/1", "scan/2", "scan/3"]
    json.dumps(document, allow_nan=False)


def test_report_and_figures_are_kept(volumes, finish):
    job = EvaluateJob(where(volumes), RUN)
    finished = finish(job)
    folder = volumes.run_folder(RUN)
    report = read_report(folder / "evaluation-test.json")
    assert report.to_contract() == finished.result
    assert [c.tier for c in report.classes] == ["head", "tail"]
    assert "20%" in report.thresholds
    assert report.provenance.patients == 3
    assert any("rim is in only 2" in note for note in report.notes)
    assert "Not a medical device" in (folder / "report.html").read_text(encoding="utf-8")
    record(volumes, job, finished)
    assert len(volumes.predictions(RUN)) == 3
    run = volumes.run(RUN)
    assert run.result["evaluations"]["test"]["dice"]["mean"] == 1.0
    assert run.state == "created"  # measuring is no training


def test_a_second_part_is_kept_beside_the_first(volumes, finish):
    for split in ("test", "train"):
        job = EvaluateJob(where(volumes), RUN, split)
        record(volumes, job, finish(job))
    assert set(volumes.run(RUN).result["evaluations"]) == {"test", "train"}
    report = read_report(volumes.run_folder(RUN) / "evaluation-train.json")
    assert any("learned from" in note for note in report.notes)


def test_only_what_is_missing_is_predicted(volumes, finish):
    finish(PredictJob(where(volumes), RUN, ("scan/1",)))
    path = volumes.run_folder(RUN) / "predictions" / "scan__1.nii.gz"
    before = os.stat(path).st_mtime_ns
    finish(EvaluateJob(where(volumes), RUN))
    assert os.stat(path).st_mtime_ns == before


def test_errors_are_measured_in_millimetres(volumes, finish):
    labels = volumes.read_label_map("scan/1")
    moved = np.roll(labels, 1, axis=0)  # one slice of 3 mm
    volumes.write_label_map("scan/1", moved, author="test")
    document = finish(EvaluateJob(where(volumes), RUN)).result
    first = document["cases"][0]
    assert first["hd95_mm"]["core"] == pytest.approx(3.0)
    assert 0 < first["dice"]["core"] < 1
    assert first["nsd_1mm"]["core"] < 1


def test_what_nobody_labelled_is_left_out(volumes, finish):
    labels = volumes.read_label_map("scan/1")
    labels[labels == 2] = 255
    volumes.write_label_map("scan/1", labels, author="test")
    first = finish(EvaluateJob(where(volumes), RUN)).result["cases"][0]
    assert first["dice"] == {"core": 1.0}


def test_a_class_that_is_new_is_named_and_not_measured(volumes, finish):
    volumes.add_class("vessel")
    finished = finish(EvaluateJob(where(volumes), RUN))
    assert set(finished.result["summary"]["dice"]["classes"]) == {"core", "rim"}
    report = read_report(volumes.run_folder(RUN) / "evaluation-test.json")
    assert any("vessel" in note for note in report.notes)


def test_merged_classes_are_measured_as_one_even_from_old_files(volumes, finish):
    finish(PredictJob(where(volumes), RUN, None, "test"))
    volumes.merge_classes(2, 1)
    document = finish(EvaluateJob(where(volumes), RUN)).result
    assert list(document["summary"]["dice"]["classes"]) == ["core"]
    assert document["summary"]["dice"]["mean"] == 1.0


def test_renamed_classes_have_their_name_of_now(volumes, finish):
    volumes.rename_class(1, "Kern")
    assert "Kern" in finish(EvaluateJob(where(volumes), RUN)).result["summary"]["dice"]["classes"]


def test_without_labelled_cases_it_says_so(volumes, finish):
    finished = finish(EvaluateJob(where(volumes), RUN, "val"))
    assert finished.outcome is Outcome.FAILED
    assert "no labelled val case" in finished.reason


def test_a_stop_halfway_gives_no_figures(volumes):
    handle = LocalBackend("cpu").submit(EvaluateJob(where(volumes), RUN))
    for event in handle:
        if getattr(event, "done", 0) == 1:
            handle.stop()
    assert handle.finished.outcome is Outcome.FAILED
    assert "nothing was measured" in handle.finished.reason
    assert not (volumes.run_folder(RUN) / "report.html").exists()


def test_files_are_told(volumes):
    events = list(LocalBackend("cpu").submit(EvaluateJob(where(volumes), RUN)))
    kinds = [event.kind for event in events if isinstance(event, Artifact)]
    assert kinds == ["prediction", "table", "report"]


def test_pictures(images, finish):
    finished = finish(EvaluateJob(where(images), IMAGE_RUN))
    assert finished.outcome is Outcome.COMPLETED, finished
    summary = finished.result["summary"]
    assert summary["accuracy"]["mean"] == pytest.approx(8 / 9)
    assert summary["balanced_accuracy"]["mean"] == pytest.approx((3 / 4 + 1 + 1) / 3)
    assert set(summary) >= {"recall_head", "recall_tail", "auc", "ece", "kappa"}
    assert "recall_medium" not in summary  # no class is medium here
    assert finished.result["cases"][8] | {"uncertainty": None} == {
        "case": "pic-8", "patient": None, "uncertainty": None, "true": "low",
        "predicted": "high", "probability": pytest.approx(1.0, abs=1e-3),
    }  # fmt: skip
    report = read_report(images.run_folder(IMAGE_RUN) / "evaluation-test.json")
    assert report.confusion.counts == ((3, 0, 1), (0, 3, 0), (0, 0, 2))
    assert [c.tier for c in report.classes] == ["head", "tail", "tail"]


def test_tiers_can_be_changed_and_are_printed(images, finish):
    finish(EvaluateJob(where(images), IMAGE_RUN, head=10, tail=6))
    report = read_report(images.run_folder(IMAGE_RUN) / "evaluation-test.json")
    assert [c.tier for c in report.classes] == ["head", "head", "tail"]
    assert "more than 10" in report.thresholds


def test_another_prior_moves_the_figures(images, finish):
    target = (1e-7, 1e-7, 1.0)
    document = finish(EvaluateJob(where(images), IMAGE_RUN, target_prior=target)).result
    assert document["summary"]["recall"]["classes"]["high"]["mean"] == 1.0
    assert document["summary"]["accuracy"]["mean"] < 8 / 9


def test_pictures_without_a_class_are_left_out(images, finish):
    images.set_labels(["pic-0"], ImageLabels(), author="test")
    finished = finish(EvaluateJob(where(images), IMAGE_RUN))
    assert len(finished.result["cases"]) == 8
    report = read_report(images.run_folder(IMAGE_RUN) / "evaluation-test.json")
    assert report.provenance.left_out == 1


def test_only_unknown_classes_is_a_sentence(images, finish):
    new = images.add_class("new")
    ids = images.catalogue().ids
    images.set_split(ids[1:], Split.TRAIN)
    images.set_labels(ids[:1], ImageLabels(frozenset({new.id})), author="test")
    finished = finish(EvaluateJob(where(images), IMAGE_RUN))
    assert finished.outcome is Outcome.FAILED
    assert "class that the run knows" in finished.reason


def test_several_classes_over_what_is_known(findings, finish):
    finished = finish(EvaluateJob(where(findings), IMAGE_RUN))
    assert finished.outcome is Outcome.COMPLETED, finished
    summary = finished.result["summary"]
    # Nobody answered for the first class, so it has no value; the logits of the others rise with
    # the grey value, and so do their labels.
    classes = summary["auc"]["classes"]
    assert classes["low"]["mean"] is None
    assert classes["mid"]["mean"] == classes["high"]["mean"] == summary["auc"]["mean"] == 1.0
    assert [classes[name]["n"] for name in ("low", "mid", "high")] == [0, 4, 2]
    first = finished.result["cases"][2]
    assert first["true"] == ["mid", "high"]
    assert set(first["probabilities"]) == {"low", "mid", "high"}
    report = read_report(findings.run_folder(IMAGE_RUN) / "evaluation-test.json")
    assert report.provenance.patients == 3
    assert report.confusion is None


def test_outlines_in_pictures_have_no_millimetres(slides, finish):
    finished = finish(EvaluateJob(where(slides), RUN))
    assert finished.outcome is Outcome.COMPLETED, finished
    assert list(finished.result["summary"]) == ["dice", "jaccard"]
    assert finished.result["summary"]["dice"]["mean"] == 1.0
    assert finished.result["cases"][0]["hd95_mm"] == {"core": None, "rim": None}
    report = read_report(slides.run_folder(RUN) / "evaluation-test.json")
    assert any("no spacing" in note for note in report.notes)


def test_weights_of_a_class_are_measured_and_told(volumes, finish):
    checkpoints = volumes.run_folder(RUN) / "checkpoints"
    report = volumes.run_folder(RUN) / "evaluation-test.json"
    finish(EvaluateJob(where(volumes), RUN))
    assert not any("best for" in note for note in read_report(report).notes)
    missing = finish(EvaluateJob(where(volumes), RUN, which="class-2"))
    assert missing.outcome is Outcome.FAILED
    shutil.copyfile(checkpoints / "last.pt", checkpoints / "best-class-2.pt")
    finish(EvaluateJob(where(volumes), RUN, which="class-2"))
    assert any("best for rim" in note for note in read_report(report).notes)


def test_the_setting_that_is_kept_is_measured_and_told(images, finish):
    images.set_run_setting(IMAGE_RUN, "prior_target", [1e-6, 1e-6, 1 - 2e-6])
    moved = finish(EvaluateJob(where(images), IMAGE_RUN))
    report = read_report(images.run_folder(IMAGE_RUN) / "evaluation-test.json")
    assert "high 100%" in report.setting
    assert any("not as the run was trained" in note for note in report.notes)
    assert report.summary["recall"].classes["high"].mean == 1.0
    plain = finish(EvaluateJob(where(images), IMAGE_RUN, as_trained=True))
    assert read_report(images.run_folder(IMAGE_RUN) / "evaluation-test.json").setting == ""
    accuracy = [one.result["summary"]["accuracy"]["mean"] for one in (moved, plain)]
    assert accuracy[0] < accuracy[1]


def test_a_report_on_pictures_holds_counts_curves_and_reliability(images, finish):
    finish(EvaluateJob(where(images), IMAGE_RUN))
    parts = read_report(images.run_folder(IMAGE_RUN) / "evaluation-test.json").images
    assert parts.counts["low"] == Count(4, 3, 0)
    assert [(pair.true, pair.predicted, pair.n) for pair in parts.pairs] == [("low", "high", 1)]
    assert {curve.name for curve in parts.curves} == {"low", "mid", "high"}
    assert sum(one.n for one in parts.reliability[0].bins) == 9


def test_thresholds_are_chosen_on_validation_only(findings, finish):
    findings.set_split(["film-0", "film-1", "film-2"], Split.VAL)
    folder = findings.run_folder(IMAGE_RUN)
    report = folder / "evaluation-test.json"
    finish(EvaluateJob(where(findings), IMAGE_RUN))
    assert read_report(report).tuned is None  # the run has no validation part
    spec = {**read_spec(folder), "validation": "split", "val": [f"film-{n}" for n in range(3)]}
    write_spec(folder, spec)
    finished = finish(EvaluateJob(where(findings), IMAGE_RUN))
    assert finished.outcome is Outcome.COMPLETED, finished
    # Two and one yes among the three are too few to choose by.
    assert read_report(report).tuned is None
    for number in range(4):
        labels = ImageLabels(frozenset({3} if number else ()), frozenset({2} if number else {2, 3}))
        findings.set_labels([f"film-{number}"], labels, author="test")
    more = [f"film-{n}" for n in range(5)]
    findings.set_split(more, Split.VAL)
    write_spec(folder, {**spec, "val": more})
    finished = finish(EvaluateJob(where(findings), IMAGE_RUN))
    tuned = read_report(report).tuned
    assert tuned is not None
    assert tuned.labelled == 5
    assert set(tuned.summary) <= {
        "recall", "precision", "macro_f1", "balanced_accuracy", "accuracy", "mcc", "kappa",
    }  # fmt: skip
    assert len(finished.result["cases"]) == 1
    finish(EvaluateJob(where(findings), IMAGE_RUN, "val"))
    assert read_report(folder / "evaluation-val.json").tuned is None
