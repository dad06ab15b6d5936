"""The dialog that makes a project from a folder, or adds a folder to the open project."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...core.errors import LongtailError
from ...core.project.records import Split, Status, Task
from ..background import Errands
from ..loading import Loaded
from ..session import Session
from ..widgets.basic import (
    Card,
    GhostButton,
    HairLine,
    PrimaryButton,
    QuietLabel,
    Segments,
    TextLabel,
    TitleLabel,
    mark,
)
from ..widgets.combo import NarrowCombo
from ..widgets.dress import dress
from .cases_selection import SPLIT_WORDS
from .new_project_pages import BeginPage, fill, new_page, scrolling, side_by_side
from .new_project_plan import (
    DEFAULT_SHARES,
    TASK_WORDS,
    Wish,
    bring_in,
    class_names,
    columns_of_patients,
    create,
    has_split,
    left_out,
    look_through,
    problem,
    suggested_place,
)

if TYPE_CHECKING:
    from ...core.io.importers.plan import ImportPlan

log = logging.getLogger(__name__)

LABEL_PX = 74
ALL_BOXES = ""
BOX_WORDS = ((ALL_BOXES, "All"), *((part.value, words) for part, words in SPLIT_WORDS.items()))
UNCERTAIN_WORDS = (("unknown", "Unknown"), ("positive", "Present"), ("negative", "Absent"))
SMALL_PX, LARGE_PX = (600, 340), (600, 560)


class NewProjectDialog(QDialog):
    """Source, what was found in it in words, task and classes, split, place: then it is made."""

    _progress = Signal(int, int)

    def __init__(
        self,
        session: Session,
        source: Path | None = None,
        *,
        into_open_project: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._into = session.project if into_open_project else None
        self._source: Path | None = None
        self._plan: ImportPlan | None = None
        self._labels: dict[QWidget, TextLabel] = {}
        self._errands = Errands(1, "longtail import", self)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Import cases" if self._into else "New project")
        self.setMinimumWidth(560)
        self._progress.connect(self._show_progress)
        self._build()
        dress(self)
        self._show(self.begin)
        if source is not None:
            self.look(source)

    # --- building ---

    def _build(self) -> None:
        self.pages = QStackedWidget(self)
        self.begin, self.wait, self.proposal = BeginPage(), self._wait(), self._proposal()
        self.begin.chosen.connect(lambda path: self.look(Path(path)))
        for page in (self.begin, self.wait, self.proposal):
            self.pages.addWidget(page)
        self.complaint = TextLabel("", self)
        self.complaint.setWordWrap(True)
        mark(self.complaint, "bad")
        self.back = GhostButton("Choose another source", self)
        self.back.clicked.connect(lambda _checked=False: self._show(self.begin))
        self.cancel = GhostButton("Cancel", self)
        self.cancel.clicked.connect(lambda _checked=False: self.reject())
        self.go = PrimaryButton("Import" if self._into else "Create the project", self)
        self.go.clicked.connect(lambda _checked=False: self.make())
        foot = QHBoxLayout()
        foot.addWidget(self.back)
        foot.addStretch(1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.go)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 16)
        whole.setSpacing(10)
        whole.addWidget(TitleLabel(self.windowTitle(), self))
        whole.addWidget(self.pages, 1)
        whole.addWidget(self.complaint)
        whole.addWidget(HairLine(self))
        whole.addLayout(foot)

    def _wait(self) -> QWidget:
        page, column = new_page()
        column.addStretch(1)
        self.doing = TextLabel("", page)
        self.doing.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.bar = QProgressBar(page)
        self.bar.setTextVisible(False)
        column.addWidget(self.doing)
        column.addWidget(self.bar)
        column.addStretch(2)
        return page

    def _proposal(self) -> QWidget:
        page, column = new_page()
        self.found = Card(page)
        self.found_area = scrolling(self.found)
        column.addWidget(self.found_area, 1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, LABEL_PX)
        grid.setColumnStretch(1, 1)
        self.task = Segments([(t.value, words[0]) for t, words in TASK_WORDS.items()], page)
        self.task.chosen.connect(self._task_changed)
        self.task_words = QuietLabel("", page)
        self.classes = QLineEdit(page)
        self.classes.setPlaceholderText("Names separated by commas, the most common first")
        self.classes.textChanged.connect(self._check)
        self.split = QLineEdit(DEFAULT_SHARES, page)
        self.split.setToolTip("Train, val and test: shares, or counts that add up to all cases")
        self.split.textChanged.connect(self._check)
        self.keep_split = QCheckBox("as the source says", page)
        self.keep_split.toggled.connect(self._check)
        self.as_draft = QCheckBox("A model made these labels: import them as drafts", page)
        self.uncertain = Segments(UNCERTAIN_WORDS, page)
        self.uncertain.setToolTip("What a finding counts as where the reader was not sure of it")
        self.uncertain.chosen.connect(lambda _value: self._look_again())
        self.patient = NarrowCombo("The column that tells which images belong together", 20, page)
        self.boxes_of = Segments(BOX_WORDS, page)
        self.boxes_of.setToolTip(
            "Boxes of the test part alone: to measure by, while a method learns without them"
        )
        self.place = QLineEdit(page)
        self.place.textChanged.connect(self._check)
        elsewhere = GhostButton("...", page, tip="Choose where the project is kept")
        elsewhere.clicked.connect(lambda _checked=False: self._choose_place())
        self.split_row = side_by_side(self.split, self.keep_split)
        rows: list[tuple[str, QWidget]] = [
            ("Task", self.task),
            ("", self.task_words),
            ("Classes", self.classes),
            ("Patients", self.patient),
            ("Split", self.split_row),
            ("", self.as_draft),
            ("Uncertain", self.uncertain),
            ("Boxes", self.boxes_of),
            ("Project", side_by_side(self.place, elsewhere)),
        ]
        for row, (words, part) in enumerate(rows):
            label = TextLabel(words, page)
            grid.addWidget(label, row, 0)
            grid.addWidget(part, row, 1)
            self._labels[part] = label
            if self._into is not None and words in ("Task", "Classes", "Project"):
                self._show_row(part, False)
        self.task_words.setVisible(self._into is None)
        column.addLayout(grid)
        return page

    def _show_row(self, part: QWidget, shown: bool) -> None:
        self._labels[part].setVisible(shown)
        part.setVisible(shown)

    # --- choosing ---

    def _choose_place(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "The project", self.place.text())
        if name:
            path = Path(name)
            self.place.setText(str(path if path.suffix == ".longtail" else f"{path}.longtail"))

    # --- the dry run ---

    def look(
        self, source: Path, task: Task | None = None, uncertain: str = UNCERTAIN_WORDS[0][0]
    ) -> None:
        """Look through a source in a thread, then propose a project.

        Parameters
        ----------
        task
            None to let the source say it.
        uncertain
            What findings are taken for that a reader was not sure of.
        """
        self._source = source
        wanted = self._into.task if self._into else task
        known = tuple(c.name for c in self._into.classes) if self._into else ()
        self._begin_waiting(f"Looking through {source.name or source} ...")
        self._errands.forget()
        self._errands.ask(
            partial(look_through, source, self.begin.labels, wanted, known, uncertain),
            self._propose,
            self._not_found,
        )

    def _not_found(self, error: Exception) -> None:
        self._show(self.begin)
        self._complain(error)

    def _propose(self, plan: "ImportPlan") -> None:
        self._plan = plan
        assert self._source is not None
        fill(self.found, plan.sentences())
        task = Task(plan.task)
        self.task.set_value(task.value)
        self.task_words.setText(TASK_WORDS[task][1])
        self.classes.setText(", ".join(plan.class_names))
        self.classes.setCursorPosition(0)
        self.keep_split.setVisible(has_split(plan))
        self.keep_split.setChecked(has_split(plan))
        self._show_row(self.as_draft, task is Task.SEGMENTATION and bool(plan.class_names))
        self._show_row(self.uncertain, plan.uncertain is not None)
        self.uncertain.set_value(plan.uncertain or UNCERTAIN_WORDS[0][0])
        self._show_row(self.boxes_of, plan.has_boxes)
        self.boxes_of.set_value(ALL_BOXES)
        self._offer_columns(columns_of_patients(plan))
        self._show_row(self.split_row, self._into is None or not plan.boxes_only)
        self.place.setText(str(suggested_place(self._source)))
        self._show(self.proposal)
        self._check()

    def _offer_columns(self, columns: Sequence[str]) -> None:
        """Let the user say which column tells the patients, where the source does not."""
        before = self.patient.currentData()
        self.patient.clear()
        self.patient.addItem("each image on its own", None)
        for column in columns:
            self.patient.addItem(f"by {column}", column)
        if before in columns:  # another task or reading of the same source
            self.patient.setCurrentIndex(self.patient.findData(before))
        self._show_row(self.patient, bool(columns))

    def _task_changed(self, value: str) -> None:
        if self._source is not None:
            self.look(self._source, Task(value), self.uncertain.value())

    def _look_again(self) -> None:
        if self._source is not None and self._plan is not None:
            self.look(self._source, Task(self._plan.task), self.uncertain.value())

    def wish(self) -> Wish:
        """Give what is chosen now."""
        assert self._source is not None
        task = self._into.task if self._into else Task(self.task.value() or Task.SEGMENTATION)
        names = class_names(self.classes.text())
        kept = self.keep_split.isChecked() and not self.keep_split.isHidden()
        if self._into is not None:
            names = tuple(c.name for c in self._into.classes)
        return Wish(
            source=self._source,
            task=task,
            classes=names,
            place=Path(self.place.text()),
            split=None if kept else self.split.text().strip() or None,
            status=Status.DRAFT if self.as_draft.isChecked() else Status.REVIEWED,
            boxes_of=Split(part) if (part := self.boxes_of.value()) else None,
            patient=self.patient.currentData(),
        )

    def _check(self) -> None:
        if self._plan is None or self.pages.currentWidget() is not self.proposal:
            return
        self.split.setEnabled(not self.keep_split.isChecked() or self.keep_split.isHidden())
        wish = self.wish()
        asked = wish if self._into is None else replace(wish, place=Path("/nowhere/at/all"))
        trouble = problem(asked, self._plan)
        self.go.setEnabled(not trouble)
        missing = left_out(wish, self._plan)
        if not trouble and missing:
            trouble = f"Labels of {', '.join(missing)} will be left out."
        self.complaint.setText(trouble)

    # --- making ---

    def make(self) -> None:
        """Make the project in a thread; it is opened when it is complete."""
        if self._plan is None:
            return
        wish, plan = self.wish(), self._plan
        self._begin_waiting(f"Importing {len(plan.cases):,} cases ...")
        self.cancel.setEnabled(False)
        if self._into is not None:
            work = partial(bring_in, self._into, wish, plan, self._progress.emit)
            self._errands.ask(work, self._imported, self._not_made)
        else:
            making = partial(create, wish, plan, self._progress.emit)
            self._errands.ask(making, self._made, self._not_made)

    def _made(self, loaded: Loaded) -> None:
        self._session.adopt(loaded)
        self._session.cases_imported.emit()
        self._end()

    def _imported(self, _nothing: None) -> None:
        self._session.classes_edited()
        self._session.cases_imported.emit()
        self._end()

    def _end(self) -> None:
        self._errands.close()
        self.accept()

    def _not_made(self, error: Exception) -> None:
        self.cancel.setEnabled(True)
        self._show(self.proposal)
        self._complain(error)

    def _complain(self, error: Exception) -> None:
        if isinstance(error, LongtailError):
            self.complaint.setText(str(error))
            return
        log.error("The import failed", exc_info=error)
        self.complaint.setText(
            f"Something went wrong that Longtail did not foresee: {type(error).__name__}: {error}. "
            "The log has more."
        )

    # --- showing ---

    def _begin_waiting(self, words: str) -> None:
        self.doing.setText(words)
        self.bar.setRange(0, 0)
        self._show(self.wait)

    def _show_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        self.doing.setText(f"Importing: {done:,} of {total:,}")

    def _show(self, page: QWidget) -> None:
        self.pages.setCurrentWidget(page)
        self.resize(*(LARGE_PX if page is self.proposal else SMALL_PX))
        self.complaint.setText("")
        self.back.setVisible(page is self.proposal)
        self.go.setVisible(page is self.proposal)

    def reject(self) -> None:
        """Close; what a thread finds later is dropped."""
        self._errands.close()
        super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Not while a project is being written."""
        if not self.cancel.isEnabled():
            event.ignore()
            return
        super().closeEvent(event)
