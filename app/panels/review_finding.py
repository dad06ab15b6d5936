"""The job that makes the list of what deserves a look: asked for, followed, stopped, failed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from ...core.backend.events import Event, Finished, Outcome
from ...core.project.records import RunRecord
from .results_parts import WorkingPart
from .train_model import run_of
from .train_outcome import KEPT
from .train_words import clock, sentence_case

if TYPE_CHECKING:
    from ..session import Session
    from ..tracked import TrackedJob

TICK_MS = 150


class Finding(QObject):
    """Follows the review of the chosen run; `begun` and `ended` tell the panel.

    Parameters
    ----------
    session
        The window's state.
    run
        Gives the chosen run; None stands for the pretrained encoder alone.
    part
        Shows how far it is.
    """

    begun = Signal()
    ended = Signal()

    def __init__(
        self, session: "Session", run: Callable[[], RunRecord | None], part: WorkingPart
    ) -> None:
        super().__init__(part)
        self._session, self._run, self._part = session, run, part
        self._tick = QTimer(self, singleShot=True, interval=TICK_MS)
        self.failed: Finished | None = None
        session.job_started.connect(self._job_started)
        session.job_event.connect(self._job_event)
        session.job_finished.connect(self._job_finished)
        self._tick.timeout.connect(self.show_progress)
        part.stop_asked.connect(self.stop)

    @property
    def job(self) -> "TrackedJob | None":
        """The job that is queued or under way for the chosen run."""
        run = self._run()
        going = (job for job in self._session.jobs if job.finished is None and _is_ours(job))
        return next((job for job in going if run_of(job.job) == (run.id if run else "")), None)

    def begin(self) -> None:
        """Look through all cases of the open project."""
        from ...core.jobs.reviewing import ReviewJob

        project, run = self._session.project, self._run()
        if project is not None:
            self.failed = None
            self._session.submit(ReviewJob(project.path.as_posix(), run.id if run else ""))

    def stop(self) -> None:
        """Throw away what is under way."""
        job = self.job
        if job is not None:
            job.cancel()

    def show_progress(self) -> None:
        """Show how far it is."""
        job = self.job
        self._part.setVisible(job is not None)
        if job is None:
            return
        words = job.progress.what if job.progress else ""
        left = clock(job.eta_s)
        if job.state == "queued":
            words = "waiting for the training" if self._session.training else "starting"
        self._part.show_progress(
            job.title, sentence_case(words), f"{left} left" if left else "", job.share
        )

    def _job_started(self, job: "TrackedJob") -> None:
        if _is_ours(job):
            self.begun.emit()

    def _job_event(self, job: "TrackedJob", _event: Event) -> None:
        if _is_ours(job) and not self._tick.isActive():
            self._tick.start()

    def _job_finished(self, job: "TrackedJob", finished: Finished) -> None:
        if not _is_ours(job):
            return
        self.failed = finished if finished.outcome is Outcome.FAILED else None
        # It has predicted what was missing.
        self._session.runs_changed.emit()
        self.ended.emit()


def ended_run(session: "Session") -> RunRecord | None:
    """Give the run that is reviewed: the session's, else the newest that has ended."""
    project = session.project
    ended = [run for run in project.runs() if run.state in KEPT] if project else []
    named = (run for run in ended if run.id == session.run_id)
    return next(named, ended[-1] if ended else None)


def _is_ours(job: "TrackedJob") -> bool:
    return type(job.job).__name__ == "ReviewJob"
