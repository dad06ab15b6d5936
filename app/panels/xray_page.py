"""The widgets of the page about one image, and where they stand."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from ..widgets import (
    GhostButton,
    LinkButton,
    NarrowCombo,
    Page,
    PrimaryButton,
    QuietLabel,
    Segments,
    TitleLabel,
)
from .xray_map import HeatView, MapPart
from .xray_radiomics import BoxRadiomics
from .xray_rows import FindingRows

if TYPE_CHECKING:
    from ..session import Session

EVERY, ONE = "every", "one"
VIEWS = ((EVERY, "All images"), (ONE, "This image"))


class FindingsParts(Page):
    """Findings, heat map and radiomics in the body; accept or reject the box at the foot."""

    more_asked = Signal()

    def __init__(self, session: "Session", view: HeatView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.every = False
        self.run = NarrowCombo("Run", 14, self)
        self.views = Segments(VIEWS, self)
        self.views.set_value(ONE)
        self.title = TitleLabel("Findings", self)
        self.rows = FindingRows(self)
        self.more = LinkButton("", self)
        self.setting, self.words = QuietLabel("", self), QuietLabel("", self)
        self.map = MapPart(view, self)
        self.radiomics = BoxRadiomics(session, self)
        self.predict = PrimaryButton("Predict this image", self)
        self.accept = PrimaryButton("Accept box", self)
        self.reject = GhostButton("Reject", self)
        self._lay_out()

    def name_case(self, case_id: str) -> None:
        """Say which image this is; the list of cases shows it, so a tooltip is enough."""
        self.title.setToolTip(case_id)

    def show_more(self, total: int, shown: int) -> None:
        """Offer the findings that do not stand on the page."""
        self.more.setVisible(total > shown or (self.every and total > 0))
        self.more.setText("Fewer findings" if self.every else f"All {total} findings")

    def say_prediction(self, words: str, *, can_predict: bool, setting: str) -> None:
        """Say what to know of the probabilities, and offer to predict."""
        self.words.setText(words)
        self.words.setVisible(bool(words))
        kept = "At the setting of the prior slider that is kept with this run."
        self.setting.setText(kept if setting else "")
        self.setting.setToolTip(setting)
        self.setting.setVisible(bool(setting))
        self.predict.setVisible(can_predict)
        self.predict.setText("Predict again" if self.rows.rows else "Predict this image")
        self.rows.setVisible(bool(self.rows.rows))
        self.map.setVisible(bool(self.rows.rows))

    def show_foot(self, *, there: bool, kept: bool, rejected: bool) -> None:
        """Offer what can be done with the predicted box."""
        for button in (self.accept, self.reject):
            button.setVisible(there)
        self.accept.setEnabled(not kept)
        self.accept.setText("Box accepted" if kept else "Accept box")
        self.accept.setToolTip(
            "This box is drawn already" if kept else "Keep it among the boxes of this image"
        )
        self.reject.setText("Show again" if rejected else "Reject")
        self.reject.setEnabled(not kept or rejected)
        self.reject.setToolTip(
            "Show the predicted box again" if rejected else "Hide it, and remember that it is wrong"
        )

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.run)
        self.head.addLayout(head)
        self.head.addWidget(self.views)
        self.body.setSpacing(6)
        self.body.addWidget(self.rows)
        self.body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        parts = (self.setting, self.words, self.map, self.radiomics, self.map.note)
        for widget in parts:
            self.body.addWidget(widget)
        self.more.clicked.connect(lambda _checked=False: self._turn_more())
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self.accept, 1)
        foot.addWidget(self.reject)
        self.foot.addWidget(self.predict)
        self.foot.addLayout(foot)

    def _turn_more(self) -> None:
        self.every = not self.every
        self.more_asked.emit()
