"""The menu under the funnel: which part, and in which order."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from ...core.project.records import Split
from .cases_filter import ORDERS, UNSURE_FIRST, CaseFilter, split_counts
from .cases_selection import SPLIT_WORDS

if TYPE_CHECKING:
    from ...core.project.catalogue import Catalogue


def funnel_menu(
    catalogue: "Catalogue | None",
    now: CaseFilter,
    change: Callable[..., object],
    parent: QWidget,
    *,
    has_doubts: bool = False,
) -> QMenu:
    """Build the menu; `change` is called with `split` or `order`.

    `has_doubts` says whether it is known how unsure the chosen run is of the cases.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    counts = split_counts(catalogue) if catalogue is not None else {}
    words: list[tuple[Split | None, str]] = [(None, "All parts"), *SPLIT_WORDS.items()]
    for split, word in words:
        count = f"   {counts.get(split, 0):,}" if split is not None else ""
        _add(menu, word + count, now.split is split, partial(change, split=split))
    menu.addSeparator()
    for key, word in ORDERS.items():
        lowered = word[0].lower() + word[1:]
        action = _add(menu, f"Order by {lowered}", now.order == key, partial(change, order=key))
        action.setEnabled(key != UNSURE_FIRST or has_doubts)
    return menu


def _add(menu: QMenu, words: str, checked: bool, act: Callable[[], object]) -> QAction:
    action = menu.addAction(words)
    action.setCheckable(True)
    action.setChecked(checked)
    action.triggered.connect(lambda _checked=False: act())
    return action
