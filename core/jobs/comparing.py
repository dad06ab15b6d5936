"""Compare methods: the jobs that a comparison is made of, and the call that runs them."""

from dataclasses import dataclass
from pathlib import Path

from ..backend.events import Finished
from ..backend.job import Job, JobContext, Steps
from ..backend.protocol import Backend
from ..compare.plan import Plan
from ..compare.results import Comparison
from ..compare.running import Tell, run_comparison
from ..project.store import Project
from .evaluation import EvaluateJob
from .opening import run_folder
from .record import record
from .training import TrainJob


def compare(
    plan: Plan, backend: Backend, on_event: Tell | None = None, *, folder: Path | None = None
) -> Comparison:
    """Carry a comparison out, or go on with it; see `core.compare.running.run_comparison`."""
    return run_comparison(plan, backend, JOBS, folder=folder, on_event=on_event)


@dataclass(frozen=True)
class SlimJob(Job):
    """Keep of a measured run the weights of one checkpoint: a comparison makes many runs.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        A run that nobody will go on with.
    which
        The checkpoint whose weights stay: `best` or `last`.
    """

    project: str
    run_id: str
    which: str = "last"

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Keep the weights of {self.run_id}"

    def run(self, context: JobContext) -> Steps:
        """Write the checkpoint without what only training needs, and remove the others."""
        from ..checkpoints.store import checkpoint_path, load, save

        kept = checkpoint_path(run_folder(self.project, self.run_id), self.which)
        state = load(kept)
        if state.pop("training", None) is not None:
            save(kept, state)
        for path in kept.parent.glob("*.pt"):
            if path != kept:
                path.unlink()
        yield from context.safe_point()
        return {"run": self.run_id, "bytes": kept.stat().st_size}


class _Jobs:
    """The jobs of a comparison: `core.compare` lies below them and is given them."""

    def train(self, project: str, run_id: str, *, resume: bool) -> Job:
        """Train a run, or go on with it from its last checkpoint."""
        return TrainJob(project, run_id, resume=resume)

    def evaluate(self, project: str, run_id: str, which: str) -> Job:
        """Measure one checkpoint of a run on the test part."""
        return EvaluateJob(project, run_id, which=which)

    def slim(self, project: str, run_id: str, which: str) -> Job:
        """Keep of a run's checkpoints the weights of one alone."""
        return SlimJob(project, run_id, which)

    def record(self, project: Project, job: Job, finished: Finished) -> None:
        """Write into the project what a job has done."""
        record(project, job, finished)


JOBS = _Jobs()
