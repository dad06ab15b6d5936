"""The parts that the import dialog is made of: where to begin, and small layouts."""

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..widgets.basic import Card, LinkButton, QuietLabel, TextLabel, mark
from ..widgets.choice import BigChoice

TABLES = "Tables (*.csv *.tsv)"
SOURCES = "Tables and arrays (*.csv *.tsv *.npz)"


class BeginPage(QWidget):
    """Asks for the images, and for labels that are kept apart; `chosen` gives the images."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels: Path | None = None
        intro = QuietLabel(
            "Choose where the images are. Nothing in that folder is changed or copied, and you "
            "see what will be imported before anything is.",
            self,
        )
        folder = BigChoice(
            "ph.folder-open",
            "A folder of images",
            "NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG, TIFF; MSD and nnU-Net folders",
            self,
        )
        folder.clicked.connect(lambda _checked=False: self._choose_folder())
        table = BigChoice(
            "ph.table",
            "A table or a MedMNIST file",
            "CSV with a column of files and one of labels; or .npz",
            self,
        )
        table.clicked.connect(lambda _checked=False: self._choose_file())
        apart = LinkButton(
            "Labels are somewhere else...",
            self,
            tip="A table or a folder of masks that belongs to the images",
        )
        apart.setMenu(self._labels_menu())
        self.words = QuietLabel("", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(10)
        column.addWidget(intro)
        column.addSpacing(4)
        column.addWidget(folder)
        column.addWidget(table)
        column.addWidget(apart, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.words)
        column.addStretch(1)

    def take_labels(self, name: str) -> None:
        """Take labels from a folder or table; empty changes nothing."""
        if name:
            self.labels = Path(name)
            self.words.setText(f"Labels from {name}. Now choose the images.")

    def _choose_folder(self) -> None:
        self._tell(QFileDialog.getExistingDirectory(self, "A folder of images"))

    def _choose_file(self) -> None:
        title = "A table or a MedMNIST file"
        self._tell(QFileDialog.getOpenFileName(self, title, "", SOURCES)[0])

    def _tell(self, name: str) -> None:
        if name:
            self.chosen.emit(name)

    def _labels_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("In a folder of masks...").triggered.connect(
            lambda _checked=False: self.take_labels(
                QFileDialog.getExistingDirectory(self, "A folder of masks")
            )
        )
        menu.addAction("In a table...").triggered.connect(
            lambda _checked=False: self.take_labels(
                QFileDialog.getOpenFileName(self, "A table of labels", "", TABLES)[0]
            )
        )
        return menu


def new_page() -> tuple[QWidget, QVBoxLayout]:
    """Make an empty page with its column."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 4, 0, 4)
    column.setSpacing(10)
    return page, column


def side_by_side(*parts: QWidget) -> QWidget:
    """Put parts into one row; the first takes the room."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for part in parts:
        row.addWidget(part)
    row.setStretch(0, 1)
    return holder


def scrolling(inner: QWidget) -> QScrollArea:
    """Let a part scroll down."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    area.setWidget(inner)
    return area


def fill(card: Card, sentences: list[str]) -> None:
    """Show sentences in a card, the first in semi-bold."""
    while (item := card.body.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.deleteLater()
    for number, sentence in enumerate(sentences):
        label = TextLabel(sentence, card)
        label.setWordWrap(True)
        if number == 0:
            mark(label, "strong")
        card.body.addWidget(label)
    card.body.addStretch(1)
