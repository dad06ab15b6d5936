"""How unsure the chosen run is of the case that is shown, in an image layer of its own."""

from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject

from ..core.predict.shelf import uncertainty_beside
from ..core.project.records import PredictionRecord
from .background import Errands
from .canvas_guests import insert_quietly, remove
from .canvas_layers import uncertainty_layer
from .canvas_reading import Picture, ShareArray, read_uncertainty
from .session import Session

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Image

NONE_HERE = "There is no map of uncertainty for this case. Choose a run and predict the case."


class Uncertainty:
    """Lays the map of uncertainty over the image, below the prediction; hidden at first.

    Attributes
    ----------
    layer
        None where the run has left no such map of this case.
    score
        The mean over the case, 0 sure to 1 undecided; None where it is not known.
    changed
        Emitted when the layer came, went, or was shown or hidden.
    """

    changed = Signal()

    def __init__(self, viewer: "Viewer", session: Session, parent: QObject | None = None) -> None:
        self._viewer, self._session = viewer, session
        self.layer: Image | None = None
        self.score: float | None = None
        self._visible = False
        self._errands = Errands(1, "longtail uncertainty", parent)

    @property
    def visible(self) -> bool:
        """Whether uncertainty is shown where it is known; kept from case to case."""
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._visible = visible
        if self.layer is not None:
            self.layer.visible = visible
        self.changed.emit()

    def toggle(self) -> None:
        """Show or hide it; say why where there is nothing to show."""
        if self.layer is None:
            self._session.notify(NONE_HERE)
        else:
            self.visible = not self._visible

    def follow(self, picture: Picture, record: PredictionRecord) -> None:
        """Read and show what belongs to a prediction."""
        self.clear()
        project, file = self._session.project, record.file
        if project is None or file is None:
            return
        path, shape = project.path / uncertainty_beside(file), picture.shape

        def take(array: ShareArray | None) -> None:
            self._take(picture, array, record.uncertainty)

        self._errands.ask(lambda: _read(path, shape), take, self._fail)

    def clear(self) -> None:
        """Take the layer away."""
        self._errands.forget()
        self.score = None
        before, self.layer = self.layer, None
        if before is not None:
            remove(self._viewer, before)
            self.changed.emit()

    def hold_hidden(self, hidden: bool) -> None:
        """Hide it for a moment, or show it again."""
        if self.layer is not None:
            self.layer.visible = self._visible and not hidden

    def forget_layer(self) -> None:
        """Let go of the layer: somebody else removed it."""
        self.layer = None
        self.changed.emit()

    def close(self) -> None:
        """Take the layer away and read nothing more."""
        self._errands.close()
        self.clear()

    def _take(self, picture: Picture, array: ShareArray | None, score: float | None) -> None:
        if array is None:
            return
        self.layer, self.score = uncertainty_layer(picture, array), score
        self.layer.visible = self._visible
        insert_quietly(self._viewer, self.layer, len(picture.plates))
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        self._session.notify(str(error), "error")


def _read(path: Path, shape: tuple[int, ...]) -> ShareArray | None:
    """Read the map; None where this run left none, as runs of earlier versions."""
    return read_uncertainty(path, shape) if path.is_file() else None
