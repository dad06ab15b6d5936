"""Boxes drawn on the image that is shown: a layer to draw on, undo, and saving as they change.

The boxes are the truth and the layer is their picture: what is drawn on it is read into boxes,
straightened to whole sides along the image, and shown again.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Shapes
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from ..core.project.boxfiles import DrawnBox
from ..core.project.records import Task
from .background import Errands
from .canvas_boxes_layer import (
    boxes_drawn,
    boxes_layer,
    corners_of,
    edge_width,
    least_side,
    paint_boxes,
    xywh_of,
)
from .canvas_desk import Desk, author
from .canvas_guests import fits, insert_quietly, remove
from .canvas_reading import Picture

if TYPE_CHECKING:
    from napari import Viewer

    from ..core.project.store import Project

# A zoom by the wheel comes in many small steps.
ZOOMED_MS = 80
MOST_UNDONE = 100


class DrawnBoxes:
    """The boxes of the image that is shown.

    Attributes
    ----------
    boxes
        In the order in which they were drawn; None where nobody has looked for any.
    selected
        The place in `boxes` of the one in hand, None for none.
    layer
        Where they are drawn; made for the first box and for the tool.
    changed
        Emitted when any of these changed, or the tool.
    """

    changed = Signal()

    def __init__(self, viewer: "Viewer", desk: Desk, parent: QObject | None = None) -> None:
        self._viewer, self._desk = viewer, desk
        self.boxes: tuple[DrawnBox, ...] | None = None
        self.selected: int | None = None
        self.layer: Shapes | None = None
        self._picture: Picture | None = None
        self._white: int | None = None
        self._past: list[tuple[DrawnBox, ...] | None] = []
        self._future: list[tuple[DrawnBox, ...] | None] = []
        self._showing = self._in_hand = False
        self._errands = Errands(1, "longtail boxes", parent)
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(ZOOMED_MS)
        self._timer.timeout.connect(self._paint)
        viewer.scene.camera.events.zoom.connect(self._on_zoom)

    # --- what a panel may ask ---

    @property
    def possible(self) -> bool:
        """Whether boxes can be drawn here: on images of a project that gives classes to them."""
        project = self._desk.session.project
        flat = self._picture is not None and len(self._picture.spacing) == 2
        return flat and project is not None and project.task is not Task.SEGMENTATION

    @property
    def drawing(self) -> bool:
        """Whether the tool is in hand."""
        layer = self.layer
        return layer is not None and layer.visible and str(layer.mode) == "add_rectangle"

    @property
    def class_id(self) -> int:
        """The class of the next box."""
        return self._desk.session.active_class

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._past)

    def take(self) -> None:
        """Take the tool in hand, or put it down."""
        if not self.possible or not self._desk.writable:
            return
        if self.drawing:
            self.put_down()
            return
        self._suit_class()
        layer = self._ensure_layer()
        if layer is not None:
            self._in_hand = True
            self._viewer.layers.selection.active = layer
            layer.mode = "add_rectangle"
            self.select(None)

    def put_down(self) -> None:
        """Move the image with the mouse again."""
        self._in_hand = False
        self.selected = None
        if self.layer is not None:
            self.layer.mode = "pan_zoom"
        below = [layer for layer in self._viewer.layers if layer.name == "image"]
        if below:
            self._viewer.layers.selection.active = below[0]
        self.changed.emit()

    def choose_class(self, class_id: int) -> None:
        """Give the box in hand this class, and the next ones."""
        self._desk.session.active_class = class_id
        if self.selected is not None and self.boxes:
            changed = replace(self.boxes[self.selected], class_id=class_id, author="")
            self._change(_with(self.boxes, self.selected, changed))
        else:
            self._paint()
            self.changed.emit()

    def choose_number(self, number: int) -> None:
        """Choose the class at this place in the list, from 1."""
        project = self._desk.session.project
        if project is not None and 1 <= number <= len(project.classes):
            self.choose_class(project.classes[number - 1].id)

    def select(self, place: int | None) -> None:
        """Take a box in hand, to move, size or delete it; None takes none."""
        self.selected = place if self.boxes and place is not None else None
        layer = self.layer
        if layer is not None and place is not None and self._desk.writable:
            self._in_hand = False
            self._viewer.layers.selection.active = layer
            layer.mode = "select"
            layer.selected_data = {place}
        self.changed.emit()

    def add(self, box: DrawnBox) -> None:
        """Add a box, such as one that a run predicted and a person accepts."""
        self._change((*(self.boxes or ()), box))

    def remove(self, place: int) -> None:
        """Delete a box."""
        if self.boxes and 0 <= place < len(self.boxes):
            self.selected = None
            self._change((*self.boxes[:place], *self.boxes[place + 1 :]))

    def remove_selected(self) -> None:
        """Delete the box in hand."""
        if self.selected is not None:
            self.remove(self.selected)

    def none_here(self) -> None:
        """Say that somebody has looked and there is nothing to draw."""
        self._change(())

    def undo(self) -> None:
        """Take the last change back."""
        if self._past and self._desk.writable:
            self._future.append(self.boxes)
            self._set(self._past.pop())

    def redo(self) -> None:
        """Make the change again that was taken back."""
        if self._future and self._desk.writable:
            self._past.append(self.boxes)
            self._set(self._future.pop())

    def show_white(self, class_id: int | None) -> None:
        """Draw the boxes of a class in white, as over a heat map; None draws all in colour."""
        if class_id != self._white:
            self._white = class_id
            self._paint()

    # --- what the canvas tells ---

    def follow(self, picture: Picture | None) -> None:
        """Another case is shown, or none."""
        self._picture = picture
        self._past.clear()
        self._future.clear()
        self._errands.forget()
        self.boxes, self.selected = None, None
        self._hide()
        project = self._desk.session.project
        if picture is not None and project is not None and self.possible:
            self._read(project, picture)
        self.changed.emit()

    def hold_hidden(self, hidden: bool) -> None:
        """Hide them for a moment, or show them again."""
        if self.layer is not None:
            self.layer.visible = bool(self.boxes or self.drawing) and not hidden

    def make_room(self, axes: int) -> None:
        """Take the layer away unless the next case has as many axes."""
        if self.layer is not None and self.layer.ndim != axes:
            self._drop()

    def recolour(self) -> None:
        """Take over changed classes."""
        self._paint()

    def forget_layer(self) -> None:
        """Let go of the layer: somebody else removed it."""
        self.layer = None
        self.changed.emit()

    def close(self) -> None:
        """Take the layer away and read nothing more."""
        self._timer.stop()
        self._viewer.scene.camera.events.zoom.disconnect(self._on_zoom)
        self._errands.close()
        self._drop()

    # --- reading and writing ---

    def _read(self, project: "Project", picture: Picture) -> None:
        case_id = picture.case.id

        def take(boxes: tuple[DrawnBox, ...] | None) -> None:
            if picture is self._picture:
                self.boxes = boxes
                self._show()
                if self._in_hand:
                    # A tool in hand stays there from image to image.
                    self.take()
                self.changed.emit()

        def read() -> tuple[DrawnBox, ...] | None:
            return self._desk.behind(lambda: project.boxes(case_id))

        self._errands.ask(read, take, self._fail)

    def _fail(self, error: Exception) -> None:
        self._desk.session.notify(str(error), "error")

    def _change(self, boxes: tuple[DrawnBox, ...]) -> None:
        if self._picture is None or not self._desk.writable or boxes == self.boxes:
            return
        self._past = [*self._past[-MOST_UNDONE:], self.boxes]
        self._future.clear()
        self._set(boxes)

    def _set(self, boxes: tuple[DrawnBox, ...] | None) -> None:
        self.boxes = boxes
        if self.selected is not None and self.selected >= len(boxes or ()):
            self.selected = None
        self._save(boxes)
        self._show()
        self.changed.emit()

    def _save(self, boxes: tuple[DrawnBox, ...] | None) -> None:
        project, keeper, picture = self._desk.session.project, self._desk.keeper, self._picture
        if project is None or keeper is None or picture is None:
            return
        case_id, who = picture.case.id, author()
        keeper.change([case_id], lambda: project.set_boxes(case_id, boxes, author=who))

    # --- the layer ---

    def _ensure_layer(self) -> Shapes | None:
        picture = self._picture
        if picture is None:
            return None
        if not fits(self.layer, picture):
            self._drop()
            self.layer = boxes_layer(picture)
            self.layer.events.data.connect(self._on_data)
            self.layer.selected_data.events.items_changed.connect(self._on_selected)
            self.layer.events.mode.connect(lambda _event: self.changed.emit())
            insert_quietly(self._viewer, self.layer)
        layer = self.layer
        assert layer is not None
        layer.scale = np.asarray(picture.spacing)
        # To set these, even to what they are, puts napari's tool down.
        if layer.editable != self._desk.writable:
            layer.editable = self._desk.writable
        if not layer.visible:
            layer.visible = True
        return layer

    def _show(self) -> None:
        if self.boxes or (self.layer is not None and self.layer.nshapes):
            layer = self._ensure_layer()
            if layer is not None:
                self._fill(layer, self.boxes or ())
        self._paint()

    def _fill(self, layer: Shapes, boxes: Sequence[DrawnBox]) -> None:
        mode = layer.mode
        self._showing = True
        try:
            # A small picture of the layer, which nobody sees, takes napari longest.
            with layer.block_thumbnail_update():
                layer.data = []
                if boxes:
                    layer.add_rectangles([corners_of(box) for box in boxes])
                layer.mode = mode
        finally:
            self._showing = False

    def _hide(self) -> None:
        if self.layer is not None and self.layer.visible:
            self._fill(self.layer, ())
            self.layer.mode = "pan_zoom"
            self.layer.visible = False

    def _paint(self) -> None:
        project = self._desk.session.project
        if self.layer is None or project is None or self._picture is None:
            return
        colours = {record.id: record.colour for record in project.all_classes}
        width = edge_width(self._viewer.scene.camera.zoom, self._picture)
        self._showing = True
        try:
            paint_boxes(self.layer, self.boxes or (), colours, width, self._white)
            self.layer.current_edge_color = colours.get(self.class_id, "#ffffff")
            self.layer.current_edge_width = width
        finally:
            self._showing = False

    def _drop(self) -> None:
        layer, self.layer = self.layer, None
        if layer is not None:
            layer.events.data.disconnect(self._on_data)
            remove(self._viewer, layer)

    def _on_zoom(self, event: object = None) -> None:
        if self.boxes:
            self._timer.start()

    def _on_selected(self, *_: Any) -> None:
        if self._showing or self.layer is None or str(self.layer.mode) != "select":
            return
        chosen = sorted(self.layer.selected_data)
        self.selected = chosen[0] if len(chosen) == 1 else None
        self.changed.emit()

    def _on_data(self, event: Any) -> None:
        if self._showing or str(event.action) not in _DONE or self.layer is None:
            return
        # napari is still in the midst of its own change: read it when that is done.
        QTimer.singleShot(0, self._read_layer)

    def _read_layer(self) -> None:
        layer, picture = self.layer, self._picture
        if layer is None or picture is None:
            return
        before = self.boxes or ()
        drawn = [xywh_of(corners, picture.shape) for corners in layer.data]
        least = least_side(self._viewer.scene.camera.zoom, picture)
        boxes = boxes_drawn(before, drawn, self.class_id, least)
        if boxes == before:
            # Nothing came of it, as of a click: what stands on the layer goes back to the truth.
            self._show()
            return
        self._change(boxes)

    def _suit_class(self) -> None:
        """Begin with a finding that the image was given, if the class at hand is none of them."""
        session = self._desk.session
        case, project = session.case, session.project
        given = case.labels.yes if case is not None and case.labels is not None else frozenset()
        order = [record.id for record in project.classes] if project is not None else []
        fitting = [class_id for class_id in order if class_id in given]
        if fitting and session.active_class not in given:
            session.active_class = fitting[0]


def _with(boxes: Sequence[DrawnBox], place: int, box: DrawnBox) -> tuple[DrawnBox, ...]:
    return (*boxes[:place], box, *boxes[place + 1 :])


_DONE = ("added", "changed", "removed")
