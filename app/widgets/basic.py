"""Labels, buttons, chips and cards."""

from collections.abc import Callable, Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .dress import icon

ICON_PX = 18


def mark(widget: QWidget, kind: str) -> None:
    """Mark a widget with the kind that the style sheet knows it by, and show it so."""
    widget.setProperty("longtail", kind)
    restyle(widget)


def restyle(widget: QWidget) -> None:
    """Read the style sheet again after a property changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class TextLabel(QLabel):
    """Text of one kind; plain text always, since names of files and classes are not ours."""

    kind = ""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        if self.kind:
            mark(self, self.kind)


class TitleLabel(TextLabel):
    """The title of a page: 14 px, semi-bold."""

    kind = "title"


class StrongLabel(TextLabel):
    """Text in semi-bold."""

    kind = "strong"


class QuietLabel(TextLabel):
    """What explains: 11 px, grey, wraps."""

    kind = "quiet"

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)


class HairLine(QFrame):
    """A line of one pixel between two parts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(1)
        mark(self, "line")


class SectionLabel(QWidget):
    """A hairline and small grey capitals; `aside` is quiet text at the right."""

    def __init__(
        self, text: str, aside: str = "", parent: QWidget | None = None, *, line: bool = True
    ) -> None:
        super().__init__(parent)
        self.label = QLabel(text.upper(), self)
        mark(self.label, "section")
        self.aside = TextLabel(aside, self)
        mark(self.aside, "quiet")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label)
        row.addStretch(1)
        row.addWidget(self.aside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(10)
        if line:
            column.addWidget(HairLine(self))
        column.addLayout(row)

    def set_text(self, text: str, aside: str | None = None) -> None:
        """Change the words."""
        self.label.setText(text.upper())
        if aside is not None:
            self.aside.setText(aside)


class BigNumber(QWidget):
    """The one number that a page is about, with up to two lines that say what it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = TextLabel("", self)
        mark(self.number, "big")
        self.first, self.second = TextLabel("", self), TextLabel("", self)
        self.right_first, self.right_second = TextLabel("", self), TextLabel("", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.number)
        for pair, stretch in (
            ((self.first, self.second), 1),
            ((self.right_first, self.right_second), 0),
        ):
            column = QVBoxLayout()
            column.setSpacing(2)
            for label in pair:
                mark(label, "quiet")
                column.addWidget(label)
            row.addLayout(column, stretch)

    def show_number(
        self, number: str, first: str = "", second: str = "", right: Sequence[str] = ("", "")
    ) -> None:
        """Show `number` and the lines beside it."""
        self.number.setText(number)
        self.first.setText(first)
        self.second.setText(second)
        self.right_first.setText(right[0])
        self.right_second.setText(right[1])
        self.setAccessibleName(" ".join((number, first, second, *right)).strip())


class ElidedLabel(TextLabel):
    """One line that is shortened in its middle; the whole text is its tooltip."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
        kind: str = "",
    ) -> None:
        super().__init__(text, parent)
        self._mode = mode
        if kind:
            mark(self, kind)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)

    def setText(self, text: str) -> None:
        """Show another text."""
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Room for an ellipsis."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        try:
            area = self.contentsRect()
            shown = self.fontMetrics().elidedText(self.text(), self._mode, area.width())
            painter.setPen(self.palette().color(self.foregroundRole()))
            painter.drawText(area, int(self.alignment()), shown)
        finally:
            painter.end()


class KeyHint(TextLabel):
    """A key in a small frame."""

    kind = "key"

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class GhostButton(QPushButton):
    """An ordinary button: an outline. `tip` becomes the tooltip, `symbol` a Phosphor icon."""

    kind = ""

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, symbol: str = "", tip: str = ""
    ) -> None:
        super().__init__(text, parent)
        self.symbol = symbol
        if self.kind:
            mark(self, self.kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(tip)
        self.wear_icon()

    def wear_icon(self) -> None:
        """Draw the icon in the colours of the theme."""
        if self.symbol:
            self.setIcon(icon(self.symbol))
            self.setIconSize(QSize(16, 16))


class PrimaryButton(GhostButton):
    """The one thing to do on a page; stands at its foot."""

    kind = "primary"

    def wear_icon(self) -> None:
        """Draw the icon in white."""
        if self.symbol:
            self.setIcon(icon(self.symbol, "#ffffff"))
            self.setIconSize(QSize(16, 16))


class LinkButton(GhostButton):
    """A few blue words that do something."""

    kind = "link"


class Chip(QPushButton):
    """A round filter that is on or off, with a count where one is given."""

    def __init__(self, text: str, parent: QWidget | None = None, *, tip: str = "") -> None:
        super().__init__(text, parent)
        self.words = text
        self.setCheckable(True)
        self.setToolTip(tip)
        self.setAccessibleName(text)
        mark(self, "chip")

    def set_count(self, count: int | None) -> None:
        """Show a count behind the words."""
        self.setText(self.words if count is None else f"{self.words} {count:,}")


class IconButton(QToolButton):
    """A picture that does something; its tooltip names what and the key."""

    def __init__(
        self,
        symbol: str,
        tip: str,
        parent: QWidget | None = None,
        *,
        key: str = "",
        checkable: bool = False,
    ) -> None:
        super().__init__(parent)
        self.symbol = symbol
        self.setCheckable(checkable)
        self.setToolTip(f"{tip} ({key})" if key else tip)
        self.setAccessibleName(tip)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        mark(self, "icon")
        self.wear_icon()

    def wear_icon(self) -> None:
        """Draw the icon in the colours of the theme."""
        self.setIcon(icon(self.symbol))

    def show_symbol(self, symbol: str) -> None:
        """Show another picture."""
        self.symbol = symbol
        self.wear_icon()


class Card(QFrame):
    """A raised box; `tone` tail, bad or good gives it a coloured edge. Add to `body`."""

    def __init__(self, parent: QWidget | None = None, *, tone: str = "") -> None:
        super().__init__(parent)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(12, 10, 12, 10)
        self.body.setSpacing(6)
        self.setProperty("tone", tone)
        mark(self, "card")

    def set_tone(self, tone: str) -> None:
        """Change the edge."""
        self.setProperty("tone", tone)
        restyle(self)


class Segments(QWidget):
    """One of a few words; `chosen` is emitted when the user picks another."""

    chosen = Signal(str)

    def __init__(self, words: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for value, word in words:
            button = QPushButton(word, self)
            button.setCheckable(True)
            button.setProperty("segment", "true")
            self._group.addButton(button)
            self._buttons[value] = button
            button.clicked.connect(self._picker(value))
            row.addWidget(button, 1)

    def _picker(self, value: str) -> Callable[[], None]:
        def pick() -> None:
            self.chosen.emit(value)

        return pick

    def set_value(self, value: str) -> None:
        """Show `value` as chosen, without telling."""
        if value in self._buttons:
            self._buttons[value].setChecked(True)

    def value(self) -> str:
        """Give what is chosen; empty before anything is."""
        return next((v for v, b in self._buttons.items() if b.isChecked()), "")
