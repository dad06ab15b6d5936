"""A finding as a row: how bad, a sentence, its cases, and the step that mends it."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ...core.review.doctor_fixing import Mended
from ...core.review.doctor_records import Finding, Kind, Severity
from ..theme import GREEN, RED, TAIL, look
from ..widgets.basic import GhostButton, HairLine, LinkButton, QuietLabel
from ..widgets.dress import icon
from .train_parts import rich
from .train_words import plural

SYMBOLS = {
    Severity.ERROR: ("ph.warning-circle", "Figures will be wrong, or a class is lost"),
    Severity.WARNING: ("ph.warning", "Results may suffer"),
    Severity.INFO: ("ph.info", "Good to know"),
}
RARE = (Kind.MISSING_CLASS, Kind.TOO_FEW)
ICON_PX = 18


class FindingRow(QWidget):
    """One finding; `cases_asked`, `mend_asked` and `back_asked` tell what the user wants."""

    cases_asked = Signal()
    mend_asked = Signal()
    back_asked = Signal()

    def __init__(
        self,
        finding: Finding,
        step: Mended | None,
        noun: str,
        parent: QWidget | None = None,
        *,
        writable: bool = True,
    ) -> None:
        super().__init__(parent)
        self.finding = finding
        self.picture = QLabel(self)
        self.picture.setToolTip(SYMBOLS[finding.severity][1])
        self.sentence = QLabel(rich(finding.sentence), self)
        self.sentence.setTextFormat(Qt.TextFormat.RichText)
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setAccessibleName(f"{finding.severity.value}: {finding.sentence}")
        self.cases = LinkButton("", self)
        self.fix: GhostButton | None = None
        self.done: QuietLabel | None = None
        self._lay_out(step, noun, writable)
        self.wear_icon()

    def wear_icon(self) -> None:
        """Draw the mark in the colours of the theme; amber is for rare classes alone."""
        t, severity = look().tokens, self.finding.severity
        symbol, colour = SYMBOLS[severity][0], RED if severity is Severity.ERROR else t.quiet
        if self.done is not None:
            symbol, colour = "ph.check-circle", GREEN
        elif self.finding.kind in RARE:
            colour = TAIL
        mark = icon(symbol, t.written(colour))
        self.picture.setPixmap(mark.pixmap(ICON_PX, ICON_PX))

    def _lay_out(self, step: Mended | None, noun: str, writable: bool) -> None:
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.sentence)
        if step is not None:
            self.done = QuietLabel(f"Done: {step.sentence}", self)
            words.addWidget(self.done)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        self._add_cases(buttons, noun, step)
        self._add_fix(buttons, step, writable)
        if buttons.count():
            buttons.addStretch(1)
            words.addLayout(buttons)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(HairLine(self))

    def _add_cases(self, buttons: QHBoxLayout, noun: str, step: Mended | None) -> None:
        gone = set(self.finding.fix.leave_out) if step and self.finding.fix else set()
        count = sum(case not in gone for case in self.finding.cases)
        self.cases.setText(f"Show {plural(count, noun)}" if count > 1 else f"Show the {noun}")
        self.cases.setToolTip("List them in Cases, and open the first")
        self.cases.clicked.connect(lambda _checked=False: self.cases_asked.emit())
        self.cases.setVisible(count > 0)
        if count:
            buttons.addWidget(self.cases)

    def _add_fix(self, buttons: QHBoxLayout, step: Mended | None, writable: bool) -> None:
        if step is None and self.finding.fix is None:
            return
        text = "Undo" if step is not None else fix_words(self.finding)
        tip = "Put it back as it was" if step is not None else tip_of(self.finding)
        self.fix = GhostButton(text, self, tip=tip)
        if not writable:
            self.fix.setEnabled(False)
            self.fix.setToolTip("The project is open for reading only.")
        asked = self.back_asked if step is not None else self.mend_asked
        self.fix.clicked.connect(lambda _checked=False: asked.emit())
        buttons.addWidget(self.fix)


def fix_words(finding: Finding) -> str:
    """Give the few words of the button that mends a finding."""
    fix = finding.fix
    if fix is None:
        return ""
    if fix.parts:
        return f"Move {len(fix.parts):,}"
    if fix.leave_out:
        return f"Leave {len(fix.leave_out):,} out"
    return "Take the labels away"


def tip_of(finding: Finding) -> str:
    """Say the whole of what the button does."""
    return f"{finding.fix.sentence} It can be undone." if finding.fix else ""
