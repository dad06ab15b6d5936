"""A form made from a pydantic settings model: a row a field, its words, limits and errors."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import qtawesome
from pydantic import BaseModel
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QToggleSwitch

from .panels.train_fields import Kind, SettingField, fields_of, parse, problems, written
from .theme import BLUE, look
from .widgets import SectionLabel
from .widgets.calm import keep_wheel_calm

CONTROL_WIDTH = 118


class SettingsForm(QWidget):
    """Edits the settings of one method; starts from a preset and remembers what differs from it.

    Parameters
    ----------
    parent
        The widget that it lies in.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: type[BaseModel] | None = None
        self._base: dict[str, Any] = {}
        self._rows: dict[str, SettingRow] = {}
        self._headings: list[SectionLabel] = []
        self._general = _line("bad")
        self._plain = _column()
        self._rare = _column()
        self.more = Fold("For experts", self)
        self.more.body.setLayout(self._rare)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._general)
        column.addLayout(self._plain)
        column.addWidget(self.more)

    def show_model(self, model: type[BaseModel], preset: Mapping[str, Any]) -> None:
        """Build the rows of `model`, filled with its defaults and what `preset` changes."""
        if model is not self._model:
            self._model = model
            self._build(fields_of(model))
        self.show_preset(preset)

    def show_preset(self, preset: Mapping[str, Any]) -> None:
        """Fill the form with the model's defaults and what `preset` changes."""
        for name, row in self._rows.items():
            self._base[name] = preset.get(name, row.field.default)
            row.show_base(self._base[name])
        self._check()
        self.changed.emit()

    @property
    def values(self) -> dict[str, Any]:
        """The settings that differ from the preset, by name."""
        told = {name: row.value for name, row in self._rows.items()}
        return {name: value for name, value in told.items() if not _same(value, self._base[name])}

    @property
    def is_valid(self) -> bool:
        """Whether the settings as they stand can be used."""
        return not self.own_problems()

    def own_problems(self) -> dict[str, str]:
        """Say what is wrong with the values by themselves, by field."""
        return {} if self._model is None else problems(self._model, self._all())

    def row(self, name: str) -> "SettingRow":
        """Give the row of a field."""
        return self._rows[name]

    def names(self) -> tuple[str, ...]:
        """Give the names of the fields in their order."""
        return tuple(self._rows)

    def show_problems(self, told: Mapping[str, str]) -> None:
        """Show each sentence at its field; what has no field stands at the top."""
        for name, row in self._rows.items():
            row.show_problem(told.get(name, ""))
        self._general.setText(told.get("", ""))
        self._general.setVisible(bool(told.get("")))
        if any(told.get(name) for name, row in self._rows.items() if row.field.advanced):
            self.more.open()

    def _build(self, fields: tuple[SettingField, ...]) -> None:
        former: list[QWidget] = [*self._rows.values(), *self._headings]
        for part in former:
            part.setParent(None)
            part.deleteLater()
        self._rows = {field.name: SettingRow(field, self) for field in fields}
        self._headings = []
        for row in self._rows.values():
            row.changed.connect(self._edited)
        for column, rare in ((self._plain, False), (self._rare, True)):
            self._fill(column, [field for field in fields if field.advanced is rare])
        self.more.setVisible(any(field.advanced for field in fields))

    def _fill(self, column: QVBoxLayout, fields: Sequence[SettingField]) -> None:
        for group, together in grouped(fields):
            if group:
                heading = SectionLabel(group, parent=self)
                self._headings.append(heading)
                column.addWidget(heading)
            for field in together:
                column.addWidget(self._rows[field.name])

    def _edited(self) -> None:
        self._check()
        self.changed.emit()

    def _check(self) -> None:
        self.show_problems(self.own_problems())

    def _all(self) -> dict[str, Any]:
        return {name: row.value for name, row in self._rows.items()}


def grouped(fields: Sequence[SettingField]) -> list[tuple[str, list[SettingField]]]:
    """Put fields of one group together: those of none first, groups as they first appear."""
    groups: dict[str, list[SettingField]] = {"": []}
    for field in fields:
        groups.setdefault(field.group, []).append(field)
    return [(group, together) for group, together in groups.items() if together]


class SettingRow(QWidget):
    """One setting: its title and control, what it does, and what is wrong with it."""

    changed = Signal()

    def __init__(self, field: SettingField, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.control, self._read, self._write = _control(field, self)
        self._base: Any = field.default
        self._title = QLabel(field.title)
        self._title.setWordWrap(True)
        self._title.setBuddy(self.control)
        self._words = _line("quiet", field.first_sentence)
        self._problem = _line("bad")
        self._back = QPushButton()
        self._back.setProperty("longtail", "link")
        self._back.setCursor(Qt.CursorShape.PointingHandCursor)
        self._back.clicked.connect(self._go_back)
        self._lay_out()
        for widget in (self._title, self.control):
            widget.setToolTip(field.tooltip)
        self.control.setAccessibleName(field.title)
        self.control.setAccessibleDescription(field.explanation)
        self._show_state()

    @property
    def value(self) -> Any:
        """What stands in the control; text where it cannot be read."""
        told = self._read()
        # Numbers are written short: what reads like the preset's is the preset's.
        return self._base if written(told) == written(self._base) else told

    def set_value(self, value: Any) -> None:
        """Change the control as the user would."""
        self._write(value)
        self._edited()

    def show_base(self, value: Any) -> None:
        """Show the preset's value, which the row goes back to; nothing is announced."""
        self._base = value
        self.control.blockSignals(True)
        self._write(value)
        self.control.blockSignals(False)
        self._show_state()

    def show_problem(self, sentence: str) -> None:
        """Say what is wrong, or nothing."""
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    @property
    def problem(self) -> str:
        """What is said to be wrong."""
        return self._problem.text()

    def connect_control(self) -> None:
        """Listen to the control."""
        signal = {
            QToggleSwitch: "toggled",
            QComboBox: "currentIndexChanged",
            QLineEdit: "textChanged",
        }[type(self.control)]
        getattr(self.control, signal).connect(self._edited)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._title, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.control, 0, 1, Qt.AlignmentFlag.AlignRight)
        for line, widget in enumerate((self._words, self._problem, self._back), start=1):
            grid.addWidget(widget, line, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self._problem.hide()
        self.connect_control()

    def _edited(self, *_: object) -> None:
        self._show_state()
        self.changed.emit()

    def _show_state(self) -> None:
        differs = not _same(self.value, self._base)
        self._title.setProperty("longtail", "strong" if differs else "")
        self._title.style().polish(self._title)
        self._back.setText(f"Back to {written(self._base) or 'automatic'}")
        self._back.setVisible(differs)
        self._words.setVisible(bool(self.field.explanation))

    def _go_back(self) -> None:
        self.set_value(self._base)


class Fold(QWidget):
    """A heading that opens and closes what lies under it."""

    toggled = Signal(bool)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head = QPushButton(title)
        self._head.setProperty("longtail", "link")
        self._head.setCheckable(True)
        self._head.setIconSize(QSize(12, 12))
        self._head.setCursor(Qt.CursorShape.PointingHandCursor)
        self._head.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.body = QWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._head)
        column.addWidget(self.body)
        self.body.hide()
        self._head.toggled.connect(self._show)
        self.wear_icon()

    @property
    def is_open(self) -> bool:
        """Whether what lies under it shows."""
        return self._head.isChecked()

    def open(self) -> None:
        """Show what lies under it."""
        self._head.setChecked(True)

    def close_up(self) -> None:
        """Hide what lies under it."""
        self._head.setChecked(False)

    def set_title(self, title: str) -> None:
        """Change the heading."""
        self._head.setText(title)

    def _show(self, opened: bool) -> None:
        self.body.setVisible(opened)
        self.wear_icon()
        self.toggled.emit(opened)

    def wear_icon(self) -> None:
        """Draw the caret in the colours of the theme."""
        icon = "ph.caret-down" if self.is_open else "ph.caret-right"
        self._head.setIcon(qtawesome.icon(icon, color=look().tokens.link))


Reader = Callable[[], Any]
Writer = Callable[[Any], None]


def _control(field: SettingField, parent: QWidget) -> tuple[QWidget, Reader, Writer]:
    if field.kind is Kind.SWITCH:
        return _switch(parent)
    if field.kind is Kind.CHOICE:
        return _choice(field, parent)
    return _text(field, parent)


def _switch(parent: QWidget) -> tuple[QWidget, Reader, Writer]:
    switch = QToggleSwitch(parent)
    switch.onColor = BLUE
    switch.offColor = look().tokens.track
    switch.handleColor = "#f0f1f2"
    return switch, switch.isChecked, lambda value: switch.setChecked(bool(value))


def _choice(field: SettingField, parent: QWidget) -> tuple[QWidget, Reader, Writer]:
    box = QComboBox(parent)
    choices = (None, *field.choices) if field.optional else field.choices
    for choice in choices:
        box.addItem(str(choice).replace("-", " ") if choice is not None else "automatic", choice)
    box.setFixedWidth(CONTROL_WIDTH)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    keep_wheel_calm(box)
    return box, box.currentData, lambda value: box.setCurrentIndex(max(box.findData(value), 0))


def _text(field: SettingField, parent: QWidget) -> tuple[QWidget, Reader, Writer]:
    line = QLineEdit(parent)
    line.setFixedWidth(CONTROL_WIDTH)
    if field.kind in (Kind.WHOLE, Kind.NUMBER, Kind.SEVERAL):
        line.setAlignment(Qt.AlignmentFlag.AlignRight)
    if field.optional:
        line.setPlaceholderText("automatic")

    def write(value: Any) -> None:
        line.setText(written(value))

    return line, lambda: parse(field, line.text()), partial(write)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return list(first) == list(second)
    return bool(first == second)


def _line(kind: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setProperty("longtail", kind)
    label.setWordWrap(True)
    label.setVisible(bool(text))
    return label


def _column() -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    return column
