"""The page that a panel is: a head, a body that scrolls down only, a foot with the one button."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from ..theme import EDGE, look
from .basic import PrimaryButton, QuietLabel, TitleLabel, mark
from .dress import icon


class Page(QWidget):
    """Head, scrolling body and foot; add to `head`, `body` and `foot` (vertical layouts)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.head, self.body, self.foot = QVBoxLayout(), QVBoxLayout(), QVBoxLayout()
        self.head.setContentsMargins(EDGE, EDGE, EDGE, 0)
        self.body.setContentsMargins(EDGE, 8, EDGE, 8)
        self.foot.setContentsMargins(EDGE, 8, EDGE, EDGE)
        for part in (self.head, self.body, self.foot):
            part.setSpacing(8)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(self.head)
        whole.addWidget(self._scroll(), 1)
        whole.addLayout(self.foot)

    def _scroll(self) -> QScrollArea:
        inner = QWidget()
        mark(inner, "body")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self.body)
        column.addStretch(1)
        self.scroll = QScrollArea(self)
        self.scroll.setWidgetResizable(True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll.setWidget(inner)
        return self.scroll


class EmptyState(QWidget):
    """What a panel says when there is nothing yet: why, and the button that changes it."""

    def __init__(
        self,
        symbol: str,
        title: str,
        text: str,
        action: tuple[str, Callable[[], object]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.symbol = symbol
        self.picture = QLabel(self)
        self.title, self.text = TitleLabel(title, self), QuietLabel(text, self)
        self.button: PrimaryButton | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(EDGE, 24, EDGE, 24)
        column.setSpacing(8)
        for label in (self.picture, self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        self.title.setWordWrap(True)
        if action is not None:
            self.button = PrimaryButton(action[0], self)
            self.button.clicked.connect(lambda _checked=False: action[1]())
            column.addSpacing(4)
            column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.wear_icon()

    def wear_icon(self) -> None:
        """Draw the picture in the colours of the theme."""
        self.picture.setPixmap(icon(self.symbol, look().tokens.faint).pixmap(32, 32))
