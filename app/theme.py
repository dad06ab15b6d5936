"""Colours and sizes of the window: taken from napari's theme, plus what colour means here.

Free of Qt: a theme is a frozen set of tokens and a style sheet is a string made from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from napari.utils.theme import get_system_theme, get_theme
from psygnal import Signal

HEAD = "#7d93ab"
MEDIUM = "#3fa7a0"
TAIL = "#f0a202"
BLUE = "#2f8fe0"
GREEN = "#57ab5a"
RED = "#e5534b"
TIER_COLOURS = {"head": HEAD, "medium": MEDIUM, "tail": TAIL}

BLUE_FILL = "#1f78c8"
"""The blue under white text: `BLUE` itself gives white letters a contrast of 3.4 to 1 only."""

LEAST_CONTRAST = 4.5
STEP = 4
EDGE = 12
TEXT_PX, QUIET_PX, TITLE_PX, BIG_PX = 12, 11, 14, 22
RADIUS = 5

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme, as `#rrggbb`."""

    theme_id: str
    dark: bool
    ground: str
    surface: str
    card: str
    raised: str
    selected: str
    line: str
    control: str
    track: str
    text: str
    quiet: str
    faint: str
    link: str
    canvas: str

    def tier(self, tier: str) -> str:
        """Give the fill of a tier (`head`, `medium`, `tail`); anything else is the quiet colour."""
        return TIER_COLOURS.get(tier, self.quiet)

    def written(self, colour: str, ground: str | None = None) -> str:
        """Shift `colour` as little as needed to be read as text on `ground` (the surface)."""
        return readable(colour, ground or self.surface)

    def tint(self, colour: str, share: float = 0.22) -> str:
        """Lay a thin coat of `colour` over the surface."""
        return mix(self.surface, colour, share)

    def pale(self, colour: str) -> str:
        """Give the colour of what is predicted beside `colour` for what is labelled."""
        return mix(self.surface, colour, 0.38)


def mix(first: str, second: str, share: float) -> str:
    """Go from `first` to `second` by `share` (0 to 1)."""
    pairs = zip(to_rgb(first), to_rgb(second), strict=True)
    return to_hex(tuple(round(a + (b - a) * share) for a, b in pairs))  # type: ignore[arg-type]


def to_rgb(colour: str) -> Rgb:
    """Read `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def to_hex(rgb: Rgb) -> str:
    """Write `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2, 0 to 1."""
    parts = [value / 255 for value in to_rgb(colour)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Contrast of WCAG 2, 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=512)
def readable(colour: str, ground: str, least: float = LEAST_CONTRAST) -> str:
    """Shift `colour` towards white or black until it stands out from `ground` by `least`."""
    goal = "#ffffff" if luminance(ground) < 0.18 else "#000000"
    for tenth in range(21):
        shifted = mix(colour, goal, tenth / 20)
        if contrast(shifted, ground) >= least:
            return shifted
    return goal


@cache
def tokens(theme_id: str) -> Tokens:
    """Derive the tokens from the napari theme `theme_id` (`dark`, `light`, `system`, ...)."""
    theme = get_theme(get_system_theme() if theme_id == "system" else theme_id)
    ground, front = _hex(theme.background), _hex(theme.foreground)
    text, dark = _hex(theme.text), theme.type == "dark"
    surface = mix(ground, front, 0.3) if dark else mix(ground, "#ffffff", 0.5)
    card = front if dark else "#ffffff"
    line = _hex(theme.primary)
    raised = mix(card, line, 0.45) if dark else mix(card, front, 0.6)
    return Tokens(
        theme_id=theme_id,
        dark=dark,
        ground=ground,
        surface=surface,
        card=card,
        raised=raised,
        selected=mix(surface, BLUE, 0.2),
        line=line,
        control=mix(line, text, 0.12),
        track=mix(surface, line, 0.7),
        text=text,
        quiet=readable(mix(text, surface, 0.42), raised),
        faint=mix(text, surface, 0.6),
        link=readable(BLUE, card),
        canvas=_hex(theme.canvas),
    )


def _hex(colour: object) -> str:
    return to_hex(colour.as_rgb_tuple()[:3])  # type: ignore[attr-defined]


class Look:
    """The theme that the window wears now; painted widgets ask it and listen to it."""

    changed = Signal(Tokens)

    def __init__(self, theme_id: str = "dark") -> None:
        self.tokens = tokens(theme_id)

    def wear(self, theme_id: str) -> None:
        """Change to a napari theme; those who listen are told if it differs."""
        wanted = tokens(theme_id)
        if wanted != self.tokens:
            self.tokens = wanted
            self.changed.emit(wanted)


@cache
def look() -> Look:
    """Give the one look of this process."""
    return Look()


def stylesheet(t: Tokens, family: str = "") -> str:
    """Write the sheet for a panel and all within it; every rule has a selector."""
    font = f'font-family: "{family}";' if family else ""
    return "".join(part(t) for part in _PARTS).replace("/*font*/", font)


def _ground(t: Tokens) -> str:
    return f"""
QWidget {{ background: transparent; color: {t.text}; font-size: {TEXT_PX}px; padding: 0; /*font*/ }}
QWidget[longtail="page"] {{ background: {t.surface}; }}
QFrame[longtail="line"] {{ background: {t.line}; border: none; max-height: 1px; min-height: 1px; }}
QLabel {{ background: transparent; border: none; padding: 0; margin: 0; }}
QLabel[longtail="quiet"] {{ color: {t.quiet}; font-size: {QUIET_PX}px; }}
QLabel[longtail="title"] {{ font-size: {TITLE_PX}px; font-weight: 600; }}
QLabel[longtail="strong"] {{ font-weight: 600; }}
QLabel[longtail="big"] {{ font-size: {BIG_PX}px; font-weight: 600; }}
QLabel[longtail="section"] {{ color: {t.quiet}; font-size: {QUIET_PX}px; font-weight: 600;
    letter-spacing: 0.6px; }}
QLabel[longtail="bad"] {{ color: {t.written(RED)}; }}
QLabel[longtail="good"] {{ color: {t.written(GREEN)}; }}
QLabel[longtail="key"] {{ color: {t.quiet}; font-size: {QUIET_PX}px; border: 1px solid {t.line};
    border-radius: 4px; padding: 1px 5px; min-width: 8px; }}
QToolTip {{ color: {t.text}; background: {t.card}; border: 1px solid {t.line}; padding: 4px; }}
"""


def _buttons(t: Tokens) -> str:
    off = mix(t.surface, t.line, 0.55)
    return f"""
QPushButton, QToolButton {{ background: transparent; border: 1px solid {t.line};
    border-radius: {RADIUS}px; padding: 6px 12px; min-height: 16px; color: {t.text}; }}
QPushButton:hover, QToolButton:hover {{ background: {t.raised}; border-color: {t.control}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.line}; }}
QPushButton:focus, QToolButton:focus {{ border-color: {BLUE}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.faint}; background: transparent;
    border-color: {off}; }}
QPushButton[longtail="primary"] {{ background: {BLUE_FILL}; border: 1px solid {BLUE_FILL};
    color: #ffffff; font-weight: 600; padding: 8px 12px; }}
QPushButton[longtail="primary"]:hover {{ background: {mix(BLUE_FILL, "#000000", 0.12)}; }}
QPushButton[longtail="primary"]:pressed {{ background: {mix(BLUE_FILL, "#000000", 0.25)}; }}
QPushButton[longtail="primary"]:focus {{ border-color: {t.text}; }}
QPushButton[longtail="primary"]:disabled {{ background: {off}; border-color: {off};
    color: {readable(t.quiet, off)}; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[longtail="danger"] {{ color: {t.written(RED)}; }}
QPushButton[longtail="link"] {{ border: none; color: {t.link}; padding: 2px 0; text-align: left; }}
QPushButton[longtail="link"]:hover {{ background: transparent; text-decoration: underline; }}
QPushButton[longtail="link"]:focus {{ text-decoration: underline; }}
QPushButton[longtail="link"]:disabled {{ color: {t.quiet}; text-decoration: none; }}
QPushButton[longtail="chip"] {{ border: 1px solid {t.line}; border-radius: 10px;
    padding: 1px 9px; min-height: 16px; font-size: {QUIET_PX}px; }}
QPushButton[longtail="chip"]:checked {{ background: {t.line}; border-color: {t.control};
    font-weight: 600; }}
QPushButton[longtail="chip"]:focus {{ border-color: {BLUE}; }}
QToolButton[longtail="icon"] {{ border: 1px solid transparent; padding: 4px; }}
QToolButton[longtail="icon"]:hover {{ background: {t.raised}; }}
QToolButton[longtail="icon"]:checked {{ background: {t.line}; border-color: {t.control}; }}
QToolButton[longtail="icon"]:focus {{ border-color: {BLUE}; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[segment="true"] {{ border-radius: 0; padding: 5px 8px; margin: 0; }}
QPushButton[segment="true"]:checked {{ background: {BLUE_FILL}; border-color: {BLUE_FILL};
    color: #ffffff; }}
QFrame[longtail="card"] {{ background: {t.card}; border: 1px solid {_card_edge(t)};
    border-radius: {RADIUS}px; }}
QFrame[longtail="toast"] {{ background: {t.raised if t.dark else t.card};
    border: 1px solid {t.control}; border-radius: 6px; }}
QFrame[longtail="card"][tone="tail"] {{ background: {mix(t.surface, TAIL, 0.13)}; border: none;
    border-left: 3px solid {TAIL}; }}
QFrame[longtail="card"][tone="bad"] {{ background: {mix(t.surface, RED, 0.13)}; border: none;
    border-left: 3px solid {RED}; }}
QFrame[longtail="card"][tone="good"] {{ background: {mix(t.surface, GREEN, 0.13)}; border: none;
    border-left: 3px solid {GREEN}; }}
"""


def _card_edge(t: Tokens) -> str:
    return t.card if t.dark else t.line


def _inputs(t: Tokens) -> str:
    return f"""
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit {{
    background: {t.card}; border: 1px solid {t.line}; border-radius: {RADIUS}px;
    padding: 4px 8px; min-height: 18px; color: {t.text};
    selection-background-color: {BLUE_FILL}; selection-color: #ffffff; }}
QLineEdit QToolButton {{ border: none; padding: 0; margin: 0; min-height: 0; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus {{
    border-color: {BLUE}; }}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{
    color: {t.faint}; }}
QComboBox::drop-down {{ border: none; width: 22px; background: transparent; }}
QComboBox QAbstractItemView {{ background: {t.card}; border: 1px solid {t.line};
    color: {t.text}; selection-background-color: {t.selected}; outline: none; }}
QComboBoxPrivateContainer {{ background: {t.card}; border: 1px solid {t.line}; }}
QAbstractSpinBox {{ padding: 4px 22px 4px 8px; min-width: 40px; }}
QCheckBox, QRadioButton {{ background: transparent; spacing: 8px; }}
QCheckBox::indicator {{ width: 14px; height: 14px; background: {t.card};
    border: 1px solid {t.control}; border-radius: 3px; padding: 0; }}
QCheckBox::indicator:checked {{ background: {BLUE_FILL}; border-color: {BLUE_FILL}; }}
QCheckBox:focus {{ color: {t.link}; }}
QSlider {{ background: transparent; min-height: 18px; }}
QSlider::groove:horizontal {{ height: 3px; background: {t.track}; border-radius: 1px; }}
QSlider::sub-page:horizontal {{ height: 3px; background: {BLUE}; border-radius: 1px; }}
QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -5px 0; border-radius: 6px;
    background: {"#f0f1f2" if t.dark else "#ffffff"}; border: 1px solid {t.control}; }}
QSlider::handle:horizontal:focus {{ border-color: {BLUE}; }}
QSlider::sub-page:horizontal:disabled {{ background: {t.line}; }}
QProgressBar {{ background: {t.track}; border: none; border-radius: 2px; max-height: 4px;
    min-height: 4px; text-align: center; color: transparent; }}
QProgressBar::chunk {{ background: {BLUE}; border-radius: 2px; }}
"""


def _lists(t: Tokens) -> str:
    return f"""
QScrollArea {{ background: transparent; border: none; }}
QScrollArea > QWidget > QWidget[longtail="body"] {{ background: transparent; }}
QAbstractScrollArea {{ border: none; }}
QListView, QTableView, QTreeView {{ background: transparent; border: none; outline: none; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; border: none; }}
QScrollBar::handle:vertical {{ background: {t.line}; border-radius: 3px; min-height: 28px;
    margin: 0 1px; border: none; }}
QScrollBar::handle:vertical:hover {{ background: {t.control}; }}
QScrollBar::add-line:vertical, QScrollBar::sub-line:vertical {{ height: 0; border: none; }}
QScrollBar::add-page:vertical, QScrollBar::sub-page:vertical {{ background: transparent; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; border: none; }}
QScrollBar::handle:horizontal {{ background: {t.line}; border-radius: 3px; min-width: 28px; }}
QScrollBar::add-line:horizontal, QScrollBar::sub-line:horizontal {{ width: 0; }}
QMenu {{ background: {t.card}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: 5px 20px 5px 10px; border-radius: 3px; background: transparent; }}
QMenu::item:selected {{ background: {t.selected}; }}
QMenu::item:disabled {{ color: {t.faint}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 6px; }}
QHeaderView::section {{ background: {t.surface}; color: {t.quiet}; border: none;
    border-bottom: 1px solid {t.line}; padding: 4px 6px; font-size: {QUIET_PX}px; }}
QDialog {{ background: {t.surface}; }}
QTabWidget {{ background: {t.surface}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {t.ground}; top: 0; }}
QTabBar {{ background: {t.surface}; border: none; qproperty-drawBase: 0; }}
QTabBar::tab {{ background: transparent; border: none; border-bottom: 2px solid transparent;
    color: {t.quiet}; padding: 8px 12px 6px 12px; margin: 0 2px 0 0; min-width: 36px;
    font-size: {TEXT_PX}px; font-weight: 600; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:selected {{ background: transparent; color: {t.text};
    border-bottom: 2px solid {BLUE}; }}
QTabBar::tab:focus {{ color: {t.link}; }}
"""


_PARTS: tuple[Callable[[Tokens], str], ...] = (_ground, _buttons, _inputs, _lists)
