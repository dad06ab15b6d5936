"""The panel at the left: classes by count, search, filters and the list of cases."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from qtpy.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...core.project.records import Split, Status
from ..background import Errands
from ..session import Session
from ..theme import EDGE
from ..widgets.basic import (
    HairLine,
    IconButton,
    LinkButton,
    QuietLabel,
    TextLabel,
    TitleLabel,
    mark,
)
from ..widgets.dress import dress, icon
from ..widgets.page import EmptyState
from .case_classes import ClassesDialog
from .cases_bars import UNLABELLED_KEY, class_bars, unlabelled_bar
from .cases_delegate import ROW_PX, CaseDelegate
from .cases_filter import ORDERS, CaseFilter, matching, split_counts, status_counts
from .cases_head import ClassesHead
from .cases_model import CaseList, Role
from .cases_predicted import Guesses, read_guesses
from .cases_selection import FilterChips, SelectionBar
from .cases_thumbnails import Thumbnails

TYPING_MS = 150


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
        self.setMinimumWidth(200)
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._build()
        self._listen()
        dress(self)
        self.show_project()

    # --- building ---

    def _build(self) -> None:
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self._nothing_open())
        self.stack.addWidget(self._cases())
        self._whole = QVBoxLayout(self)
        self._whole.setContentsMargins(0, 0, 0, 0)
        self._whole.setSpacing(0)
        self._whole.addWidget(self.stack, 1)

    def set_head(self, head: QWidget) -> None:
        """Put a widget above everything, such as the session bar in a plain napari."""
        self._whole.insertWidget(0, head)

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

    def _cases(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, EDGE, 0, 0)
        column.setSpacing(10)
        self.head = ClassesHead(page)
        self.head.menu_asked.connect(self.open_classes_menu)
        self.head.bars.picked.connect(self.pick_bar)
        self.head.waiting.picked.connect(self.pick_bar)
        self.chips = FilterChips(page)
        self.chips.chosen.connect(self.pick_status)
        for part in (self.head, HairLine(page), self._search(page), self.chips):
            column.addWidget(_inset(part))
        column.addWidget(self._list(page), 1)
        self.selection = SelectionBar(page)
        self.selection.split_chosen.connect(self.set_split)
        self.selection.status_chosen.connect(self.set_status)
        self.selection.delete_asked.connect(self.delete_selected)
        column.addWidget(self.selection)
        return page

    def _search(self, page: QWidget) -> QWidget:
        self.search = QLineEdit(page)
        self.search.setPlaceholderText("Search name, patient, note")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search cases")
        self.search.addAction(icon("ph.magnifying-glass"), QLineEdit.ActionPosition.LeadingPosition)
        self.search.setMinimumWidth(60)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.timeout.connect(self._typed)
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self.funnel = IconButton("ph.funnel", "Filter by part, and order", page)
        self.funnel.clicked.connect(self.open_funnel)
        holder = QWidget(page)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.search, 1)
        row.addWidget(self.funnel)
        return holder

    def _list(self, page: QWidget) -> QWidget:
        self.model = CaseList(self.thumbnails, self)
        self.list = QListView(page)
        self.list.setModel(self.model)
        self.delegate = CaseDelegate(self.list)
        self.list.setItemDelegate(self.delegate)
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName("Cases")
        self.list.setMinimumHeight(2 * ROW_PX)
        self.list.selectionModel().currentChanged.connect(self._current_changed)
        self.list.selectionModel().selectionChanged.connect(self._selection_changed)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._context_menu)
        self.empty = EmptyState(
            "ph.image",
            "No cases yet",
            "Import a folder of images or a table.",
            ("Import...", self.import_asked.emit),
            page,
        )
        self.nothing = EmptyState(
            "ph.magnifying-glass",
            "Nothing matches",
            "No case fits the search and the filters.",
            ("Show all", self.clear_filter),
            page,
        )
        self.lists = QStackedWidget(page)
        for part in (self.list, self.empty, self.nothing):
            self.lists.addWidget(part)
        holder = QWidget(page)
        column = QVBoxLayout(holder)
        column.setContentsMargins(EDGE - 12, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(_inset(self._narrowed(page)))
        column.addWidget(self.lists, 1)
        return holder

    def _narrowed(self, page: QWidget) -> QWidget:
        self.narrowed = QWidget(page)
        row = QHBoxLayout(self.narrowed)
        row.setContentsMargins(0, 0, 0, 0)
        self.shown = TextLabel("", self.narrowed)
        mark(self.shown, "quiet")
        clear = LinkButton("Show all", self.narrowed)
        clear.clicked.connect(lambda _checked=False: self.clear_filter())
        row.addWidget(self.shown, 1)
        row.addWidget(clear)
        return self.narrowed

    def _listen(self) -> None:
        session = self._session
        session.project_changed.connect(self.show_project)
        session.catalogue_changed.connect(self.show_catalogue)
        session.case_changed.connect(self._follow_case)
        session.run_changed.connect(self.read_predictions)
        session.runs_changed.connect(self.read_predictions)

    # --- showing ---

    def show_project(self) -> None:
        """Show the project that is open now, or that none is."""
        project = self._session.project
        self.filter = CaseFilter()
        self.search.clear()
        self._guesses = Guesses()
        self._errands.forget()
        self.stack.setCurrentIndex(1 if project else 0)
        keep = project.path / "cache" / "thumbnails" if project and project.writable else None
        self.thumbnails.use_folder(keep)
        self.show_catalogue()
        self.read_predictions()

    def show_catalogue(self) -> None:
        """Show counts and rows again after something in the project changed."""
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            self.model.show_rows(None, None, self._session.visible_rows[:0])
            return
        waiting = {catalogue.ids[i] for i in (catalogue.status == _UNLABELLED).nonzero()[0]}
        counted = self._guesses.counts(waiting) if self._guesses.by_case else {}
        bars = class_bars(catalogue, project.classes, counted)
        waiting_bar = unlabelled_bar(catalogue)
        self.head.show_bars(bars, waiting_bar, len(catalogue.ids), predicted=bool(counted))
        self.chips.show_counts(status_counts(catalogue))
        if self.filter.class_id not in (None, *(c.id for c in project.classes)):
            self.filter = self.filter.without_class()
        self.apply_filter(keep_place=True)

    def apply_filter(self, *, keep_place: bool = False) -> None:
        """Show the rows that the filter lets through."""
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            return
        rows = matching(catalogue, self.filter)
        self._session.visible_rows = rows
        offset = self.list.verticalScrollBar().value()
        self.model.show_rows(project, catalogue, rows)
        if keep_place:
            self.list.verticalScrollBar().setValue(offset)
        self._show_filter(len(rows), len(catalogue.ids))
        self._follow_case(scroll=not keep_place)

    def _show_filter(self, shown: int, total: int) -> None:
        which = 0 if shown else (1 if not total else 2)
        self.lists.setCurrentIndex(which)
        self.narrowed.setVisible(self.filter.narrows and bool(shown))
        part = f" · {self.filter.split.value}" if self.filter.split else ""
        self.shown.setText(f"{shown:,} of {total:,}{part}")
        self.chips.set_value(self.filter.status)
        self.head.bars.set_chosen(self.filter.class_id)
        self.head.waiting.set_chosen(UNLABELLED_KEY if self._bar_is_unlabelled() else None)
        self.selection.show_count(len(self.selected()))

    def _bar_is_unlabelled(self) -> bool:
        return self.filter.status is Status.UNLABELLED and self.filter.class_id is None

    def read_predictions(self) -> None:
        """Read in a thread what the chosen run predicts, then show it."""
        project, run = self._session.project, self._session.run_id
        if project is None or run is None:
            self._show_guesses(Guesses())
            return
        self._errands.forget()
        self._errands.ask(partial(read_guesses, project, run), self._show_guesses, self._no_guesses)

    def _show_guesses(self, guesses: Guesses) -> None:
        same = guesses.by_case == self._guesses.by_case
        self._guesses = guesses
        self.model.show_guesses(guesses)
        if not same:
            self.show_catalogue()

    def _no_guesses(self, error: Exception) -> None:
        self._session.notify(f"The predictions of the run cannot be read: {error}", "warning")

    def _follow_case(self, *, scroll: bool = True) -> None:
        case = self._session.case
        self.delegate.current_id = case.id if case else ""
        row = self.model.row_of_case(case.id) if case else -1
        if row >= 0:
            index = self.model.index(row)
            if self.list.currentIndex() != index:
                flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
                self.list.selectionModel().setCurrentIndex(index, flag)
            if scroll:
                self.list.scrollTo(index)
        self.list.viewport().update()

    # --- filtering ---

    def _typed(self) -> None:
        text = self.search.text().strip()
        if text != self.filter.text:
            self.filter = replace(self.filter, text=text)
            self.apply_filter()

    def pick_status(self, status: Status | None) -> None:
        """Show cases of one status, or of all."""
        self.filter = replace(self.filter, status=status)
        self.apply_filter()

    def pick_bar(self, key: int) -> None:
        """Show the cases of a class, of none, or with -1 of all."""
        if key == UNLABELLED_KEY or (key < 0 and self._bar_is_unlabelled()):
            status = Status.UNLABELLED if key == UNLABELLED_KEY else None
            self.filter = replace(self.filter, status=status, class_id=None)
        else:
            self.filter = replace(self.filter, class_id=None if key < 0 else key)
        self.apply_filter()

    def clear_filter(self) -> None:
        """Show all cases."""
        self.filter = self.filter.cleared()
        self.search.clear()
        self.apply_filter()

    def open_funnel(self) -> None:
        """Open the menu of parts and orders."""
        menu = self.funnel_menu()
        menu.popup(self.funnel.mapToGlobal(self.funnel.rect().bottomLeft()))

    def funnel_menu(self) -> QMenu:
        """Build the menu of parts and orders."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        catalogue = self._session.catalogue
        counts = split_counts(catalogue) if catalogue else {}
        words = {None: "All parts", Split.TRAIN: "Train", Split.VAL: "Val", Split.TEST: "Test"}
        for split, word in words.items():
            count = f"   {counts.get(split, 0):,}" if split else ""
            action = menu.addAction(word + count)
            action.setCheckable(True)
            action.setChecked(self.filter.split is split)
            action.triggered.connect(partial(self._pick_split, split))
        menu.addSeparator()
        for key, word in ORDERS.items():
            action = menu.addAction(f"Order by {word[0].lower()}{word[1:]}")
            action.setCheckable(True)
            action.setChecked(self.filter.order == key)
            action.triggered.connect(partial(self._pick_order, key))
        return menu

    def _pick_split(self, split: Split | None, _checked: bool = False) -> None:
        self.filter = replace(self.filter, split=split)
        self.apply_filter()

    def _pick_order(self, order: str, _checked: bool = False) -> None:
        self.filter = replace(self.filter, order=order)
        self.apply_filter()

    # --- choosing ---

    def selected(self) -> list[str]:
        """Give the ids of the selected cases, in the order of the list."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        return [self.model.case_id(row) for row in rows]

    def _current_changed(self, current: QModelIndex, _former: QModelIndex) -> None:
        case_id = current.data(Role.CASE_ID)
        if case_id:
            with self._session.reporting():
                self._session.show_case(case_id)

    def _selection_changed(self) -> None:
        count = len(self.list.selectionModel().selectedIndexes())
        project = self._session.project
        self.selection.show_count(count, writable=bool(project and project.writable))

    def _context_menu(self, point) -> None:
        if self.selected():
            menu = self.selection.menu()
            menu.popup(self.list.viewport().mapToGlobal(point))

    # --- changing ---

    def set_split(self, split: Split) -> None:
        """Put the selected cases into a part."""
        chosen = self.selected()
        if self._session.project is not None and chosen:
            with self._session.reporting():
                self._session.project.set_split(chosen, split)
                self._changed(chosen)

    def set_status(self, status: Status) -> None:
        """Give the selected cases a status."""
        chosen = self.selected()
        if self._session.project is not None and chosen:
            with self._session.reporting():
                self._session.project.set_status(chosen, status)
                self._changed(chosen)

    def delete_selected(self) -> None:
        """Move the selected cases to the project's trash; source images are never touched."""
        project, chosen = self._session.project, self.selected()
        if project is None or not chosen:
            return
        with self._session.reporting():
            self._session.leave_case_of(chosen)
            project.delete_cases(chosen)
            self._session.refresh()
            self._session.notify(
                f"{len(chosen):,} case{'s' if len(chosen) > 1 else ''} moved to the project's "
                "trash. The images themselves were not touched."
            )

    def _changed(self, chosen: Sequence[str]) -> None:
        places = set(chosen)
        self._session.labels_saved(chosen)
        self._select(places)

    def _select(self, case_ids: set[str]) -> None:
        choose = self.list.selectionModel()
        for case_id in case_ids:
            row = self.model.row_of_case(case_id)
            if row >= 0:
                choose.select(self.model.index(row), QItemSelectionModel.SelectionFlag.Select)

    # --- classes ---

    def open_classes_menu(self) -> None:
        """Open the menu of what can be done with classes and cases."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        project = self._session.project
        writable = bool(project and project.writable)
        for words, act in (
            ("Edit classes...", self.edit_classes),
            ("Import more cases...", self.import_asked.emit),
        ):
            action = menu.addAction(words)
            action.setEnabled(writable)
            action.triggered.connect(lambda _checked=False, act=act: act())
        menu.popup(self.head.menu.mapToGlobal(self.head.menu.rect().bottomLeft()))

    def edit_classes(self) -> None:
        """Open the dialog in which classes are added, renamed, merged and retired."""
        if self._session.project is not None:
            dialog = ClassesDialog(self._session, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def close_threads(self) -> None:
        """Wait for threads that read files; call before the window goes."""
        self._errands.close()
        self.thumbnails.close()

    def sizeHint(self) -> QSize:
        """As wide as design.md has it."""
        return QSize(280, 600)


_UNLABELLED = tuple(Status).index(Status.UNLABELLED)


def _inset(part: QWidget) -> QWidget:
    """Keep the panel's edge free beside a part."""
    part.setContentsMargins(EDGE, 0, EDGE, 0)
    if part.layout() is None:
        holder = QWidget(part.parentWidget())
        row = QVBoxLayout(holder)
        row.setContentsMargins(EDGE, 0, EDGE, 0)
        part.setContentsMargins(0, 0, 0, 0)
        row.addWidget(part)
        return holder
    part.layout().setContentsMargins(EDGE, 0, EDGE, 0)
    part.setContentsMargins(0, 0, 0, 0)
    return part
