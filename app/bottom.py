"""The bottom of the window: pages as wide as the image, hidden until one is asked for.

A page is made when it is first opened. A page that has a widget `head` shows it in the row of the
tabs, so that a low dock loses no second row; one that has `close_threads` is told when the window
goes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QResizeEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from .settings import store
from .theme import EDGE
from .widgets.basic import HairLine, IconButton, TitleLabel, mark
from .widgets.dress import dress, icon

KEY = "Ctrl+J"
HEIGHT_PX, SHARE = 270, 0.32
"""How high it is at first: so many pixels, or a share of the window where that is more."""

LEAST_PX, LEAST_WIDTH_PX = 170, 320
ROW_PX = 38
ICONS_FROM_PX = 900
HEAD_PX = 380
"""What the head of a page needs beside the tabs; with less room it gets a row of its own."""

MakePage = Callable[[], QWidget]


@dataclass
class _Page:
    """A page that can be opened; `widget` is None until it was."""

    title: str
    make: MakePage
    symbol: str
    widget: QWidget | None = None


class Bottom(QWidget):
    """Tabs over pages; `shown_asked` tells whether the dock is to be seen, and how high.

    `turned` tells the name of the page that was opened.
    """

    shown_asked = Signal(bool, int)
    turned = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: dict[str, _Page] = {}
        settings = store()
        self._wanted = str(settings.value("window/bottom/page", ""))
        self._height = _number(settings.value("window/bottom/height"))
        self._asked = self._iconic = False
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumSize(LEAST_WIDTH_PX, LEAST_PX)
        self.tabs = QTabBar(self)
        self.heads = QStackedWidget(self)
        self.pages = QStackedWidget(self)
        self.shut = IconButton("ph.x", "Hide this panel", self, key=KEY)
        self._lay_out()
        self.tabs.currentChanged.connect(self._turn)
        self.shut.clicked.connect(lambda _checked=False: self.hide_pages())
        dress(self)

    # --- for those who fill it ---

    def add_page(self, name: str, title: str, make_widget: MakePage, icon: str = "") -> None:
        """Offer a page; `make_widget` is called when it is first opened.

        Parameters
        ----------
        name
            What it is asked for by, such as `embedding`.
        title
            The words of its tab, and of its entry in the menu Window.
        make_widget
            Makes the page.
        icon
            A Phosphor icon such as `ph.circles-three`, or none.
        """
        self._pages[name] = _Page(title, make_widget, icon)
        self.tabs.blockSignals(True)
        index = self.tabs.addTab(title)
        self.tabs.setTabData(index, name)
        self.tabs.setTabToolTip(index, f"{title} ({KEY} shows and hides this panel)")
        self.tabs.blockSignals(False)
        self.wear_icon()

    def show_page(self, name: str) -> QWidget:
        """Open a page, show the dock if it is hidden, and give the page.

        Raises
        ------
        KeyError
            There is no such page: a programmer's mistake.
        """
        widget = self.page(name)
        self._wanted = name
        self._asked = True
        self._choose(name)
        self._height = self._height or max(HEIGHT_PX, round(SHARE * self.window().height()))
        self.shown_asked.emit(True, self._height)
        self.turned.emit(name)
        return widget

    def page(self, name: str) -> QWidget:
        """Give a page, made now if it was not yet, without opening it."""
        page = self._pages[name]
        if page.widget is None:
            page.widget = page.make()
            self.pages.addWidget(page.widget)
            self.heads.addWidget(_head_of(page.widget))
        return page.widget

    def current(self) -> str:
        """Give the name of the page that is open, or was when it was last seen."""
        names = list(self._pages)
        return self._wanted if self._wanted in self._pages else (names[0] if names else "")

    def titles(self) -> dict[str, str]:
        """Give the titles of the pages by their names."""
        return {name: page.title for name, page in self._pages.items()}

    # --- showing and hiding ---

    @property
    def asked(self) -> bool:
        """Whether someone wants to see it."""
        return self._asked

    def toggle(self) -> None:
        """Show the page that was open last, or hide the dock."""
        if self._asked:
            self.hide_pages()
        elif self.current():
            self.show_page(self.current())

    def hide_pages(self) -> None:
        """Hide the dock; the image gets its room back."""
        self._asked = False
        self.shown_asked.emit(False, self._height)

    def fill_menu(self, menu: QMenu) -> None:
        """Put the pages and the key into a menu, such as the window's own."""
        for name, page in self._pages.items():
            action = menu.addAction(page.title)
            action.triggered.connect(partial(self._from_menu, name))
        words = "Hide the bottom panel" if self._asked else "Show the bottom panel"
        action = menu.addAction(f"{words}\t{KEY}")
        action.triggered.connect(lambda _checked=False: self.toggle())

    def remember(self) -> None:
        """Keep the height and the open page for the next start."""
        settings = store()
        settings.setValue("window/bottom/page", self._wanted)
        if self._height:
            settings.setValue("window/bottom/height", self._height)

    def close_threads(self) -> None:
        """Tell the pages that read files to end; call before the window goes."""
        for page in self._pages.values():
            if page.widget is not None and hasattr(page.widget, "close_threads"):
                page.widget.close_threads()

    def wear_icon(self) -> None:
        """Draw the tabs' icons in the colours of the theme, where there is room for them."""
        roomy = self.width() >= ICONS_FROM_PX
        for index in range(self.tabs.count()):
            symbol = self._pages[self.tabs.tabData(index)].symbol
            self.tabs.setTabIcon(index, icon(symbol) if symbol and roomy else QIcon())
        self._iconic = roomy

    def _fit(self) -> None:
        """Put the head beside the tabs, or below them where there is no room."""
        if self._iconic != (self.width() >= ICONS_FROM_PX):
            self.wear_icon()
        room = self.width() - self.tabs.sizeHint().width() - self.shut.sizeHint().width() - EDGE
        below = room < HEAD_PX and self.heads.currentWidget() is not None
        self._lower.setVisible(below)
        # Without a least width the tabs would be shortened in favour of the head.
        whole = self.tabs.sizeHint().width()
        self.tabs.setMinimumWidth(min(whole, self.width() - self.shut.sizeHint().width() - EDGE))
        (self._lower.layout() if below else self._row).insertWidget(
            0 if below else 1, self.heads, 1
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Remember the height that the user gives it."""
        super().resizeEvent(event)
        if self._asked and self.isVisible():
            self._height = self.height()
        self._fit()

    def sizeHint(self) -> QSize:
        """Give the height it had."""
        return QSize(600, self._height or HEIGHT_PX)

    # --- inside ---

    def _from_menu(self, name: str, _checked: bool = False) -> None:
        self.show_page(name)

    def _turn(self, index: int) -> None:
        name = self.tabs.tabData(index)
        if name is not None:
            self.show_page(name)

    def _choose(self, name: str) -> None:
        page = self._pages[name]
        place = list(self._pages).index(name)
        self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(place)
        self.tabs.blockSignals(False)
        if page.widget is not None:
            shown = self.pages.indexOf(page.widget)
            self.pages.setCurrentIndex(shown)
            self.heads.setCurrentIndex(shown)
            self._fit()

    def _lay_out(self) -> None:
        self.tabs.setDocumentMode(True)
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setIconSize(QSize(15, 15))
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.heads.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.heads.setFixedHeight(ROW_PX - 4)
        self._row = row = QHBoxLayout()
        row.setContentsMargins(0, 0, EDGE - 4, 0)
        row.setSpacing(8)
        row.addWidget(self.tabs)
        row.addWidget(self.heads, 1)
        row.addWidget(self.shut, 0, Qt.AlignmentFlag.AlignRight)
        self._lower = QWidget(self)
        self._below = QHBoxLayout(self._lower)
        self._below.setContentsMargins(EDGE, 0, EDGE - 4, 0)
        self._lower.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self._lower)
        column.addWidget(self.pages, 1)


def lone_page(page: QWidget, title: str) -> QWidget:
    """Give a page with its title and head above it, for a dock of its own in a plain napari."""
    whole = QWidget()
    mark(whole, "page")
    whole.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    row = QHBoxLayout()
    row.setContentsMargins(EDGE, 4, EDGE - 4, 4)
    row.setSpacing(EDGE)
    row.addWidget(TitleLabel(title, whole))
    row.addWidget(_head_of(page), 1)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addLayout(row)
    column.addWidget(HairLine(whole))
    column.addWidget(page, 1)
    dress(whole)
    return whole


def _head_of(page: QWidget) -> QWidget:
    head = getattr(page, "head", None)
    return head if isinstance(head, QWidget) else QWidget()


def _number(value: object) -> int:
    """Read a height that was kept; 0 where none was."""
    try:
        return max(int(str(value)), LEAST_PX)
    except ValueError:
        return 0
