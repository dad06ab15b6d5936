import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.backend.event_log import recorded_end
from longtail.core.backend.events import Outcome
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.jobs.exporting import ExportModelJob
from longtail.core.jobs.prediction import PredictCaseJob, PredictFilesJob
from longtail.core.jobs.record import record
from longtail.core.jobs.training import TrainJob
from longtail.core.project.store import Project
from longtail.core.training.plan import plan_run


@pytest.mark.slow
def test_the_whole_way_with_a_real_network(untrained, finish, tmp_path):
    spec = plan_run(untrained, method="supervised", iterations=2, settings={"width": "4"})
    run = untrained.new_run(spec.to_mapping())
    where = untrained.path.as_posix()

    def done(job):
        finished = finish(job)
        assert finished.outcome is Outcome.COMPLETED, finished
        record(untrained, job, finished)
        return finished.result

    done(TrainJob(where, run.id))
    assert untrained.run(run.id).state == "completed"
    assert untrained.run(run.id).result["iterations"] == 2
    assert recorded_end(untrained.run_folder(run.id) / "events.jsonl").outcome is Outcome.COMPLETED
    measured = done(EvaluateJob(where, run.id))
    assert [case["case"] for case in measured["cases"]] == ["scan/1", "scan/2", "scan/3"]
    inside = done(PredictCaseJob(where, run.id, "scan/0"))
    done(ExportModelJob(where, run.id, str(tmp_path / "model")))
    source = untrained.case("scan/0").channels
    done(PredictFilesJob(str(tmp_path / "model"), None, source, str(tmp_path / "out")))
    outside = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / "0.nii.gz")))
    stored = sitk.GetArrayFromImage(sitk.ReadImage(str(untrained.path / inside["file"])))
    np.testing.assert_array_equal(outside, stored)
    # After training, the log of the run holds nothing of what was done with it.
    assert recorded_end(untrained.run_folder(run.id) / "events.jsonl").result["iterations"] == 2


def test_a_run_without_a_plan_is_a_sentence(volumes, finish):
    (volumes.run_folder("run-001-supervised") / "spec.yaml").unlink()
    finished = finish(TrainJob(volumes.path.as_posix(), "run-001-supervised"))
    assert finished.outcome is Outcome.FAILED
    assert "plan of this run" in finished.reason


def test_a_project_that_is_gone_is_a_sentence(tmp_path, finish):
    finished = finish(TrainJob((tmp_path / "gone").as_posix(), "run-001-supervised"))
    assert finished.outcome is Outcome.FAILED
    assert "no project" in finished.reason


def test_the_project_stays_writable_for_its_holder(volumes, finish):
    finish(EvaluateJob(volumes.path.as_posix(), "run-001-supervised"))
    with Project.open(volumes.path, write=False) as reader:
        assert not reader.writable
    volumes.rename_class(1, "still mine")
