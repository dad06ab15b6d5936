"""The parts of the page before a run: budget, validation, what it learns from and needs."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from ..settings_form import CONTROL_WIDTH
from ..widgets import Bar, ClassBars, ElidedLabel, GhostButton, QuietLabel, SectionLabel, Segments
from ..widgets.basic import TextLabel, mark
from .train_model import DEFAULT_MINUTES, Plan, unlabelled_sentence
from .train_parts import SayCard

DEFAULT_STEPS = 1000
UNLABELLED_KEY = -2


class EarlierRun(SayCard):
    """Says that the last run can go on, with the button that does it."""

    resume_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._run = ""
        button = GhostButton("Resume", self, symbol="ph.play")
        button.clicked.connect(lambda: self.resume_asked.emit(self._run))
        self.body.addLayout(in_row(button, None))

    def show_run(self, run: str, sentence: str) -> None:
        """Offer a run, or nothing if `run` is empty."""
        self._run = run
        self.say("", sentence if run else "")


class Budget(QWidget):
    """How long to train: so many minutes, or so many steps."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kept = {"minutes": int(DEFAULT_MINUTES), "steps": DEFAULT_STEPS}
        self.unit = Segments((("minutes", "Minutes"), ("steps", "Steps")), self)
        self.unit.set_value("minutes")
        self.amount = NumberBox(1, 10_000_000, self)
        self.amount.setValue(self._kept["minutes"])
        self.amount.setAccessibleName("Budget")
        self.amount.setMinimumWidth(40)
        row = in_row(self.amount, self.unit)
        row.setContentsMargins(0, 0, 0, 0)
        self.setLayout(row)
        self.unit.chosen.connect(self._change_unit)
        self.amount.valueChanged.connect(lambda _: self.changed.emit())

    @property
    def value(self) -> tuple[float | None, int | None]:
        """Minutes or steps; the other is None."""
        if self.unit.value() == "minutes":
            return float(self.amount.value()), None
        return None, self.amount.value()

    def _change_unit(self, unit: str) -> None:
        other = "steps" if unit == "minutes" else "minutes"
        self._kept[other] = self.amount.value()
        self.amount.blockSignals(True)
        self.amount.setValue(self._kept[unit])
        self.amount.blockSignals(False)
        self.changed.emit()


class UseSection(QWidget):
    """What will be learned from: a bar a class, and the unlabelled as a row of their own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = SectionLabel("What it learns from", parent=self)
        self.bars = ClassBars(self)
        # A row here is not a filter: nothing lights up under the mouse.
        self.bars.setMouseTracking(False)
        self.bars.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.note = QuietLabel("", self)
        for widget in (self.section, self.bars, self.note):
            column.addWidget(widget)
        self.hide()

    def show_plan(self, plan: Plan, *, used: bool) -> None:
        """Show the cases of a plan; `used` says whether the unlabelled ones take part."""
        self.setVisible(bool(plan.use))
        unlabelled = f", {plan.unlabelled:,} unlabelled" if used and plan.unlabelled else ""
        self.section.set_text("What it learns from", f"{plan.labelled:,} labelled{unlabelled}")
        rows = [Bar(row.key, row.name, row.count, tier=row.tier) for row in plan.use]
        if plan.unlabelled:
            rows.append(Bar(UNLABELLED_KEY, "unlabelled", plan.unlabelled))
        self.bars.set_bars(rows)
        sentence = unlabelled_sentence(plan, used=used)
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))


class ValidationChoice(QWidget):
    """Whether to measure while learning on labelled cases kept for it."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = Segments((("none", "None"), ("split", "Val part")), self)
        self.sentence = QuietLabel("", self)
        self._chosen = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(labelled_row("Validation", self.choice))
        column.addWidget(self.sentence)
        self.choice.chosen.connect(self._choose)

    @property
    def value(self) -> str | None:
        """What was chosen by hand; None leaves it to the plan."""
        return self.choice.value() if self._chosen else None

    def show_choice(self, value: str) -> None:
        """Show what the plan has chosen."""
        self.choice.set_value(value)

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """Say what the choice means, or why it cannot work."""
        self.sentence.setText(sentence)
        mark(self.sentence, "bad" if bad else "quiet")

    def forget(self) -> None:
        """Leave it to the plan again, for another project."""
        self._chosen = False

    def _choose(self, _: str) -> None:
        self._chosen = True
        self.changed.emit()


class NeedsSection(QWidget):
    """What the training will need, a line each."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(SectionLabel("What it needs", parent=self))
        column.addLayout(self._lines)
        self._labels: list[tuple[QLabel, ElidedLabel]] = []
        self.hide()

    def show_lines(self, lines: Sequence[tuple[str, str]]) -> None:
        """Show (what, how much) pairs."""
        self.setVisible(bool(lines))
        while len(self._labels) < len(lines):
            name, value = QLabel("", self), ElidedLabel("", self, kind="quiet")
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._lines.addLayout(in_row(name, value))
            self._labels.append((name, value))
        for number, (name, value) in enumerate(self._labels):
            shown = number < len(lines)
            name.setVisible(shown)
            value.setVisible(shown)
            if shown:
                name.setText(lines[number][0])
                value.setText(lines[number][1])

    @property
    def text(self) -> str:
        """All that is said, in one line."""
        return " · ".join(f"{n.text()} {v.text()}" for n, v in self._labels if not n.isHidden())


class Drawing(QWidget):
    """The draw of the run: its seed, and how many labelled cases it may use."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed = NumberBox(0, 2**31 - 1, self)
        self._labelled = QLineEdit(self)
        self._labelled.setPlaceholderText("all")
        self._labelled.setAlignment(Qt.AlignmentFlag.AlignRight)
        for control, tip in (
            (self._seed, "Draws the first weights and the order; the same seed learns the same."),
            (
                self._labelled,
                "A number such as 10, or a share such as 20%; the rest are used as unlabelled.",
            ),
        ):
            control.setFixedWidth(CONTROL_WIDTH)
            control.setToolTip(tip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(labelled_row("Seed", self._seed, stretch=False))
        column.addLayout(labelled_row("Labelled to use", self._labelled, stretch=False))
        self._problem = TextLabel("", self)
        self._problem.setWordWrap(True)
        mark(self._problem, "bad")
        self._problem.hide()
        column.addWidget(self._problem)
        self._seed.valueChanged.connect(lambda _: self.changed.emit())
        self._labelled.textChanged.connect(lambda _: self.changed.emit())

    def say(self, sentence: str) -> None:
        """Say why the number of labelled cases cannot be."""
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self._seed.value())

    @property
    def labelled(self) -> str | None:
        """How many labelled cases to use; None for all."""
        return self._labelled.text().strip() or None


class NumberBox(QLineEdit):
    """A whole number; arrow keys step it, what is no number goes back to the last one."""

    valueChanged = Signal(int)

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high, self._value = low, high, low
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setText(str(low))
        self.textEdited.connect(self._typed)
        self.editingFinished.connect(self._settle)

    def value(self) -> int:
        """Give the number."""
        return self._value

    def setValue(self, value: int) -> None:
        """Show another number, brought into the range."""
        value = min(max(value, self._low), self._high)
        changed, self._value = value != self._value, value
        self._settle()
        if changed:
            self.valueChanged.emit(value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step by the arrow keys."""
        by = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(event.key())
        if by is None:
            super().keyPressEvent(event)
        else:
            self.setValue(self._value + by)

    def _typed(self, text: str) -> None:
        plain = text.replace(",", "").strip()
        if plain.isdigit() and self._low <= int(plain) <= self._high:
            changed, self._value = int(plain) != self._value, int(plain)
            if changed:
                self.valueChanged.emit(self._value)

    def _settle(self) -> None:
        self.setText(str(self._value))


def in_row(first: QWidget, second: QWidget | None) -> QHBoxLayout:
    """Lay two widgets side by side; the second takes the room that is left."""
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(first)
    if second is None:
        row.addStretch(1)
    else:
        row.addWidget(second, 1)
    return row


def labelled_row(text: str, control: QWidget, *, stretch: bool = True) -> QHBoxLayout:
    """Lay a control out behind its name."""
    name = QLabel(text)
    name.setBuddy(control)
    if stretch:
        name.setFixedWidth(60)
        return in_row(name, control)
    row = in_row(name, None)
    row.addWidget(control)
    return row
