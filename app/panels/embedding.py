"""The embedding: how a network groups the cases, in the plane, to look at, select and correct."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeySequence, QShortcut, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from ...core.project.records import Split, Status
from ..background import Errands
from ..session import Session
from ..theme import EDGE
from ..widgets.basic import mark
from ..widgets.dress import dress
from .cases_thumbnails import Thumbnails
from .embedding_alike import alike
from .embedding_choice import Choice
from .embedding_colours import CLASS, COLUMN, PREDICTION, WORDS, Colouring, coloured, kinds_of
from .embedding_columns import column_names, column_values
from .embedding_grid import Rows
from .embedding_head import HeadRow
from .embedding_hover import HoverCard
from .embedding_model import EmbeddingModel, Stage
from .embedding_plot import EmbeddingPlot
from .embedding_points import Points, centres_of
from .embedding_replay import Replay
from .embedding_side import Line, Side
from .embedding_source import Source
from .embedding_states import Invitation, Work, WorkStrip
from .embedding_steps import Steps
from .embedding_words import card_lines, invitation, working_title

if TYPE_CHECKING:
    from ...core.explain.embedding_file import Way

GoTo = Callable[[str, Sequence[int]], object]
"""Shows a case at a place in it."""


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
        self._go = go or (lambda case_id, _place: session.show_case(case_id))
        self._errands = Errands(1, "longtail embedding files", self)
        self._changes = Errands(1, "longtail changes", self)
        self.model = EmbeddingModel(session, self._errands.ask)
        self.steps = Steps(session, self._changes.ask)
        self.choice = Choice(session, self.model)
        self.thumbnails = Thumbnails(self)
        self.colour_by = CLASS
        self.colouring: Colouring | None = None
        self._drawn: object = None
        self._frame: tuple[Rows, Any] | None = None
        self._values: dict[str, Sequence[str | None]] = {}
        self._alike_of: tuple[str, ...] = ()
        self._make_parts()
        self._lay_out()
        self._connect()
        dress(self)
        self._show_project()

    # --- building ---

    def _make_parts(self) -> None:
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.head = HeadRow(self)
        self.plot = EmbeddingPlot(self)
        self.card = HoverCard(self.plot)
        self.side = Side(self)
        self.strip = WorkStrip(self)
        self.replay = Replay(self._session, self.model, self._errands.ask, self)
        self.invitation, self.work = Invitation(self), Work(self)
        self.pages = QStackedWidget(self)

    def _lay_out(self) -> None:
        plane = QWidget(self)
        column = QVBoxLayout(plane)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.strip)
        column.addWidget(self.plot, 1)
        column.addWidget(self.replay)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(plane, 1)
        row.addWidget(self.side)
        whole = QWidget(self)
        whole.setLayout(row)
        for page in (self.invitation, self.work, whole):
            self.pages.addWidget(page)
        self._plane = whole
        layout = QVBoxLayout(self)
        layout.setContentsMargins(EDGE, 2, EDGE - 4, 8)
        layout.addWidget(self.pages)

    def _connect(self) -> None:
        session, model, plot, head = self._session, self.model, self.plot, self.head
        session.project_changed.connect(self._show_project)
        session.case_changed.connect(self._mark_case)
        session.cases_selected.connect(self._selected_elsewhere)
        session.classes_changed.connect(self.recolour)
        model.changed.connect(self.show_model)
        model.progressed.connect(self._show_progress)
        model.recoloured.connect(self.recolour)
        self.choice.changed.connect(self._show_choice)
        self.steps.changed.connect(self._after_step)
        head.source_chosen.connect(self._choose_source)
        head.way_chosen.connect(self._choose_way)
        head.colour_chosen.connect(self.colour)
        head.lasso_toggled.connect(plot.set_lasso)
        head.fit_asked.connect(plot.fit)
        head.dress_changed.connect(plot.set_dress)
        head.recompute_asked.connect(model.compute)
        plot.lasso_changed.connect(head.show_lasso)
        plot.lassoed.connect(self._take)
        plot.left_alone.connect(self.choice.clear)
        plot.clicked.connect(self.open_point)
        plot.pointed.connect(self._point)
        plot.asked_menu.connect(self._open_menu)
        self.thumbnails.ready.connect(self._picture_came)
        self.invitation.asked.connect(model.retry)
        self.replay.moved.connect(self._show_frame)
        for part in (self.work, self.strip):
            part.stop_asked.connect(model.stop)
        self._connect_side()
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

    def _show_project(self) -> None:
        project = self._session.project
        keep = project.path / "cache" / "thumbnails" if project and project.writable else None
        self.thumbnails.use_folder(keep)
        self._values, self.colour_by = {}, CLASS
        self.head.show_columns(())
        self.head.show_colour(CLASS)
        if project is not None:
            self._errands.ask(partial(column_names, project), self.head.show_columns)
        self._let_change()

    def show_model(self) -> None:
        """Show the stage that the model is in."""
        model = self.model
        self.head.show_sources(model.sources, model.source)
        self.head.show_way(model.way)
        seen = model.seen
        there = seen is not None and seen.picture is not None and model.facts is not None
        self.head.let_use(points=there, open_=model.stage is not Stage.CLOSED)
        working = model.stage is Stage.WORKING
        self.strip.setVisible(working and there)
        if there and model.stage is not Stage.FAILED:
            self.pages.setCurrentWidget(self._plane)
            self.replay.follow(model.steps)
            self._draw()
        elif working:
            self._clear()
            self.pages.setCurrentWidget(self.work)
        else:
            self._clear()
            self.invitation.show_words(*invitation(model, self._session))
            self.pages.setCurrentWidget(self.invitation)
        self._show_progress()

    def _show_progress(self) -> None:
        title = working_title(self.model)
        for part in (self.work, self.strip):
            part.show_progress(title, self.model.progress)

    def _clear(self) -> None:
        self._drawn = None
        self.plot.show_points(None)

    def _draw(self) -> None:
        """Show the points, where others were shown before; else only their colours anew."""
        seen = self.model.seen
        assert seen is not None
        if self._drawn is not seen:
            # Another way shows the same points elsewhere: what was selected stays so.
            self._drawn, self._frame = seen, None
            self.choice.points_changed()
            self.recolour(keep_view=False)
            self._mark_case()
            self._show_alike_now()

    def recolour(self, *, keep_view: bool = True) -> None:
        """Colour the points by what is chosen, such as after labels have changed."""
        project, catalogue = self._session.project, self._session.catalogue
        seen, facts = self.model.seen, self.model.facts
        if project is None or catalogue is None or facts is None or self._drawn is None:
            return
        if seen is None or seen.picture is None:
            return
        values = self._values.get(self.colour_by)
        if values is not None and len(values) != len(catalogue):
            self._read_column(self.colour_by)
            return
        shown = coloured(self.colour_by, facts, catalogue, project.classes, values)
        self.colouring = shown
        self._show_points(keep_view=keep_view)
        self._let_change()
        self._show_legend()
        self._show_choice()

    def _show_points(self, *, keep_view: bool) -> None:
        """Give the plot the points of the embedding, or of the frame that is replayed."""
        shown, seen = self.colouring, self.model.seen
        if shown is None or seen is None or seen.picture is None:
            return
        spots, codes, ground, grid = seen.picture.points, shown.codes, None, seen.grid
        if self._frame is not None:
            rows, (spots, ground) = self._frame
            codes, grid = codes[rows], None
        stars = centres_of(spots, codes, shown.starred)
        points = Points(spots, codes, shown.kinds, stars, ground)
        self.plot.show_points(points, grid, keep_view=keep_view)

    def _show_frame(self, frame: Any) -> None:
        """Show where images lay at a step of the training; None shows the embedding again."""
        former = self._frame
        if frame is None:
            self._frame = None
        else:
            case_ids, places, all_places = frame
            rows = self.choice.first_rows(case_ids)
            there = np.flatnonzero(rows >= 0)
            ground = all_places.reshape(-1, 2)
            self._frame = (rows[there], (places[there], ground))
        self._show_points(keep_view=(former is None) == (self._frame is None))
        self._show_choice()
        self._mark_case()

    def _to_embedding(self, row: int) -> int:
        """Give the point of the embedding that a point of the plot is."""
        if self._frame is None or row < 0:
            return row
        return int(self._frame[0][row])

    def _show_legend(self) -> None:
        shown, noun = self.colouring, "image"
        if shown is None:
            return
        lines = _lines(shown, shown.counts)
        lines.sort(key=lambda line: -line.count if self.colour_by in _BY_COUNT else line.place)
        self.side.legend.show_kinds(WORDS.get(self.colour_by, self.colour_by[len(COLUMN) :]), lines)
        self.side.legend.show_missing(self.model.missing, noun)

    def _show_choice(self) -> None:
        rows, shown = self.choice.rows, self.colouring
        self.side.show_selection(len(rows) > 0)
        if shown is None:
            return
        inside = rows if self._frame is None else np.flatnonzero(np.isin(self._frame[0], rows))
        self.plot.choose(inside)
        counts = np.bincount(shown.codes[rows], minlength=len(shown.kinds)).tolist()
        lines = [line for line in _lines(shown, counts) if line.count]
        lines.sort(key=lambda line: -line.count)
        self.side.selection.show_selected(self.choice.words, lines)

    def _let_change(self) -> None:
        project = self._session.project
        if project is None or self.colouring is None:
            return
        records = project.classes
        classes = [(one.id, kind) for one, kind in zip(records, kinds_of(records), strict=True)]
        self.side.selection.let_change(classes, project.task, project.writable)

    # --- choosing how to look ---

    def _choose_source(self, source: Source) -> None:
        self.choice.clear()
        self.model.choose_source(source)

    def _choose_way(self, way: "Way") -> None:
        self.model.choose_way(way)

    def colour(self, by: str) -> None:
        """Colour points by one of the ways, or by a column of the table."""
        self.colour_by = by
        self.head.show_colour(by)
        if by.startswith(COLUMN) and by not in self._values:
            self._read_column(by)
        else:
            self.recolour()

    def _read_column(self, by: str) -> None:
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            return

        def take(values: Sequence[str | None]) -> None:
            self._values[by] = values
            if by == self.colour_by:
                self.recolour()

        self._errands.ask(partial(column_values, project, catalogue.ids, by[len(COLUMN) :]), take)

    # --- pointing and opening ---

    def _point(self, row: int, at: QPoint) -> None:
        row = self._to_embedding(row)
        case_id = self.choice.case_of(row)
        project = self._session.project
        if case_id is None or project is None:
            self.card.hide()
            return
        with self._session.reporting():
            case = project.case(case_id)
            facts = self.model.facts
            assert facts is not None
            lines = card_lines(case, row, facts, project.classes)
            self.card.show_case(lines, self.thumbnails.get(case), at)
            self._pointed = case_id

    def _picture_came(self, case_id: str) -> None:
        if self.card.isVisible() and self.card.lines[:1] == (case_id,):
            project = self._session.project
            if project is not None:
                with self._session.reporting():
                    self.card.show_picture(self.thumbnails.get(project.case(case_id)))

    def open_point(self, row: int) -> None:
        """Show the case of a point, at the place that it stands for."""
        row, seen = self._to_embedding(row), self.model.seen
        case_id = self.choice.case_of(row)
        if case_id is not None and seen is not None:
            with self._session.reporting():
                self._go(case_id, seen.embedding.places[row].tolist())

    def _mark_case(self) -> None:
        case = self._session.case
        row = self.choice.row_of(case.id) if case is not None else -1
        if self._frame is not None:
            found = np.flatnonzero(self._frame[0] == row)
            row = int(found[0]) if len(found) else -1
        self.plot.mark_shown(row)

    def _open_menu(self, row: int, at: QPoint) -> None:
        case_id = self.choice.case_of(self._to_embedding(row))
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entries: list[tuple[str, Callable[[], Any], bool]] = [
            ("Open this case", lambda: self.open_point(row), case_id is not None),
            ("More like this", lambda: self.show_alike([case_id or ""]), case_id is not None),
            ("Select nothing", self.choice.clear, len(self.choice.rows) > 0),
            ("Show all points", self.plot.fit, True),
        ]
        for words, act, can in entries:
            action = menu.addAction(words)
            action.setEnabled(can)
            action.triggered.connect(lambda _checked=False, act=act: act())
        menu.popup(at)

    # --- selecting ---

    def _choose_kind(self, kind: int) -> None:
        if self.colouring is not None:
            self.choice.take(np.flatnonzero(self.colouring.codes == kind), False)

    def _take(self, rows: Rows, adds: bool) -> None:
        self.choice.take(rows if self._frame is None else self._frame[0][rows], adds)

    def _keep_kind(self, kind: int) -> None:
        """Keep of what is selected only the points of one kind."""
        rows = self.choice.rows
        if self.colouring is not None:
            self.choice.take(rows[self.colouring.codes[rows] == kind], False)

    def _selected_elsewhere(self, case_ids: tuple[str, ...]) -> None:
        self.choice.follow(case_ids)

    def show_alike(self, case_ids: Sequence[str]) -> None:
        """Select the cases that the network finds most like some, now or when it has looked."""
        self._alike_of = tuple(case_ids)
        self._show_alike_now()

    def _show_alike_now(self) -> None:
        project, seen, wanted = self._session.project, self.model.seen, self._alike_of
        if project is None or seen is None or self._drawn is None or not wanted:
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
        self.plot.close_threads()
        self._errands.close()
        self._changes.close()
        self.thumbnails.close()


_BY_COUNT = (CLASS, PREDICTION)


def _lines(shown: Colouring, counts: Sequence[int]) -> list[Line]:
    pairs = zip(shown.kinds, counts, strict=True)
    return [Line(kind, count, place) for place, (kind, count) in enumerate(pairs)]
