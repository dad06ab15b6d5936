"""All keys on one sheet."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from .basic import KeyHint, SectionLabel, TextLabel, TitleLabel, mark
from .dress import dress

KeyTable = Sequence[tuple[str, Sequence[tuple[str, str]]]]
COLUMNS, COLUMN_PX = 3, 276


class KeySheet(QDialog):
    """Sections of keys with what they do, in three columns."""

    def __init__(self, table: KeyTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keys")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 20, 24, 24)
        whole.setSpacing(12)
        whole.addWidget(TitleLabel("Keys", self))
        row = QHBoxLayout()
        row.setSpacing(32)
        for column in _columns(table):
            row.addLayout(self._column(column), 1)
        whole.addLayout(row)
        whole.addStretch(1)
        dress(self)
        self._make_room()

    def _make_room(self) -> None:
        """Be as high as the words need when they wrap; their own hint takes them as one line."""
        for label in self.findChildren(QWidget):
            label.ensurePolished()
        width = COLUMNS * COLUMN_PX + 2 * 24 + (COLUMNS - 1) * 32
        self.setMinimumSize(width, self.layout().heightForWidth(width))

    def _column(self, sections: KeyTable) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(10)
        for title, keys in sections:
            column.addWidget(SectionLabel(title, parent=self))
            grid = QGridLayout()
            grid.setHorizontalSpacing(12)
            grid.setVerticalSpacing(6)
            grid.setColumnStretch(1, 1)
            grid.setColumnMinimumWidth(0, 96)
            for place, (key, words) in enumerate(keys):
                grid.addLayout(self._keys(key), place, 0)
                label = TextLabel(words, self)
                label.setWordWrap(True)
                mark(label, "plain")
                grid.addWidget(label, place, 1)
            column.addLayout(grid)
        column.addStretch(1)
        return column

    def _keys(self, keys: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for key in keys.split(" "):
            row.addWidget(KeyHint(key, self))
        row.addStretch(1)
        return row


def _columns(table: KeyTable) -> list[list[tuple[str, Sequence[tuple[str, str]]]]]:
    """Share sections out so that the columns are about as long."""
    columns: list[list[tuple[str, Sequence[tuple[str, str]]]]] = [[] for _ in range(COLUMNS)]
    lengths = [0] * COLUMNS
    for section in table:
        place = lengths.index(min(lengths))
        columns[place].append(section)
        lengths[place] += len(section[1]) + 2
    return columns
