"""What the chosen run predicted of the case that is shown, in a layer of its own."""

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject

from ..core.project.records import PredictionRecord, Task
from .background import Errands
from .canvas_edits import LabelArray
from .canvas_guests import insert_quietly, remove
from .canvas_layers import PREDICTION_OPACITY, colours, names, prediction_layer
from .canvas_reading import Picture, read_prediction
from .canvas_uncertainty import Uncertainty
from .session import Session

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Labels


class Prediction:
    """Lays predictions over the image; files are read in a worker.

    Attributes
    ----------
    layer
        None where the run has not predicted this case.
    uncertainty
        How unsure the run is of it, in a layer below.
    changed
        Emitted when the layer came, went, or was shown or hidden.
    """

    changed = Signal()

    def __init__(self, viewer: "Viewer", session: Session, parent: QObject | None = None) -> None:
        self._viewer, self._session = viewer, session
        self.layer: Labels | None = None
        self.uncertainty = Uncertainty(viewer, session, parent)
        self.uncertainty.changed.connect(self.changed.emit)
        self.run_id: str | None = None
        self._picture: Picture | None = None
        self._records: dict[str, PredictionRecord] = {}
        self._visible = True
        self._opacity = PREDICTION_OPACITY
        self._errands = Errands(1, "longtail predictions", parent)

    @property
    def visible(self) -> bool:
        """Whether predictions are shown where there are some."""
        return self._visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._visible = visible
        if self.layer is not None:
            self.layer.visible = visible
        self.changed.emit()

    @property
    def opacity(self) -> float:
        """How opaque predictions are, 0 to 1; kept from case to case."""
        return self._opacity

    @opacity.setter
    def opacity(self, opacity: float) -> None:
        self._opacity = opacity
        if self.layer is not None:
            self.layer.opacity = opacity

    def choose(self, run_id: str | None) -> None:
        """Show what this run predicted; None shows nothing."""
        self.run_id, self._records = run_id, {}
        self._errands.forget()
        project = self._session.project
        if run_id is None or project is None or project.task is not Task.SEGMENTATION:
            self._show(None)
            return
        self._errands.ask(
            lambda: {record.case: record for record in project.predictions(run_id)},
            self._take_records,
            self._fail,
        )

    def follow(self, picture: Picture | None) -> None:
        """Another case is shown, or none."""
        self._picture = picture
        self._show(None)
        self._read()

    def hold_hidden(self, hidden: bool) -> None:
        """Hide it for a moment, or show it again."""
        if self.layer is not None:
            self.layer.visible = self._visible and not hidden
        self.uncertainty.hold_hidden(hidden)

    def recolour(self) -> None:
        """Take over changed classes."""
        if self.layer is not None and self._session.project is not None:
            self.layer.colormap = colours(self._session.project.all_classes, False)
            self.layer.features = names(self._session.project.all_classes)

    def forget_layer(self, layer: object) -> None:
        """Let go of a layer if it is ours: somebody else removed it."""
        if layer is not None and layer is self.layer:
            self.layer = None
            self.changed.emit()
        elif layer is not None and layer is self.uncertainty.layer:
            self.uncertainty.forget_layer()

    def close(self) -> None:
        """Take the layer away and read nothing more."""
        self._errands.close()
        self._show(None)
        self.uncertainty.close()

    def _take_records(self, records: dict[str, PredictionRecord]) -> None:
        self._records = records
        self._read()

    def _read(self) -> None:
        picture, project = self._picture, self._session.project
        record = self._records.get(picture.case.id) if picture else None
        if picture is None or project is None or record is None or record.file is None:
            self._show(None)
            return
        folder, file, shape = project.path, record.file, picture.shape

        def take(array: LabelArray) -> None:
            if picture is self._picture:
                self._show(array)
                self.uncertainty.follow(picture, record)

        self._errands.ask(lambda: read_prediction(folder, file, shape), take, self._fail)

    def _fail(self, error: Exception) -> None:
        self._show(None)
        self._session.notify(str(error), "error")

    def _show(self, array: LabelArray | None) -> None:
        self.uncertainty.clear()
        before, self.layer = self.layer, None
        remove(self._viewer, before)
        if array is not None and self._picture is not None and self._session.project is not None:
            classes = self._session.project.all_classes
            self.layer = prediction_layer(self._picture, array, classes)
            self.layer.visible, self.layer.opacity = self._visible, self._opacity
            insert_quietly(self._viewer, self.layer, len(self._picture.plates))
        if before is not None or self.layer is not None:
            self.changed.emit()
