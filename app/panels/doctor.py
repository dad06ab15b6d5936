"""The doctor's page at the bottom: what will go wrong, its cases, and how to mend it."""

from functools import partial

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...core.review.doctor_records import Finding, Severity
from ..background import Errands
from ..session import Session
from ..theme import EDGE
from ..widgets.basic import ElidedLabel, GhostButton, IconButton, QuietLabel, SectionLabel, mark
from ..widgets.dress import dress
from .doctor_model import DoctorModel, Stage
from .doctor_needs import Needs
from .doctor_rows import FindingRow
from .doctor_side import DoctorSide
from .embedding_states import Invitation, Work
from .train_parts import SayCard
from .train_words import case_noun, plural

SIDE_PX = 330
STACK_BELOW_PX = 620
TICK_MS = 100
SELECTED_AT_MOST = 50
"""More cases are listed and not selected, so that no slip changes hundreds of them."""

ASK = "Examine"
CLEAN = "Nothing was found"


class DoctorHead(QWidget):
    """One line beside the tabs: what was found and when, and the way to look again."""

    again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel("", self, kind="quiet")
        self.button = IconButton("ph.arrow-clockwise", "Examine all cases again", self)
        self.button.clicked.connect(lambda _checked=False: self.again.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)

    def show_words(self, words: str) -> None:
        """Show the line; without words there is no button either."""
        self.words.setText(words)
        self.button.setVisible(bool(words))


class DoctorPanel(QWidget):
    """Findings beside the numbers that they come from.

    Attributes
    ----------
    head
        What the dock at the bottom shows beside its tabs.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._errands = Errands(1, "longtail doctor", self)
        self.model = DoctorModel(session, self._errands.ask)
        self.rows: list[FindingRow] = []
        self._tick = QTimer(self, singleShot=True, interval=TICK_MS)
        self._make()
        self.needs = Needs(session, self.side, self._errands.ask)
        self._connect()
        dress(self)
        self.show_model()

    def examine_soon(self) -> None:
        """Examine what has just been imported."""
        self.model.examine_soon()

    def close_threads(self) -> None:
        """Wait for what is being read or written."""
        self._errands.close()

    # --- showing ---

    def show_model(self) -> None:
        """Show the state as it is now."""
        stage, report = self.model.stage, self.model.report
        self._show_head()
        if stage is Stage.WORKING:
            self._show_progress()
            self.pages.setCurrentWidget(self.work)
        elif stage is Stage.READY and report is not None:
            self.side.show_report(report, self._noun)
            self._show_findings()
            self.pages.setCurrentWidget(self.whole)
            self.needs.look()
        else:
            self.invitation.show_words(*self._invitation())
            self.pages.setCurrentWidget(self.invitation)

    @property
    def _noun(self) -> str:
        project = self._session.project
        return case_noun(str(project.task)) if project else "case"

    def _invitation(self) -> tuple[str, str, str]:
        stage, trouble = self.model.stage, self.model.trouble
        if stage is Stage.CLOSED:
            return "No project is open", "", ""
        if stage is Stage.READING:
            return "Reading the last examination", "", ""
        if stage is Stage.FAILED:
            title = "The examination did not come to its end"
            return title, f"{trouble.reason} {trouble.remedy}".strip(), "Try again"
        return (
            "What would go wrong in a training?",
            "Longtail looks at every case once: classes that a part lacks, patients and copies "
            "on both sides, images that lie wrong, and shortcuts.",
            ASK,
        )

    def _show_head(self) -> None:
        model, report = self.model, self.model.report
        if model.stage is not Stage.READY or report is None:
            self.head.show_words("")
            return
        left = [one for one in report.findings if model.step_for(one) is None]
        bad = sum(one.severity is Severity.ERROR for one in left)
        count = plural(len(left), "finding") if left else CLEAN
        words = f"{count}{f', {bad} serious' if bad else ''} · {plural(report.cases, self._noun)}"
        if not model.is_current:
            words += " · changed since"
        self.head.show_words(words)

    def _show_findings(self) -> None:
        report = self.model.report
        assert report is not None
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = [self._row(one) for one in report.findings]
        for row in self.rows:
            self.list.addWidget(row)
        words = (
            f"Each class is in every part, nobody is on both sides, and among the "
            f"{plural(report.cases, self._noun)} there are no copies and nothing unlike the rest."
        )
        self.clean.say(*("", "") if report.findings else (CLEAN, words))
        self._show_elsewhere()

    def _row(self, finding: Finding) -> FindingRow:
        project, model = self._session.project, self.model
        step = model.step_for(finding)
        writable = bool(project and project.writable) and not model.busy
        row = FindingRow(finding, step, self._noun, self.inner, writable=writable)
        row.cases_asked.connect(partial(self._list_cases, finding))
        row.mend_asked.connect(partial(model.mend, finding))
        if step is not None:
            row.back_asked.connect(partial(model.take_back, step.number))
        return row

    def _show_elsewhere(self) -> None:
        """Offer to undo the steps whose finding is gone from the report."""
        steps = self.model.elsewhere
        self.before.setVisible(bool(steps))
        self.before_words.setVisible(bool(steps))
        self.before_undo.setVisible(bool(steps))
        if steps:
            self.before_words.setText("\n".join(one.sentence for one in steps))

    def _undo_last(self) -> None:
        if self.model.elsewhere:
            self.model.take_back(self.model.elsewhere[-1].number)

    def _show_progress(self) -> None:
        progress = self.model.progress
        title = progress.what if progress and progress.what else "Examining the data"
        self.work.show_progress(title, progress)

    def _list_cases(self, finding: Finding) -> None:
        catalogue = self._session.catalogue
        there = set(catalogue.ids) if catalogue else set()
        cases = [case for case in finding.cases if case in there]
        self._session.list_cases(cases, finding.kind.value.replace("-", " "))
        if len(cases) <= SELECTED_AT_MOST:
            self._session.select_cases(cases)

    # --- making ---

    def _make(self) -> None:
        mark(self, "page")
        self.head = DoctorHead(self)
        self.side = DoctorSide(self)
        self.invitation, self.work = Invitation(self), Work(self)
        self.work.stop.setToolTip("Stop; what was looked at is kept for the next time")
        self.inner = QWidget()
        self.list = QVBoxLayout()
        self.list.setSpacing(2)
        self.clean = SayCard(parent=self.inner, tone="good")
        self._make_before()
        column = QVBoxLayout(self.inner)
        column.setContentsMargins(0, 0, 8, 8)
        column.setSpacing(6)
        column.addLayout(self.list)
        for part in (self.clean, self.before, self.before_words, self.before_undo):
            column.addWidget(part)
        column.addStretch(1)
        self._lay_out()

    def _make_before(self) -> None:
        self.before = SectionLabel("Done before", parent=self.inner, line=False)
        self.before_words = QuietLabel("", self.inner)
        self.before_undo = GhostButton("Undo the last", self.inner, tip="Put it back as it was")
        policy = self.before_undo.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Maximum)
        self.before_undo.setSizePolicy(policy)
        self.before_undo.clicked.connect(lambda _checked=False: self._undo_last())

    def _lay_out(self) -> None:
        self.whole = QWidget(self)
        self.row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.whole)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(16)
        self.side_area, self.list_area = _scrolling(self.side), _scrolling(self.inner)
        self.row.addWidget(self.side_area, 2)
        self.row.addWidget(self.list_area, 3)
        self.pages = QStackedWidget(self)
        for page in (self.invitation, self.work, self.whole):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(EDGE, 2, EDGE - 4, 8)
        layout.addWidget(self.pages)

    def _connect(self) -> None:
        self.model.changed.connect(self.show_model)
        self.model.progressed.connect(self._progressed)
        self._tick.timeout.connect(self._show_progress)
        self.invitation.asked.connect(self.model.examine)
        self.work.stop_asked.connect(self.model.stop)
        self.head.again.connect(self.model.examine)

    def _progressed(self) -> None:
        if not self._tick.isActive():
            self._tick.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the numbers above the findings where there is no room beside them."""
        super().resizeEvent(event)
        narrow = self.width() < STACK_BELOW_PX
        way = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self.row.setDirection(way)
        self.side_area.setFixedWidth(self.width() - 2 * EDGE if narrow else SIDE_PX)

    def showEvent(self, event: QShowEvent) -> None:
        """Tell what a training needs when the page comes into view."""
        super().showEvent(event)
        self.needs.look()


def _scrolling(inner: QWidget) -> QScrollArea:
    from qtpy.QtCore import Qt

    mark(inner, "body")
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inner)
    return area
