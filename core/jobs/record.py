"""Write what a job has done into the project; for the process that holds its lock, torch-free."""

from pathlib import Path
from typing import Any

from ..backend.events import Finished, Outcome
from ..backend.job import Job
from ..predict.shelf import read_shelf
from ..project.store import Project
from .evaluation import EvaluateJob
from .prediction import PredictCaseJob, PredictJob
from .reviewing import ReviewJob
from .training import TrainJob


def record(project: Project, job: Job, finished: Finished) -> None:
    """Record the end of a job; does nothing where the project is open for reading only.

    Parameters
    ----------
    project
        The project that the job worked on, open for writing.
    job
        Any job; those that leave nothing in a project are passed over.
    finished
        How it ended. What was predicted before a job failed is recorded too.
    """
    if not project.writable or not _is_of(job, project):
        return
    if isinstance(job, TrainJob):
        _record_training(project, job, finished)
    elif isinstance(job, PredictJob | PredictCaseJob | EvaluateJob | ReviewJob) and job.run_id:
        only = job.case if isinstance(job, PredictCaseJob) else None
        _record_predictions(project, job.run_id, only)
    if isinstance(job, EvaluateJob) and finished.outcome is Outcome.COMPLETED:
        _record_figures(project, job, finished)


def _is_of(job: Job, project: Project) -> bool:
    """Tell whether the job worked on this project: a window may have opened another meanwhile."""
    return Path(getattr(job, "project", "")).resolve() == project.path.resolve()


def _record_training(project: Project, job: TrainJob, finished: Finished) -> None:
    result = dict(finished.result or {})
    # An empty reason wipes that of an earlier failure from which the run was resumed.
    result |= {"reason": finished.reason, "remedy": finished.remedy}
    project.record_run(job.run_id, state=str(finished.outcome), result=result)


def _record_predictions(project: Project, run_id: str, only: str | None) -> None:
    shelf = read_shelf(project.run_folder(run_id))
    if shelf is None:
        return
    records = shelf.records(run_id, project.run(run_id).folder)
    known = {only} if only else set(project.catalogue().ids)
    project.record_predictions([one for one in records if one.case in known])


def _record_figures(project: Project, job: EvaluateJob, finished: Finished) -> None:
    summary: dict[str, Any] = (finished.result or {}).get("summary", {})
    figures = {
        name: {key: figure[key] for key in ("mean", "low", "high", "n")}
        for name, figure in summary.items()
    }
    known = project.run(job.run_id)
    measured = {**known.result.get("evaluations", {}), job.split: figures}
    project.record_run(job.run_id, state=known.state, result={"evaluations": measured})
