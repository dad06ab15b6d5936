"""The Train panel after a run: what came of it, and what to do next."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from ..widgets import BigNumber, GhostButton, HairLine, Page, PrimaryButton
from ..widgets.basic import mark
from .train_curves import Curves
from .train_guard import GuardCards
from .train_learned import WhatItLearned
from .train_live import ClassLook, Live
from .train_outcome import Ending
from .train_parts import RunHead, SayCard, let_shrink

if TYPE_CHECKING:
    from ...core.project.store import Project

_CHANGE_KINDS = {True: "good", False: "bad", None: "quiet"}


class AfterPage(Page):
    """How a run ended; its primary button is the next thing to do."""

    results_asked = Signal()
    resume_asked = Signal()
    again_asked = Signal()
    case_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run_head = RunHead(self)
        self.number = let_shrink(BigNumber(self))
        self.words = SayCard(parent=self)
        self.curves = Curves(self)
        self.guard = GuardCards(self, over=True)
        self.learned = WhatItLearned("Replay the training", self, live=False)
        self.resume = GhostButton("Resume", self, symbol="ph.play", tip="Go on from where it was")
        self.again = GhostButton("Train again", self, symbol="ph.arrow-counter-clockwise")
        self.next = PrimaryButton("See results", self)
        self._ending: Ending | None = None
        self.head.addWidget(self.run_head)
        self.head.addWidget(HairLine(self))
        for widget in (self.number, self.words, self.curves, self.guard, self.learned):
            self.body.addWidget(widget)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.resume, 1)
        row.addWidget(self.again, 1)
        self.foot.addLayout(row)
        self.foot.addWidget(self.next)
        self.resume.clicked.connect(self.resume_asked)
        self.again.clicked.connect(self.again_asked)
        self.next.clicked.connect(self._act)
        self.learned.case_asked.connect(self.case_asked)

    def show_run(self, title: str, run: str, facts: str) -> None:
        """Say which run this was."""
        self.run_head.show_run(title, run, facts)

    def follow(
        self,
        run_folder: Path,
        looks: Sequence[ClassLook],
        noun: str,
        project: "Project | None" = None,
    ) -> None:
        """Show what this run has learned; `looks` are its classes in the order of its plan."""
        self.learned.begin(run_folder, looks, noun, project)

    def show_ending(self, ending: Ending, live: Live, kept: Collection[str] = ()) -> None:
        """Show what came of the run, with its curves as they ended.

        `kept` are the classes whose best weights the run has kept.
        """
        self._ending = ending
        self.words.say(ending.title, ending.text, ending.tone)
        self._show_number(ending)
        self.curves.show_curves(live.curves_title, live.curves, live.total_steps)
        self.guard.clear()
        self.guard.show_guarded(live.guarded)
        self.guard.show_kept(kept)
        self.learned.show_learned(live.learned, live.total_steps)
        self.resume.setVisible(ending.can_resume and ending.has_results)
        self.again.setVisible(ending.has_results or ending.can_resume)
        self.next.setText(self._next_words(ending))

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self.learned.close_threads()

    def _show_number(self, ending: Ending) -> None:
        headline = ending.headline
        self.number.setVisible(headline is not None)
        if headline is None:
            return
        versus = f"over {ending.versus}" if ending.change_text else ""
        self.number.show_number(
            headline.text, headline.what, headline.best_text, (ending.change_text, versus)
        )
        mark(self.number.right_first, _CHANGE_KINDS[ending.better])

    @staticmethod
    def _next_words(ending: Ending) -> str:
        if ending.has_results:
            return "See results"
        return "Resume" if ending.can_resume else "Train again"

    def _act(self) -> None:
        if self._ending is None:
            return
        if self._ending.has_results:
            self.results_asked.emit()
        else:
            (self.resume_asked if self._ending.can_resume else self.again_asked).emit()
