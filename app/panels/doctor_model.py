"""What the doctor's panel is about: the last report, the examination under way, what was mended.

Free of Qt; reads files aside and hears of jobs from the session.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from ...core.backend.events import Finished, Outcome, Progress
from ...core.errors import LongtailError
from ...core.jobs.doctor import DoctorJob
from ...core.review.doctor_fixing import Mended, mend, mended, take_back
from ...core.review.doctor_records import Finding, Report
from ..canvas_desk import author
from ..session import Session
from ..tracked import TrackedJob
from .embedding_model import Ask, Trouble

if TYPE_CHECKING:
    from ...core.project.catalogue import Catalogue
    from ...core.project.store import Project

AT_ONCE = 20_000
"""So many cases at most are examined unasked after an import; more are left to a click."""


class Stage(StrEnum):
    """What the panel shows."""

    CLOSED = "no project"
    READING = "reading"
    EMPTY = "nothing yet"
    WORKING = "working"
    FAILED = "failed"
    READY = "ready"


@dataclass(frozen=True)
class _Read:
    """What a thread brings back: the last report, whether it is of today, and what was mended."""

    report: Report | None
    is_current: bool
    mended: tuple[Mended, ...]


class DoctorModel:
    """The state of the panel; `changed` tells of every change but progress, which has its own."""

    changed = Signal()
    progressed = Signal()

    def __init__(self, session: Session, ask: Ask) -> None:
        self.session, self._ask = session, ask
        self.stage = Stage.CLOSED
        self.report: Report | None = None
        self.is_current = True
        self.mended: tuple[Mended, ...] = ()
        self.trouble = Trouble("")
        self.progress: Progress | None = None
        self.busy = False
        self._job: TrackedJob | None = None
        self._unasked = self._ageing = self._age_again = False
        session.project_changed.connect(self._on_project)
        session.catalogue_changed.connect(self._on_catalogue)
        session.job_event.connect(self._on_event)
        session.job_finished.connect(self._on_finished)
        self._on_project()

    # --- examining ---

    def examine(self) -> None:
        """Look through the project in the compute process."""
        project = self.session.project
        if project is None or self._job is not None:
            return
        self.progress = None
        self.stage = Stage.WORKING
        self._job = self.session.submit(DoctorJob(project.path.as_posix()))
        if self._job.finished is not None:
            self._on_finished(self._job, self._job.finished)
        self.changed.emit()

    def examine_soon(self) -> None:
        """Examine a project that has just come in, unless it is so large that one better asks."""
        self._unasked = True
        if self.stage is not Stage.READING:
            self._examine_unasked()

    def stop(self) -> None:
        """Stop; what was looked at is kept for the next time."""
        if self._job is not None:
            self._job.cancel()

    # --- mending ---

    def mend(self, finding: Finding) -> None:
        """Do what a finding's fix says, as one step."""
        fix = finding.fix
        if fix is None:
            return
        self.session.leave_case_of(fix.leave_out)
        self._change(lambda project: mend(project, fix, finding.sentence, author=author()))

    def take_back(self, number: int) -> None:
        """Undo a step."""
        self._change(lambda project: take_back(project, number, author=author()))

    def step_for(self, finding: Finding) -> Mended | None:
        """Give the step that mended a finding, if one did."""
        return next((one for one in self.mended if one.finding == finding.sentence), None)

    @property
    def elsewhere(self) -> tuple[Mended, ...]:
        """The steps whose finding the report does not hold any more; they can be undone as well."""
        told = {one.sentence for one in self.report.findings} if self.report else set()
        return tuple(one for one in self.mended if one.finding not in told)

    def _change(self, act: Any) -> None:
        project = self.session.project
        if project is None or self.busy:
            return
        self.busy = True
        self.changed.emit()

        def done(pair: tuple[Mended, tuple[Mended, ...]]) -> None:
            self.busy = False
            if project is self.session.project:
                self.mended = pair[1]
                self.is_current = False
                self.session.labels_saved(pair[0].cases)
            self.changed.emit()

        def failed(error: Exception) -> None:
            self.busy = False
            self.session.notify(_words(error), "error")
            self.changed.emit()

        self._ask(partial(_acted, project, act), done, failed)

    # --- inside ---

    def _on_project(self) -> None:
        self.report, self.mended, self._job = None, (), None
        self.busy = self._unasked = False
        project, catalogue = self.session.project, self.session.catalogue
        if project is None or catalogue is None:
            self.stage = Stage.CLOSED
            self.changed.emit()
            return
        self.stage = Stage.READING
        self.changed.emit()
        self._ask(partial(_read, project, catalogue), partial(self._take, project), self._unread)

    def _on_catalogue(self) -> None:
        project, catalogue = self.session.project, self.session.catalogue
        if project is None or catalogue is None or self.stage is not Stage.READY:
            return
        if self._ageing:  # labels are given faster than a large project is compared
            self._age_again = True
            return
        self._ageing = True
        self._ask(partial(_read, project, catalogue), partial(self._age, project), self._unread)

    def _take(self, project: "Project", found: _Read) -> None:
        if project is not self.session.project or self.stage is Stage.WORKING:
            return
        self.report, self.is_current = found.report, found.is_current
        self.mended = found.mended
        self.stage = Stage.EMPTY if found.report is None else Stage.READY
        self.changed.emit()
        if self._unasked:
            self._examine_unasked()

    def _age(self, project: "Project", found: _Read) -> None:
        self._ageing = False
        if project is self.session.project and self.stage is Stage.READY:
            self.is_current = found.is_current
            self.mended = found.mended
            self.changed.emit()
        if self._age_again:
            self._age_again = False
            self._on_catalogue()

    def _unread(self, error: Exception) -> None:
        self._ageing = self._age_again = False
        if self.stage is Stage.READING:
            self.stage = Stage.EMPTY
            self.changed.emit()

    def _examine_unasked(self) -> None:
        self._unasked = False
        catalogue = self.session.catalogue
        if catalogue is not None and len(catalogue.ids) <= AT_ONCE:
            self.examine()

    def _on_event(self, job: TrackedJob, event: object) -> None:
        if job is self._job and isinstance(event, Progress):
            self.progress = event
            self.progressed.emit()

    def _on_finished(self, job: TrackedJob, finished: Finished) -> None:
        if job is not self._job:
            return
        self._job = None
        if finished.outcome is Outcome.CANCELLED:
            self.stage = Stage.EMPTY if self.report is None else Stage.READY
        elif finished.outcome is Outcome.FAILED or finished.result is None:
            self.stage = Stage.FAILED
            self.trouble = Trouble(finished.reason, finished.remedy)
        else:
            self.report, self.is_current = Report.from_mapping(finished.result), True
            self.stage = Stage.READY
        self.changed.emit()


def _read(project: "Project", catalogue: "Catalogue") -> _Read:
    from ...core.review.doctor_keeping import read_report, report_path, state_of
    from ...core.review.doctor_study import study_of

    kept = read_report(report_path(project.path))
    steps = tuple(mended(project))
    if kept is None:
        return _Read(None, False, steps)
    return _Read(kept[0], kept[1] == state_of(study_of(catalogue, project.classes, ())), steps)


def _acted(project: "Project", act: Any) -> tuple[Mended, tuple[Mended, ...]]:
    done = act(project)
    return done, tuple(mended(project))


def _words(error: Exception) -> str:
    if isinstance(error, LongtailError):
        return str(error)
    return f"Nothing was changed: {type(error).__name__}: {error}."
