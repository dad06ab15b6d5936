"""Asks for the features of a region and for what to compare them with; panels show the answer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QObject, QTimer, Signal

from ...core.backend.events import Event, Finished, Outcome, Progress
from ...core.radiomics.unusual import Compared, TrainingRegions
from ..background import Errands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.backend.job import Job
    from ..session import Session
    from ..tracked import TrackedJob

State = Literal["none", "measuring", "measured", "failed"]
SETTLE_MS = 250
"""A slider that moves makes many boxes; the one where it rests is measured."""


@dataclass(frozen=True, slots=True)
class RegionAsked:
    """A region of a case.

    `box` (x, y, width, height) None takes what a label map gives to the class: the case's own, or
    that which the run `map_of` predicted.
    """

    case_id: str
    class_id: int
    box: tuple[float, float, float, float] | None = None
    map_of: str = ""

    @property
    def besides(self) -> tuple[Any, ...]:
        """What the region is among the training regions, where it is one of them."""
        return (self.case_id, *(self.box or ()))


class RegionReader(QObject):
    """Measures one region, and reads the training regions of its class; made on the main thread.

    Attributes
    ----------
    state, words
        How measuring the region stands, and why it failed.
    features
        Its features by full name; empty before it is measured.
    regions
        The training regions of its class; None before they are read.
    """

    changed = Signal()

    def __init__(self, session: "Session", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.asked: RegionAsked | None = None
        self.state: State = "none"
        self.words = ""
        self.features: Mapping[str, float | None] = {}
        self.reasons: Mapping[str, str] = {}
        self.regions: TrainingRegions | None = None
        self._job: Job | None = None
        self._tracked: TrackedJob | None = None
        self._tried: set[tuple[str, int, str]] = set()
        self._unasked: TrackedJob | None = None
        self._errands = Errands(1, "longtail radiomics", self)
        self._soon = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._soon.timeout.connect(self._measure)
        session.job_event.connect(self._job_event)
        session.job_finished.connect(self._job_finished)
        session.project_changed.connect(self._on_project)

    def ask(self, asked: RegionAsked | None) -> None:
        """Measure this region; None forgets."""
        if asked == self.asked:
            return
        same_class = asked is not None and self.asked is not None
        same_class = same_class and asked.class_id == self.asked.class_id  # type: ignore[union-attr]
        self._let_go()
        self._stop_unasked(asked)
        self.asked, self.features, self.reasons = asked, {}, {}
        if not same_class:
            self.regions = None
        self.state = "none" if asked is None else "measuring"
        if asked is not None:
            self._soon.start()
            self._read_regions()
        self.changed.emit()

    @property
    def compared(self) -> dict[str, Compared]:
        """The features beside those of the training regions; empty where there are too few."""
        if self.regions is None or self.state != "measured" or not self.regions.is_enough:
            return {}
        return self.regions.compared(self.features)

    @property
    def progress(self) -> Progress | None:
        """How far the training regions are measured, while they are; None while they are not."""
        tracked = self._following()
        return None if tracked is None else tracked.progress or Progress(0, 0)

    def measure_class(self) -> None:
        """Measure the training regions that are not measured yet, in the background."""
        from ...core.jobs.regions import MeasureClassJob

        project, asked = self._session.project, self.asked
        if project is None or asked is None or self._following() is not None:
            return
        self._tried.add((project.path.as_posix(), asked.class_id, self._found_by))
        path = project.path.as_posix()
        self._session.submit(MeasureClassJob(path, asked.class_id, self._found_by))
        self.changed.emit()

    def measure_class_once(self) -> None:
        """Do so unless it was done since the project was opened: what failed is not asked again."""
        project, asked, regions = self._session.project, self.asked, self.regions
        if project is None or asked is None or regions is None or not regions.waiting:
            return
        key = (project.path.as_posix(), asked.class_id, self._found_by)
        if project.writable and key not in self._tried:
            self.measure_class()
            self._unasked = self._following()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._soon.stop()
        self._errands.close()

    # --- inside ---

    @property
    def _found_by(self) -> str:
        asked = self.asked
        boxed = asked is not None and asked.box is not None
        return (self._session.run_id or "") if boxed else ""

    def _stop_unasked(self, asked: RegionAsked | None) -> None:
        """End what nobody asked for once another class is looked at: a training may be next.

        What was measured is kept; it goes on when the class is looked at again.
        """
        job = self._unasked
        class_id = getattr(job.job, "class_id", None) if job is not None else None
        if job is None or asked is None or asked.class_id == class_id:
            return
        self._unasked = None
        if job.finished is None:
            self._tried = {key for key in self._tried if key[1] != class_id}
            job.cancel()

    def _following(self) -> "TrackedJob | None":
        going = (job for job in self._session.jobs if job.finished is None)
        return next((job for job in going if self._is_about_class(job)), None)

    def _on_project(self) -> None:
        self._tried.clear()
        self.ask(None)

    def _let_go(self) -> None:
        self._soon.stop()
        self._errands.forget()
        tracked, self._tracked, self._job = self._tracked, None, None
        if tracked is not None and tracked.finished is None:
            tracked.cancel()

    def _measure(self) -> None:
        from ...core.jobs.regions import MeasureRegionJob

        project, asked = self._session.project, self.asked
        if project is None or asked is None:
            return
        self._job = MeasureRegionJob(
            project.path.as_posix(),
            asked.case_id,
            asked.class_id,
            box=asked.box,
            run_id=asked.map_of,
        )
        self._tracked = self._session.submit(self._job)

    def _read_regions(self) -> None:
        from ...core.jobs.region_table import training_regions

        project, asked, run_id = self._session.project, self.asked, self._found_by
        if project is None or asked is None:
            return
        self._errands.ask(
            lambda: training_regions(project, asked.class_id, run_id, besides=asked.besides),
            self._take_regions,
            self._fail,
        )

    def _take_regions(self, regions: TrainingRegions) -> None:
        self.regions = regions
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        self.state, self.words = "failed", str(error)
        self.changed.emit()

    def _job_event(self, job: "TrackedJob", _event: Event) -> None:
        if self._is_about_class(job):
            self.changed.emit()

    def _job_finished(self, job: "TrackedJob", finished: Finished) -> None:
        if self._is_about_class(job):
            # Another panel may have asked for it.
            self._read_regions()
            self.changed.emit()
        elif self._job is not None and job.job is self._job:
            self._job = self._tracked = None
            self._take_features(finished)

    def _is_about_class(self, job: "TrackedJob") -> bool:
        named = type(job.job).__name__ == "MeasureClassJob" and self.asked is not None
        return named and getattr(job.job, "class_id", None) == self.asked.class_id  # type: ignore[union-attr]

    def _take_features(self, finished: Finished) -> None:
        if finished.outcome is Outcome.COMPLETED and finished.result is not None:
            self.features = finished.result["features"]
            self.reasons = finished.result["reasons"]
            self.state = "measured"
        else:
            self.state = "failed"
            self.words = f"{finished.reason} {finished.remedy}".strip()
        self.changed.emit()
