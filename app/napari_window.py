"""Where napari's public interface has no way: its main window, reached from one of our docks.

Only this module does so, by Qt's own means (`window()`, object names, layouts); a test fails
when napari moves what it looks for. In a plain napari nothing here is called.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QMenu, QWidget

from ..core.errors import LongtailError

if TYPE_CHECKING:
    from qtpy.QtGui import QAction

LAYER_DOCKS = ("layer list", "layer controls")
"""Object names of the docks that napari shows at its left."""


def use_settings(path: Path) -> None:
    """Keep the settings of napari inside our window apart from those of the user's own napari.

    They are read once, before the first viewer; in a process that has read them already (tests,
    a running napari) they stay as they are. Longtail saves all work as it is done, so napari's
    question on closing is off.
    """
    from napari.settings import get_settings

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        settings = get_settings(path)
    except RuntimeError:
        return
    settings.application.confirm_close_window = False
    settings.application.save_window_state = False
    settings.application.first_time = False


def main_window(inside: QWidget) -> QMainWindow:
    """Give the main window that one of our docked widgets stands in.

    Raises
    ------
    LongtailError
        It stands in none.
    """
    window = inside.window()
    if not isinstance(window, QMainWindow):
        raise LongtailError(
            "This panel is not docked in a napari window.", "Dock it in the window again."
        )
    return window


def dock_of(panel: QWidget) -> QDockWidget:
    """Give the dock that a panel stands in.

    Raises
    ------
    LongtailError
        It stands in none.
    """
    dock = panel.parentWidget()
    if not isinstance(dock, QDockWidget):
        raise LongtailError("This panel is not docked.", "Dock it in the window again.")
    return dock


def layer_docks(window: QMainWindow) -> list[QDockWidget]:
    """Give napari's layer list and layer controls."""
    docks = [window.findChild(QDockWidget, name) for name in LAYER_DOCKS]
    return [dock for dock in docks if dock is not None]


def show_layer_docks(window: QMainWindow, shown: bool) -> None:
    """Show or hide napari's layer list and controls."""
    for dock in layer_docks(window):
        dock.setVisible(shown)


def without_title(dock: QDockWidget, *, fixed_height: int | None = None) -> None:
    """Take a dock's title bar and keep the dock where it is."""
    dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
    nothing = QWidget(dock)
    nothing.setFixedHeight(0)
    former = dock.titleBarWidget()
    dock.setTitleBarWidget(nothing)
    if former is not None and former is not nothing:
        former.deleteLater()
    if fixed_height is not None:
        dock.setMinimumHeight(fixed_height)
        dock.setMaximumHeight(fixed_height)


def give_sides_the_corners(window: QMainWindow) -> None:
    """Let the side panels reach down; what opens at the bottom is as wide as the image."""
    window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)


def set_widths(window: QMainWindow, docks: list[QDockWidget], widths: list[int]) -> None:
    """Give docks at the sides their widths, in pixels."""
    window.resizeDocks(docks, widths, Qt.Orientation.Horizontal)


class LowDock(QObject):
    """The dock at the bottom of the window: it comes and goes with the height it had."""

    def __init__(self, window: QMainWindow, dock: QDockWidget) -> None:
        super().__init__(window)
        self._window, self._dock = window, dock
        without_title(dock)
        dock.hide()

    def show_at(self, shown: bool, height: int) -> None:
        """Show the dock, `height` pixels high where there is room, or hide it."""
        if shown and not self._dock.isVisible():
            self._dock.show()
            self._window.resizeDocks([self._dock], [height], Qt.Orientation.Vertical)
        elif not shown:
            self._dock.hide()


class Centre(QObject):
    """The middle of the window: the image, or a page of ours in its place."""

    def __init__(self, window: QMainWindow, page: QWidget) -> None:
        super().__init__(window)
        self._page = page
        middle = window.centralWidget()
        layout = middle.layout() if middle is not None else None
        first = layout.itemAt(0) if layout is not None else None
        if layout is None or first is None or first.widget() is None:
            raise LongtailError(
                "This version of napari builds its window in another way than Longtail knows.",
                "Install the version of napari that Longtail's installation asks for.",
            )
        self._image: QWidget = first.widget()
        layout.addWidget(page)
        page.hide()

    @property
    def image(self) -> QWidget:
        """The widget that shows the image."""
        return self._image

    def show_page(self, shown: bool) -> None:
        """Show the page in place of the image, or the image again."""
        self._image.setVisible(not shown)
        self._page.setVisible(shown)


class PlainSeparators(QObject):
    """Keeps napari's three dots off the lines between panels, also after a theme change."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._busy = False
        window.installEventFilter(self)
        # napari's whole sheet is read again for it, a tenth of a second: once the window stands.
        self._first = QTimer(self)
        self._first.setSingleShot(True)
        self._first.timeout.connect(self._add)
        self._first.start(0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Add our rule again when napari has set its own sheet."""
        if event.type() == QEvent.Type.StyleChange and not self._busy:
            self._add()
        return False

    def _add(self) -> None:
        sheet = self._window.styleSheet()
        if sheet.endswith(SEPARATORS):
            return
        self._busy = True
        self._window.setStyleSheet(sheet + SEPARATORS)
        self._busy = False


SEPARATORS = """
QMainWindow::separator { width: 4px; height: 4px; padding: 0; }
QMainWindow::separator:horizontal { image: none; }
QMainWindow::separator:vertical { image: none; }
"""


def add_menu(window: QMainWindow, title: str) -> QMenu:
    """Add a menu of ours to the menu bar."""
    menu = QMenu(title, window)
    window.menuBar().insertMenu(window.menuBar().actions()[0], menu)
    return menu


def add_to_window_menu(window: QMainWindow, fill: Callable[[QMenu], object]) -> None:
    """Put entries of ours at the end of napari's menu Window; `fill` makes them at each opening."""
    menu = next(
        (a.menu() for a in window.menuBar().actions() if a.text().replace("&", "") == "Window"),
        None,
    )
    if menu is None:
        raise LongtailError(
            "This version of napari has no menu Window.",
            "Install the version of napari that Longtail's installation asks for.",
        )
    ours: list[QAction] = []

    def refill() -> None:
        for action in ours:
            menu.removeAction(action)
        known = set(menu.actions())
        menu.addSeparator()
        fill(menu)
        ours[:] = [action for action in menu.actions() if action not in known]

    menu.aboutToShow.connect(refill)


def screen_size(window: QMainWindow) -> QSize:
    """Give the room on the screen that the window is on, in pixels."""
    return window.screen().availableGeometry().size()
