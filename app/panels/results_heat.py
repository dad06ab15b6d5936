"""The heat map over a scan: of which class, how it is seen, how much of the label it covers."""

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from ...core.project.records import NOT_LABELLED, RunRecord
from ..background import Errands
from ..widgets import GhostButton, QuietLabel
from ..widgets.calm import keep_wheel_calm
from .xray_map import MapPart

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..canvas import Canvas
    from ..session import Session

OFF = "none"
Array = np.ndarray[Any, np.dtype[Any]]


class ScanHeat(QWidget):
    """The controls of the heat map over a scan."""

    def __init__(self, session: "Session", canvas: "Canvas", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._canvas, self._heat = session, canvas, canvas.heat
        self._ids: tuple[int, ...] = ()
        self._errands = Errands(1, "longtail energy", self)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._show)
        self.classes = QComboBox(self)
        self.classes.setAccessibleName("Class of the heat map")
        self.classes.setToolTip("Whose heat map is shown (H shows the next one)")
        keep_wheel_calm(self.classes)
        self.map = MapPart(self._heat, self, boxes=False)
        self.mask = GhostButton("Label what is above", self, symbol="ph.paint-bucket")
        self.mask.setToolTip(
            "Give this class to all that lies above the share set by Box at and has no other\n"
            "class; undo (Ctrl+Z) takes it back"
        )
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(QuietLabel("Class", self))
        row.addWidget(self.classes, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.map)
        self.map.add_below_head(row)
        column.addWidget(self.mask)
        self.mask.clicked.connect(lambda _checked=False: self._label())
        self.classes.activated.connect(self._choose)
        self._heat.changed.connect(self._show_soon)

    def show_run(self, project: "Project", run: RunRecord) -> None:
        """Offer the classes that a run has learned."""
        from ...core.jobs.predicting import current_ids

        names = {one.id: one.name for one in project.classes}
        trained = [int(each["id"]) for each in run.spec.get("classes", ())]
        self._ids = tuple(dict.fromkeys(i for i in current_ids(project, trained) if i))
        self.classes.blockSignals(True)
        self.classes.clear()
        self.classes.addItem(OFF, None)
        for class_id in self._ids:
            self.classes.addItem(names[class_id], class_id)
        self.classes.blockSignals(False)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Bring it up to date when it comes into view."""
        super().showEvent(event)
        self._soon.start()

    def close_threads(self) -> None:
        """Wait for what is being computed and compute no more."""
        self._errands.close()

    def _show_soon(self) -> None:
        if self.isVisible():
            self._soon.start()

    def _choose(self, row: int) -> None:
        self._heat.choose(self.classes.itemData(row))

    def _label(self) -> None:
        """Draw a mask of the map over what is background or not labelled, as one step of undo."""
        stored, sheet = self._heat.stored, self._canvas.strokes.sheet
        if stored is not None and sheet is not None:
            mask = mask_above(stored.values, sheet.known, stored.class_id, self._heat.threshold)
            self._canvas.strokes.replace(mask)

    def _show(self) -> None:
        self.classes.blockSignals(True)
        self.classes.setCurrentIndex(max(self.classes.findData(self._heat.class_id), 0))
        self.classes.blockSignals(False)
        stored, labels = self._heat.stored, self._canvas.labels
        self.map.show_covered("", "")
        self.mask.setVisible(self._heat.state == "shown" and self._canvas.desk.writable)
        if self._heat.state != "shown" or stored is None or labels is None:
            return
        values, drawn, class_id = stored.values, np.asarray(labels.data), stored.class_id

        def say(energy: float | None) -> None:
            if stored is not self._heat.stored:
                return
            if energy is None:
                self.map.show_covered(f"No {stored.class_name} is labelled here.", "")
            else:
                self.map.show_covered("Energy inside the label", f"{100 * energy:.0f} %")

        self._errands.forget()
        self._errands.ask(lambda: energy_in(values, drawn, class_id), say)


def mask_above(values: Array, known: Array, class_id: int, threshold: float) -> Array:
    """Give a label map with a class where a map lies above a share of its maximum.

    What is labelled as another class stays as it is.
    """
    free = (known == 0) | (known == NOT_LABELLED)
    above = values >= np.float32(threshold) * float(values.max(initial=0.0))
    mask = known.copy()
    mask[free & above & (values > 0)] = class_id
    return mask


def energy_in(values: Array, drawn: Array, class_id: int) -> float | None:
    """Give the share of a map's sum inside what is labelled as a class; None where nothing is."""
    inside = drawn == class_id
    if inside.shape != values.shape or not inside.any():
        return None
    whole = float(values.sum(dtype=np.float64))
    return float(values[inside].sum(dtype=np.float64)) / whole if whole > 0 else None
