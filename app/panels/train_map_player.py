"""Shows the maps of a run one at a time: the newest, any with the slider, or all in a row."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import QWidget

from .train_live import ClassLook
from .train_map import MapFrame, map_step, read_map
from .train_map_plot import MapPlot
from .train_player import FramePlayer


class MapPlayer(FramePlayer[MapFrame]):
    """Plays the maps of what a run has learned."""

    def __init__(self, parent: QWidget | None = None, *, live: bool = True) -> None:
        plot = MapPlot()
        super().__init__(plot, parent, live=live)
        self.plot = plot

    def begin(self, folder: Path, looks: Sequence[ClassLook], noun: str) -> None:
        """Show another run, whose files lie in `folder`; `looks` are its classes in order."""
        self.restart(folder)
        self.plot.begin(looks, noun)

    def read(self, folder: Path, path: str) -> MapFrame:
        """Read a map; see `read_map`."""
        return read_map(folder, path)

    def draw(self, frame: MapFrame | None, words: str = "") -> None:
        """Show a map, or none and why."""
        self.plot.show_frame(frame, words)

    def step_of(self, path: str) -> int | None:
        """Give the step of a map."""
        return map_step(path)
