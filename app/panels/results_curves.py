"""ROC, precision-recall and reliability of a run on images, drawn with pyqtgraph."""

from collections.abc import Sequence

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ...core.evaluate.curves import ClassCurves, Curve
from ...core.evaluate.report import EvaluatedClass, Report
from ..widgets import QuietLabel
from .results_model import told_value
from .results_parts import MenuButton, ReportPart
from .results_plots import ClassCurvePlot, ReliabilityPlot


class CurvesPart(ReportPart):
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


class ReliabilityPart(ReportPart):
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
