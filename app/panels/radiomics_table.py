"""The table of features: sorted by a click on a head, with a bar for each z-score."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from qtpy.QtGui import QFont, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from ..theme import look
from .radiomics_bars import paint_z
from .radiomics_model import (
    HEAD_TIPS,
    HEADS,
    NAME,
    FeatureRow,
    Z,
    arranged,
    shown_columns,
)
from .radiomics_words import UNUSUAL

ROW_PX = 24
WIDTHS = (160, 66, 72, 96, 70, 74, 74)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

Index: TypeAlias = QModelIndex | QPersistentModelIndex


class FeatureModel(QAbstractTableModel):
    """The rows that are shown, in the columns that have something in them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._every: tuple[FeatureRow, ...] = ()
        self._shown: tuple[FeatureRow, ...] = ()
        self._columns: tuple[int, ...] = (NAME,)
        self._text, self._column, self._turned = "", Z, False

    @property
    def rows(self) -> tuple[FeatureRow, ...]:
        """The rows as they stand."""
        return self._shown

    def column_at(self, place: int) -> int:
        """Give which of `HEADS` stands at a place."""
        return self._columns[place] if 0 <= place < len(self._columns) else NAME

    def show_rows(self, rows: Sequence[FeatureRow]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self._every, self._columns = tuple(rows), shown_columns(rows)
        self._arrange()
        self.endResetModel()

    def find(self, text: str) -> None:
        """Show only features whose name holds a text."""
        self.beginResetModel()
        self._text = text
        self._arrange()
        self.endResetModel()

    def sort_by(self, place: int) -> None:
        """Sort by the column at a place: the largest first; once more turns it."""
        self.beginResetModel()
        column = self.column_at(place)
        self._turned = not self._turned if column == self._column else False
        self._column = column
        self._arrange()
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """How many rows there are."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as above
        """How many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Give what a cell shows."""
        row, column = self._shown[index.row()], self.column_at(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return row.texts[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column == NAME else _RIGHT
        if role == Qt.ItemDataRole.FontRole and column == Z and abs(row.z or 0.0) >= UNUSUAL:
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> Any:
        """Give the heads of the columns."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = self.column_at(section)
        if role == Qt.ItemDataRole.DisplayRole:
            # Qt's own arrow would lie over words that stand at the right.
            arrow = "▴ " if self._turned else "▾ "
            return f"{arrow if column == self._column else ''}{HEADS[column]}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return HEAD_TIPS[column]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT if column == NAME else _RIGHT
        return None

    def _arrange(self) -> None:
        self._shown = arranged(self._every, self._text, self._column, turned=self._turned)


class ZDelegate(QStyledItemDelegate):
    """Draws a bar beside the figure in the column of z-scores."""

    def __init__(self, table: "FeatureTable") -> None:
        super().__init__(table)
        self._table = table

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a cell."""
        super().paint(painter, option, index)
        rows = self._table.features.rows
        if self._table.features.column_at(index.column()) != Z or index.row() >= len(rows):
            return
        area = QRectF(option.rect).adjusted(6, 0, -42, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if rows[index.row()].compared is not None:
            paint_z(painter, look().tokens, rows[index.row()].z, area)
        painter.restore()


class FeatureTable(QTableView):
    """All features of a region."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.features = FeatureModel(self)
        self.setModel(self.features)
        self._delegate = ZDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Features of the region")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        head = self.horizontalHeader()
        head.setMinimumSectionSize(40)
        head.setStretchLastSection(False)
        head.setHighlightSections(False)
        head.setSectionsClickable(True)
        head.sectionClicked.connect(self.features.sort_by)
        self.features.modelReset.connect(self._fit)

    def _fit(self) -> None:
        head, modes = self.horizontalHeader(), QHeaderView.ResizeMode
        for place in range(self.features.columnCount()):
            column = self.features.column_at(place)
            head.setSectionResizeMode(place, modes.Stretch if column == NAME else modes.Fixed)
            if column != NAME:
                self.setColumnWidth(place, WIDTHS[column])
