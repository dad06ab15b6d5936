"""The two views of Results on image-level runs: all images, and the one on the canvas."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QComboBox, QStackedWidget, QWidget

from ...core.project.records import RunRecord, Task
from ..widgets import Segments
from .results_page import ResultsPage
from .results_state import run_title
from .xray_page import EVERY, ONE, VIEWS

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..session import Session
    from .results_case import PredictionView
    from .xray import FindingsPage


class ResultsViews(QObject):
    """Decides which page is shown, and keeps their choosers alike.

    `offered` tells whether a single image has a page of its own in the open project.

    Parameters
    ----------
    pages
        Where the pages stand.
    page
        The page about all images; the one about an image is made when it is first asked for.
    canvas
        Shows heat maps and boxes; one that cannot offers no view of a single image.
    """

    changed = Signal()
    run_chosen = Signal(str)
    panel_asked = Signal(str)

    def __init__(
        self,
        pages: QStackedWidget,
        page: ResultsPage,
        session: "Session",
        canvas: "PredictionView | None",
    ) -> None:
        super().__init__(pages)
        self._pages, self._page, self._session, self._canvas = pages, page, session, canvas
        self._view = EVERY
        self.offered = False
        self.findings: FindingsPage | None = None
        self.switch = Segments(VIEWS, page)
        self.switch.set_value(EVERY)
        page.head.addWidget(self.switch)
        self.switch.chosen.connect(self.choose)
        page.run.activated.connect(lambda row: self.run_chosen.emit(page.run.itemData(row)))

    def choose(self, view: str) -> None:
        """Show all images (`every`) or the one on the canvas (`one`)."""
        self._view = view
        self.changed.emit()

    def turn_to(self, project: "Project") -> "FindingsPage | None":
        """Bring the page to the front; give it if it is the one about an image."""
        self.offered = project.task is not Task.SEGMENTATION and hasattr(self._canvas, "heat")
        self.switch.setVisible(self.offered)
        self.switch.set_value(self._view)
        one = self._made() if self.offered and self._view == ONE else None
        page: QWidget = self._page if one is None else one
        self._pages.setCurrentWidget(page)
        return one

    def show_runs(self, runs: Sequence[RunRecord], chosen: RunRecord) -> None:
        """Offer the runs, the newest first."""
        for box in self._boxes():
            box.blockSignals(True)
            box.clear()
            for each in reversed(runs):
                box.addItem(run_title(each), each.id)
            box.setCurrentIndex(box.findData(chosen.id))
            box.blockSignals(False)

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        if self.findings is not None:
            self.findings.close_threads()

    def _boxes(self) -> list[QComboBox]:
        return [self._page.run, *([self.findings.run] if self.findings is not None else [])]

    def _made(self) -> "FindingsPage":
        if self.findings is None:
            from .xray import FindingsPage

            page = self.findings = FindingsPage(self._session, self._canvas)  # type: ignore[arg-type]
            self._pages.addWidget(page)
            page.view_chosen.connect(self.choose)
            page.radiomics.all_asked.connect(lambda: self.panel_asked.emit("Radiomics"))
            page.run.activated.connect(lambda row: self.run_chosen.emit(page.run.itemData(row)))
        self.findings.views.set_value(ONE)
        return self.findings
