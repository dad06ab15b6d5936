"""What lies behind the figures of images: mistakes, curves and reliability, each folded."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ...core.evaluate.curves import ClassCurves, Curve
from ...core.evaluate.report import EvaluatedClass, Report
from ..settings_form import Fold
from ..widgets import GhostButton, HairLine, QuietLabel
from .results_matrix import MatrixView, MistakeList
from .results_mistakes import Mistake, cases_taken, matrix_of, mistakes, wrong_cases
from .results_model import told_value
from .results_parts import MenuButton
from .results_plots import ClassCurvePlot, ReliabilityPlot

TAKEN, MISSED = "What was taken for what", "What was missed"


class DetailsPart(QWidget):
    """Three folds; what a fold holds is drawn when it is opened."""

    cases_asked = Signal(tuple, str)
    """The ids of images to list, and what they have in common in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._report: Report | None = None
        self.mistakes = MistakesPart(self)
        self.curves = CurvesPart(self)
        self.reliability = ReliabilityPart(self)
        self.folds: dict[str, Fold] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(HairLine(self))
        for title, part in (
            (TAKEN, self.mistakes),
            ("How well each class is told apart", self.curves),
            ("Whether its confidence can be trusted", self.reliability),
        ):
            column.addWidget(self._fold(title, part))
        self.mistakes.cases_asked.connect(self.cases_asked)
        self.hide()

    def show_report(self, report: Report | None) -> None:
        """Show what a report holds; nothing of label maps."""
        self._report = report if report is not None and report.images is not None else None
        self.setVisible(self._report is not None)
        several = report is not None and report.confusion is None
        self.folds[TAKEN].set_title(MISSED if several else TAKEN)
        self._draw()

    def _fold(self, title: str, part: QWidget) -> Fold:
        fold = self.folds[title] = Fold(title, self)
        inside = QVBoxLayout(fold.body)
        inside.setContentsMargins(0, 0, 0, 4)
        inside.addWidget(part)
        fold.toggled.connect(lambda _opened: self._draw())
        return fold

    def _draw(self) -> None:
        if self._report is None:
            return
        shows = (
            self.mistakes.show_report,
            self.curves.show_report,
            self.reliability.show_report,
        )
        for fold, show in zip(self.folds.values(), shows, strict=True):
            if fold.is_open:
                show(self._report)


class MistakesPart(QWidget):
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


class CurvesPart(QWidget):
    """ROC and precision-recall of one class, the others behind it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._report: Report | None = None
        self._name = ""
        self.choice = MenuButton("Which class", self)
        self.roc = ClassCurvePlot("false alarms", "found", self)
        self.recall = ClassCurvePlot("found", "precision", self)
        self.words = QuietLabel("", self)
        plots, head = QHBoxLayout(), QHBoxLayout()
        plots.setSpacing(6)
        plots.addWidget(self.roc, 1)
        plots.addWidget(self.recall, 1)
        head.addWidget(self.choice)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addLayout(plots)
        column.addWidget(self.words)
        self.choice.chosen.connect(self._choose)

    def show_report(self, report: Report) -> None:
        """Show the curves of a report; the rarest class first."""
        self._report = report
        curves = {one.name: one for one in report.images.curves} if report.images else {}
        classes = sorted((c for c in report.classes if c.name in curves), key=lambda c: c.training)
        self.setEnabled(bool(classes))
        if not classes:
            self.words.setText("No class has both images with and without it.")
            return
        chosen = next((c for c in classes if c.name == self._name), classes[0])
        self.choice.offer(chosen.name, [(c.name, c.name) for c in classes], chosen.name)
        self._show(report, chosen, curves[chosen.name], tuple(curves.values()))

    def _show(
        self, report: Report, each: EvaluatedClass, own: ClassCurves, every: Sequence[ClassCurves]
    ) -> None:
        others = [one for one in every if one is not own]
        share = own.there / own.known
        chance = Curve((0.0, 1.0), (0.0, 1.0)), Curve((0.0, 1.0), (share, share))
        rocs, recalls = [o.roc for o in others], [o.precision_recall for o in others]
        self.roc.show_curve(own.roc, rocs, chance[0], each.tier, few=each.few)
        self.recall.show_curve(own.precision_recall, recalls, chance[1], each.tier, few=each.few)
        text = f"In {own.there:,} of {own.known:,} images. AUC {told_value(report, 'auc', each)}; "
        text += f"average precision {told_value(report, 'average_precision', each)}."
        if each.few:
            text += " So few images cannot show how well it is told apart."
        self.words.setText(text)

    def _choose(self, name: str) -> None:
        self._name = name
        if self._report is not None:
            self.show_report(self._report)


class ReliabilityPart(QWidget):
    """The reliability diagram of all answers, or of one class of several."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._report: Report | None = None
        self._name = ""
        self.choice = MenuButton("Which class", self)
        self.plot = ReliabilityPlot(self)
        self.words = QuietLabel("", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for widget in (self.choice, self.plot, self.words):
            column.addWidget(widget)
        self.choice.chosen.connect(self._choose)

    def show_report(self, report: Report) -> None:
        """Show whether what was called sure was right."""
        self._report = report
        shown = report.images.reliability if report.images else ()
        if not shown:
            return
        one = next((each for each in shown if each.name == self._name), shown[0])
        self.choice.setVisible(bool(one.name))
        self.choice.offer(one.name, [(each.name, each.name) for each in shown], one.name)
        self.plot.show_reliability(one)
        each = next((c for c in report.classes if c.name == one.name), None)
        self.words.setText(
            f"Calibration error {told_value(report, 'ece', each)} over {one.n:,} answers. Points "
            "below the line: it is surer than it should be. Open points stand for fewer than 5 "
            "answers; the bars count them."
        )

    def _choose(self, name: str) -> None:
        self._name = name
        if self._report is not None:
            self.show_report(self._report)
