"""The section with what a run has learned: its map, where it looks, its pseudo-labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..widgets import QuietLabel, SectionLabel, Segments
from .train_curves import CurveCard
from .train_live import ClassLook, Curve, Learned
from .train_map_player import MapPlayer
from .train_strip_player import StripPlayer
from .train_words import nouns

if TYPE_CHECKING:
    from ...core.project.store import Project

MAP, STRIP, PSEUDO, TEMPERATURE = "map", "strip", "pseudo", "temperature"
_WORDS = {
    MAP: "Map",
    STRIP: "Where it looks",
    PSEUDO: "Pseudo-labels",
    TEMPERATURE: "Temperature",
}


class CurvesWithWords(QWidget):
    """Curves, and a sentence that says what they are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = CurveCard(self)
        self.words = QuietLabel("", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.card)
        column.addWidget(self.words)

    def explain(self, words: str, tip: str) -> None:
        """Say what the curves are, and more of it in the tooltip."""
        self.words.setText(words)
        for widget in (self, self.card):
            widget.setToolTip(tip)

    def show_curves(self, curves: Sequence[Curve], end: int) -> None:
        """Draw the curves; `end` is the run's last step, 0 if unknown."""
        highest = max((value for curve in curves for _, value in curve.points), default=0.0)
        self.card.show_curves(curves, end, shares=highest <= 1.0)


class WhatItLearned(QWidget):
    """A switch over what there is to see of a run; nothing as long as there is nothing.

    Parameters
    ----------
    title
        What the section is called.
    live
        Whether the run is at work.
    """

    case_asked = Signal(str)

    def __init__(self, title: str, parent: QWidget | None = None, *, live: bool = True) -> None:
        super().__init__(parent)
        self._offered: tuple[str, ...] = ()
        self._chosen = MAP
        self._learned, self._end = Learned(), 0
        self.section = SectionLabel(title, parent=self)
        self.switch = Segments((), self)
        self.map = MapPlayer(self, live=live)
        self.strip = StripPlayer(self, live=live)
        self.strip.plot.asked.connect(self.case_asked)
        self.pseudo, self.temperature = CurvesWithWords(self), CurvesWithWords(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        parts = (self.map, self.strip, self.pseudo, self.temperature)
        for widget in (self.section, self.switch, *parts):
            self._column.addWidget(widget)
        self._explain("scan")
        self.hide()

    def begin(
        self,
        folder: Path,
        looks: Sequence[ClassLook],
        noun: str,
        project: "Project | None" = None,
    ) -> None:
        """Show another run; `looks` are its classes in the order of its plan."""
        self._explain(noun)
        self.map.begin(folder, looks, noun)
        self.strip.begin(folder, project)
        self.show_learned(Learned(), 0)

    def show_learned(self, learned: Learned, total_steps: int) -> None:
        """Show what there is now; `total_steps` is 0 where it is not known."""
        self._learned, self._end = learned, total_steps
        self._offer(tuple(each for each in _WORDS if _there(learned, each)))
        self._show()

    @property
    def offered(self) -> tuple[str, ...]:
        """What can be chosen now."""
        return self._offered

    @property
    def chosen(self) -> str:
        """What is shown now: map, strip, pseudo or temperature; empty if there is nothing."""
        if self._chosen in self._offered:
            return self._chosen
        return self._offered[0] if self._offered else ""

    def choose(self, which: str) -> None:
        """Show another part."""
        self._chosen = which
        self._show()

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self.map.close_threads()
        self.strip.close_threads()

    def _offer(self, offered: tuple[str, ...]) -> None:
        if offered == self._offered:
            return
        self._offered = offered
        former = self.switch
        self.switch = Segments([(each, _WORDS[each]) for each in offered], self)
        self.switch.chosen.connect(self.choose)
        self._column.replaceWidget(former, self.switch)
        former.deleteLater()

    def _show(self) -> None:
        chosen = self.chosen
        self.setVisible(bool(chosen))
        self.switch.setVisible(len(self._offered) > 1)
        self.switch.set_value(chosen)
        for which, part in (
            (MAP, self.map),
            (STRIP, self.strip),
            (PSEUDO, self.pseudo),
            (TEMPERATURE, self.temperature),
        ):
            part.setVisible(which == chosen)
        self.map.show_maps(self._learned.maps, self._end)
        self.strip.show_maps(self._learned.strips, self._end)
        if chosen == PSEUDO:
            self.pseudo.show_curves(self._learned.pseudo, self._end)
        elif chosen == TEMPERATURE:
            self.temperature.show_curves(self._learned.temperature, self._end)

    def _explain(self, noun: str) -> None:
        self.pseudo.explain(
            "Share of confident pseudo-labels",
            f"The network labels the unlabelled {nouns(noun)} itself and learns from what it is "
            "sure of.\nA curve is how much of what it takes for a class it is sure of: a class "
            "that stays low learns little from them.",
        )
        self.temperature.explain(
            "Temperature of the contrast",
            "How finely classes are told apart. High: what is alike is brought together.\n"
            "Low: what is hard to tell apart is pulled apart.",
        )


def _there(learned: Learned, which: str) -> bool:
    return bool(
        {
            MAP: learned.maps,
            STRIP: learned.strips,
            PSEUDO: learned.pseudo,
            TEMPERATURE: learned.temperature,
        }[which]
    )
