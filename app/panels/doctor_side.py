"""Beside the findings: the classes in numbers, what alone tells them, what a training needs."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from ...core.review.doctor_records import Probe, Report
from ..widgets.basic import ElidedLabel, QuietLabel, SectionLabel, TextLabel, mark
from ..widgets.calm import keep_wheel_calm
from .doctor_table import CountTable
from .train_words import share

SOURCES = (
    ("encoder", "Whole picture", "A network trained on photographs, before any training of ours"),
    ("thumbnail", "24 pixels of it", "A figure only: colour and shape may be rightful cues"),
    ("border", "Its border alone", "As good as the whole picture would be a shortcut"),
)
COLUMNS_SHOWN = 3


class Pairs(QWidget):
    """What and how much, a pair a line; the second stands at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)

    def show_pairs(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        """Show (what, how much, tooltip)."""
        while item := self._grid.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for row, (what, much, tip) in enumerate(pairs):
            left, right = ElidedLabel(what, self), TextLabel(much, self)
            right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for label in (left, right):
                mark(label, "quiet" if label is left else "")
                label.setToolTip(tip)
            self._grid.addWidget(left, row, 0)
            self._grid.addWidget(right, row, 1)


class DoctorSide(QWidget):
    """The numbers of a report; `method_chosen` asks what a training would need."""

    method_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.classes = SectionLabel("Labelled", parent=self, line=False)
        self.table = CountTable(self)
        self.told = SectionLabel("What tells the class", "mean AUC", self)
        self.told_pairs = Pairs(self)
        self.needs = SectionLabel("A training needs", parent=self)
        self.method = QComboBox(self)
        keep_wheel_calm(self.method)
        self.method.setToolTip("The method whose memory and time are told")
        self.method.setAccessibleName("Method")
        self.method.activated.connect(
            lambda row: self.method_chosen.emit(str(self.method.itemData(row)))
        )
        self.needs_pairs = Pairs(self)
        self.trouble = QuietLabel("", self)
        self.notes = QuietLabel("", self)
        self._lay_out()

    def show_report(self, report: Report, noun: str) -> None:
        """Show the numbers of a report."""
        self.classes.set_text("Labelled", f"{noun}s, tiers by train")
        self.table.show_classes(report.classes, noun)
        pairs = probe_pairs(report.probes)
        self.told.setVisible(bool(pairs))
        self.told_pairs.setVisible(bool(pairs))
        self.told_pairs.show_pairs(pairs)
        self.notes.setText("\n".join(report.notes))
        self.notes.setVisible(bool(report.notes))

    def offer_methods(self, methods: Sequence[tuple[str, str]]) -> None:
        """Offer (name, title) pairs."""
        self.method.clear()
        for name, title in methods:
            self.method.addItem(title, name)

    def show_needs(self, pairs: Sequence[tuple[str, str]], trouble: str = "") -> None:
        """Show what a training needs, or why it cannot be told."""
        self.needs_pairs.show_pairs([(what, much, "") for what, much in pairs])
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 8, 8)
        column.setSpacing(6)
        chooser = QHBoxLayout()
        chooser.addWidget(self.method, 1)
        for part in (self.classes, self.table, self.told, self.told_pairs, self.notes, self.needs):
            column.addWidget(part)
        column.addLayout(chooser)
        column.addWidget(self.needs_pairs)
        column.addWidget(self.trouble)
        column.addStretch(1)


def probe_pairs(probes: Sequence[Probe]) -> list[tuple[str, str, str]]:
    """Give what tells the class and how well, the mean over the classes, as lines."""
    means: dict[str, float] = {}
    for source in dict.fromkeys(probe.source for probe in probes):
        values = [probe.auc for probe in probes if probe.source == source]
        means[source] = sum(values) / len(values)
    pairs = [(what, share(means[key]), tip) for key, what, tip in SOURCES if key in means]
    columns = sorted((key for key in means if ":" in key), key=lambda key: -means[key])
    for key in columns[:COLUMNS_SHOWN]:
        name = key.partition(":")[2]
        what = "Patient's number" if name == "patient" else f"Column {name}"
        pairs.append((what, share(means[key]), "A column of the table, without the picture"))
    return pairs
