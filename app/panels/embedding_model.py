"""What the embedding panel is about: a source, a way into the plane, the job that makes them.

Free of Qt; reads files aside and hears of jobs from the session.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from ...core.backend.events import Finished, Outcome, Progress
from ...core.errors import LongtailError
from ...core.evaluate.setting import AS_TRAINED, Setting, read_setting
from ...core.explain.embedding_file import Way
from ...core.jobs.embedding import EmbedJob, ProjectJob
from ..session import Session
from ..tracked import TrackedJob
from .cases_predicted import Guess, read_guesses
from .embedding_facts import Facts, facts_of
from .embedding_source import SEED, Seen, Source, kept_steps, read_newest, sources

if TYPE_CHECKING:
    from ...core.backend.job import Job
    from ...core.project.store import Project

Ask = Callable[..., Any]
"""Does the first in a thread, then calls the second with its answer or the third with its error."""


class Stage(StrEnum):
    """What the panel shows."""

    CLOSED = "no project"
    READING = "reading"
    EMPTY = "nothing yet"
    WORKING = "working"
    FAILED = "failed"
    READY = "ready"


@dataclass(frozen=True)
class Trouble:
    """Why it did not work, and what to do."""

    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class _Read:
    """What a thread brings back."""

    seen: Seen | None
    facts: Facts | None
    steps: tuple[int, ...] = ()


class EmbeddingModel:
    """The state of the panel; `changed` tells of every change but progress, which has its own."""

    changed = Signal()
    progressed = Signal()
    recoloured = Signal()

    def __init__(self, session: Session, ask: Ask) -> None:
        self.session, self._ask = session, ask
        self.sources: list[Source] = []
        self.source: Source | None = None
        self.way: Way = "pca"
        self.seen: Seen | None = None
        self.facts: Facts | None = None
        self.steps: tuple[int, ...] = ()
        self.stage = Stage.CLOSED
        self.trouble = Trouble("")
        self.job: TrackedJob | None = None
        self.progress: Progress | None = None
        self._awake = False
        self._turn = 0
        session.project_changed.connect(self._on_project)
        session.runs_changed.connect(self._on_runs)
        session.catalogue_changed.connect(self._on_catalogue)
        session.job_event.connect(self._on_event)
        session.job_finished.connect(self._on_finished)

    # --- choosing ---

    def wake(self) -> None:
        """Begin to read: the panel is seen for the first time."""
        if not self._awake:
            self._awake = True
            self._on_project()

    def choose_source(self, source: Source) -> None:
        """Look with other eyes."""
        if source != self.source:
            self.stop()
            self.source = source
            self._read()

    def choose_way(self, way: Way) -> None:
        """Bring the points into the plane in another way; what is not there is computed."""
        if way != self.way:
            self.stop()
            self.way = way
            self._read(and_make=True)

    # --- making ---

    def compute(self) -> None:
        """Embed the cases, or those that are not in it yet."""
        project, source = self.session.project, self.source
        if project is None or source is None:
            return
        if not project.writable:
            self._fail(Trouble(*_READ_ONLY))
            return
        self._submit(EmbedJob(str(project.path), source.run_id, kind=source.kind))

    def stop(self) -> None:
        """Stop the job of this panel; what it has looked at is kept."""
        if self.job is not None and self.job.finished is None:
            self.job.stop()

    def retry(self) -> None:
        """Try again what failed."""
        if self.seen is not None and self.seen.picture is None:
            self._lay_out()
        else:
            self.compute()

    @property
    def is_working(self) -> bool:
        """Whether a job of this panel is under way."""
        return self.job is not None

    @property
    def missing(self) -> int:
        """How many cases of the project the embedding does not hold."""
        catalogue = self.session.catalogue
        sampled = self.source is not None and self.source.kind != "images"
        if self.seen is None or catalogue is None or sampled:
            return 0
        return self.seen.missing(catalogue)

    def _lay_out(self) -> None:
        project, seen = self.session.project, self.seen
        if project is None or seen is None:
            return
        if not project.writable:
            self._fail(Trouble(*_READ_ONLY))
            return
        self._submit(ProjectJob(str(project.path), seen.file, self.way, SEED))

    def _submit(self, job: "Job") -> None:
        self.progress = None
        self.stage = Stage.WORKING
        self.trouble = Trouble("")
        # A job may end before `submit` has returned, where it runs in this process.
        self.job = None
        with self.session.reporting():
            tracked = self.session.submit(job)
            if tracked.finished is None:
                self.job = tracked
            else:
                self._end(tracked, tracked.finished)
        self.changed.emit()

    # --- hearing ---

    def _on_project(self) -> None:
        self.seen = self.facts = self.job = self.source = None
        self._turn += 1
        project = self.session.project
        if project is None or not self._awake:
            self.stage = Stage.CLOSED
            self.changed.emit()
            return
        self.sources = sources(project, project.runs())
        chosen = [s for s in self.sources if s.run_id == self.session.run_id]
        self.source = chosen[0] if chosen else self.sources[-1]
        self._read()

    def _on_runs(self) -> None:
        project = self.session.project
        if project is None or not self._awake:
            return
        found = sources(project, project.runs())
        if found != self.sources:
            self.sources = found
            if self.source not in found:
                self.source = found[0]
                self._read()
            self.changed.emit()

    def _on_catalogue(self) -> None:
        """Look up classes and parts again; the points stay where they are."""
        if self.seen is None or self.session.project is None:
            return
        turn, seen = self._turn, self.seen

        def take(facts: Facts) -> None:
            if turn == self._turn and seen is self.seen:
                self.facts = facts
                self.recoloured.emit()

        self._ask(partial(self._facts, self.session.project, seen), take)

    def _on_event(self, tracked: TrackedJob, event: object) -> None:
        if tracked is self.job and isinstance(event, Progress):
            self.progress = event
            self.progressed.emit()

    def _on_finished(self, tracked: TrackedJob, finished: Finished) -> None:
        if tracked is self.job:
            self._end(tracked, finished)
            self.changed.emit()

    def _end(self, tracked: TrackedJob, finished: Finished) -> None:
        self.job = self.progress = None
        if finished.outcome is Outcome.FAILED:
            self._fail(Trouble(finished.reason, finished.remedy))
        elif finished.outcome in (Outcome.COMPLETED, Outcome.STOPPED) and finished.result:
            self._read(and_make=isinstance(tracked.job, EmbedJob))
        else:
            self._rest()
        shown = self.seen.picture if self.seen is not None else None
        if finished.outcome is not Outcome.COMPLETED and shown is not None:
            # What did not come about leaves the picture that is there, and the way it was made.
            self.way, self.stage = shown.about.way, Stage.READY

    # --- reading ---

    def _read(self, *, and_make: bool = False) -> None:
        """Read what lies on the disk; `and_make` has the picture computed where it is not there."""
        project, source = self.session.project, self.source
        if project is None or source is None:
            return
        self._turn += 1
        turn = self._turn
        if self.seen is None or self.seen.embedding.about.run != source.run_id:
            self.seen = self.facts = None
        if self.job is None:
            shown = self.seen is not None and self.seen.picture is not None
            self.stage = Stage.READY if shown else Stage.READING
        self.changed.emit()

        def take(read: _Read) -> None:
            if turn == self._turn:
                self._take(read, and_make)

        def fail(error: Exception) -> None:
            if turn == self._turn:
                self._fail(_told(error))
                self.changed.emit()

        self._ask(partial(self._look, project, source, self.way), take, fail)

    def _take(self, read: _Read, and_make: bool) -> None:
        former = self.seen
        self.seen, self.facts, self.steps = read.seen, read.facts, read.steps
        if self.seen is not None and self.seen.picture is None:
            # The first picture is made unasked: it takes a moment. Others because they were chosen.
            if former is not None and former.file == self.seen.file:
                self.seen = former
            if and_make or self.way == "pca":
                self._lay_out()
                return
        self._rest()
        self.changed.emit()

    def _rest(self) -> None:
        shown = self.seen is not None and self.seen.picture is not None
        self.stage = Stage.READY if shown else Stage.EMPTY

    def _fail(self, trouble: Trouble) -> None:
        self.trouble, self.stage = trouble, Stage.FAILED
        self.changed.emit()

    def _look(self, project: "Project", source: Source, way: Way) -> _Read:
        seen = read_newest(project, source, way)
        facts = None if seen is None else self._facts(project, seen)
        return _Read(seen, facts, kept_steps(project, source))

    def _facts(self, project: "Project", seen: Seen) -> Facts:
        catalogue = self.session.catalogue or project.catalogue()
        about = seen.embedding.about
        setting, guesses = AS_TRAINED, dict[str, Guess]()
        if about.run is not None and seen.embedding.logits.shape[1]:
            setting = _setting(project, about.run, about.class_ids)
        elif self.session.run_id is not None:
            guesses = dict(read_guesses(project, self.session.run_id).by_case)
        return facts_of(seen.embedding, catalogue, setting, guesses)


_READ_ONLY = (
    "This project is open for reading only, so nothing can be computed for it.",
    "Close the other window or command that holds it, or copy the project.",
)


def _setting(project: "Project", run_id: str, class_ids: tuple[int, ...]) -> Setting:
    """Read the run's prior and thresholds; a damaged one moves nothing: the slider says why."""
    try:
        return read_setting(project.run(run_id).settings, class_ids)
    except LongtailError:
        return AS_TRAINED


def _told(error: Exception) -> Trouble:
    if isinstance(error, LongtailError):
        return Trouble(error.reason, error.remedy)
    return Trouble(f"The embedding cannot be read: {type(error).__name__}: {error}.")
