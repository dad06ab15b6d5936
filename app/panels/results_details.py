"""What lies behind the figures of images: mistakes, curves and reliability, each folded."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...core.evaluate.report import Report
from ..settings_form import Fold
from ..widgets import GhostButton, HairLine, QuietLabel
from .results_matrix import MatrixView, MistakeList
from .results_mistakes import Mistake, cases_taken, matrix_of, mistakes, wrong_cases
from .results_parts import ReportPart

TAKEN, MISSED = "What was taken for what", "What was missed"
CURVES = "How well each class is told apart"
RELIABILITY = "Whether its confidence can be trusted"


class DetailsPart(QWidget):
    """Three folds; what a fold holds is drawn when it is opened."""

    cases_asked = Signal(tuple, str)
    """The ids of images to list, and what they have in common in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._report: Report | None = None
        self.folds: dict[str, Fold] = {}
        self.parts: dict[str, ReportPart] = {}
        self._insides: dict[str, QVBoxLayout] = {}
        self._makers = {
            TAKEN: self._mistakes,
            CURVES: _curves,
            RELIABILITY: _reliability,
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(HairLine(self))
        for title in self._makers:
            column.addWidget(self._fold(title))
        self.hide()

    def show_report(self, report: Report | None) -> None:
        """Show what a report holds; nothing of label maps."""
        self._report = report if report is not None and report.images is not None else None
        self.setVisible(self._report is not None)
        several = report is not None and report.confusion is None
        self.folds[TAKEN].set_title(MISSED if several else TAKEN)
        self._draw()

    def _fold(self, title: str) -> Fold:
        fold = self.folds[title] = Fold(title, self)
        inside = self._insides[title] = QVBoxLayout(fold.body)
        inside.setContentsMargins(0, 0, 0, 4)
        fold.toggled.connect(lambda _opened: self._draw())
        return fold

    def _draw(self) -> None:
        if self._report is None:
            return
        for title, fold in self.folds.items():
            if not fold.is_open:
                continue
            if title not in self.parts:
                part = self.parts[title] = self._makers[title]()
                self._insides[title].addWidget(part)
            self.parts[title].show_report(self._report)

    def _mistakes(self) -> ReportPart:
        part = MistakesPart(self)
        part.cases_asked.connect(self.cases_asked)
        return part


def _curves() -> ReportPart:
    # Plots are loaded with the first fold that needs them, not when the window starts.
    from .results_curves import CurvesPart

    return CurvesPart()


def _reliability() -> ReportPart:
    from .results_curves import ReliabilityPart

    return ReliabilityPart()


class MistakesPart(ReportPart):
    """The matrix and the most frequent mistakes; a click lists their images."""

    cases_asked = Signal(tuple, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._report: Report | None = None
        self._mistakes: tuple[Mistake, ...] = ()
        self.matrix, self.list = MatrixView(self), MistakeList(self)
        self.words = QuietLabel("Click a cell or a line to list its images.", self)
        self.all = GhostButton("", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.matrix, self.list, self.words, self.all):
            column.addWidget(widget)
        self.matrix.picked.connect(self._pick_cell)
        self.list.picked.connect(self._pick_row)
        self.all.clicked.connect(lambda _checked=False: self._pick_all())

    def show_report(self, report: Report) -> None:
        """Show the mistakes of a report."""
        if report is self._report:
            return
        self._report, self._mistakes = report, mistakes(report)
        matrix, wrong = matrix_of(report), len(wrong_cases(report))
        self.matrix.setVisible(matrix is not None)
        if matrix is not None:
            self.matrix.show_matrix(matrix)
        self.list.show_mistakes(self._mistakes)
        self.words.setVisible(bool(wrong))
        self.all.setVisible(bool(wrong))
        what = "wrong images" if matrix is not None else "images with one missed"
        self.all.setText(f"List all {wrong:,} {what}" if wrong > 1 else "List the wrong one")

    def _pick_cell(self, true: int, said: int) -> None:
        matrix = matrix_of(self._report) if self._report is not None else None
        if self._report is None or matrix is None:
            return
        names = matrix.names[true], matrix.names[said]
        same = true == said
        words = f"{names[0]} found" if same else f"{names[0]} taken for {names[1]}"
        self.cases_asked.emit(cases_taken(self._report, *names), words)

    def _pick_row(self, row: int) -> None:
        one = self._mistakes[row]
        self.cases_asked.emit(one.cases, one.words)

    def _pick_all(self) -> None:
        if self._report is not None:
            words = "something missed" if self._report.confusion is None else "answered wrongly"
            self.cases_asked.emit(wrong_cases(self._report), words)
