"""What lies over the image besides the labels: a prediction, a heat map, boxes."""

from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject

from .canvas_boxes import DrawnBoxes
from .canvas_boxes_layer import NAME as BOXES
from .canvas_desk import Desk
from .canvas_map import HeatMap
from .canvas_map_box import SHADED, BoxLines
from .canvas_prediction import Prediction
from .canvas_reading import Picture

if TYPE_CHECKING:
    from napari import Viewer


class Overlays:
    """Keeps the overlays of one canvas together.

    Attributes
    ----------
    prediction, heat, boxes
        The overlays.
    changed
        Emitted when one of them changed.
    """

    changed = Signal()

    def __init__(self, viewer: "Viewer", desk: Desk, parent: QObject | None = None) -> None:
        self._viewer, self._desk = viewer, desk
        self.prediction = Prediction(viewer, desk.session, parent)
        self.heat = HeatMap(viewer, desk.session, parent)
        self.boxes = DrawnBoxes(viewer, desk, parent)
        self._shade = BoxLines(viewer, SHADED, parent, below=BOXES)
        self._picture: Picture | None = None
        for each in (self.prediction, self.heat, self.boxes):
            each.changed.connect(self._on_change)

    def follow(self, picture: Picture | None) -> None:
        """Another case is shown, or none."""
        self._picture = picture
        if picture is None:
            case = self._desk.session.case
            axes = len(case.shape) if case is not None else 0
            for guest in (self.heat, self._shade, self.boxes):
                guest.make_room(axes)
        for each in (self.prediction, self.heat, self.boxes):
            each.follow(picture)

    def hold_hidden(self, hidden: bool) -> None:
        """Hide them for a moment, or show them again."""
        for each in (self.prediction, self.heat, self._shade, self.boxes):
            each.hold_hidden(hidden)

    def recolour(self) -> None:
        """Take over changed classes."""
        self.prediction.recolour()
        self.boxes.recolour()

    def forget_layer(self, layer: object) -> None:
        """Let go of a layer if it is one of ours: somebody else removed it."""
        if layer is None:
            return
        if layer is self.boxes.layer:
            self.boxes.forget_layer()
        elif layer is self._shade.layer:
            self._shade.forget_layer()
        else:
            self.prediction.forget_layer(layer)
            self.heat.forget_layer(layer)

    def close(self) -> None:
        """Take all layers away and read nothing more."""
        for each in (self.prediction, self.heat, self._shade, self.boxes):
            each.close()

    def _on_change(self) -> None:
        stored = self.heat.stored if self.heat.state == "shown" else None
        white = stored.class_id if stored is not None else None
        self.boxes.show_white(white)
        self._shade_boxes(white)
        self._keep_heat_low()
        self.changed.emit()

    def _shade_boxes(self, class_id: int | None) -> None:
        """Lay a dark line under white boxes: they are lost on the bright parts of a film."""
        drawn = [box for box in self.boxes.boxes or () if box.class_id == class_id]
        self._shade.show(
            self._picture, [((box.y, box.x), (box.height, box.width)) for box in drawn]
        )

    def _keep_heat_low(self) -> None:
        """Keep outlines above the heat map, whichever of them came first."""
        layers, heat = self._viewer.layers, self.heat.layer
        above = [self.prediction.layer, self.prediction.uncertainty.layer]
        if heat is None or heat not in layers or not heat.visible:
            return
        others = [layers.index(each) for each in above if each is not None and each in layers]
        if others and min(others) < layers.index(heat):
            layers.move(layers.index(heat), min(others))
