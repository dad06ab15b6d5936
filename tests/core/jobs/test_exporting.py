import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.backend.events import Outcome
from longtail.core.jobs.exporting import ExportModelJob, export_run_predictions
from longtail.core.jobs.prediction import PredictFilesJob, PredictJob
from longtail.core.jobs.record import record
from longtail.core.predict.package import read_description


def test_an_exported_model_predicts_without_its_project(volumes, finish, tmp_path):
    model = tmp_path / "model"
    run, where = "run-001-supervised", volumes.path.as_posix()
    finished = finish(ExportModelJob(where, run, str(model)))
    assert finished.outcome is Outcome.COMPLETED, finished
    expected = volumes.read_label_map("scan/1")
    volumes.close()
    volumes.path.rename(tmp_path / "gone")
    source = tmp_path / "source ü" / "images" / "1.nii.gz"
    finished = finish(PredictFilesJob(str(model), None, (str(source),), str(tmp_path / "out")))
    assert finished.outcome is Outcome.COMPLETED, finished
    found = sitk.ReadImage(str(tmp_path / "out" / "1.nii.gz"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found), expected)
    assert found.GetOrigin() == pytest.approx((-7.0, 3.0, 11.0))


def test_it_holds_its_provenance_and_nothing_of_patients(volumes, finish, tmp_path):
    finish(ExportModelJob(volumes.path.as_posix(), "run-001-supervised", str(tmp_path / "m")))
    text = (tmp_path / "m" / "model.json").read_text(encoding="utf-8")
    for secret in ("scan/", "p1", "source", str(tmp_path)):
        assert secret not in text
    about = read_description(tmp_path / "m").provenance
    assert (about.run, about.labelled, about.iterations) == ("run-001-supervised", 1, 7)
    assert [one["name"] for one in json.loads(text)["classes"]] == ["core", "rim"]


def test_the_prior_that_was_chosen_goes_with_it(images, finish, tmp_path):
    run, where = "run-001-cross-entropy", images.path.as_posix()
    images.set_run_setting(run, "prior_target", [1e-6, 1e-6, 1 - 2e-6])
    finish(ExportModelJob(where, run, str(tmp_path / "m")))
    source = str(tmp_path / "pictures" / "1.png")
    finish(PredictFilesJob(str(tmp_path / "m"), None, (source,), str(tmp_path / "out")))
    with (tmp_path / "out" / "predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["predicted"] == "high"


def test_thresholds_go_with_the_model(findings, finish, tmp_path):
    run = "run-001-cross-entropy"
    findings.set_run_setting(run, "thresholds", {"2": 0.25})
    finish(ExportModelJob(findings.path.as_posix(), run, str(tmp_path / "m")))
    assert read_description(tmp_path / "m").thresholds() == {2: 0.25}


def test_exported_predictions_follow_the_setting(images, finish, tmp_path):
    run = "run-001-cross-entropy"
    job = PredictJob(images.path.as_posix(), run)
    record(images, job, finish(job))
    images.record_run(run, state="completed", result={"prior": [0.8, 0.15, 0.05]})
    tables = {}
    for name, target in (("plain", None), ("moved", [1e-6, 1e-6, 1 - 2e-6])):
        images.set_run_setting(run, "prior_target", target)
        assert export_run_predictions(images, run, tmp_path / name) == 9
        with (tmp_path / name / "predictions.csv").open() as file:
            tables[name] = next(row for row in csv.DictReader(file) if row["file"] == "pic-1")
    assert float(tables["plain"]["mid"]) > 0.9
    assert float(tables["moved"]["high"]) > float(tables["plain"]["high"])
    assert (tmp_path / "moved" / "setting.txt").is_file()
    assert not (tmp_path / "plain" / "setting.txt").exists()


def test_a_run_without_a_checkpoint_is_a_sentence(volumes, finish, tmp_path):
    (volumes.run_folder("run-001-supervised") / "checkpoints" / "last.pt").unlink()
    where = volumes.path.as_posix()
    finished = finish(ExportModelJob(where, "run-001-supervised", str(tmp_path / "m")))
    assert finished.outcome is Outcome.FAILED
    assert "no checkpoint" in finished.reason
    assert not (tmp_path / "m").exists()
