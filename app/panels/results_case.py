"""What the chosen run says of the case on the canvas: its map over the image, or its findings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget
from superqt import QToggleSwitch

from ...core.backend.events import Event, Finished, Outcome
from ...core.project.records import RunRecord, Task
from ..background import Errands
from ..theme import BLUE, look
from ..widgets import ElidedLabel, GhostButton, HairLine, QuietLabel
from ..widgets.basic import mark
from .results_heat import ScanHeat
from .results_model import Finding, findings
from .results_rows import FindingList
from .results_state import (
    LEARNING,
    Predictions,
    kept_setting,
    moved_logits,
    predicted_classes,
    read_predictions,
)
from .results_unsure import UncertaintyView, UnsureRow
from .train_model import case_of, run_of
from .train_words import case_noun, sentence_case

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..canvas import Canvas
    from ..session import Session
    from ..tracked import TrackedJob

MOST_FINDINGS = 40


class HasUncertainty(Protocol):
    """What shows how unsure a run is."""

    @property
    def uncertainty(self) -> UncertaintyView:
        """The map of it."""


class PredictionView(Protocol):
    """What shows predictions over the image; the canvas does."""

    prediction_visible: bool
    prediction_opacity: float

    @property
    def prediction(self) -> "HasUncertainty":
        """Its layers."""

    def show_prediction(self, run_id: str | None) -> None:
        """Show what a run predicted for the case on the canvas; None shows nothing."""


class CasePart(QWidget):
    """The case on the canvas: its prediction over the image, or its findings."""

    shown_changed = Signal(bool)
    opacity_changed = Signal(float)
    predict_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._noun = "scan"
        self.section = QLabel("", self)
        mark(self.section, "section")
        self.case = ElidedLabel("", self, kind="quiet")
        self.case.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.switch = QToggleSwitch("Show prediction", self)
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity.setRange(0, 100)
        self.opacity.setToolTip("Opacity of the prediction")
        self.opacity.setAccessibleName("Opacity of the prediction")
        self.overlay = QWidget(self)
        self.findings = FindingList(self)
        self.words, self.measured = QuietLabel("", self), QuietLabel("", self)
        self.predict = GhostButton("", self, symbol="ph.magic-wand")
        self._lay_out()
        self.switch.toggled.connect(self.shown_changed)
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        self.predict.clicked.connect(self.predict_asked)
        self.wear_icon()

    def add_below_overlay(self, widget: QWidget) -> None:
        """Put a widget below what controls the prediction's layer."""
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(self.overlay) + 1, widget)

    def show_case(self, noun: str, case: str) -> None:
        """Name the case."""
        self.section.setText(f"This {noun}".upper())
        self.case.setText(case)
        self._noun = noun

    def show_prediction(
        self, *, there: bool, overlaid: bool, words: str, can_predict: bool
    ) -> None:
        """Show that a prediction is there, or offer to make one; `words` say what to know."""
        self.overlay.setVisible(overlaid and there)
        self.findings.setVisible(not overlaid and there)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.predict.setText("Predict again" if there else f"Predict this {self._noun}")
        self.predict.setVisible(can_predict)

    def show_findings(self, found: Sequence[Finding]) -> None:
        """List what a run finds in the image."""
        self.findings.show_findings(found)

    def show_measured(self, sentence: str) -> None:
        """Say how the run did on this case; nothing where it was not measured."""
        self.measured.setText(sentence)
        self.measured.setVisible(bool(sentence))

    def set_overlay(self, *, shown: bool, opacity: float) -> None:
        """Show how the prediction lies over the image now, without telling."""
        for control in (self.switch, self.opacity):
            control.blockSignals(True)
        self.switch.setChecked(shown)
        self.opacity.setValue(round(opacity * 100))
        for control in (self.switch, self.opacity):
            control.blockSignals(False)

    def wear_icon(self) -> None:
        """Draw the switch in the colours of the theme."""
        t = look().tokens
        self.switch.onColor = QColor(BLUE)
        self.switch.offColor = QColor(t.track)
        self.switch.handleColor = QColor("#f0f1f2")

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.section)
        head.addWidget(self.case, 1)
        over = QHBoxLayout(self.overlay)
        over.setContentsMargins(0, 0, 0, 0)
        over.setSpacing(12)
        over.addWidget(self.switch)
        over.addWidget(self.opacity, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        column.addWidget(HairLine(self))
        column.addLayout(head)
        for widget in (self.measured, self.overlay, self.findings, self.words, self.predict):
            column.addWidget(widget)


class CaseResults(CasePart):
    """The part of the Results panel that is about the case on the canvas.

    Parameters
    ----------
    session
        The window's state.
    canvas
        Shows predictions over the image; without one there is no overlay to control.
    """

    def __init__(
        self,
        session: "Session",
        canvas: PredictionView | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._canvas = session, canvas
        self._run: RunRecord | None = None
        self._predictions = Predictions()
        self._errands = Errands(1, "longtail predictions", self)
        if canvas is not None:
            self.unsure = UnsureRow(canvas.prediction.uncertainty, self)
            self.add_below_overlay(self.unsure)
        shows_heat = hasattr(canvas, "heat")
        self.heat = ScanHeat(session, cast("Canvas", canvas), self) if shows_heat else None
        if self.heat is not None:
            self.layout().addWidget(self.heat)
        self.predict_asked.connect(self._predict)
        self.shown_changed.connect(self._show_overlay)
        self.opacity_changed.connect(self._set_opacity)
        session.job_event.connect(self._job_event)
        session.job_finished.connect(self._job_finished)

    def show_run(self, project: "Project", run: RunRecord) -> None:
        """Show what `run` says of the session's case."""
        self._run = run
        if self._predictions.run_id != run.id:
            self._read(project, run)
        case = self._session.case
        self.setVisible(case is not None)
        if case is None:
            return
        there = case.id in self._predictions.by_case
        overlaid = project.task is Task.SEGMENTATION
        noun = case_noun(project.task)
        learning = run.state == LEARNING
        words = "" if there and not learning else self._words(case.id, noun, project.writable)
        if there and learning and self._job_for(case.id) is None:
            words = "As it was when it was asked; it has learned more since."
        wanted = not there or learning
        can_predict = wanted and project.writable and self._job_for(case.id) is None
        self.show_case(noun, case.id)
        self.show_prediction(there=there, overlaid=overlaid, words=words, can_predict=can_predict)
        if self.heat is not None:
            self.heat.setVisible(overlaid)
            if overlaid:
                self.heat.show_run(project, run)
        if overlaid and self._canvas is not None:
            shown, opacity = self._canvas.prediction_visible, self._canvas.prediction_opacity
            self.set_overlay(shown=shown, opacity=opacity)
        elif not overlaid:
            self._list_findings(project, run, case.id)

    def forget(self) -> None:
        """Show nothing of the case: another page does."""
        self._run = None
        self.hide()

    def _words(self, case_id: str, noun: str, writable: bool) -> str:
        job = self._job_for(case_id)
        if job is not None:
            what = job.progress.what if job.progress else ""
            return sentence_case(what) or "Waiting for the next step of the training"
        if not writable:
            return f"This {noun} is not predicted, and the project can only be looked at here."
        return f"This run has not looked at this {noun} yet."

    def _list_findings(self, project: "Project", run: RunRecord, case_id: str) -> None:
        tiers = self._session.catalogue.tiers() if self._session.catalogue else {}
        classes = [(name, tiers.get(key, "")) for key, name in predicted_classes(run)]
        case, by_id = self._session.case, {each.id: each.name for each in project.classes}
        given = {by_id.get(i, "") for i in case.labels.yes} if case and case.labels else set()
        logits = moved_logits(project.task, run, self._predictions.logits(case_id))
        found = findings(logits, classes, project.task, given)
        if found and kept_setting(project, run):
            self.words.setText("At the setting of the prior slider that is kept with this run.")
            self.words.show()
        self.show_findings(found[:MOST_FINDINGS])

    def _show_again(self) -> None:
        if self._session.project is not None and self._run is not None:
            self.show_run(self._session.project, self._run)

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._errands.close()
        if self.heat is not None:
            self.heat.close_threads()

    # --- what was predicted ---

    def _read(self, project: "Project", run: RunRecord) -> None:
        self._predictions = Predictions(run.id)
        self._errands.forget()
        self._errands.ask(lambda: read_predictions(project, run.id), self._take)

    def _take(self, predictions: Predictions) -> None:
        if self._run is not None and self._run.id == predictions.run_id:
            self._predictions = predictions
            self._show_again()

    def _predict(self) -> None:
        from ...core.jobs.prediction import PredictCaseJob

        project, run, case = self._session.project, self._run, self._session.case
        if project is not None and run is not None and case is not None:
            self._session.submit(PredictCaseJob(project.path.as_posix(), run.id, case.id))
            self._show_again()

    def _job_for(self, case_id: str) -> "TrackedJob | None":
        run_id = self._run.id if self._run else ""
        going = (job for job in self._session.jobs if job.finished is None)
        ours = (job for job in going if run_of(job.job) == run_id)
        return next((job for job in ours if case_of(job.job) == case_id), None)

    def _job_event(self, job: "TrackedJob", _event: Event) -> None:
        if case_of(job.job):
            self._show_again()

    def _job_finished(self, job: "TrackedJob", finished: Finished) -> None:
        if job.is_training or job.job.only_looks:
            return
        # Whatever it predicted is read again.
        self._predictions = Predictions()
        case = self._session.case
        shown = case is not None and case_of(job.job) == case.id
        if shown and finished.outcome is Outcome.COMPLETED and self._canvas is not None:
            self._canvas.show_prediction(run_of(job.job))
            self._canvas.prediction_visible = True
        self._show_again()

    # --- the overlay ---

    def _show_overlay(self, shown: bool) -> None:
        if self._canvas is None or self._run is None:
            return
        if shown:
            self._canvas.show_prediction(self._run.id)
        self._canvas.prediction_visible = shown

    def _set_opacity(self, opacity: float) -> None:
        if self._canvas is not None:
            self._canvas.prediction_opacity = opacity
