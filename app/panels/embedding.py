"""The embedding: how a network groups the cases, in the plane, to look at, select and correct."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QResizeEvent, QShortcut, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from ...core.project.records import Split, Status
from ..background import Errands
from ..session import Session
from ..theme import EDGE
from ..widgets.basic import mark
from ..widgets.dress import dress
from .embedding_alike import alike
from .embedding_choice import Choice
from .embedding_colours import CLASS, COLUMN, PREDICTION, WORDS, Colouring, kinds_of
from .embedding_columns import column_names
from .embedding_grid import Rows
from .embedding_head import HeadRow
from .embedding_model import EmbeddingModel, Stage
from .embedding_plane import GoTo, Plane
from .embedding_saving import Saving
from .embedding_side import Line, Side
from .embedding_source import Source
from .embedding_states import Invitation, Work
from .embedding_steps import Steps
from .embedding_words import invitation, working_title

if TYPE_CHECKING:
    from ...core.explain.embedding_file import Way


class EmbeddingPanel(QWidget):
    """The plane, its head and what stands beside it.

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

    def __init__(
        self, session: Session, go: GoTo | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._errands = Errands(1, "longtail embedding files", self)
        self._changes = Errands(1, "longtail changes", self)
        ask = self._errands.ask
        self.model = EmbeddingModel(session, ask)
        self.steps = Steps(session, self._changes.ask)
        self.choice = Choice(session, self.model)
        self.head = HeadRow(self)
        self.side = Side(self)
        go = go or (lambda case_id, _place: session.show_case(case_id))
        self.plane = Plane(session, self.model, self.choice, ask, go)
        self.saving = Saving(session, self.plane, self)
        self.invitation, self.work = Invitation(self), Work(self)
        self.pages = QStackedWidget(self)
        self._alike_of: tuple[str, ...] = ()
        self._lay_out()
        self._connect()
        self._connect_side()
        dress(self)
        self._show_project()

    # --- building ---

    def _lay_out(self) -> None:
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._seen = QWidget(self)
        row = QHBoxLayout(self._seen)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.plane, 1)
        row.addWidget(self.side)
        for page in (self.invitation, self.work, self._seen):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(EDGE, 2, EDGE - 4, 8)
        layout.addWidget(self.pages)

    def _connect(self) -> None:
        session, model, plane, head = self._session, self.model, self.plane, self.head
        session.project_changed.connect(self._show_project)
        session.cases_selected.connect(self.choice.follow)
        session.classes_changed.connect(plane.recolour)
        model.changed.connect(self.show_model)
        model.progressed.connect(self._show_progress)
        model.recoloured.connect(plane.recolour)
        plane.recoloured.connect(self._show_colours)
        plane.alike_asked.connect(self.show_alike)
        self.choice.changed.connect(self._show_choice)
        self.steps.changed.connect(self._after_step)
        head.source_chosen.connect(self._choose_source)
        head.way_chosen.connect(self._choose_way)
        head.colour_chosen.connect(plane.colour)
        head.lasso_toggled.connect(plane.plot.set_lasso)
        head.fit_asked.connect(plane.plot.fit)
        head.dress_changed.connect(plane.plot.set_dress)
        head.recompute_asked.connect(model.compute)
        head.export_asked.connect(self.saving.ask)
        plane.plot.lasso_changed.connect(head.show_lasso)
        self.invitation.asked.connect(model.retry)
        for part in (self.work, plane.strip):
            part.stop_asked.connect(model.stop)
        undo = QShortcut(QKeySequence.StandardKey.Undo, self)
        undo.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        undo.activated.connect(self.steps.undo)

    def _connect_side(self) -> None:
        legend, selection = self.side.legend, self.side.selection
        legend.picked.connect(self._choose_kind)
        selection.kinds.picked.connect(self._keep_kind)
        legend.update_asked.connect(self.model.compute)
        selection.class_asked.connect(self._give_class)
        selection.status_asked.connect(self._give_status)
        selection.split_asked.connect(self._give_split)
        selection.cases_asked.connect(self.choice.show_in_cases)
        selection.alike_asked.connect(lambda: self.show_alike(self.choice.case_ids))
        selection.clear_asked.connect(self.choice.clear)
        self.side.undo_asked.connect(self.steps.undo)

    # --- showing ---

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to read when it is seen for the first time."""
        super().showEvent(event)
        self.model.wake()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the plane its room in a narrow window."""
        super().resizeEvent(event)
        self.side.give_room(self.width())

    def _show_project(self) -> None:
        self.plane.forget()
        self.head.show_columns(())
        self.head.show_colour(CLASS)
        project = self._session.project
        if project is not None:
            self._errands.ask(partial(column_names, project), self.head.show_columns)

    def show_model(self) -> None:
        """Show the stage that the model is in."""
        model = self.model
        self.head.show_sources(model.sources, model.source)
        self.head.show_way(model.way)
        seen = model.seen
        there = seen is not None and seen.picture is not None and model.facts is not None
        self.head.let_use(points=there, open_=model.stage is not Stage.CLOSED)
        working = model.stage is Stage.WORKING
        self.plane.strip.setVisible(working and there)
        if there and model.stage is not Stage.FAILED:
            self.pages.setCurrentWidget(self._seen)
            self.plane.replay.follow(model.steps)
            if self.plane.draw():
                self._show_alike_now()
        else:
            self.plane.clear()
            self.invitation.show_words(*invitation(model, self._session))
            self.pages.setCurrentWidget(self.work if working else self.invitation)
        self._show_progress()

    def _show_progress(self) -> None:
        title = working_title(self.model)
        for part in (self.work, self.plane.strip):
            part.show_progress(title, self.model.progress)

    def _show_colours(self) -> None:
        """Explain the colours, and offer the classes as they look now."""
        project, shown, by = self._session.project, self.plane.colouring, self.plane.colour_by
        if project is None or shown is None:
            return
        self.head.show_colour(by)
        lines = _lines(shown, shown.counts)
        if by in (CLASS, PREDICTION):
            lines.sort(key=lambda line: -line.count)
        self.side.legend.show_kinds(WORDS.get(by, by.removeprefix(COLUMN)), lines)
        self.side.legend.show_missing(self.model.missing, "image")
        records = project.classes
        classes = [(one.id, kind) for one, kind in zip(records, kinds_of(records), strict=True)]
        self.side.selection.let_change(classes, project.task, project.writable)
        self._show_choice()

    def _show_choice(self) -> None:
        rows, shown = self.choice.rows, self.plane.colouring
        self.side.show_selection(len(rows) > 0)
        self.side.give_room(self.width())
        if shown is None:
            return
        counts = np.bincount(shown.codes[rows], minlength=len(shown.kinds)).tolist()
        lines = [line for line in _lines(shown, counts) if line.count]
        lines.sort(key=lambda line: -line.count)
        self.side.selection.show_selected(self.choice.words, lines)

    # --- choosing ---

    def _choose_source(self, source: Source) -> None:
        self.choice.clear()
        self.model.choose_source(source)

    def _choose_way(self, way: "Way") -> None:
        self.model.choose_way(way)

    def _choose_kind(self, kind: int) -> None:
        shown = self.plane.colouring
        if shown is not None:
            self.choice.take(np.flatnonzero(shown.codes == kind))

    def _keep_kind(self, kind: int) -> None:
        """Keep of what is selected only the points of one kind."""
        rows, shown = self.choice.rows, self.plane.colouring
        if shown is not None:
            self.choice.take(rows[shown.codes[rows] == kind])

    def show_alike(self, case_ids: Sequence[str]) -> None:
        """Select the cases that the network finds most like some, now or when it has looked."""
        self._alike_of = tuple(case_ids)
        self._show_alike_now()

    def _show_alike_now(self) -> None:
        project, seen, wanted = self._session.project, self.model.seen, self._alike_of
        if project is None or seen is None or not self.plane.is_drawn or not wanted:
            return
        self._alike_of = ()
        rows = self.choice.rows_of(wanted)
        if not len(rows):
            self._session.notify("The embedding does not hold this case yet. Compute it again.")
            return

        def take(found: Rows) -> None:
            if seen is self.model.seen:
                self.choice.show_alike(rows, found)

        path = project.path / seen.file
        self._errands.ask(partial(alike, path, rows.tolist()), take, self._not_alike)

    def _not_alike(self, error: Exception) -> None:
        self._session.notify(f"Similar cases could not be found. {error}", "error")

    # --- changing ---

    def _give_class(self, class_id: int, yes: bool) -> None:
        self.steps.give_class(self.choice.case_ids, class_id, yes)

    def _give_status(self, status: Status) -> None:
        self.steps.give_status(self.choice.case_ids, status)

    def _give_split(self, split: Split) -> None:
        self.steps.give_split(self.choice.case_ids, split)

    def _after_step(self) -> None:
        self.side.show_undo(self.steps.last)
        # The list of cases was read anew and has forgotten what was selected.
        self.choice.tell()

    def close_threads(self) -> None:
        """Wait for threads that read, paint and write; call before the window goes."""
        self.plane.close_threads()
        self._errands.close()
        self._changes.close()


def _lines(shown: Colouring, counts: Sequence[int]) -> list[Line]:
    pairs = zip(shown.kinds, counts, strict=True)
    return [Line(kind, count, place) for place, (kind, count) in enumerate(pairs)]
