"""Parts that both pages of the Label panel have: the case's head, its status, what is saved."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from ...core.project.records import Status
from ..widgets import (
    Card,
    ElidedLabel,
    GhostButton,
    HairLine,
    LinkButton,
    PrimaryButton,
    QuietLabel,
    SectionLabel,
    Segments,
)
from ..widgets.basic import StrongLabel, TextLabel, mark

STATUS_WORDS = (
    (Status.UNLABELLED.value, "Unlabelled"),
    (Status.DRAFT.value, "Draft"),
    (Status.REVIEWED.value, "Reviewed"),
)
LABEL_PX = 52


def keep_keys(*widgets: QWidget) -> None:
    """Let clicks on these leave the keys with the image."""
    for widget in widgets:
        widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)


class CaseHead(QWidget):
    """The name of the case, and the way to the ones before and after it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = ElidedLabel("", self, kind="title")
        self.previous = GhostButton("", self, symbol="ph.arrow-left", tip="Previous (Page Up)")
        self.next = GhostButton("", self, symbol="ph.arrow-right", tip="Next (Page Down)")
        self.previous.setAccessibleName("Previous case")
        self.next.setAccessibleName("Next case")
        keep_keys(self.previous, self.next)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        row.addWidget(self.previous)
        row.addWidget(self.next)


class ClassesHead(QWidget):
    """Small capitals over the classes, with the way to change them at the right."""

    def __init__(self, text: str, parent: QWidget | None = None, *, line: bool = True) -> None:
        super().__init__(parent)
        self.section = SectionLabel(text, parent=self, line=False)
        self.edit = LinkButton("Edit", self, tip="Add, rename, recolour or merge classes")
        keep_keys(self.edit)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.section, 1)
        row.addWidget(self.edit, 0, Qt.AlignmentFlag.AlignVCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4 if line else 0, 0, 0)
        column.setSpacing(4)
        if line:
            column.addWidget(HairLine(self))
        column.addLayout(row)


class SliderRow(QWidget):
    """A word and its slider."""

    moved = Signal(int)

    def __init__(
        self, word: str, low: int, high: int, tip: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        label = TextLabel(word, self)
        mark(label, "quiet")
        label.setFixedWidth(LABEL_PX)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(low, high)
        self.slider.setToolTip(tip)
        self.slider.setAccessibleName(word)
        self.slider.valueChanged.connect(self.moved)
        keep_keys(self.slider)
        self.figure = TextLabel("", self)
        mark(self.figure, "quiet")
        self.figure.setFixedWidth(36)
        self.figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(label)
        row.addWidget(self.slider, 1)
        row.addWidget(self.figure)

    def show_value(self, value: int, figure: str = "") -> None:
        """Show a value without telling of it."""
        self.slider.blockSignals(True)
        self.slider.setValue(value)
        self.slider.blockSignals(False)
        self.figure.setText(figure)


class Hint(Card):
    """A raised box with a bold sentence and a quiet one."""

    def __init__(
        self, title: str, text: str, parent: QWidget | None = None, *, tone: str = ""
    ) -> None:
        super().__init__(parent, tone=tone)
        self.title, self.words = StrongLabel(title, self), TextLabel(text, self)
        for label in (self.title, self.words):
            label.setWordWrap(True)
            self.body.addWidget(label)
        self.body.setSpacing(2)

    def say(self, title: str, text: str) -> None:
        """Say something else."""
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.words.setText(text)


class StatusPart(QWidget):
    """How far the case is; `chosen` tells what the user says."""

    chosen = Signal(str)

    def __init__(self, noun: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.segments = Segments(STATUS_WORDS, self)
        self.segments.setToolTip("Draft and reviewed labels both train")
        for button in self.segments.findChildren(QWidget):
            keep_keys(button)
        self.segments.chosen.connect(self.chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(SectionLabel(f"Status of this {noun}", parent=self))
        column.addWidget(self.segments)


class Foot(QWidget):
    """What is saved, and the one button."""

    def __init__(self, noun: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.saved = QuietLabel("", self)
        self.saved.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = PrimaryButton(f"Reviewed, next {noun}   ⏎", self)
        self.button.setToolTip("Mark as reviewed and go on (Return)")
        keep_keys(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.saved)
        column.addWidget(self.button)

    def say(self, words: str, *, bad: bool = False) -> None:
        """Say what is saved."""
        if self.saved.text() != words:
            self.saved.setText(words)
        kind = "bad" if bad else "quiet"
        if self.saved.property("longtail") != kind:
            mark(self.saved, kind)
