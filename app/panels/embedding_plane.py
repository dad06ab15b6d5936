"""The plane with what lies on it: points in their colours, the card at the mouse, the replay."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QPoint, QTimer, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QMenu, QVBoxLayout, QWidget

from ..session import Session
from .cases_thumbnails import Thumbnails
from .embedding_choice import Choice
from .embedding_colours import CLASS, COLUMN, Colouring, coloured
from .embedding_columns import column_values
from .embedding_facts import Facts
from .embedding_grid import Rows
from .embedding_hover import HoverCard
from .embedding_model import Ask, EmbeddingModel
from .embedding_plot import EmbeddingPlot
from .embedding_points import Floats, Points, centres_of
from .embedding_replay import Replay, Turn, turn_onto
from .embedding_source import Seen
from .embedding_states import WorkStrip
from .embedding_words import card_lines

GoTo = Callable[[str, Sequence[int]], object]
"""Shows a case at a place in it."""

POINT_MS = 30
"""The card waits until the mouse rests this long, so that it does not flicker past points."""


class Plane(QWidget):
    """Shows the model's points and the choice among them.

    `recoloured` tells that the colours mean something else now, `alike_asked` that cases like one
    are wanted.
    """

    recoloured = Signal()
    alike_asked = Signal(tuple)

    def __init__(
        self, session: Session, model: EmbeddingModel, choice: Choice, ask: Ask, go: GoTo
    ) -> None:
        super().__init__()
        self._session, self._model, self.choice = session, model, choice
        self._ask, self._go = ask, go
        self.colour_by = CLASS
        self.colouring: Colouring | None = None
        self._values: dict[str, Sequence[str | None]] = {}
        self._drawn: Seen | None = None
        self._frame: tuple[Rows, Floats, Floats] | None = None
        self._turned: tuple[Floats, Turn] | None = None
        self._pointed: tuple[int, QPoint] = (-1, QPoint())
        self.thumbnails = Thumbnails(self)
        self.strip = WorkStrip(self)
        self.plot = EmbeddingPlot(self)
        self.replay = Replay(session, model, ask, self)
        self.card = HoverCard(self)
        self._rest = QTimer(self, singleShot=True, interval=POINT_MS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.strip)
        column.addWidget(self.plot, 1)
        column.addWidget(self.replay)
        self._connect()

    def _connect(self) -> None:
        plot = self.plot
        plot.lassoed.connect(self._take)
        plot.left_alone.connect(self.choice.clear)
        plot.clicked.connect(self.open_point)
        plot.pointed.connect(self._point)
        plot.asked_menu.connect(self._open_menu)
        self._rest.timeout.connect(self._show_card)
        self.thumbnails.ready.connect(self._picture_came)
        self.replay.moved.connect(self._show_frame)
        self.choice.changed.connect(self.show_choice)
        self._session.case_changed.connect(self.mark_case)

    # --- what is shown ---

    def forget(self) -> None:
        """Begin with another project."""
        project = self._session.project
        keep = project.path / "cache" / "thumbnails" if project and project.writable else None
        self.thumbnails.use_folder(keep)
        self._values, self.colour_by = {}, CLASS
        self.clear()
        self.choice.points_changed()

    def clear(self) -> None:
        """Show no points."""
        self._drawn = self._frame = self.colouring = None
        self.card.hide()
        self.plot.show_points(None)

    def draw(self) -> bool:
        """Show the model's points; tells whether they are others than before."""
        seen = self._model.seen
        if seen is None or seen is self._drawn:
            return False
        self._drawn, self._frame = seen, None
        # Another way shows the same points elsewhere: what was selected stays so.
        self.choice.points_changed()
        self.recolour(keep_view=False)
        self.mark_case()
        return True

    @property
    def seen(self) -> Seen | None:
        """What is shown."""
        return self._drawn

    @property
    def facts(self) -> Facts | None:
        """What is known of the points."""
        return self._model.facts

    @property
    def is_drawn(self) -> bool:
        """Whether there are points to be seen."""
        return self._drawn is not None

    def colour(self, by: str) -> None:
        """Colour points by one of the ways, or by a column of the table."""
        self.colour_by = by
        if by.startswith(COLUMN) and by not in self._values:
            self._read_column(by)
        else:
            self.recolour()

    def recolour(self, *, keep_view: bool = True) -> None:
        """Colour the points by what is chosen, such as after labels have changed."""
        project, catalogue = self._session.project, self._session.catalogue
        facts, seen = self._model.facts, self._drawn
        if project is None or catalogue is None or facts is None or seen is None:
            return
        values = self._values.get(self.colour_by)
        if values is not None and len(values) != len(catalogue):
            self._read_column(self.colour_by)
            return
        self.colouring = coloured(self.colour_by, facts, catalogue, project.classes, values)
        self._show_points(keep_view=keep_view)
        self.recoloured.emit()
        self.show_choice()

    def show_choice(self) -> None:
        """Bring what is selected to the front."""
        if self._drawn is not None:
            self.plot.choose(self._on_plot(self.choice.rows))

    def mark_case(self) -> None:
        """Ring the point of the case that the window shows."""
        case = self._session.case
        row = self.choice.row_of(case.id) if case is not None else -1
        rows = self._on_plot(np.array([row] if row >= 0 else [], np.intp))
        self.plot.mark_shown(int(rows[0]) if len(rows) else -1)

    def _show_points(self, *, keep_view: bool) -> None:
        """Give the plot the points of the embedding, or of the frame that is replayed."""
        shown, seen = self.colouring, self._drawn
        if shown is None or seen is None or seen.picture is None:
            return
        spots, codes, ground, grid = seen.picture.points, shown.codes, None, seen.grid
        if self._frame is not None:
            rows, spots, ground = self._frame
            codes, grid = codes[rows], None
        stars = centres_of(spots, codes, shown.starred)
        points = Points(spots, codes, shown.kinds, stars, ground)
        self.plot.show_points(points, grid, keep_view=keep_view)

    def _read_column(self, by: str) -> None:
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            return

        def take(values: Sequence[str | None]) -> None:
            if project is self._session.project:
                self._values[by] = values
                if by == self.colour_by:
                    self.recolour()

        self._ask(partial(column_values, project, catalogue.ids, by[len(COLUMN) :]), take)

    # --- the replay ---

    def _show_frame(self, frame: Any) -> None:
        """Show where images lay at a step of the training; None shows the embedding again."""
        was_frame = self._frame is not None
        self._frame = None
        if frame is not None:
            case_ids, places, all_places = frame
            rows = self.choice.first_rows(case_ids)
            there = np.flatnonzero(rows >= 0)
            turn = self._turn_of(all_places, rows, there)
            ground = turn(all_places).reshape(-1, 2)
            self._frame = (rows[there], turn(places[there]), ground)
        self._show_points(keep_view=was_frame == (self._frame is not None))
        self.show_choice()
        self.mark_case()

    def _turn_of(self, all_places: Floats, rows: Rows, there: Rows) -> Turn:
        """Find how frames lie on the picture of all images; once for all of them."""
        if self._turned is None or self._turned[0] is not all_places:
            picture = self._drawn.picture if self._drawn is not None else None
            assert picture is not None
            turn = turn_onto(all_places[-1][there], picture.points[rows[there]])
            self._turned = (all_places, turn)
        return self._turned[1]

    def _on_plot(self, rows: Rows) -> Rows:
        """Give the plot's points that are some of the embedding's."""
        if self._frame is None:
            return rows
        return np.flatnonzero(np.isin(self._frame[0], rows))

    def _in_embedding(self, row: int) -> int:
        """Give the point of the embedding that a point of the plot is."""
        return row if self._frame is None or row < 0 else int(self._frame[0][row])

    # --- pointing and opening ---

    def _point(self, row: int, at: QPoint) -> None:
        self._pointed = (self._in_embedding(row), self.plot.mapTo(self, at))
        if row < 0:
            self._rest.stop()
            self.card.hide()
        else:
            self._rest.start()

    def _show_card(self) -> None:
        row, at = self._pointed
        case_id, project = self.choice.case_of(row), self._session.project
        facts = self._model.facts
        if case_id is None or project is None or facts is None:
            self.card.hide()
            return
        with self._session.reporting():
            case = project.case(case_id)
            lines = card_lines(case, row, facts, project.classes)
            self.card.show_case(lines, self.thumbnails.get(case), at)

    def _picture_came(self, case_id: str) -> None:
        if self.card.isVisible() and self.choice.case_of(self._pointed[0]) == case_id:
            self._show_card()

    def open_point(self, row: int) -> None:
        """Show the case of a point of the plot, at the place that it stands for."""
        place = self._in_embedding(row)
        case_id = self.choice.case_of(place)
        if case_id is not None and self._drawn is not None:
            with self._session.reporting():
                self._go(case_id, self._drawn.embedding.places[place].tolist())
            # A scan has many points: ringed is the one that was clicked.
            self.plot.mark_shown(row)

    def _open_menu(self, row: int, at: QPoint) -> None:
        case_id = self.choice.case_of(self._in_embedding(row))
        menu = QMenu(self)
        entries: tuple[tuple[str, Callable[[], object], bool], ...] = (
            ("Open this case", lambda: self.open_point(row), case_id is not None),
            ("More like this", lambda: self.alike_asked.emit((case_id,)), case_id is not None),
            ("Select nothing", self.choice.clear, len(self.choice.rows) > 0),
            ("Show all points", self.plot.fit, True),
        )
        for words, act, can in entries:
            action = menu.addAction(words)
            action.setEnabled(can)
            action.triggered.connect(lambda _checked=False, act=act: act())
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the card away: it stood beside a point that has moved."""
        super().resizeEvent(event)
        self.card.hide()

    def _take(self, rows: Rows, adds: bool) -> None:
        self.choice.take(rows if self._frame is None else self._frame[0][rows], adds)

    def close_threads(self) -> None:
        """Wait for threads that read and paint."""
        self.plot.close_threads()
        self.thumbnails.close()
