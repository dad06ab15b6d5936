"""The head of the embedding: whose eyes, the colour, the way into the plane, and the tools."""

from collections.abc import Sequence
from dataclasses import replace

from qtpy.QtCore import QPoint, QSignalBlocker, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QSlider,
    QWidget,
    QWidgetAction,
)

from ...core.explain.embedding_file import Way
from ..widgets.basic import IconButton, QuietLabel, TextLabel
from ..widgets.combo import NarrowCombo
from .embedding_colours import CLASS, COLUMN, WORDS
from .embedding_points import Dress
from .embedding_source import WAY_TIPS, WAYS, Source

SIZES = (2, 14)
AUTO = SIZES[0]
"""The lowest end of the slider leaves the size to the number of points."""

CAPTION_FROM_PX, BUTTON_PX = 500, 26


class HeadRow(QWidget):
    """Controls in one row; they tell what the user picks and change nothing by themselves."""

    source_chosen = Signal(object)
    way_chosen = Signal(str)
    colour_chosen = Signal(str)
    lasso_toggled = Signal(bool)
    fit_asked = Signal()
    dress_changed = Signal(object)
    export_asked = Signal(str)
    recompute_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sources: list[Source] = []
        self._dress = Dress()
        self.source = NarrowCombo("Whose eyes: the network that looks at the images", 12, self)
        self.colour = NarrowCombo("What the colour and shape of a point tell", 7, self)
        self.way = NarrowCombo("How the points come into the plane", 4, self)
        self.lasso = IconButton(
            "ph.scribble-loop", "Draw around points to select them", self, key="L", checkable=True
        )
        self.fit = IconButton("ph.corners-out", "Show all points", self, key="Home")
        self.tune = IconButton("ph.sliders-horizontal", "Size and opacity of the points", self)
        self.more = IconButton("ph.export", "Save the picture or a table, compute again", self)
        self.tune_menu, self.more_menu = DressMenu(self), QMenu(self)
        self._fill()
        self._lay_out()
        self._connect()

    # --- showing ---

    def show_sources(self, sources: Sequence[Source], chosen: Source | None) -> None:
        """Offer sources."""
        self._sources = list(sources)
        with QSignalBlocker(self.source):
            self.source.clear()
            for place, source in enumerate(self._sources):
                self.source.addItem(source.title)
                self.source.setItemData(place, source.title, Qt.ItemDataRole.ToolTipRole)
            if chosen in self._sources:
                self.source.setCurrentIndex(self._sources.index(chosen))

    def show_way(self, way: Way) -> None:
        """Show which way into the plane is taken."""
        with QSignalBlocker(self.way):
            self.way.setCurrentIndex(list(WAYS).index(way))

    def show_columns(self, columns: Sequence[str]) -> None:
        """Offer the columns of the cases' table besides what is known of every project."""
        chosen = self.colour.currentData()
        with QSignalBlocker(self.colour):
            self.colour.clear()
            for key, words in WORDS.items():
                self.colour.addItem(words, key)
            if columns:
                self.colour.insertSeparator(self.colour.count())
            for column in columns:
                self.colour.addItem(column, f"{COLUMN}{column}")
            self.colour.setCurrentIndex(max(self.colour.findData(chosen), 0))

    def show_colour(self, by: str) -> None:
        """Show what the colour tells."""
        with QSignalBlocker(self.colour):
            self.colour.setCurrentIndex(max(self.colour.findData(by), 0))

    def show_lasso(self, on: bool) -> None:
        """Show whether dragging draws."""
        with QSignalBlocker(self.lasso):
            self.lasso.setChecked(on)

    def let_use(self, *, points: bool, open_: bool) -> None:
        """Offer what can be done now: with points, and with a project at all."""
        for control in (self.lasso, self.fit, self.tune, self.more, self.colour):
            control.setEnabled(points)
        for control in (self.source, self.way):
            control.setEnabled(open_)

    # --- inside ---

    def _fill(self) -> None:
        self.show_columns(())
        for place, (way, words) in enumerate(WAYS.items()):
            self.way.addItem(words, way)
            self.way.setItemData(place, WAY_TIPS[way], Qt.ItemDataRole.ToolTipRole)
        for words, what in (
            ("Save the picture (PNG)...", "png"),
            ("Save the picture (SVG)...", "svg"),
            ("Save a table (CSV)...", "csv"),
        ):
            action = self.more_menu.addAction(words)
            action.triggered.connect(lambda _checked=False, what=what: self.export_asked.emit(what))
        self.more_menu.addSeparator()
        action = self.more_menu.addAction("Look at the images again")
        action.triggered.connect(lambda _checked=False: self.recompute_asked.emit())

    def _lay_out(self) -> None:
        for box, least, most in (
            (self.source, 70, 280),
            (self.colour, 74, 170),
            (self.way, 74, 92),
        ):
            box.setMinimumWidth(least)
            box.setMaximumWidth(most)
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        words = TextLabel("colour", self)
        words.setProperty("longtail", "quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.source, 10)
        row.addStretch(1)
        row.addWidget(words)
        row.addWidget(self.colour, 6)
        row.addWidget(self.way, 4)
        row.addSpacing(2)
        for button in (self.lasso, self.fit, self.tune, self.more):
            button.setMinimumWidth(BUTTON_PX)
            row.addWidget(button)
        self.caption = words

    def _connect(self) -> None:
        self.source.activated.connect(lambda place: self.source_chosen.emit(self._sources[place]))
        self.way.activated.connect(lambda _place: self.way_chosen.emit(self.way.currentData()))
        self.colour.activated.connect(
            lambda _place: self.colour_chosen.emit(self.colour.currentData() or CLASS)
        )
        self.lasso.toggled.connect(self.lasso_toggled)
        self.fit.clicked.connect(lambda _checked=False: self.fit_asked.emit())
        self.tune.clicked.connect(lambda _checked=False: self._open(self.tune, self.tune_menu))
        self.more.clicked.connect(lambda _checked=False: self._open(self.more, self.more_menu))
        self.tune_menu.changed.connect(self.dress_changed)

    def _open(self, button: IconButton, menu: QMenu) -> None:
        menu.ensurePolished()
        size = menu.sizeHint()
        # Upwards: below the head lies what one wants to see change.
        menu.popup(button.mapToGlobal(button.rect().topRight()) - _corner(size))

    def resizeEvent(self, event: object) -> None:
        """Leave the word out where there is no room for it."""
        super().resizeEvent(event)
        self.caption.setVisible(self.width() >= CAPTION_FROM_PX)


class DressMenu(QMenu):
    """Size, opacity and names, changed while one looks."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dress = Dress()
        body = QWidget(self)
        grid = QGridLayout(body)
        grid.setContentsMargins(10, 8, 10, 8)
        grid.setHorizontalSpacing(10)
        self.size = _slider(body, SIZES, AUTO, "Size of the points; at the left by their number")
        self.opacity = _slider(body, (10, 100), round(100 * self._dress.opacity), "Opacity")
        self.names = QCheckBox("Names at the centres", body)
        self.names.setChecked(True)
        self.size_words = QuietLabel("auto", body)
        self.size_words.setMinimumWidth(34)
        for row, (words, control) in enumerate((("Size", self.size), ("Opacity", self.opacity))):
            grid.addWidget(TextLabel(words, body), row, 0)
            grid.addWidget(control, row, 1)
        grid.addWidget(self.size_words, 0, 2)
        grid.addWidget(self.names, 2, 0, 1, 3)
        action = QWidgetAction(self)
        action.setDefaultWidget(body)
        self.addAction(action)
        self.size.valueChanged.connect(lambda _value: self._tell())
        self.opacity.valueChanged.connect(lambda _value: self._tell())
        self.names.toggled.connect(lambda _on: self._tell())

    def _tell(self) -> None:
        size = self.size.value()
        self.size_words.setText("auto" if size == AUTO else f"{size} px")
        self._dress = replace(
            self._dress,
            size_px=None if size == AUTO else float(size),
            opacity=self.opacity.value() / 100,
            names=self.names.isChecked(),
        )
        self.changed.emit(self._dress)


def _slider(parent: QWidget, limits: tuple[int, int], value: int, tip: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal, parent)
    slider.setRange(*limits)
    slider.setValue(value)
    slider.setMinimumWidth(120)
    slider.setToolTip(tip)
    slider.setAccessibleName(tip)
    return slider


def _corner(size: QSize) -> QPoint:
    return QPoint(size.width(), size.height() + 4)
