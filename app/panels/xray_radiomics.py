"""The radiomics of a box: the three most unusual features, what they are compared with, all."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ...core.radiomics.unusual import TrainingRegions, most_unusual
from ..widgets import LinkButton, QuietLabel, SectionLabel
from .radiomics_bars import ZRow, ZRows
from .radiomics_reader import RegionAsked, RegionReader
from .radiomics_words import compared_sentence, short_name, source_words, too_few_words

if TYPE_CHECKING:
    from ..session import Session

ALL = "All features"


class BoxRadiomics(QWidget):
    """What is unusual about the box of the finding that is chosen."""

    all_asked = Signal()

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reader = RegionReader(session, self)
        self._name = ""
        self.section = SectionLabel("Radiomics of the box", "z within class", self)
        self.rows = ZRows(self)
        self.words = QuietLabel("", self)
        self.all = LinkButton(
            ALL, self, tip="Every feature, its rank, and another region beside it"
        )
        self.all.clicked.connect(lambda _checked=False: self.all_asked.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.section, self.rows, self.words):
            column.addWidget(widget)
        column.addWidget(self.all, 0, Qt.AlignmentFlag.AlignLeft)
        self.section.aside.setToolTip(
            "How many standard deviations a feature lies above (+) or below (-) the mean\n"
            "of this class's regions in the training images. Beyond 2 is unusual."
        )
        self.reader.changed.connect(self.refresh)
        self.refresh()

    def ask(self, asked: RegionAsked | None, name: str) -> None:
        """Show the features of a box of the class `name`; None shows nothing."""
        self._name = name
        self.reader.ask(asked)
        self.setVisible(asked is not None)

    def refresh(self) -> None:
        """Show what is known now."""
        reader = self.reader
        reader.measure_class_once()
        compared = reader.compared
        chosen = most_unusual(compared)
        self.rows.show_rows(
            [
                ZRow(short_name(each), compared[each].z, compared_sentence(each, compared[each]))
                for each in chosen
            ]
        )
        self.rows.setVisible(bool(chosen))
        self.all.setVisible(reader.state == "measured")
        words = self._say()
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def _say(self) -> str:
        reader, regions = self.reader, self.reader.regions
        if reader.state == "failed":
            return reader.words
        if reader.state == "measuring":
            return "Measuring the box ..."
        if regions is None:
            return ""
        return compared_words(regions, reader, self._name)

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self.reader.close_threads()


def compared_words(
    regions: TrainingRegions, reader: RegionReader, name: str, *, boxes: bool = True
) -> str:
    """Say what a region is compared with, or how far that is measured."""
    progress = reader.progress
    if progress is not None:
        far = f" {progress.done:,} of {progress.total:,}" if progress.total else ""
        return f"Measuring the training regions of {name}:{far or ' waiting for the device'} ..."
    if not regions.is_enough:
        return too_few_words(regions, name, boxes=boxes)
    return source_words(regions, name, boxes=boxes)
