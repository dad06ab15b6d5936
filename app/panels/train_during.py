"""The Train panel while a run works: the one number, how far it is, the curves, the warnings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtGui import QIcon, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from ...core.backend.events import Warned
from ..widgets import BigNumber, GhostButton, HairLine, Page, QuietLabel
from .train_curves import Curves
from .train_guard import GuardCards
from .train_guarded import TAIL_GUARD
from .train_learned import WhatItLearned
from .train_live import ClassLook, Live
from .train_parts import Diary, RunHead, SayCard, WarningCard, flow, let_shrink

if TYPE_CHECKING:
    from ...core.project.store import Project

MOST_CARDS = 4
ROOM_FOR_ICONS = 262
_FINE = 1000


class DuringPage(Page):
    """A run at work; says by signals what the user asks of it."""

    pause_asked = Signal()
    resume_asked = Signal()
    stop_asked = Signal()
    cancel_asked = Signal()
    remedy_chosen = Signal(object, str)
    case_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run_head = RunHead(self)
        self.number = let_shrink(BigNumber(self))
        self.phase = QuietLabel("", self)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.buttons = RunButtons(self)
        self.curves = Curves(self)
        self.guard = GuardCards(self)
        self.learned = WhatItLearned("What it learned", self)
        self.diary = Diary(self)
        self.cards = QVBoxLayout()
        self.cards.setSpacing(8)
        self._cards: list[WarningCard] = []
        self._told = 0
        self.head.addWidget(self.run_head)
        self.head.addWidget(HairLine(self))
        for widget in (self.number, self.phase, self.progress, self.buttons, self.curves):
            self.body.addWidget(widget)
        self.body.addWidget(self.guard)
        self.body.addLayout(self.cards)
        self.body.addWidget(self.learned)
        self.body.addWidget(self.diary)
        self._connect()

    def begin(self, title: str, run: str, facts: str) -> None:
        """Clear the page for a run; `follow` says where its maps lie."""
        self.run_head.show_run(title, run, facts)
        for card in self._cards:
            card.hide()
            card.deleteLater()
        self._cards, self._told = [], 0
        self.guard.clear()
        self.curves.plot.single_out(None)
        self.diary.clear()
        self.buttons.show_state("queued")

    def follow(
        self,
        run_folder: Path,
        looks: Sequence[ClassLook],
        noun: str,
        project: "Project | None" = None,
    ) -> None:
        """Show what this run learns; `looks` are its classes in the order of its plan."""
        self.learned.begin(run_folder, looks, noun, project)

    def show_live(self, live: Live, state: str, looks: Sequence[ClassLook]) -> None:
        """Show a moment of the run."""
        self._show_number(live)
        self._show_progress(live, state)
        self.buttons.show_state(state)
        self.curves.show_curves(live.curves_title, live.curves, live.total_steps)
        self.guard.show_guarded(live.guarded)
        self._show_cards(live.warnings, {look.name: look.tier for look in looks})
        self.learned.show_learned(live.learned, live.total_steps)

    def show_taken_up(self, class_name: str, words: str, step: int) -> None:
        """Say on the cards about a class that the run does what was asked."""
        self.guard.show_taken_up(class_name, words, step)
        for card in self._cards:
            if card.warned.class_name == class_name:
                card.show_answer("Taken up by the run.")

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self.learned.close_threads()

    @property
    def warning_cards(self) -> tuple[WarningCard, ...]:
        """The cards that stand on the page, the newest first."""
        return tuple(reversed(self._cards))

    def _connect(self) -> None:
        self.guard.remedy_chosen.connect(self.remedy_chosen)
        self.learned.case_asked.connect(self.case_asked)
        self.buttons.pause_asked.connect(self.pause_asked)
        self.buttons.resume_asked.connect(self.resume_asked)
        self.buttons.stop_asked.connect(self.stop_asked)
        self.buttons.cancel_asked.connect(self.cancel_asked)

    def _show_number(self, live: Live) -> None:
        self.number.setVisible(live.headline is not None)
        if live.headline is not None:
            self.number.show_number(
                live.headline.text,
                live.headline.what,
                live.headline.best_text,
                (live.left, live.steps),
            )

    def _show_progress(self, live: Live, state: str) -> None:
        # Without the number there is no place for time and steps but here.
        parts = (live.phase,) if live.headline else (live.phase, live.steps, live.left)
        said = " · ".join(part for part in parts if part)
        self.phase.setText(said)
        self.phase.setVisible(live.headline is None or live.phase != "Training")
        busy = live.fraction is None and state != "paused"
        self.progress.setRange(0, 0 if busy else _FINE)
        if live.fraction is not None:
            self.progress.setValue(round(live.fraction * _FINE))

    def _show_cards(self, warnings: Sequence[Warned], tiers: Mapping[str, str]) -> None:
        for warned in warnings[self._told :]:
            if warned.kind == TAIL_GUARD:
                continue
            if all(warned != card.warned for card in self._cards):
                self._add_card(warned, tier_of(warned, tiers))
        self._told = len(warnings)
        for card in self._cards[:-MOST_CARDS]:
            card.hide()

    def _add_card(self, warned: Warned, tier: str) -> None:
        card = WarningCard(warned, tier, self)
        card.remedy_chosen.connect(self.remedy_chosen)
        card.curve_asked.connect(self.curves.single_out)
        self._cards.append(card)
        self.cards.insertWidget(0, card)


def tier_of(warned: Warned, tiers: Mapping[str, str]) -> str:
    """Give the tier of the class that a warning is about; empty where it is about none."""
    named = (name for name in tiers if name and name in warned.text)
    return tiers.get(warned.class_name or next(named, ""), "")


class RunButtons(QWidget):
    """Pause or resume, stop and keep, cancel; cancel asks before anything is thrown away."""

    pause_asked = Signal()
    resume_asked = Signal()
    stop_asked = Signal()
    cancel_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = "queued"
        self.setMinimumWidth(222)
        self.pause = GhostButton("Pause", self, symbol="ph.pause", tip="Give the device to others")
        self.stop = GhostButton(
            "Stop, keep", self, symbol="ph.square", tip="Finish now and keep what was learned"
        )
        self.cancel = GhostButton("Cancel", self, tip="Throw away what was learned")
        self.question = SayCard(
            "Throw this run away?", "What it has learned is deleted. Stop, keep keeps it.", self
        )
        self.throw_away = GhostButton("Throw away", self)
        self.throw_away.setProperty("longtail", "danger")
        self.go_on = GhostButton("Go on training", self)
        self._lay_out()
        self._connect()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the pictures out where there is no room for them beside the words."""
        super().resizeEvent(event)
        self.wear_icon()

    def wear_icon(self) -> None:
        """Draw the pictures in the colours of the theme, if there is room for them."""
        for button in (self.pause, self.stop):
            if self.width() >= ROOM_FOR_ICONS:
                button.wear_icon()
            else:
                button.setIcon(QIcon())

    def show_state(self, state: str) -> None:
        """Offer what can be done in this state of the run."""
        self._state = state
        paused = state == "paused"
        self.pause.setText("Resume" if paused else "Pause")
        self.pause.symbol = "ph.play" if paused else "ph.pause"
        self.wear_icon()
        self.pause.setToolTip("Go on training" if paused else "Give the device to others")
        self.pause.setEnabled(state in ("running", "paused"))
        self.stop.setEnabled(state in ("running", "paused"))
        self.cancel.setEnabled(state != "stopping")
        if state == "stopping":
            self.question.hide()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.pause)
        row.addWidget(self.stop)
        row.addStretch(1)
        row.addWidget(self.cancel)
        answers = flow()
        answers.addWidget(self.throw_away)
        answers.addWidget(self.go_on)
        self.question.body.addLayout(answers)
        self.question.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self.question)

    def _connect(self) -> None:
        self.pause.clicked.connect(self._pause_or_resume)
        self.stop.clicked.connect(lambda: self.stop_asked.emit())
        self.cancel.clicked.connect(self.question.show)
        self.go_on.clicked.connect(self.question.hide)
        self.throw_away.clicked.connect(self._throw_away)

    def _pause_or_resume(self) -> None:
        (self.resume_asked if self._state == "paused" else self.pause_asked).emit()

    def _throw_away(self) -> None:
        self.question.hide()
        self.cancel_asked.emit()
