"""The prior slider of the Results panel: how frequent the classes are taken for, and its cost."""

import math
from collections.abc import Mapping
from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from ..settings_form import Fold
from ..widgets import Card, ElidedLabel, GhostButton, LinkButton, QuietLabel, SectionLabel
from ..widgets.basic import TextLabel, mark
from ..widgets.calm import keep_wheel_calm
from .results_prior_model import MOST_FACTOR, PriorClass, PriorModel
from .results_prior_table import PriorTable

STEPS = 100
FACTOR_STEPS = 30
"""Steps of a fine slider from the middle to an end; its ends are eight times more or less."""

TIP = (
    "Rare classes are called more often towards the right: more of them are found, and more is "
    "taken for them wrongly. What the run has learned stays as it is."
)


class PriorPart(QWidget):
    """The slider, what it brings and costs, and the table of classes that follows it."""

    keep_asked = Signal()
    """The user wants predictions at this setting."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: PriorModel | None = None
        self._writable = True
        self._tuned: dict[int, float] = {}
        self._tuned_on = 0
        self.section = SectionLabel("Prior slider", parent=self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(10)
        self.slider.setToolTip(TIP)
        self.slider.setAccessibleName("How frequent rare classes are taken for")
        keep_wheel_calm(self.slider)
        self.left, self.right = QuietLabel("", self), QuietLabel("", self)
        self.cost = Card(self)
        self.words = QuietLabel("", self.cost)
        mark(self.words, "")
        self.table = PriorTable(self)
        self.fine = FinePart(self)
        self.fold = Fold("", self)
        self.use = GhostButton(
            "Use for predictions", self, tip="Predict, export and evaluate at this setting"
        )
        self.back = LinkButton("Back to as trained", self, tip="Undo the slider and what is kept")
        self.state = QuietLabel("", self)
        self._lay_out()
        self._connect()
        self.hide()

    def show_model(
        self,
        model: PriorModel | None,
        *,
        writable: bool = True,
        tuned: Mapping[int, float] | None = None,
        tuned_on: int = 0,
    ) -> None:
        """Show the slider of a run; None hides it.

        Parameters
        ----------
        writable
            Whether a setting can be kept.
        tuned
            Thresholds that were chosen on `tuned_on` validation images, by class id.
        """
        self.model, self._writable = model, writable
        self._tuned, self._tuned_on = dict(tuned or {}), tuned_on
        self.setVisible(model is not None)
        if model is None:
            return
        left, right = model.ends
        self.left.setText(left)
        self.right.setText(right)
        self.fold.set_title("Each class by itself" if model.exclusive else "Thresholds by class")
        self.fine.show_classes(model, self._tuned_on if self._tuned else 0)
        self._show_position()

    def wear_icon(self) -> None:
        """Paint the table in the colours of the theme."""
        self.table.update()

    # --- inside ---

    def _lay_out(self) -> None:
        ends = QHBoxLayout()
        self.left.setWordWrap(False)
        self.right.setWordWrap(False)
        self.right.setAlignment(Qt.AlignmentFlag.AlignRight)
        ends.addWidget(self.left)
        ends.addStretch(1)
        ends.addWidget(self.right)
        self.cost.body.addWidget(self.words)
        inside = QVBoxLayout(self.fold.body)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.fine)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addWidget(self.use)
        buttons.addWidget(self.back)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.section)
        column.addWidget(self.slider)
        column.addLayout(ends)
        for widget in (self.cost, self.table, self.fold):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addWidget(self.state)

    def _connect(self) -> None:
        self.slider.valueChanged.connect(self._slid)
        self.fine.factor_changed.connect(self._weighed)
        self.fine.threshold_changed.connect(self._cut)
        self.fine.tuned_asked.connect(self._use_tuned)
        self.use.clicked.connect(lambda _checked=False: self.keep_asked.emit())
        self.back.clicked.connect(lambda _checked=False: self._go_back())

    def _slid(self, value: int) -> None:
        if self.model is not None:
            self.model.move(value / STEPS)
            self._show_outcome()

    def _weighed(self, class_id: int, factor: float) -> None:
        if self.model is not None:
            self.model.weigh(class_id, factor)
            self._show_outcome()

    def _cut(self, class_id: int, threshold: float) -> None:
        if self.model is not None:
            self.model.cut(class_id, threshold)
            self._show_outcome()

    def _use_tuned(self) -> None:
        if self.model is not None:
            self.model.cut_all(self._tuned)
            self._show_position()

    def _go_back(self) -> None:
        if self.model is None:
            return
        self.model.reset()
        self._show_position()
        if self._writable and not self.model.is_kept:
            self.keep_asked.emit()

    def _show_position(self) -> None:
        """Put all controls where the model stands, without telling it."""
        assert self.model is not None
        self.slider.blockSignals(True)
        self.slider.setValue(round(self.model.position.amount * STEPS))
        self.slider.blockSignals(False)
        self.fine.show_position(self.model)
        self._show_outcome()

    def _show_outcome(self) -> None:
        model = self.model
        assert model is not None
        rows = model.rows()
        self.table.show_rows(rows)
        told = model.cost(rows)
        self.words.setText(told)
        self.cost.setVisible(bool(told))
        self.section.set_text("Prior slider", f"τ = {model.position.amount:.2g}")
        self.fine.show_words(model)
        self.use.setEnabled(self._writable and not model.is_kept and not model.is_as_trained)
        self.back.setVisible(not model.is_as_trained or not model.kept.is_as_trained)
        self.state.setText(self._state(model))
        self.state.setVisible(bool(self.state.text()))

    def _state(self, model: PriorModel) -> str:
        if model.is_kept and not model.is_as_trained:
            return "Kept with this run: predictions and exported models follow it."
        if not model.kept.is_as_trained:
            return "Another setting is kept with this run, and predictions still follow that."
        if not self._writable and not model.is_as_trained:
            return "This project can only be looked at here, so nothing is kept."
        return ""


class FinePart(QWidget):
    """A slider a class: how many times as frequent it is taken for, or its threshold."""

    factor_changed = Signal(int, float)
    threshold_changed = Signal(int, float)
    tuned_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sliders: dict[int, QSlider] = {}
        self._words: dict[int, TextLabel] = {}
        self._classes: tuple[PriorClass, ...] = ()
        self._thresholds = False
        self.tuned = GhostButton("", self)
        self.tuned.clicked.connect(lambda _checked=False: self.tuned_asked.emit())
        self.tuned.hide()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 3)
        self._grid.setColumnStretch(1, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.tuned)
        column.addLayout(self._grid)

    def show_classes(self, model: PriorModel, tuned_on: int) -> None:
        """Make a slider a class; offer thresholds chosen on `tuned_on` validation images."""
        self.tuned.setText(f"Use those chosen on {tuned_on} validation images")
        self.tuned.setVisible(bool(tuned_on))
        classes = model.classes
        if classes == self._classes and self._thresholds == (not model.exclusive):
            return
        self._clear()
        self._classes, self._thresholds = classes, not model.exclusive
        order = sorted(classes, key=lambda one: -one.training)
        for row, one in enumerate(order):
            self._add(row, one)

    def show_position(self, model: PriorModel) -> None:
        """Put the sliders where the model stands."""
        for class_id, slider in self.sliders.items():
            slider.blockSignals(True)
            if self._thresholds:
                slider.setValue(round(100 * model.position.thresholds.get(class_id, 0.5)))
            else:
                slider.setValue(_step_of(model.position.factors.get(class_id, 1.0)))
            slider.blockSignals(False)

    def show_words(self, model: PriorModel) -> None:
        """Say beside each slider what it means now."""
        for class_id, label in self._words.items():
            if self._thresholds:
                label.setText(f"{model.position.thresholds.get(class_id, 0.5):.2f}")
            else:
                label.setText(model.share_text(class_id))

    def _add(self, row: int, one: PriorClass) -> None:
        name, slider, words = ElidedLabel(one.name, self), QSlider(self), TextLabel("", self)
        slider.setOrientation(Qt.Orientation.Horizontal)
        keep_wheel_calm(slider)
        if self._thresholds:
            slider.setRange(1, 99)
            slider.setToolTip(f"{one.name} counts as found from this probability on")
            slider.setAccessibleName(f"Threshold of {one.name}")
        else:
            slider.setRange(-FACTOR_STEPS, FACTOR_STEPS)
            slider.setToolTip(f"How frequent {one.name} is taken for, beside the others")
            slider.setAccessibleName(f"Frequency of {one.name}")
        slider.valueChanged.connect(partial(self._moved, one.id))
        mark(words, "quiet")
        words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        words.setMinimumWidth(38)
        for column, widget in enumerate((name, slider, words)):
            self._grid.addWidget(widget, row, column)
        self.sliders[one.id], self._words[one.id] = slider, words

    def _moved(self, class_id: int, value: int) -> None:
        if self._thresholds:
            self.threshold_changed.emit(class_id, value / 100)
        else:
            self.factor_changed.emit(class_id, MOST_FACTOR ** (value / FACTOR_STEPS))

    def _clear(self) -> None:
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item else None
            if widget is not None:
                widget.deleteLater()
        self.sliders, self._words = {}, {}


def _step_of(factor: float) -> int:
    return round(FACTOR_STEPS * math.log(factor) / math.log(MOST_FACTOR))
