"""Chooses a method from a list that says of each what it does."""

from collections.abc import Sequence
from typing import TypeAlias

from qtpy.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter
from qtpy.QtWidgets import (
    QComboBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ...core.methods.catalogue import Method
from ..theme import QUIET_PX, TEXT_PX, look
from ..widgets import QuietLabel
from ..widgets.basic import TextLabel
from ..widgets.calm import keep_wheel_calm
from ..widgets.paint import bar, sized

LIST_PX = 380
MOST_ROWS = 7
_EDGE, _LINES, _SCROLLBAR_PX = 10, 2, 12
_SENTENCE = int(Qt.ItemDataRole.UserRole) + 1
_WRAP = int(Qt.TextFlag.TextWordWrap)
Index: TypeAlias = QModelIndex | QPersistentModelIndex


class MethodChooser(QWidget):
    """The method, what it does, and when to use it."""

    chosen_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._methods: tuple[Method, ...] = ()
        self.box = QComboBox(self)
        self.box.setAccessibleName("Method")
        self.box.setMaxVisibleItems(MOST_ROWS)
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        keep_wheel_calm(self.box)
        # A delegate without an owner is collected, and the process dies with it.
        self.box.setItemDelegate(MethodDelegate(self.box))
        self.box.view().setMinimumWidth(LIST_PX)
        self.sentence = TextLabel("", self)
        self.sentence.setWordWrap(True)
        self.when = QuietLabel("", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.sentence)
        column.addWidget(self.when)
        self.box.currentIndexChanged.connect(self._choose)

    def show_methods(self, methods: Sequence[Method]) -> bool:
        """Offer `methods` in this order; tell whether they are others than before."""
        if tuple(methods) == self._methods:
            return False
        self._methods = tuple(methods)
        self.box.blockSignals(True)
        self.box.clear()
        for method in methods:
            self.box.addItem(method.title, method.name)
            self.box.setItemData(self.box.count() - 1, method.sentence, _SENTENCE)
            said = f"{method.title}: {method.sentence}"
            self.box.setItemData(
                self.box.count() - 1, said, int(Qt.ItemDataRole.AccessibleTextRole)
            )
        self.box.blockSignals(False)
        self._choose()
        return True

    @property
    def chosen(self) -> Method:
        """The method that is chosen."""
        return self._methods[max(self.box.currentIndex(), 0)]

    def _choose(self, *_: object) -> None:
        method = self.chosen
        self.sentence.setText(method.sentence)
        self.when.setText(method.when)
        self.box.setToolTip(f"{method.sentence}\n{method.when}")
        self.chosen_changed.emit()


class MethodDelegate(QStyledItemDelegate):
    """A row of the list: the title, and below it in two quiet lines what the method does."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Give room for the title and the lines that the sentence takes."""
        title, quiet = self._fonts(option)
        wide = LIST_PX - 2 * _EDGE - _SCROLLBAR_PX
        most = QFontMetrics(quiet).lineSpacing() * _LINES
        words = str(index.data(_SENTENCE) or "")
        taken = QFontMetrics(quiet).boundingRect(0, 0, wide, 1000, _WRAP, words).height()
        return QSize(wide, QFontMetrics(title).height() + min(taken, most) + 14)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        painter.save()
        try:
            self._paint(painter, option, index)
        finally:
            painter.restore()

    def _paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        t, area = look().tokens, QRectF(option.rect)
        lit = bool(option.state & QStyle.StateFlag.State_Selected)
        bar(painter, area, t.selected if lit else t.card, 0)
        title, quiet = self._fonts(option)
        inner = area.adjusted(_EDGE, 6, -_EDGE, -6)
        painter.setFont(title)
        painter.setPen(QColor(t.text))
        high = QFontMetrics(title).height()
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignTop), str(index.data() or ""))
        painter.setFont(quiet)
        painter.setPen(QColor(t.quiet))
        below = inner.adjusted(0, high + 2, 0, 2)
        painter.drawText(below, _WRAP, str(index.data(_SENTENCE) or ""))

    @staticmethod
    def _fonts(option: QStyleOptionViewItem) -> tuple[QFont, QFont]:
        return sized(option.font, TEXT_PX, bold=True), sized(option.font, QUIET_PX)
