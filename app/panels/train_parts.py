"""Parts that the pages of the Train panel share: their head, the curves, the cards."""

from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget
from superqt import QFlowLayout

from ...core.backend.events import Warned
from ..widgets import (
    BigNumber,
    Card,
    ElidedLabel,
    GhostButton,
    QuietLabel,
    SectionLabel,
    TitleLabel,
)

SAMPLE_MORE = "sample"
SHOW_CURVE = "Show curve"


class RunHead(QWidget):
    """The name of the method, the run and its seed, and what it works with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = TitleLabel("", self)
        self.run = ElidedLabel("", self, kind="quiet")
        self.run.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.facts = QuietLabel("", self)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.title)
        row.addWidget(self.run, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.facts)

    def show_run(self, title: str, run: str, facts: str) -> None:
        """Say which run this is."""
        self.title.setText(title)
        self.run.setText(run)
        self.facts.setText(facts)
        self.facts.setVisible(bool(facts))


class WarningCard(Card):
    """Something to look at, with what can be done; amber only when it is about a rare class."""

    remedy_chosen = Signal(object, str)
    curve_asked = Signal(str)

    def __init__(self, warned: Warned, tier: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, tone="tail" if tier in ("medium", "tail") else "")
        self.warned = warned
        self.setAccessibleName(warned.text)
        self.text = QLabel(rich(warned.text), self)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setWordWrap(True)
        self.buttons: dict[str, GhostButton] = {}
        self.answer = QuietLabel("", self)
        self.answer.hide()
        self.body.addWidget(self.text)
        self._add_buttons()
        self.body.addWidget(self.answer)

    def show_answer(self, words: str) -> None:
        """Say that the run has taken up a remedy."""
        self.answer.setText(words)
        self.answer.show()

    def _add_buttons(self) -> None:
        row = flow()
        for label in self.warned.remedies:
            if label.lower().startswith(SAMPLE_MORE) and self.warned.class_name:
                row.addWidget(self._button(label))
        if self.warned.class_name:
            button = self.buttons[SHOW_CURVE] = GhostButton(SHOW_CURVE, self)
            button.clicked.connect(self._ask_curve)
            row.addWidget(button)
        if row.count():
            self.body.addLayout(row)

    def _button(self, label: str) -> GhostButton:
        button = self.buttons[label] = GhostButton(label, self)

        def choose() -> None:
            button.setEnabled(False)
            self.show_answer("Asked for; the run takes it up at its next step.")
            self.remedy_chosen.emit(self.warned, label)

        button.clicked.connect(choose)
        return button

    def _ask_curve(self) -> None:
        self.curve_asked.emit(self.warned.class_name)


class Diary(QWidget):
    """What has happened in a run: a time and a sentence a line, the newest first."""

    MOST = 6

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[tuple[str, str]] = []
        self.section = SectionLabel("What happened", parent=self)
        self.words = QuietLabel("", self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.section)
        column.addWidget(self.words)
        self.hide()

    def clear(self) -> None:
        """Begin anew."""
        self._lines = []
        self.hide()

    def add(self, time: str, sentence: str) -> None:
        """Add a line; a sentence said again moves up instead of standing twice."""
        self._lines = [line for line in self._lines if line[1] != sentence][-self.MOST + 1 :]
        self._lines.append((time, sentence))
        self.words.setText("\n".join(f"{when}  {what}" for when, what in reversed(self._lines)))
        self.show()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it holds, the newest first."""
        return tuple(sentence for _, sentence in reversed(self._lines))


class SayCard(Card):
    """A sentence in semi-bold and what to do about it; `tone` is bad, good or empty."""

    def __init__(
        self, title: str = "", text: str = "", parent: QWidget | None = None, *, tone: str = ""
    ) -> None:
        super().__init__(parent, tone=tone)
        self.title = QLabel("", self)
        self.title.setProperty("longtail", "strong")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.text = QLabel("", self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.body.addWidget(self.title)
        self.body.addWidget(self.text)
        self.say(title, text)

    def say(self, title: str, text: str = "", tone: str | None = None) -> None:
        """Show other words."""
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.setVisible(bool(title or text))
        if tone is not None:
            self.set_tone(tone)


def let_shrink(number: BigNumber) -> BigNumber:
    """Let the lines beside the one number be cut in a narrow panel, rather than widen it."""
    for label in (number.first, number.second):
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        label.setMinimumWidth(40)
    return number


def flow() -> QFlowLayout:
    """Lay buttons side by side, and below one another where there is no room."""
    layout = QFlowLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(6)
    layout.setVerticalSpacing(6)
    return layout


def rich(text: str) -> str:
    """Make the first sentence semi-bold; what it holds is text, never mark-up."""
    head, stop, rest = text.partition(". ")
    if not rest:
        return escape(text)
    # Not <b>: the shipped font has a semi-bold, and a bold made from it by smearing is ugly.
    first = f'<span style="font-weight: 600">{escape(head + stop.strip())}</span>'
    return f"{first} {escape(rest)}"
