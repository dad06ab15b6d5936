"""Gets a heat map: read from the run's folder where it lies, else computed before any training."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from ..core.backend.events import Finished, Outcome
from ..core.explain.stored import StoredMap
from ..core.project.records import Case
from .background import Errands
from .canvas_map_reading import LIKELIEST, FoundMap, boxes_at, find_current, read_found
from .session import Session

if TYPE_CHECKING:
    from ..core.explain.boxes import FoundBox
    from ..core.jobs.explaining import ExplainCaseJob
    from .tracked import TrackedJob

ONLY_LOOKED_AT = "This project can only be looked at here, so no heat map is computed."


class MapSeeker:
    """Seeks one map at a time; what was sought before is dropped, and its job cancelled.

    Parameters
    ----------
    session
        Where jobs are submitted.
    found, failed
        Called with the map, or with why there is none; an empty sentence says that the user
        cancelled it.
    """

    def __init__(
        self,
        session: Session,
        found: Callable[[FoundMap], object],
        failed: Callable[[str], object],
        parent: QObject | None = None,
    ) -> None:
        self._session, self._found, self._failed = session, found, failed
        self._case: Case | None = None
        self._threshold = 0.5
        self._job: TrackedJob | None = None
        self._wanted: ExplainCaseJob | None = None
        self._errands = Errands(1, "longtail heat maps", parent)
        session.job_finished.connect(self._job_finished)

    def seek(self, case: Case, class_id: int, variant: str, threshold: float) -> None:
        """Get the map of a class, or of the likeliest one, by the run that is chosen."""
        self.forget()
        self._case, self._threshold = case, threshold
        folder = self._run_folder()
        if folder is None:
            return

        def look() -> FoundMap | None:
            if class_id == LIKELIEST:
                return None
            return find_current(folder, case, class_id, variant, threshold)

        def take(found: FoundMap | None) -> None:
            if found is not None:
                self._found(found)
            else:
                self._compute(case, class_id, variant)

        self._errands.ask(look, take, self._fail)

    def find_boxes(
        self,
        stored: StoredMap,
        threshold: float,
        take: "Callable[[Sequence[FoundBox]], object]",
    ) -> None:
        """Find the boxes of a map at another threshold."""
        self._errands.ask(lambda: boxes_at(stored, threshold), take, self._fail)

    def forget(self) -> None:
        """Seek nothing more for now."""
        self._errands.forget()
        job, self._job, self._wanted = self._job, None, None
        if job is not None and job.finished is None:
            job.cancel()

    def close(self) -> None:
        """Follow nothing more."""
        self._session.job_finished.disconnect(self._job_finished)
        self._errands.close()

    def _compute(self, case: Case, class_id: int, variant: str) -> None:
        from ..core.jobs.explaining import ExplainCaseJob

        project, run_id = self._session.project, self._session.run_id
        if project is None or run_id is None:
            return
        if not project.writable:
            self._failed(ONLY_LOOKED_AT)
            return
        self._wanted = ExplainCaseJob(
            project.path.as_posix(),
            run_id,
            case.id,
            class_id=class_id or None,
            variant=variant,
            threshold=self._threshold,
        )
        self._job = self._session.submit(self._wanted)

    def _job_finished(self, tracked: "TrackedJob", finished: Finished) -> None:
        # Where jobs run at once this comes before `submit` has returned.
        if tracked.job is not self._wanted:
            return
        self._job = self._wanted = None
        case, project, threshold = self._case, self._session.project, self._threshold
        if finished.outcome is Outcome.COMPLETED and case is not None and project is not None:
            path = project.path / str((finished.result or {}).get("file", ""))
            self._errands.ask(lambda: read_found(path, case, threshold), self._found, self._fail)
        elif finished.outcome is Outcome.FAILED:
            self._failed(f"{finished.reason} {finished.remedy}".strip())
        else:
            self._failed("")

    def _fail(self, error: Exception) -> None:
        self._failed(str(error))

    def _run_folder(self) -> Path | None:
        project, run_id = self._session.project, self._session.run_id
        return project.run_folder(run_id) if project is not None and run_id is not None else None
