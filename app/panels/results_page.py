"""The page of the Results panel: its widgets and where they stand."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from ..widgets import (
    GhostButton,
    IconButton,
    NarrowCombo,
    Page,
    PrimaryButton,
    Segments,
    TitleLabel,
)
from .results_case import CaseResults, PredictionView
from .results_details import DetailsPart
from .results_parts import FiguresPart, WorkingPart
from .results_slider import RunSlider
from .results_state import PART_WORDS, PARTS
from .train_parts import SayCard

if TYPE_CHECKING:
    from ..session import Session


class ResultsPage(Page):
    """Head with the run, figures, slider and details in the body, one button at the foot."""

    panel_asked = Signal(str)
    """The name of the panel that the user wants to go to: Review or Heat maps."""

    def __init__(
        self,
        session: "Session",
        canvas: PredictionView | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.run = NarrowCombo("Run", 14, self)
        self.splits = Segments([(part.value, PART_WORDS[part]) for part in PARTS])
        self.ask = SayCard()
        self.figures = FiguresPart()
        self.slider = RunSlider(session)
        self.details = DetailsPart()
        self.working = WorkingPart()
        self.case = CaseResults(session, canvas)
        self.primary = PrimaryButton("")
        self.review = GhostButton(
            "Review", symbol="ph.checks", tip="Look at the cases that deserve your eyes"
        )
        self.maps = IconButton("ph.squares-four", "Heat maps of all test cases", self)
        self.again = GhostButton("Evaluate again")
        self.weights = IconButton(
            "ph.caret-down", "Evaluate with the weights that were best for one class", self
        )
        self.pdf = IconButton("ph.file-pdf", "Save the report as PDF", self)
        self._lay_out()

    def _lay_out(self) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        head.addWidget(TitleLabel("Results", self))
        head.addStretch(1)
        head.addWidget(self.run)
        self.head.addLayout(head)
        body = (self.splits, self.ask, self.figures, self.slider, self.details, self.working)
        for widget in (*body, self.case):
            self.body.addWidget(widget)
        foot.setSpacing(6)
        foot.addWidget(self.primary, 1)
        foot.addWidget(self.pdf)
        self.foot.addLayout(foot)
        below = QHBoxLayout()
        below.setSpacing(6)
        below.addWidget(self.review, 1)
        below.addWidget(self.maps)
        below.addWidget(self.again)
        below.addWidget(self.weights)
        self.foot.addLayout(below)
        for button, name in ((self.review, "Review"), (self.maps, "Heat maps")):
            button.clicked.connect(lambda _checked=False, asked=name: self.panel_asked.emit(asked))
