"""The Results panel: how good the chosen run is, class by class, and what it says of this case."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QIcon, QShowEvent
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ...core.backend.events import Artifact, Event, Finished, Outcome
from ...core.errors import LongtailError
from ...core.evaluate.report import Report
from ...core.project.records import RunRecord, Split
from ..background import Errands
from ..widgets import EmptyState, dress
from .results_case import PredictionView
from .results_model import case_sentence, measures_of, results
from .results_page import ResultsPage
from .results_report import open_report, save_report
from .results_shelf import ReportShelf, evaluated_splits
from .results_state import (
    PART_WORDS,
    PARTS,
    Facts,
    Stand,
    is_learning,
    kept_setting,
    stand,
)
from .results_views import ResultsViews
from .results_weights import OWN, kept_for_classes, weights_menu
from .train_model import labelled_in, run_of
from .train_outcome import KEPT
from .train_words import case_noun, clock, run_number

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..session import Session
    from ..tracked import TrackedJob

TICK_MS = 150
NOBODY = "-"
"""The choice to compare with no run."""


class ResultsPanel(QWidget):
    """How the chosen run does on cases that it has not seen, and on the case shown.

    Parameters
    ----------
    session
        The window's state.
    canvas
        Shows predictions; without one there is no overlay to control.
    """

    panel_asked = Signal(str)
    """The name of the panel that the user wants to go to: Train or Cases."""

    def __init__(
        self,
        session: "Session",
        canvas: PredictionView | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._canvas = session, canvas
        self._shelf = ReportShelf()
        self._split = Split.TEST
        self._measure = self._other = ""
        self._failed: dict[str, Finished] = {}
        self._runs: tuple[RunRecord, ...] = ()
        self._runs_are_old = self._is_old = True
        self._errands = Errands(1, "longtail reports", self)
        self._stand = Stand()
        self._report: Report | None = None
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._tick = QTimer(self, singleShot=True, interval=TICK_MS)
        self._soon.timeout.connect(self.refresh)
        self._tick.timeout.connect(self._show_progress)
        self._make()
        dress(self)
        self._connect()
        self.refresh()

    # --- what is shown ---

    def refresh(self) -> None:
        """Show the chosen run as it stands now."""
        self._is_old = False
        project = self._session.project
        if self._runs_are_old:
            # A run's plan lists its cases, so all runs are not read for every saved label.
            runs = project.runs() if project else []
            self._runs = tuple(
                run for run in runs if run.state in KEPT or (project and is_learning(project, run))
            )
            self._runs_are_old = False
        run = self.chosen
        if project is None or run is None:
            self.pages.setCurrentWidget(self.nothing)
            return
        one = self.views.turn_to(project)
        self.views.show_runs(self._runs, run)
        if one is not None:
            one.show_run(project, run)
            return
        if self.views.offered:
            self.case.forget()
        else:
            self.case.show_run(project, run)
        self._show_run(project, run)

    @property
    def chosen(self) -> RunRecord | None:
        """The run that is shown: the session's, else the newest, one that has ended first."""
        named = (run for run in self._runs if run.id == self._session.run_id)
        ended = [run for run in self._runs if run.state in KEPT] or list(self._runs)
        return next(named, ended[-1] if ended else None)

    def _show_run(self, project: "Project", run: RunRecord) -> None:
        held, done = self._held(), evaluated_splits(project.run_folder(run.id))
        offered = [part for part in PARTS if held[part] or part in done]
        if self._split not in offered and offered:
            self._split = offered[0]
        self.splits.setVisible(len(offered) > 1 and run.state in KEPT)
        self.splits.set_value(self._split.value)
        working = self._job_of(run)
        self.working.setVisible(working is not None)
        self._show_progress()
        report, failed, reading = self._read(project, run)
        self._report = report
        self._stand = stand(
            Facts(
                run,
                self._split,
                held[self._split],
                case_noun(project.task),
                project.writable,
                project.label_version,
                report,
                failed,
                working is not None,
                reading,
                kept_setting(project, run),
            )
        )
        self._show_stand(self._stand)
        self.figures.setVisible(report is not None)
        self.case.show_measured("")
        self.slider.show_run(project, run, self._split, None if working else report)
        self.details.show_report(report)
        if report is not None:
            self._show_report(project, run, report)

    def _held(self) -> dict[Split, int]:
        catalogue = self._session.catalogue
        return {part: labelled_in(catalogue, part) if catalogue else 0 for part in PARTS}

    def _read(
        self, project: "Project", run: RunRecord
    ) -> tuple[Report | None, Finished | None, bool]:
        """Give the report, or how reading or making it failed, or True where it is being read."""
        folder, split = project.run_folder(run.id), self._split
        if not self._shelf.is_quick(folder, split):
            self._read_later(project, run)
            return None, None, True
        try:
            report = self._shelf.get(folder, split)
        except LongtailError as error:
            return None, Finished(Outcome.FAILED, None, error.reason, error.remedy), False
        return report, self._failed.get(run.id), False

    def _read_later(self, project: "Project", run: RunRecord) -> None:
        folder, split = project.run_folder(run.id), self._split

        def show(_: object) -> None:
            self._refresh_soon()

        # A failure is remembered by the shelf and told when it is asked again.
        self._errands.forget()
        self._errands.ask(lambda: self._shelf.get(folder, split), show, show)

    def _read_other(self, project: "Project", other: RunRecord | None) -> Report | None:
        if other is None:
            return None
        if not self._shelf.is_quick(project.run_folder(other.id), self._split):
            self._read_later(project, other)
            return None
        try:
            return self._shelf.get(project.run_folder(other.id), self._split)
        except LongtailError:
            # It says so itself once it is chosen; here it is only not compared with.
            return None

    def _show_stand(self, told: Stand) -> None:
        self.ask.say(told.title, told.text, told.tone)
        self.primary.setVisible(bool(told.primary))
        self.primary.setText(told.primary)
        self.primary.symbol = "ph.file-text" if told.act == "report" else ""
        self.primary.setIcon(QIcon())
        self.primary.wear_icon()
        self.again.setVisible(told.again)
        project, run = self._session.project, self.chosen
        measured = project if self._report is not None else None
        kept = kept_for_classes(measured, run) if measured and run else ()
        self.page.weights.setVisible(bool(kept))
        self.page.pdf.setVisible(told.act == "report")

    def _show_report(self, project: "Project", run: RunRecord, report: Report) -> None:
        measures = measures_of(report)
        if not measures:
            self.figures.hide()
            return
        measure = next((each for each in measures if each.key == self._measure), measures[0])
        others = self._others(project, run)
        other = self._compared(others)
        theirs = self._read_other(project, other)
        other = other if theirs else None
        names = (run_number(run.id), run_number(other.id) if other else "")
        self.figures.show_results(results(report, measure, theirs), names[1])
        if self._session.case is not None:
            self.case.show_measured(case_sentence(report, measure, self._session.case.id))
        choices = [(each.id, run_number(each.id)) for each in others]
        self.figures.offer(
            measures, measure, PART_WORDS[self._split], [*choices, (NOBODY, "no other run")], names
        )

    def _others(self, project: "Project", run: RunRecord) -> list[RunRecord]:
        """List the other runs evaluated on the same part, the one before this run first."""
        others = []
        for each in self._runs:
            done = evaluated_splits(project.run_folder(each.id))
            if each.id != run.id and self._split in done:
                others.append(each)
        return sorted(others, key=lambda each: (each.id > run.id, -each.created.timestamp()))

    def _compared(self, others: list[RunRecord]) -> RunRecord | None:
        if self._other == NOBODY:
            return None
        named = (each for each in others if each.id == self._other)
        return next(named, others[0] if others else None)

    # --- jobs ---

    def _act(self) -> None:
        {
            "evaluate": self._evaluate,
            "report": self._open_report,
            "cases": lambda: self.panel_asked.emit("Cases"),
        }[self._stand.act]()

    def _evaluate(self, which: str = OWN) -> None:
        from ...core.jobs.evaluation import EvaluateJob

        project, run = self._session.project, self.chosen
        if project is None or run is None:
            return
        self._failed.pop(run.id, None)
        job = EvaluateJob(project.path.as_posix(), run.id, self._split.value, which)
        self._session.submit(job)

    def _offer_weights(self) -> None:
        project, run = self._session.project, self.chosen
        if project is None or run is None:
            return
        button = self.page.weights
        menu = weights_menu(kept_for_classes(project, run), self._evaluate, self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _open_report(self) -> None:
        open_report(self._session, self.chosen)

    def _save_report(self) -> None:
        if self._report is not None:
            save_report(self._session, self.chosen, self._report, self)

    def _job_of(self, run: RunRecord) -> "TrackedJob | None":
        """Give the job that measures or predicts the cases of this run, if one is under way."""
        going = (job for job in self._session.jobs if job.finished is None and not job.is_training)
        measuring = (job for job in going if not (job.job.interactive or job.job.only_looks))
        return next((job for job in measuring if run_of(job.job) == run.id), None)

    def _show_progress(self) -> None:
        run = self.chosen
        job = self._job_of(run) if run else None
        if job is None:
            return
        words = job.progress.what if job.progress else ""
        left = clock(job.eta_s)
        if job.state == "queued":
            words = "Waiting for the device" if self._session.training else "Starting"
        self.working.show_progress(
            job.title, words[:1].upper() + words[1:], f"{left} left" if left else "", job.share
        )

    def _stop(self) -> None:
        run = self.chosen
        job = self._job_of(run) if run else None
        if job is not None:
            job.cancel()

    def _job_started(self, job: "TrackedJob") -> None:
        self._refresh_soon()

    def _job_event(self, job: "TrackedJob", event: Event) -> None:
        if not job.is_training and not self._tick.isActive():
            self._tick.start()
        if isinstance(event, Artifact) and event.kind == "checkpoint":
            # From its first checkpoint on a run can predict while it is trained.
            known = any(run.id == run_of(job.job) for run in self._runs)
            if job.is_training and not known:
                self._read_runs_soon()

    def _job_finished(self, job: "TrackedJob", finished: Finished) -> None:
        if job.job.only_looks:
            return
        measured = not job.is_training and not job.job.interactive
        if measured and finished.outcome is Outcome.FAILED:
            self._failed[run_of(job.job)] = finished
        self._read_runs_soon()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._errands.close()
        self.slider.close_threads()
        self.case.close_threads()
        self.views.close_threads()

    # --- choices ---

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the panel up to date when it comes into view."""
        super().showEvent(event)
        if self._is_old:
            self._soon.start()

    def _refresh_soon(self) -> None:
        # Several signals come together; one look at the project is enough, and none while hidden.
        self._is_old = True
        if self.isVisible():
            self._soon.start()

    def _read_runs_soon(self) -> None:
        self._runs_are_old = True
        self._refresh_soon()

    def _take_run(self, run_id: str) -> None:
        self._session.choose_run(run_id)
        self._refresh_soon()

    def _choose_split(self, split: str) -> None:
        self._split = Split(split)
        self.refresh()

    def _choose_measure(self, key: str) -> None:
        self._measure = key
        self.refresh()

    def _choose_other(self, run_id: str) -> None:
        self._other = run_id
        self.refresh()

    def _list_cases(self, case_ids: tuple[str, ...], words: str) -> None:
        self._session.list_cases(case_ids, words)

    # --- making ---

    def _make(self) -> None:
        self.nothing = EmptyState(
            "ph.chart-bar",
            "No results yet",
            "They appear here once a run has been trained.",
            ("Go to Train", lambda: self.panel_asked.emit("Train")),
        )
        page = self.page = ResultsPage(self._session, self._canvas)
        self.run, self.splits, self.ask = page.run, page.splits, page.ask
        self.figures, self.slider, self.details = page.figures, page.slider, page.details
        self.working, self.case = page.working, page.case
        self.primary, self.again = page.primary, page.again
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.nothing)
        self.pages.addWidget(self.page)
        self.views = ResultsViews(self.pages, page, self._session, self._canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    def _connect(self) -> None:
        session = self._session
        for signal in (session.catalogue_changed, session.run_changed, session.case_changed):
            signal.connect(self._refresh_soon)
        for signal in (session.project_changed, session.runs_changed):
            signal.connect(self._read_runs_soon)
        session.job_started.connect(self._job_started)
        session.job_event.connect(self._job_event)
        session.job_finished.connect(self._job_finished)
        self.views.run_chosen.connect(self._take_run)
        self.views.changed.connect(self.refresh)
        self.views.panel_asked.connect(self.panel_asked)
        self.splits.chosen.connect(self._choose_split)
        self.figures.measure_chosen.connect(self._choose_measure)
        self.figures.other_chosen.connect(self._choose_other)
        self.details.cases_asked.connect(self._list_cases)
        self.working.stop_asked.connect(self._stop)
        self.primary.clicked.connect(self._act)
        self.again.clicked.connect(lambda _checked=False: self._evaluate())
        self.page.weights.clicked.connect(lambda _checked=False: self._offer_weights())
        self.page.pdf.clicked.connect(lambda _checked=False: self._save_report())
        self.page.panel_asked.connect(self.panel_asked)
