"""Dress a panel in the window's look, and again when the theme changes."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import qtawesome
from qtpy.QtCore import QObject
from qtpy.QtGui import QFontDatabase, QIcon
from qtpy.QtWidgets import QWidget

from ..theme import Tokens, look, stylesheet

FONTS = Path(__file__).resolve().parents[2] / "resources" / "fonts"


@cache
def install_font() -> str:
    """Load the shipped font and give its family; empty (the system's) where it cannot be read."""
    found = [QFontDatabase.addApplicationFont(str(path)) for path in sorted(FONTS.glob("*.otf"))]
    families = [
        name for key in found if key >= 0 for name in QFontDatabase.applicationFontFamilies(key)
    ]
    return families[0] if families else ""


class _Dresser(QObject):
    """Follows the theme for one widget and dies with it."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        look().changed.connect(self.wear)
        self.wear(look().tokens)

    def wear(self, tokens: Tokens) -> None:
        self._widget.setStyleSheet(stylesheet(tokens, install_font()))
        for child in (self._widget, *self._widget.findChildren(QWidget)):
            if hasattr(child, "wear_icon"):
                child.wear_icon()


def dress(widget: QWidget) -> None:
    """Give `widget` and all within it the look of the window, now and after a theme change.

    A panel calls this once at the end of its construction; what it adds later is dressed too.
    """
    dresser = _Dresser(widget)
    widget.destroyed.connect(_undress(dresser))


def _undress(dresser: _Dresser) -> Callable[[], None]:
    stop = dresser.wear

    def forget() -> None:
        look().changed.disconnect(stop, missing_ok=True)

    return forget


def icon(name: str, colour: str | None = None) -> QIcon:
    """Draw a Phosphor icon (`ph.folder-open`) in a colour, by default that of text."""
    t = look().tokens
    return qtawesome.icon(name, color=colour or t.text, color_disabled=t.faint)
