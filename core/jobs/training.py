"""Train a planned run."""

from dataclasses import dataclass
from pathlib import Path

from ..backend.job import Job, JobContext, Steps
from ..methods.spec import read_spec
from .opening import opened, run_folder


@dataclass(frozen=True)
class TrainJob(Job):
    """Train a run of a project, or go on with it from its last checkpoint.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        A run made by `Project.new_run`.
    resume
        Go on where the last checkpoint was written.
    """

    project: str
    run_id: str
    resume: bool = False

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"{'Resume' if self.resume else 'Train'} {self.run_id}"

    @property
    def event_log(self) -> Path | None:
        """The run's `events.jsonl`."""
        return run_folder(self.project, self.run_id) / "events.jsonl"

    def run(self, context: JobContext) -> Steps:
        """Train; the result is what the engine tells of the run."""
        from ..training.engine import train

        with opened(self.project) as project:
            folder = project.run_folder(self.run_id)
            return (yield from train(read_spec(folder), project, folder, context, self.resume))
