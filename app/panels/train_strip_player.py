"""Plays the strip of a run: the followed images at each epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from ...core.errors import LongtailError
from ..background import Errands
from .train_player import FramePlayer
from .train_strip import StripFrame, StripImage, read_about, read_strip, strip_image, strip_step
from .train_strip_plot import StripPlot

if TYPE_CHECKING:
    from ...core.project.store import Project


class StripPlayer(FramePlayer[StripFrame]):
    """The followed images, the slider over the epochs, and buttons to replay and to follow."""

    what = "strip"

    def __init__(self, parent: QWidget | None = None, *, live: bool = True) -> None:
        plot = StripPlot()
        super().__init__(plot, parent, live=live)
        self.plot = plot
        self._project: Project | None = None
        self._run_folder: Path | None = None
        self._known = False
        self._pictures = Errands(1, "longtail strip", self)

    def begin(self, folder: Path, project: "Project | None") -> None:
        """Show another run of a project, whose files lie in `folder`."""
        self.restart(folder)
        self._pictures.forget()
        self._project, self._run_folder, self._known = project, folder, False
        self.plot.begin(())

    def show_maps(self, maps: Sequence[str], total_steps: int) -> None:
        """Offer the frames that there are now; with the first one the images are read."""
        if maps and not self._known and self._project is not None:
            self._known = True
            project, folder = self._project, self._run_folder
            assert folder is not None
            self._pictures.ask(lambda: _images(project, folder), self._take_images, self._no_images)
        super().show_maps(maps, total_steps)

    def read(self, folder: Path, path: str) -> StripFrame:
        """Read a frame; see `read_strip`."""
        return read_strip(folder, path)

    def draw(self, frame: StripFrame | None, words: str = "") -> None:
        """Show a frame, or none and why."""
        self._shown_frame = frame
        self.plot.show_frame(frame, words)

    def step_of(self, path: str) -> int | None:
        """Give the step of a frame."""
        return strip_step(path)

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        super().close_threads()
        self._pictures.close()

    def _take_images(self, images: tuple[StripImage, ...]) -> None:
        frame = getattr(self, "_shown_frame", None)
        self.plot.begin(images)
        self.plot.show_frame(frame)

    def _no_images(self, error: Exception) -> None:
        self.plot.show_frame(None, str(error))


def _images(project: "Project", folder: Path) -> tuple[StripImage, ...]:
    cases, _ = read_about(folder)
    names = {record.id: record.name for record in project.all_classes}
    found = []
    for case_id in cases:
        try:
            case = project.case(case_id)
        except LongtailError:
            # It was deleted since: its maps are shown without it.
            found.append(StripImage(case_id, (1, 1), None, {}))
            continue
        drawn: dict[str, tuple[tuple[float, float, float, float], ...]] = {}
        for box in project.boxes(case_id) or ():
            name = names.get(box.class_id, "")
            drawn[name] = (*drawn.get(name, ()), box.xywh)
        found.append(strip_image(case, drawn))
    return tuple(found)
