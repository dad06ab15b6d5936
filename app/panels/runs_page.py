"""Runs side by side: a page of the bottom panel with all that was measured, and what differs."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QWidget

from ...core.errors import LongtailError
from ...core.evaluate.versus import Versus
from ...core.project.records import Task
from ..background import Errands
from ..widgets.dress import dress
from .results_state import PART_WORDS
from .runs_layout import CASES, CHANGED, CLASSES, LEARNING, RunsLayout
from .runs_model import (
    DECISIVE,
    MOST_CHANGED,
    MOST_DRAWN,
    RunCurve,
    RunLine,
    changed_title,
    class_lines,
    markers,
    run_line,
    spots,
    spots_title,
)
from .runs_reader import Evaluated, RunsReader
from .train_words import case_noun, run_number, sentence_case

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..session import Session
    from .runs_plots import RunCurves, SpotPlot

GoTo = Callable[[str, Sequence[int]], object]
"""Shows a case at a place in it."""


class RunsPage(RunsLayout):
    """A table of the evaluated runs, and beside it one of four views of those that are drawn.

    Parameters
    ----------
    session
        The window's state.
    go
        Shows a case at a place in it; by default the session shows the case.

    Attributes
    ----------
    head
        The controls, which the dock at the bottom shows beside its tabs.
    """

    train_asked = Signal()

    def __init__(
        self, session: "Session", go: GoTo | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(self._ask_for_train, parent)
        self._session = session
        self._go = go or (lambda case_id, _place: session.show_case(case_id))
        self._reader = RunsReader()
        self._errands = Errands(1, "longtail runs", self)
        # Apart from the differences, which take a second each and would hold a view up.
        self._view_errands = Errands(1, "longtail runs in view", self)
        self._evaluated = Evaluated()
        self._ticked: list[str] = []
        self._reference = ""
        self._known: dict[str, Versus | str] = {}
        self._curve_plot: RunCurves | None = None
        self._spot_plot: SpotPlot | None = None
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.read)
        self._is_old = True
        self._connect()
        dress(self)

    # --- reading ---

    def read(self) -> None:
        """Read the reports again, in a thread."""
        project = self._session.project
        if project is None or not self.isVisible():
            self._is_old = True
            return
        self._is_old = False
        self._errands.forget()
        self._errands.ask(lambda: self._reader.evaluated(project), self._take)

    def _take(self, evaluated: Evaluated) -> None:
        known = [run.id for run, _ in evaluated.runs]
        self._evaluated = evaluated
        self._ticked = [each for each in self._ticked if each in known]
        if self._reference not in known:
            self._reference = ""
        chosen = self.chosen
        if not self._reference and len(known) > 1:
            # The run before the chosen one is what it is most often held against.
            others = [each for each in known if each != chosen]
            older = [each for each in others if each < chosen]
            self._reference = (older or others)[0]
        for wanted in (self._reference, chosen):
            if wanted and wanted not in self._ticked:
                self._ticked.insert(0, wanted)
        self._ticked = self._ticked[:MOST_DRAWN]
        self._known = {}
        self.show_all()
        self._ask_differences()

    def _ask_differences(self) -> None:
        project, evaluated, other = self._session.project, self._evaluated, self._reference
        if project is None or not other:
            return
        ids = [run.id for run, _ in evaluated.runs if run.id != other]
        # The chosen run's difference first: it is looked at.
        for run_id in sorted(ids, key=lambda each: each != self.chosen):
            self._ask_difference(project, evaluated, run_id, other)

    def _ask_difference(
        self, project: "Project", evaluated: Evaluated, run_id: str, other: str
    ) -> None:
        def told(versus: Versus | str) -> None:
            if other != self._reference:
                return  # asked before all runs were held against another one
            self._known[run_id] = versus
            self._show_table()
            if self.views.value() == CHANGED:
                self._show_changed()

        def failed(error: Exception) -> None:
            told(error.reason if isinstance(error, LongtailError) else str(error))

        self._errands.ask(
            lambda: self._reader.versus(project, evaluated, run_id, other), told, failed
        )

    # --- showing ---

    @property
    def chosen(self) -> str:
        """The run that the window is about, else the newest that was measured."""
        known = [run.id for run, _ in self._evaluated.runs]
        return self._session.run_id if self._session.run_id in known else (known or [""])[0]

    def show_all(self) -> None:
        """Show what is known now."""
        runs = self._evaluated.runs
        self.pages.setCurrentWidget(self.whole if runs else self.nothing)
        self.head.setVisible(bool(runs))
        if not runs:
            return
        self._show_table()
        choices = [(run.id, run_number(run.id)) for run, _ in runs]
        named = run_number(self._reference)
        self.versus.offer(f"compared with {named}" if named else "", choices, self._reference)
        part = PART_WORDS[self._evaluated.split]
        measured = f"Measured on the {part.lower()} part."
        self.measured.setText(" ".join([measured, *self._evaluated.failed]))
        self._show_view()

    def _show_table(self) -> None:
        self.table.show_lines(self._lines(), self.chosen, run_number(self._reference))

    def _lines(self) -> list[RunLine]:
        drawn = markers(self._ticked)
        lines = []
        for run, report in self._evaluated.runs:
            versus = self._known.get(run.id)
            key = DECISIVE[Task(report.provenance.task)]
            difference = versus.overall.get(key) if isinstance(versus, Versus) else None
            lines.append(
                run_line(
                    run,
                    report,
                    reference=self._reference,
                    marker=drawn.get(run.id, ""),
                    difference=difference,
                )
            )
        return lines

    def _show_view(self) -> None:
        view = self.views.value() or CLASSES
        # What was being read for the view before must not come into this one.
        self._view_errands.forget()
        {
            CLASSES: self._show_classes,
            LEARNING: self._show_learning,
            CASES: self._show_cases,
            CHANGED: self._show_changed,
        }[view]()

    def _show_classes(self) -> None:
        drawn = markers(self._ticked)
        found = [(drawn[each], self._evaluated.run(each)) for each in self._ticked]
        lines = class_lines([(marker, run[1]) for marker, run in found if run is not None])
        title = f"{lines[0].measure.title} by class, with 95 % intervals" if lines else ""
        self.classes.show_lines(lines)
        self._turn_to(self.classes_area, title)

    def _show_learning(self) -> None:
        project = self._session.project
        if project is None:
            return
        shapes, ids = markers(self._ticked), tuple(self._ticked)
        curves = self._curves()
        curves.show_curves(())
        self._turn_to(curves, "Reading how they came along …")

        def show(found: list[RunCurve]) -> None:
            curves.show_curves(found)
            self.title.setText(
                f"{sentence_case(found[0].what)}, by training step"
                if found
                else "Nothing was told while they trained"
            )

        self._view_errands.ask(lambda: self._reader.curves(project, ids, shapes), show)

    def _show_cases(self) -> None:
        project, run = self._session.project, self._evaluated.run(self.chosen)
        if project is None or run is None:
            return
        plot, report = self._spots(), run[1]
        order = sorted(report.classes, key=lambda each: -each.training)
        columns = [(each.name, each.colour) for each in order]
        whose = f"{run_number(self.chosen)}; the line is the median"
        has_slices = self._reader.has_slices(project, self.chosen, report)
        if has_slices and self.by_slice.isChecked():
            self._turn_to(plot, f"Dice of each slice, {whose}")
            self._view_errands.ask(
                lambda: self._reader.slices(project, run[0].id, report),
                lambda found: plot.show_spots(found, columns),
                lambda error: self._turn_to(plot, str(error)),
            )
        else:
            plot.show_spots(spots(report), columns)
            title = spots_title(Task(report.provenance.task))
            self._turn_to(plot, f"{title}, {whose}")
        self.by_slice.setVisible(has_slices)

    def _show_changed(self) -> None:
        project, versus = self._session.project, self._known.get(self.chosen)
        if self.chosen == self._reference or not self._reference:
            self._say("Choose another run in the table, or compare with another one.")
        elif isinstance(versus, str):
            self._say(versus)
        elif versus is None or project is None:
            self._say("Going through the cases …")
        else:
            self.changed.show_changed(versus.changed[:MOST_CHANGED], project.task)
            other, noun = run_number(self._reference), case_noun(project.task)
            self._turn_to(self.changed_area, changed_title(versus, other, noun))
            self.listing.setVisible(bool(versus.changed))

    def _say(self, words: str) -> None:
        self.changed.show_changed((), Task.CLASSIFICATION)
        self._turn_to(self.changed_area, words)

    def _turn_to(self, widget: QWidget, title: str) -> None:
        self.title.setText(title)
        self.listing.hide()
        self.by_slice.hide()
        self.stack.setCurrentWidget(widget)

    def _curves(self) -> "RunCurves":
        if self._curve_plot is None:
            from .runs_plots import RunCurves

            self._curve_plot = RunCurves(self)
            self.stack.addWidget(self._curve_plot)
        return self._curve_plot

    def _spots(self) -> "SpotPlot":
        if self._spot_plot is None:
            from .runs_plots import SpotPlot

            self._spot_plot = SpotPlot(self)
            self._spot_plot.picked.connect(self._open_spot)
            self.stack.addWidget(self._spot_plot)
        return self._spot_plot

    # --- choices ---

    def showEvent(self, event: QShowEvent) -> None:
        """Read what changed while it was hidden."""
        super().showEvent(event)
        if self._is_old:
            self._soon.start()

    def choose_view(self, view: str) -> None:
        """Turn to another view."""
        self.views.set_value(view)
        self._show_view()

    def tick(self, run_id: str) -> None:
        """Draw a run beside the others, or no more; of too many the oldest goes."""
        if run_id in self._ticked:
            self._ticked.remove(run_id)
        else:
            self._ticked = [*self._ticked, run_id][-MOST_DRAWN:]
        self.show_all()

    def compare_with(self, run_id: str) -> None:
        """Hold all runs against another one."""
        self._reference, self._known = run_id, {}
        if run_id not in self._ticked:
            self._ticked = [*self._ticked, run_id][-MOST_DRAWN:]
        self.show_all()
        self._ask_differences()

    def _ask_for_train(self) -> None:
        self.train_asked.emit()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._errands.close()
        self._view_errands.close()

    def _choose(self, run_id: str) -> None:
        if run_id not in self._ticked:
            self._ticked = [*self._ticked, run_id][-MOST_DRAWN:]
        self._session.choose_run(run_id)
        self.show_all()

    def _open_spot(self, case_id: str, place: object) -> None:
        self._go(case_id, (place, -1, -1) if isinstance(place, int) else ())

    def _list_changed(self) -> None:
        versus = self._known.get(self.chosen)
        if isinstance(versus, Versus):
            words = f"changed from {run_number(self._reference)} to {run_number(self.chosen)}"
            self._session.list_cases(tuple(one.case for one in versus.changed), words)

    def _read_soon(self) -> None:
        self._is_old = True
        if self.isVisible():
            self._soon.start()

    def _connect(self) -> None:
        session = self._session
        for signal in (session.project_changed, session.runs_changed):
            signal.connect(self._read_soon)
        session.run_changed.connect(self._read_soon)
        self.table.chosen.connect(self._choose)
        self.table.ticked.connect(self.tick)
        self.versus.chosen.connect(self.compare_with)
        self.views.chosen.connect(lambda _view: self._show_view())
        self.changed.picked.connect(lambda case: self._go(case, ()))
        self.listing.clicked.connect(self._list_changed)
        self.by_slice.toggled.connect(lambda _on: self._show_view())
