"""Show the session's case in napari: its image, its labels, what a run predicted of it.

Files are read in a worker thread; an answer that comes too late is dropped. Only the layers made
here are touched. Predictions have a layer of their own; the label layer gets its array once and
is drawn on from then on, never assigned to.
"""

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
from napari.layers import Image, Labels
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from ..core.errors import LongtailError
from ..core.project.records import Case
from .background import Errands
from .canvas_answers import Answers
from .canvas_desk import Desk
from .canvas_edits import merged_into
from .canvas_hand import PLANE, Hand
from .canvas_layers import (
    can_reuse,
    colours,
    get_ready,
    image_layer,
    label_layer,
    names,
    reuse,
)
from .canvas_letters import Letters
from .canvas_overlays import Overlays
from .canvas_reading import Picture, read_picture
from .canvas_tools import Tools
from .canvas_view import lettered
from .session import Session
from .strokes import Strokes

if TYPE_CHECKING:
    from napari import Viewer

Answer = TypeVar("Answer")
State = Literal["empty", "reading", "shown", "failed"]
# Letters stand beside the image, not on it, until it is magnified.
LETTERS_MARGIN, IMAGE_MARGIN = 0.09, 0.04


class Companion(Protocol):
    """What lives as long as a canvas."""

    def close(self) -> None:
        """End."""


class Canvas:
    """Shows the case of a session in a viewer.

    Attributes
    ----------
    state, trouble
        `empty`, `reading`, `shown` or `failed`, and why the case could not be shown.
    picture
        What is shown.
    labels
        The layer that is drawn on; None for image-level tasks and before a case is shown.
    prediction, heat, boxes
        What a run predicted, where it looks for a class, and the boxes that people drew.
    changed
        Emitted when any of these changed, or the tool, its size or what is visible.
    """

    changed = Signal()

    def __init__(self, viewer: "Viewer", session: Session, parent: QObject | None = None) -> None:
        # A viewer outlives us by its own windows alone; a strong hold would outlive them.
        self.viewer = viewer if type(viewer) is weakref.ProxyType else weakref.proxy(viewer)
        self.session = session
        self.desk = Desk(session, parent)
        self.answers = Answers(self.desk, parent)
        self.tools = Tools(self)
        self.strokes = Strokes(self.desk, parent)
        self.overlays = Overlays(self.viewer, self.desk, parent)
        self.prediction = self.overlays.prediction
        self.heat, self.boxes = self.overlays.heat, self.overlays.boxes
        self.state: State = "empty"
        self.trouble = ""
        self.picture: Picture | None = None
        self.labels: Labels | None = None
        self.images: list[Image] = []
        self._letters = Letters(self.viewer)
        self._kept: list[Companion] = []
        self._errands = Errands(1, "longtail reading", parent)
        self._aside = Errands(1, "longtail masks", parent)
        self._hand = Hand(self.changed.emit)
        self._veil = False
        self._connect(True)

    # --- what a panel may ask ---

    @property
    def opacity(self) -> float:
        """How opaque labels are, 0 to 1; kept from case to case."""
        return self._hand.opacity

    @opacity.setter
    def opacity(self, opacity: float) -> None:
        self._hand.fade(self.labels, opacity)

    @property
    def veil(self) -> bool:
        """Whether what is not labelled lies under a veil."""
        return self._veil

    @veil.setter
    def veil(self, veil: bool) -> None:
        self._veil = veil
        self._recolour()
        self.changed.emit()

    @property
    def thick_brush(self) -> bool:
        """Whether brush, eraser and fill reach into the neighbouring slices."""
        return self._hand.thick

    @thick_brush.setter
    def thick_brush(self, thick: bool) -> None:
        self._hand.thicken(self.labels, thick)

    @property
    def prediction_visible(self) -> bool:
        """Whether the chosen run's prediction lies over the image."""
        return self.prediction.visible

    @prediction_visible.setter
    def prediction_visible(self, visible: bool) -> None:
        self.prediction.visible = visible

    @property
    def prediction_opacity(self) -> float:
        """How opaque predictions are, 0 to 1."""
        return self.prediction.opacity

    @prediction_opacity.setter
    def prediction_opacity(self, opacity: float) -> None:
        self.prediction.opacity = opacity

    @property
    def has_prediction(self) -> bool:
        """Whether the chosen run has predicted the case that is shown."""
        return self.prediction.layer is not None

    def show_prediction(self, run_id: str | None) -> None:
        """Lay what a run predicted of this case over the image; None takes it away."""
        self.prediction.choose(run_id)

    def start_from_prediction(self) -> None:
        """Draw a copy of the prediction over the labels, as one step of undo."""
        if self.prediction.layer is not None:
            self.strokes.replace(np.asarray(self.prediction.layer.data))

    def hold_hidden(self, hidden: bool) -> None:
        """Hide labels and all that lies over the image for a moment, or show it again."""
        if self.labels is not None:
            self.labels.visible = not hidden
        self.overlays.hold_hidden(hidden)

    def fold(self) -> None:
        """Have all labels in their files when this returns: what starts now reads them there."""
        self.strokes.save()
        self.answers.write()
        self.desk.wait()

    def keep(self, companion: Companion) -> None:
        """Keep something alive as long as the canvas, and close it first."""
        self._kept.append(companion)

    def aside(self, work: Callable[[], Answer], then: Callable[[Answer], object]) -> None:
        """Do `work` in a worker and `then` with its answer here; a failure becomes a notice."""
        self._aside.ask(work, then, lambda error: self.session.notify(str(error), "error"))

    def slice_axis(self) -> int | None:
        """Give the axis that the slider moves along; None for an image."""
        if self.labels is None or self.labels.ndim <= PLANE:
            return None
        return int(self.viewer.dims.order[0])

    def close(self) -> None:
        """Save what is not saved, take our layers and letters away and follow nothing more."""
        for companion in self._kept:
            companion.close()
        self._kept.clear()
        self._connect(False)
        threads = (self._errands, self._aside)
        for part in (self.answers, self.strokes, *threads, self.overlays, self.desk):
            part.close()
        self._clear()
        self._letters.close()

    # --- showing a case ---

    def show_case(self) -> None:
        """Read the session's case and show it, once more if it is shown already."""
        case, project = self.session.case, self.session.project
        self._errands.forget()
        self.picture = None
        if case is None or project is None:
            self._clear()
            self._enter("empty")
            return
        # Taken away now, not with the answer: nobody may draw on the former case any more.
        self._drop_labels()
        self.overlays.follow(None)
        self._enter("reading")
        self._errands.ask(lambda: self._read(case), self._show, self._fail)

    def _read(self, case: Case) -> Picture | None:
        project, wanted = self.session.project, self.session.case
        if project is None or wanted is None or wanted.id != case.id:
            return None
        get_ready()
        return read_picture(project, case, self.desk.behind)

    def _show(self, picture: Picture | None) -> None:
        if picture is None:
            return
        self.picture = picture
        self._show_images(picture)
        self._turn(picture)
        # Making layers costs napari some time each: the window may breathe in between.
        QTimer.singleShot(0, lambda: self._show_rest(picture))

    def _show_rest(self, picture: Picture) -> None:
        if picture is not self.picture or self.state != "reading":
            return
        if picture.mask is not None:
            self._show_labels(picture)
        self._activate()
        self._enter("shown")
        self.overlays.follow(picture)
        for note in picture.notes:
            self.session.notify(note)

    def _fail(self, error: Exception) -> None:
        self._clear()
        unforeseen = f"This case could not be shown: {type(error).__name__}: {error}."
        words = str(error) if isinstance(error, LongtailError) else unforeseen
        self.session.notify(words, "error")
        self._enter("failed", words)

    def _enter(self, state: State, trouble: str = "") -> None:
        self.state, self.trouble = state, trouble
        self.changed.emit()

    def _show_images(self, picture: Picture) -> None:
        former, self.images = self.images, []
        for number, plate in enumerate(picture.plates):
            layer = former.pop(0) if former else None
            if layer in self.viewer.layers and can_reuse(layer, plate, picture):
                reuse(layer, plate, picture)
            else:
                self._drop(layer)
                layer = image_layer(picture, number)
                self.viewer.layers.insert(number, layer)
            self.images.append(layer)
        for layer in former:
            self._drop(layer)

    def _show_labels(self, picture: Picture) -> None:
        assert picture.mask is not None
        layer = label_layer(picture, self._classes(), self._veil)
        self._hand.prepare(layer, picture, self.session.active_class)
        self.labels = layer
        self.viewer.layers.append(layer)
        self._hand.take(layer, self.desk.writable)
        layer.events.selected_label.connect(self._on_selected)
        self.strokes.attach(layer, picture.case, picture.mask, self.slice_axis)

    def _activate(self) -> None:
        top = self.labels or (self.images[0] if self.images else None)
        if top is not None:
            self.viewer.layers.selection.active = top

    def _turn(self, picture: Picture) -> None:
        dims, overlays = self.viewer.dims, self.viewer.canvas.overlays
        if dims.ndisplay == PLANE and dims.ndim == len(picture.turned.order):
            dims.order = picture.turned.order
        if picture.axis is not None and picture.start is not None:
            dims.set_current_step(picture.axis, picture.start)
        overlays.scale_bar.visible = True
        self._show_letters()
        self.viewer.reset_view(margin=LETTERS_MARGIN if picture.direction else IMAGE_MARGIN)

    def _show_letters(self) -> None:
        picture, dims = self.picture, self.viewer.dims
        if picture is None or dims.ndisplay != PLANE:
            self._letters.show(None)
            return
        seen = lettered(dims.order, picture.direction)
        self.viewer.scene.camera.orientation2d = (seen.vertical, seen.horizontal)
        self._letters.show(seen)

    # --- following ---

    def _connect(self, on: bool) -> None:
        session, dims, layers = self.session, self.viewer.dims, self.viewer.layers
        pairs: tuple[tuple[Any, Any], ...] = (
            (session.case_changed, self.show_case),
            (session.classes_changed, self._on_classes),
            (session.active_class_changed, self._on_active_class),
            (session.labels_changed, self._on_labels),
            (session.run_changed, self._on_run),
            (session.runs_changed, self._on_run),
            (session.project_changed, self._on_run),
            (self.overlays.changed, self.changed.emit),
            (dims.events.order, self._on_plane),
            (dims.events.ndisplay, self._on_plane),
            (layers.events.removed, self._on_removed),
        )
        for signal, slot in pairs:
            if on:
                signal.connect(slot)
            else:
                signal.disconnect(slot)

    def _on_run(self) -> None:
        self.show_prediction(self.session.run_id)

    def _on_plane(self) -> None:
        if self.picture is not None:
            self._show_letters()
            self.strokes.turn()

    def _on_removed(self, event: Any) -> None:
        # In a plain napari the user may take a layer away in the layer list.
        if event.value is self.labels:
            self._drop_labels()
            self.changed.emit()
        else:
            self.overlays.forget_layer(event.value)

    def _on_labels(self, case_ids: tuple[str, ...]) -> None:
        # Somebody else wrote labels of the case that is shown: an import, a job.
        case = self.session.case
        if not self.desk.telling and case is not None and case.id in case_ids:
            self.strokes.detach()
            self.show_case()

    def _on_classes(self) -> None:
        project = self.session.project
        if project is None:
            return
        self._recolour()
        self.strokes.merge(merged_into(project.all_classes))
        in_use = [record.id for record in project.classes]
        if in_use and self.session.active_class not in in_use:
            self.session.active_class = in_use[0]
        self.changed.emit()

    def _on_active_class(self, class_id: int) -> None:
        if self.labels is not None and self.labels.selected_label != class_id:
            self.labels.selected_label = class_id

    def _on_selected(self) -> None:
        if self.labels is None or self.session.project is None:
            return
        chosen = int(self.labels.selected_label)
        if any(record.id == chosen for record in self.session.project.classes):
            self.session.active_class = chosen
        self.changed.emit()

    # --- inside ---

    def _clear(self) -> None:
        self._drop_labels()
        self.overlays.follow(None)
        for layer in self.images:
            self._drop(layer)
        self.images, self.picture = [], None
        self._letters.show(None)

    def _drop_labels(self) -> None:
        self.strokes.detach()
        layer, self.labels = self.labels, None
        self._drop(layer)

    def _drop(self, layer: Image | Labels | None) -> None:
        if layer is not None and layer in self.viewer.layers:
            self.viewer.layers.remove(layer)

    def _recolour(self) -> None:
        self.overlays.recolour()
        if self.labels is not None:
            self.labels.colormap = colours(self._classes(), self._veil)
            self.labels.features = names(self._classes())

    def _classes(self) -> Any:
        return self.session.project.all_classes if self.session.project else ()
