import pickle
import subprocess
import sys

import numpy as np
import pytest

from longtail.core.backend.events import Finished, Outcome
from longtail.core.errors import LongtailError
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.jobs.exporting import ExportModelJob
from longtail.core.jobs.prediction import PredictCaseJob, PredictFilesJob, PredictJob
from longtail.core.jobs.record import record
from longtail.core.jobs.training import TrainJob
from longtail.core.predict.shelf import Shelf, Shelved, write_shelf
from longtail.core.project.store import Project

RUN = "run-001-cross-entropy"


def test_recording_needs_no_torch():
    code = (
        "import sys, longtail.core.jobs.record as r;"
        "print([m for m in ('torch', 'monai', 'sklearn', 'SimpleITK') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "job",
    [
        TrainJob("/p", "r", resume=True),
        PredictJob("/p", "r", ("a",), None),
        PredictCaseJob("/p", "r", "a"),
        PredictFilesJob("/m", None, ("a",), "out"),
        EvaluateJob("/p", "r", "test"),
        ExportModelJob("/p", "r", "out"),
    ],
    ids=lambda job: type(job).__name__,
)
def test_jobs_travel_and_have_a_title(job):
    assert pickle.loads(pickle.dumps(job)) == job
    assert job.title
    assert hash(job)


def test_only_training_writes_the_runs_log():
    assert TrainJob("/p", "r").event_log.as_posix().endswith("/p/runs/r/events.jsonl")
    assert EvaluateJob("/p", "r").event_log is None


@pytest.mark.parametrize("run", ["../../etc", "a/b", "", "..", "a\\b"])
def test_a_run_id_never_leads_out_of_the_project(run):
    with pytest.raises(LongtailError):
        _ = TrainJob("/p", run).event_log


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_run_is_recorded_as_it_ended(images, outcome):
    finished = Finished(outcome, {"iterations": 5}, "why", "what to do")
    record(images, TrainJob(images.path.as_posix(), RUN), finished)
    run = images.run(RUN)
    assert run.state == outcome.value
    assert (run.result["iterations"], run.result["reason"]) == (5, "why")


def test_a_later_success_wipes_the_reason_of_a_failure(images):
    job = TrainJob(images.path.as_posix(), RUN)
    record(images, job, Finished(Outcome.FAILED, None, "killed", "resume"))
    record(images, job, Finished(Outcome.COMPLETED, {"iterations": 9}))
    assert images.run(RUN).result["reason"] == ""


def test_what_was_predicted_before_a_failure_is_recorded(images):
    shelf = Shelf("ab" * 32, 0, (1, 2, 3))
    shelf.cases["pic-1"] = Shelved(0.5, logits=np.array([1, 2, 3], np.float32))
    shelf.cases["deleted since"] = Shelved(0.5, logits=np.array([1, 2, 3], np.float32))
    write_shelf(images.run_folder(RUN), shelf)
    record(images, PredictJob(images.path.as_posix(), RUN), Finished(Outcome.FAILED, None, "x"))
    assert [one.case for one in images.predictions(RUN)] == ["pic-1"]


def test_nothing_predicted_is_nothing_recorded(images):
    record(images, PredictJob(images.path.as_posix(), RUN), Finished(Outcome.CANCELLED))
    assert images.predictions(RUN) == []


def test_a_reader_records_nothing(images):
    with Project.open(images.path, write=False) as reader:
        record(reader, TrainJob(images.path.as_posix(), RUN), Finished(Outcome.COMPLETED))
    assert images.run(RUN).state == "created"


def test_files_outside_the_project_leave_nothing_in_it(images):
    job = PredictFilesJob(images.path.as_posix(), RUN, ("a",), "out")
    record(images, job, Finished(Outcome.COMPLETED, {"count": 1}))
    assert images.predictions(RUN) == []


def test_the_end_of_another_projects_job_is_not_recorded_here(images, tmp_path):
    before = images.run(RUN).state
    job = TrainJob(str(tmp_path / "another.longtail"), RUN)
    record(images, job, Finished(Outcome.FAILED, None, "It broke."))
    assert images.run(RUN).state == before
