"""One image in Results: its findings, where the run looks for the chosen one, and its box."""

from typing import TYPE_CHECKING, Protocol

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QWidget

from ...core.backend.events import Event, Finished
from ...core.project.boxfiles import DrawnBox
from ...core.project.records import RunRecord
from ..canvas_map_reading import LIKELIEST
from .radiomics_reader import RegionAsked
from .results_state import LEARNING, kept_setting
from .train_model import case_of, run_of
from .train_words import sentence_case
from .xray_model import (
    REJECTED_SETTING,
    Box,
    FindingRow,
    Overlap,
    finding_rows,
    overlap,
    rejected_boxes,
    shown_rows,
)
from .xray_page import FindingsParts

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..canvas_boxes import DrawnBoxes
    from ..canvas_map import HeatMap
    from ..session import Session
    from ..tracked import TrackedJob


class CanvasOfImages(Protocol):
    """What shows heat maps and boxes over the image; the canvas does."""

    heat: "HeatMap"
    boxes: "DrawnBoxes"


class FindingsPage(FindingsParts):
    """What the chosen run says of the image on the canvas."""

    view_chosen = Signal(str)

    def __init__(
        self, session: "Session", canvas: CanvasOfImages, parent: QWidget | None = None
    ) -> None:
        super().__init__(session, canvas.heat, parent)
        self._session, self._heat, self._boxes = session, canvas.heat, canvas.boxes
        self._run: RunRecord | None = None
        self._rows: tuple[FindingRow, ...] = ()
        self._told = Overlap()
        self._is_fresh = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._show)
        self._connect()

    def show_run(self, project: "Project", run: RunRecord) -> None:
        """Show what `run` says of the session's case."""
        self._run = run
        self._show()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self.radiomics.close_threads()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with the likeliest finding."""
        super().showEvent(event)
        self._is_fresh = True
        if self._boxes.selected is not None:
            self._boxes.put_down()
        self._show_soon()

    # --- showing ---

    def _show_soon(self) -> None:
        if self.isVisible():
            self._soon.start()

    def _show(self) -> None:
        project, run, case = self._session.project, self._run, self._session.case
        if project is None or run is None:
            return
        self.name_case("" if case is None else case.id)
        record = project.prediction(run.id, case.id) if case is not None else None
        logits = () if record is None or record.logits is None else tuple(record.logits)
        tiers = dict(self._session.catalogue.tiers()) if self._session.catalogue else {}
        self._rows = ()
        if case is not None:
            boxes = self._boxes.boxes or ()
            self._rows = finding_rows(project, run, case, logits, tiers, boxes)
        self._show_rows()
        setting = kept_setting(project, run) if self._rows else ""
        self.say_prediction(
            self._words(project, run), can_predict=self._can_predict(project, run), setting=setting
        )
        self._show_map()
        if self._is_fresh and self._rows and self.isVisible():
            self._is_fresh = False
            if self._heat.class_id is None:
                self._heat.choose(self._rows[0].class_id)

    def _show_rows(self) -> None:
        chosen = self._chosen
        shown = shown_rows(self._rows, chosen, every=self.every)
        self.rows.show_rows(shown, chosen)
        self.show_more(len(self._rows), len(shown))

    def _show_map(self) -> None:
        stored, name = self._heat.stored, self._name
        self._told = Overlap()
        if stored is not None:
            self._told = overlap(stored, self._box, self._boxes.boxes or ())
            self._apply_rejection(stored.class_id)
        self.map.show_overlap(self._told, name)
        self.radiomics.ask(self._asked(), name)
        self._show_foot()

    def _apply_rejection(self, class_id: int) -> None:
        case, run = self._session.case, self._run
        if case is None or run is None or self._heat.state != "shown":
            return
        rejected = (case.id, class_id) in rejected_boxes(run)
        if rejected != self._heat.box_rejected:
            self._heat.reject_box(rejected)

    def _asked(self) -> RegionAsked | None:
        case, box, stored = self._session.case, self._box, self._heat.stored
        if case is None or box is None or stored is None or self._heat.box_rejected:
            return None
        return RegionAsked(case.id, stored.class_id, box)

    def _show_foot(self) -> None:
        project = self._session.project
        writable = project is not None and project.writable
        there = self._heat.state == "shown" and self._box is not None
        self.show_foot(
            there=there and writable,
            kept=self._told.is_kept,
            rejected=self._heat.box_rejected,
        )

    def _words(self, project: "Project", run: RunRecord) -> str:
        job = self._job()
        if self._session.case is None:
            return "Choose an image in the list of cases."
        if job is not None:
            what = job.progress.what if job.progress else ""
            return sentence_case(what) or "Waiting for the next step of the training"
        if self._rows:
            learning = run.state == LEARNING
            return "As it was when it was asked; it has learned more since." if learning else ""
        if not project.writable:
            return "This image is not predicted, and the project can only be looked at here."
        return "This run has not looked at this image yet."

    def _can_predict(self, project: "Project", run: RunRecord) -> bool:
        wanted = not self._rows or run.state == LEARNING
        asked = self._session.case is not None and self._job() is None
        return wanted and asked and project.writable

    # --- what is known ---

    @property
    def _chosen(self) -> int | None:
        heat = self._heat
        stored = heat.stored
        return stored.class_id if stored is not None else heat.class_id or None

    @property
    def _name(self) -> str:
        stored = self._heat.stored
        return stored.class_name if stored is not None else ""

    @property
    def _box(self) -> Box | None:
        best, stored = self._heat.best_box, self._heat.stored
        # A box in a volume has a depth, which boxes that people draw do not have.
        if best is None or stored is None or stored.values.ndim != 2:
            return None
        x, y, width, height = best.xywh
        return float(x), float(y), float(width), float(height)

    def _job(self) -> "TrackedJob | None":
        run, case = self._run, self._session.case
        going = (job for job in self._session.jobs if job.finished is None)
        ours = (job for job in going if run is not None and run_of(job.job) == run.id)
        return next((job for job in ours if case is not None and case_of(job.job) == case.id), None)

    # --- doing ---

    def _connect(self) -> None:
        session = self._session
        session.job_finished.connect(self._job_finished)
        session.job_event.connect(self._job_event)
        session.case_changed.connect(self._show_soon)
        session.catalogue_changed.connect(self._show_soon)
        self._heat.changed.connect(self._show_soon)
        self._boxes.changed.connect(self._show_soon)
        self.rows.chosen.connect(self._choose)
        self.more_asked.connect(self._show_rows)
        self.views.chosen.connect(self.view_chosen)
        self.predict.clicked.connect(self._predict)
        self.accept.clicked.connect(self._accept)
        self.reject.clicked.connect(self._reject)

    def _choose(self, class_id: int) -> None:
        self._heat.choose(None if class_id < 0 else class_id)

    def _predict(self) -> None:
        from ...core.jobs.prediction import PredictCaseJob

        project, run, case = self._session.project, self._run, self._session.case
        if project is not None and run is not None and case is not None:
            self._session.submit(PredictCaseJob(project.path.as_posix(), run.id, case.id))
            self._show_soon()

    def _job_event(self, job: "TrackedJob", _event: Event) -> None:
        if case_of(job.job):
            self._show_soon()

    def _job_finished(self, job: "TrackedJob", _finished: Finished) -> None:
        if job.job.only_looks or job.is_training:
            return
        self._show_soon()
        case = self._session.case
        asked = case is not None and case_of(job.job) == case.id and self.isVisible()
        if asked and self._heat.class_id is None:
            self._heat.choose(LIKELIEST)

    def _accept(self) -> None:
        stored, box = self._heat.stored, self._box
        if stored is None or box is None:
            return
        self._forget_rejection(stored.class_id)
        self._boxes.add(DrawnBox(stored.class_id, *box))
        kept = self._boxes.boxes
        self._session.notify(
            f"The box of {stored.class_name} is kept with this image.",
            action=("Undo", lambda: self._take_back(kept)),
        )

    def _take_back(self, kept: tuple[DrawnBox, ...] | None) -> None:
        # The words may stand longer than the image: what was drawn since stays.
        if kept is self._boxes.boxes:
            self._boxes.undo()

    def _reject(self) -> None:
        stored = self._heat.stored
        if stored is None:
            return
        if self._heat.box_rejected:
            self._forget_rejection(stored.class_id)
        else:
            self._keep_rejection(stored.class_id, rejected=True)

    def _forget_rejection(self, class_id: int) -> None:
        if self._heat.box_rejected:
            self._keep_rejection(class_id, rejected=False)

    def _keep_rejection(self, class_id: int, *, rejected: bool) -> None:
        project, run, case = self._session.project, self._run, self._session.case
        if project is None or run is None or case is None:
            return
        with self._session.reporting():
            known = set(rejected_boxes(run)) - {(case.id, class_id)}
            known |= {(case.id, class_id)} if rejected else set()
            project.set_run_setting(run.id, REJECTED_SETTING, [list(one) for one in sorted(known)])
            self._run = project.run(run.id)
            self._heat.reject_box(rejected)
