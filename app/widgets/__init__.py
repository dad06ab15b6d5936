"""The small parts that all panels are made of; each takes plain, checked data."""

from .bars import Bar, ClassBars
from .basic import (
    BigNumber,
    Card,
    Chip,
    ElidedLabel,
    GhostButton,
    HairLine,
    IconButton,
    KeyHint,
    LinkButton,
    PrimaryButton,
    QuietLabel,
    SectionLabel,
    Segments,
    TitleLabel,
)
from .choice import BigChoice
from .combo import NarrowCombo
from .dress import dress, icon, install_font
from .page import EmptyState, Page
from .paint import painting

__all__ = [
    "Bar",
    "BigChoice",
    "BigNumber",
    "Card",
    "Chip",
    "ClassBars",
    "ElidedLabel",
    "EmptyState",
    "GhostButton",
    "HairLine",
    "IconButton",
    "KeyHint",
    "LinkButton",
    "NarrowCombo",
    "Page",
    "PrimaryButton",
    "QuietLabel",
    "SectionLabel",
    "Segments",
    "TitleLabel",
    "dress",
    "icon",
    "install_font",
    "painting",
]
