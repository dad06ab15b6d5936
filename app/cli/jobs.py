"""Run one job from the terminal: progress on standard error, Ctrl+C stops and keeps."""

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ...core.backend.client import ProcessBackend
from ...core.backend.events import Event, Finished, Log, Outcome, Warned
from ...core.backend.events import Progress as Done
from ...core.backend.handle import JobHandle
from ...core.backend.job import Job
from ...core.errors import LongtailError
from ...core.jobs.record import record
from ...core.project.store import Project
from .output import Output


def run_job(
    job: Job,
    output: Output,
    *,
    project: Project | None,
    device: str = "auto",
    backend: ProcessBackend | None = None,
) -> Finished:
    """Run a job in the compute process and record what came of it.

    `backend` serves several jobs in a row, and its owner closes it; without one the job gets a
    process of its own on `device`.

    Raises
    ------
    LongtailError
        The job failed; the reason and the remedy are the job's.
    """
    chosen = backend or ProcessBackend(device=device)
    try:
        finished = _follow(chosen.submit(job), output)
    finally:
        if backend is None:
            chosen.close()
    if project is not None:
        record(project, job, finished)
    if finished.outcome is Outcome.FAILED:
        raise LongtailError(finished.reason, finished.remedy)
    return finished


def _follow(handle: JobHandle, output: Output) -> Finished:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=output.aside, transient=True) as bar:
        task = bar.add_task(handle.job.title, total=None)
        shown = 0
        while True:
            try:
                for number, event in enumerate(handle):
                    if number >= shown:  # after Ctrl+C the events come from the first one again
                        _show(event, bar, task, output)
                        shown = number + 1
                return handle.wait()
            except KeyboardInterrupt:
                output.warn("Stopping at the next step; what was learned is kept.")
                handle.stop()


def _show(event: Event, bar: Progress, task: TaskID, output: Output) -> None:
    if isinstance(event, Done):
        words = f"{bar.tasks[0].description.split(' · ')[0]} · {event.what}" if event.what else None
        bar.update(task, completed=event.done, total=event.total, description=words)
    elif isinstance(event, Warned):
        output.warn(event.text)
    elif isinstance(event, Log):
        output.aside.print(event.text, style="dim", markup=False)
