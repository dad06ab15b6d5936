"""Radiomics: the features of a region, its rank among its class, and another region beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...core.files import write_text
from ...core.project.records import Task
from ..theme import EDGE
from ..widgets import EmptyState, GhostButton, IconButton, QuietLabel
from ..widgets.basic import StrongLabel, mark
from ..widgets.calm import keep_wheel_calm
from ..widgets.dress import dress
from .radiomics_model import as_csv, feature_rows
from .radiomics_reader import RegionReader
from .radiomics_regions import RegionChoice, box_choices, map_choices
from .radiomics_table import FeatureTable
from .train_words import case_noun
from .xray_radiomics import compared_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..canvas import Canvas
    from ..session import Session

SIDE_PX = 190
NOTHING = "Nothing to measure yet"


class RadiomicsPanel(QWidget):
    """The features of a region of the case on the canvas.

    Attributes
    ----------
    head
        The controls, which the dock at the bottom shows beside its tabs.
    """

    def __init__(self, session: "Session", canvas: "Canvas", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._canvas = session, canvas
        self.reader = RegionReader(session, self)
        self._choices: tuple[RegionChoice, ...] = ()
        self._kept: Mapping[str, float | None] = {}
        self._kept_words = ""
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._show_regions)
        self._make_parts()
        self._lay_out()
        self._connect()
        dress(self)

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self.reader.close_threads()

    def showEvent(self, event: QShowEvent) -> None:
        """Bring it up to date when it comes into view."""
        super().showEvent(event)
        self._soon.start()

    # --- showing ---

    def _show_soon(self) -> None:
        if self.isVisible():
            self._soon.start()

    def _show_regions(self) -> None:
        self._choices = self._find_choices()
        words = [choice.words for choice in self._choices]
        if words != [self.region.itemText(place) for place in range(self.region.count())]:
            former = self.region.currentText()
            self.region.blockSignals(True)
            self.region.clear()
            self.region.addItems(words)
            self.region.setCurrentIndex(max(self.region.findText(former), 0))
            self.region.blockSignals(False)
        self.pages.setCurrentIndex(1 if self._choices else 0)
        self.head.setVisible(bool(self._choices))
        self.nothing.text.setText(self._nothing_words())
        self._ask()

    def _find_choices(self) -> tuple[RegionChoice, ...]:
        project, case, canvas = self._session.project, self._session.case, self._canvas
        if project is None or case is None or canvas.state != "shown":
            return ()
        if project.task is Task.SEGMENTATION:
            layer = canvas.prediction.layer
            predicted = None if layer is None else np.asarray(layer.data)
            return map_choices(case, project.classes, canvas.prediction.run_id, predicted)
        heat = canvas.heat
        found = heat.best_box if heat.state == "shown" else None
        names = {one.id: one.name for one in project.all_classes}
        return box_choices(case, names, canvas.boxes.boxes or (), heat.stored, found)

    def _nothing_words(self) -> str:
        project = self._session.project
        if project is None or self._session.case is None:
            return "Choose a case in the list."
        if project.task is Task.SEGMENTATION:
            return "Label a class in this scan, or predict it: its features stand here then."
        return "Draw a box (B), or show a heat map (H): the features of the box stand here then."

    @property
    def _choice(self) -> RegionChoice | None:
        place = self.region.currentIndex()
        return self._choices[place] if 0 <= place < len(self._choices) else None

    def _ask(self) -> None:
        choice = self._choice
        self.reader.ask(choice.asked if choice is not None else None)
        self._show()

    def _show(self) -> None:
        reader, choice = self.reader, self._choice
        if choice is None:
            self.table.features.show_rows(())
            return
        rows = feature_rows(reader.features, reader.reasons, reader.compared, self._kept)
        self.table.features.show_rows(rows)
        self.keep.setEnabled(reader.state == "measured")
        self.export.setEnabled(bool(rows))
        self.title.setText(choice.words)
        self.case.setText(choice.asked.case_id)
        self.words.setText(self._say(choice))
        self.kept.setText(f"Beside it: {self._kept_words}." if self._kept else "")
        self.kept.setVisible(bool(self._kept))
        self.forget.setVisible(bool(self._kept))
        self._offer_measuring()

    def _say(self, choice: RegionChoice) -> str:
        reader = self.reader
        if reader.state == "failed":
            return reader.words
        if reader.state == "measuring":
            return "Measuring the region ..."
        if reader.regions is None:
            return ""
        boxes = choice.asked.box is not None
        return compared_words(reader.regions, reader, choice.class_name, boxes=boxes)

    def _offer_measuring(self) -> None:
        regions, project = self.reader.regions, self._session.project
        waiting = regions.waiting if regions is not None else 0
        idle = self.reader.progress is None
        writable = project is not None and project.writable
        self.measure.setVisible(bool(waiting) and idle and writable)
        noun = case_noun(project.task) if project is not None else "case"
        several = "s" if waiting != 1 else ""
        self.measure.setText(f"Measure {waiting:,} training {noun}{several}")

    # --- doing ---

    def _connect(self) -> None:
        session, canvas = self._session, self._canvas
        for signal in (session.project_changed, session.case_changed, session.run_changed):
            signal.connect(self._show_soon)
        session.labels_changed.connect(lambda _ids: self._show_soon())
        canvas.changed.connect(self._show_soon)
        self.reader.changed.connect(self._show)
        self.region.activated.connect(lambda _row: self._ask())
        self.keep.clicked.connect(lambda _checked=False: self._keep())
        self.forget.clicked.connect(lambda _checked=False: self._forget())
        self.measure.clicked.connect(lambda _checked=False: self.reader.measure_class())
        self.export.clicked.connect(lambda _checked=False: self._ask_file())
        self.search.textChanged.connect(self.table.features.find)

    def _keep(self) -> None:
        choice = self._choice
        if choice is not None and self.reader.state == "measured":
            self._kept = dict(self.reader.features)
            self._kept_words = f"{choice.words}, {choice.asked.case_id}"
            self._show()

    def _forget(self) -> None:
        self._kept, self._kept_words = {}, ""
        self._show()

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the features", "features.csv", "*.csv")
        if path:
            self.save(Path(path))

    def save(self, path: Path) -> None:
        """Write the table as it stands."""
        with self._session.reporting():
            write_text(path, as_csv(self.table.features.rows))
            self._session.notify(f"The features are in {path.name}.")

    # --- making ---

    def _make_parts(self) -> None:
        mark(self, "page")
        self.head = QWidget()
        self.region = QComboBox(self.head)
        self.region.setAccessibleName("Region")
        self.region.setToolTip("The region of this case that is measured")
        keep_wheel_calm(self.region)
        self.search = QLineEdit(self.head)
        self.search.setPlaceholderText("Find a feature")
        self.search.setClearButtonEnabled(True)
        self.keep = GhostButton("Keep beside", self.head, symbol="ph.push-pin")
        self.keep.setToolTip("Keep this region's features, to see another's difference to them")
        self.export = IconButton("ph.export", "Save the table", self.head)
        self.table = FeatureTable(self)
        self.title, self.case = StrongLabel("", self), QuietLabel("", self)
        self.title.setWordWrap(True)
        self.words, self.kept = QuietLabel("", self), QuietLabel("", self)
        self.measure = GhostButton("", self, symbol="ph.ruler")
        self.forget = GhostButton("Forget", self, tip="Compare with no other region")
        self.nothing = EmptyState("ph.ruler", NOTHING, "")
        self.pages = QStackedWidget(self)

    def _lay_out(self) -> None:
        row = QHBoxLayout(self.head)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.region, 2)
        row.addWidget(self.search, 1)
        row.addWidget(self.keep)
        row.addWidget(self.export)
        side = QWidget(self)
        side.setFixedWidth(SIDE_PX)
        told = QVBoxLayout(side)
        told.setContentsMargins(0, 4, 0, 0)
        told.setSpacing(6)
        for widget in (self.title, self.case, self.words, self.measure, self.kept, self.forget):
            told.addWidget(widget)
        told.addStretch(1)
        page = QWidget(self)
        columns = QHBoxLayout(page)
        columns.setContentsMargins(EDGE, 4, EDGE, EDGE)
        columns.setSpacing(EDGE)
        columns.addWidget(self.table, 1)
        columns.addWidget(side)
        self.pages.addWidget(self.nothing)
        self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)
