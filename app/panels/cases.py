"""The panel at the left: classes by count, search, filters and the list of cases."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from ...core.project.records import Split, Status
from ..background import Errands
from ..session import Session
from ..theme import EDGE
from ..widgets.basic import HairLine, LinkButton, QuietLabel, TitleLabel, mark
from ..widgets.dress import dress
from .case_classes import ClassesDialog
from .cases_bars import UNLABELLED_KEY, class_bars, unlabelled_bar
from .cases_filter import UNSURE_FIRST, CaseFilter, matching, status_counts
from .cases_funnel import funnel_menu
from .cases_head import ClassesHead
from .cases_list import CaseListView, ListOrReason, NarrowedRow, SearchRow
from .cases_predicted import Guesses, read_guesses
from .cases_selection import BOXED, Choice, FilterChips, SelectionBar
from .cases_thumbnails import Thumbnails

if TYPE_CHECKING:
    from ...core.project.store import Project

TYPING_MS = 150
LEAST_PX = 224
_UNLABELLED = tuple(Status).index(Status.UNLABELLED)


class CasesPanel(QWidget):
    """Finds cases and shows one.

    Parameters
    ----------
    session
        The window's state; the panel sets its `visible_rows` and asks it to show a case.
    """

    import_asked = Signal()
    open_asked = Signal()
    new_asked = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.filter = CaseFilter()
        self.thumbnails = Thumbnails(self)
        self._errands = Errands(1, "longtail predictions", self)
        self._guesses = Guesses()
        self._telling = False
        self.setMinimumWidth(LEAST_PX)
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._make_parts()
        self._lay_out()
        self._listen()
        dress(self)
        self.show_project()

    # --- building ---

    def _make_parts(self) -> None:
        self.head = ClassesHead(self)
        self.search = SearchRow(self)
        self.chips = FilterChips(self)
        self.narrowed = NarrowedRow(self)
        self.list = CaseListView(self.thumbnails, self)
        self.lists = ListOrReason(self.list, self)
        self.selection = SelectionBar(self)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)

    def _lay_out(self) -> None:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, EDGE, 0, 0)
        column.setSpacing(10)
        for part in (self.head, HairLine(page), self.search, self.chips, self.narrowed):
            inset = QVBoxLayout()
            inset.setContentsMargins(EDGE, 0, EDGE, 0)
            inset.addWidget(part)
            column.addLayout(inset)
        column.addWidget(self.lists, 1)
        column.addWidget(self.selection)
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self._nothing_open())
        self.stack.addWidget(page)
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(0)
        self._whole.addWidget(self.stack, 1)

    def _nothing_open(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(16, EDGE, EDGE, EDGE)
        column.setSpacing(10)
        column.addWidget(TitleLabel("No project open", page))
        column.addWidget(QuietLabel("Open one, or start from a folder of images.", page))
        for words, told in (
            ("Open a project...", self.open_asked),
            ("New project from a folder...", self.new_asked),
        ):
            button = LinkButton(words, page)
            button.clicked.connect(lambda _checked=False, told=told: told.emit())
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        return page

    def set_head(self, head: QWidget) -> None:
        """Put a widget above everything, such as the session bar in a plain napari."""
        self._whole.insertWidget(0, head)

    def _listen(self) -> None:
        session = self._session
        session.project_changed.connect(self.show_project)
        session.catalogue_changed.connect(self.show_catalogue)
        session.case_changed.connect(self._follow_case)
        session.cases_asked.connect(self.list_only)
        session.cases_selected.connect(self.follow_selection)
        session.run_changed.connect(self.read_predictions)
        session.runs_changed.connect(self.read_predictions)
        self._typing.timeout.connect(self._typed)
        self.search.typed.connect(self._typing.start)
        self.search.funnel_asked.connect(self.open_funnel)
        self.head.menu_asked.connect(self.open_classes_menu)
        self.head.bars.picked.connect(self.pick_bar)
        self.head.waiting.picked.connect(self.pick_bar)
        self.chips.chosen.connect(self.pick_status)
        self.narrowed.clear_asked.connect(self.clear_filter)
        self.lists.clear_asked.connect(self.clear_filter)
        self.lists.import_asked.connect(self.import_asked)
        self.list.chosen.connect(self._show_case)
        self.list.selected_changed.connect(self._show_selected)
        self.list.menu_wanted.connect(self._open_case_menu)
        self.selection.split_chosen.connect(self.set_split)
        self.selection.status_chosen.connect(self.set_status)
        self.selection.delete_asked.connect(self.delete_selected)
        self.selection.alike_asked.connect(lambda: self._session.ask_alike(self.list.selected()))

    # --- showing ---

    def show_project(self) -> None:
        """Show the project that is open now, or that none is."""
        project = self._session.project
        self.filter = CaseFilter()
        self.search.line.clear()
        self._typing.stop()
        self._guesses = Guesses()
        self.list.cases.show_guesses(self._guesses)
        self.stack.setCurrentIndex(1 if project else 0)
        keep = project.path / "cache" / "thumbnails" if project and project.writable else None
        self.thumbnails.use_folder(keep)
        self.show_catalogue()
        self.read_predictions()

    def show_catalogue(self) -> None:
        """Show counts and rows again after something in the project changed."""
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            self.list.cases.show_rows(None, None, self._session.visible_rows[:0])
            return
        self._show_bars()
        self.chips.show_counts(status_counts(catalogue), int(catalogue.boxed.sum()))
        if self.filter.class_id not in (None, *(c.id for c in project.classes)):
            self.filter = self.filter.without_class()
        self.apply_filter(keep_place=True)

    def _show_bars(self) -> None:
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            return
        counted = {}
        if self._guesses.by_case:
            waiting = (catalogue.status == _UNLABELLED).nonzero()[0]
            counted = self._guesses.counts({catalogue.ids[row] for row in waiting})
        bars = class_bars(catalogue, project.classes, counted)
        total = len(catalogue.ids)
        self.head.show_bars(bars, unlabelled_bar(catalogue), total, predicted=bool(counted))

    def apply_filter(self, *, keep_place: bool = False) -> None:
        """Show the rows that the filter lets through."""
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            return
        by_doubt = self.filter.order == UNSURE_FIRST
        rows = matching(catalogue, self.filter, self._guesses.doubts if by_doubt else None)
        self._session.visible_rows = rows
        offset = self.list.verticalScrollBar().value()
        self.list.cases.show_rows(project, catalogue, rows)
        self.list.cases.tells_doubt = by_doubt
        if keep_place:
            self.list.verticalScrollBar().setValue(offset)
        self._show_filter(len(rows), len(catalogue.ids))
        self._follow_case(scroll=not keep_place)

    def _show_filter(self, shown: int, total: int) -> None:
        self.lists.show_for(shown, total)
        self.narrowed.setVisible(self.filter.narrows and bool(shown))
        part = f" · {self.filter.split.value} only" if self.filter.split else ""
        part += f" · {self.filter.words}" if self.filter.words else ""
        self.narrowed.words.setText(f"{shown:,} of {total:,}{part}")
        self.search.funnel.setChecked(self.filter.split is not None)
        self.chips.set_value(BOXED if self.filter.boxed else self.filter.status)
        self.head.bars.set_chosen(self.filter.class_id)
        self.head.waiting.set_chosen(UNLABELLED_KEY if self._only_unlabelled() else None)
        self._show_selected(len(self.list.selected()))

    def _only_unlabelled(self) -> bool:
        return self.filter.status is Status.UNLABELLED and self.filter.class_id is None

    def read_predictions(self) -> None:
        """Read in a thread what the chosen run predicts, then show it."""
        project, run = self._session.project, self._session.run_id
        self._errands.forget()
        if project is None or run is None:
            self._show_guesses(Guesses())
            return
        self._errands.ask(partial(read_guesses, project, run), self._show_guesses, self._no_guesses)

    def _show_guesses(self, guesses: Guesses) -> None:
        if guesses == self._guesses:
            return
        self._guesses = guesses
        self.list.cases.show_guesses(guesses)
        self._show_bars()
        if self.filter.order == UNSURE_FIRST:
            self.apply_filter(keep_place=True)

    def _no_guesses(self, error: Exception) -> None:
        self._session.notify(f"The predictions of the run cannot be read: {error}", "warning")

    def _follow_case(self, *, scroll: bool = True) -> None:
        case = self._session.case
        self.list.follow(case.id if case else "", scroll=scroll)

    def _show_case(self, case_id: str) -> None:
        with self._session.reporting():
            self._session.show_case(case_id)

    def follow_selection(self, case_ids: Sequence[str]) -> None:
        """Select what was selected in another panel."""
        if not self._telling:
            self._telling = True
            self.list.select_only(case_ids)
            self._telling = False

    def _show_selected(self, count: int) -> None:
        project = self._session.project
        if count > 1 and not self._telling:
            self._telling = True
            self._session.select_cases(self.list.selected())
            self._telling = False
        self.selection.show_count(count, writable=bool(project and project.writable))

    # --- filtering ---

    def _typed(self) -> None:
        text = self.search.line.text().strip()
        if text != self.filter.text:
            self.change_filter(text=text)

    def change_filter(self, **changes: object) -> None:
        """Change parts of the filter and show what it lets through."""
        self.filter = replace(self.filter, **changes)  # type: ignore[arg-type]
        self.apply_filter()
        if "order" in changes:
            # Whoever asks for an order wants to see what comes first in it.
            self.list.scrollToTop()

    def pick_status(self, status: Choice) -> None:
        """Show cases of one status, those with boxes, or all."""
        boxed = status == BOXED
        self.change_filter(status=None if boxed else status, boxed=boxed)

    def pick_bar(self, key: int) -> None:
        """Show the cases of a class, the unlabelled ones, or with -1 all."""
        if key == UNLABELLED_KEY:
            self.change_filter(status=Status.UNLABELLED, class_id=None)
        elif key < 0 and self._only_unlabelled():
            self.change_filter(status=None)
        else:
            self.change_filter(class_id=None if key < 0 else key)

    def list_only(self, case_ids: Sequence[str], words: str) -> None:
        """Show these cases alone, such as those that a run takes for another class."""
        self.search.line.clear()
        self._typing.stop()
        self.filter = replace(self.filter.cleared(), only=frozenset(case_ids), words=words)
        self.apply_filter()
        self._session.show_first_case()

    def clear_filter(self) -> None:
        """Show all cases."""
        self.filter = self.filter.cleared()
        self.search.line.clear()
        self.apply_filter()

    def open_funnel(self) -> None:
        """Open the menu of parts and orders."""
        menu = funnel_menu(
            self._session.catalogue,
            self.filter,
            self.change_filter,
            self,
            has_doubts=bool(self._guesses.doubts),
        )
        menu.aboutToHide.connect(
            lambda: self.search.funnel.setChecked(self.filter.split is not None)
        )
        button = self.search.funnel
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    # --- changing ---

    def set_split(self, split: Split) -> None:
        """Put the selected cases into a part."""
        self._change_selected(lambda project, chosen: project.set_split(chosen, split))

    def set_status(self, status: Status) -> None:
        """Give the selected cases a status."""
        self._change_selected(lambda project, chosen: project.set_status(chosen, status))

    def _change_selected(self, change: Callable[["Project", list[str]], object]) -> None:
        project, chosen = self._session.project, self.list.selected()
        if project is None or not chosen:
            return
        with self._session.reporting():
            change(project, chosen)
            self._after_change(chosen)

    def _after_change(self, chosen: Sequence[str]) -> None:
        self._session.labels_saved(chosen)
        self.list.select_only(chosen)

    def delete_selected(self) -> None:
        """Move the selected cases to the project's trash; source images are never touched."""
        project, chosen = self._session.project, self.list.selected()
        if project is None or not chosen:
            return
        with self._session.reporting():
            self._session.leave_case_of(chosen)
            project.delete_cases(chosen)
            self._session.refresh()
            many = "s" if len(chosen) > 1 else ""
            self._session.notify(
                f"{len(chosen):,} case{many} moved to the project's trash. "
                "The images themselves were not touched."
            )

    # --- menus ---

    def _open_case_menu(self, place: QPoint) -> None:
        self.selection.menu().popup(place)

    def open_classes_menu(self) -> None:
        """Open the menu of what can be done with classes and cases."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        project = self._session.project
        for words, act in (
            ("Edit classes...", self.edit_classes),
            ("Import more cases...", self.import_asked.emit),
        ):
            action = menu.addAction(words)
            action.setEnabled(bool(project and project.writable))
            action.triggered.connect(lambda _checked=False, act=act: act())
        button = self.head.menu
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def edit_classes(self) -> None:
        """Open the dialog in which classes are added, renamed, merged and retired."""
        if self._session.project is not None:
            ClassesDialog(self._session, self).open()

    def close_threads(self) -> None:
        """Wait for threads that read files; call before the window goes."""
        self._errands.close()
        self.thumbnails.close()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave room for the list in a low window."""
        super().resizeEvent(event)
        self.head.give_room(self.height())

    def sizeHint(self) -> QSize:
        """As wide as the window's design has it."""
        return QSize(280, 600)
