"""Where the chosen run looks for a class: a heat map over the image, in a layer of its own.

Words tell what there is to say where there is nothing to see.
"""

from typing import TYPE_CHECKING, Literal

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from ..core.explain.looking import DEFAULT_VARIANT, looking_of
from ..core.explain.stored import StoredMap
from ..core.project.records import Task
from .canvas_guests import fits, insert_quietly, remove
from .canvas_layers import HEAT_OPACITY, empty_heat, heat_layer, refill_heat
from .canvas_map_box import PREDICTED, BoxLines
from .canvas_map_reading import FoundMap, classes_by_probability
from .canvas_map_seeking import MapSeeker
from .canvas_reading import Picture
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari import Viewer
    from napari.layers import Image

    from ..core.explain.boxes import FoundBox

State = Literal["off", "computing", "shown", "silent", "failed"]
NO_RUN = "A heat map shows where a run looks. Train a run first, or choose one in Results."
SETTLE_MS = 60


class HeatMap:
    """The heat map over the case that is shown.

    Attributes
    ----------
    class_id
        The class it is wanted of; `LIKELIEST`, or None while it is off. Kept from case to case.
    state
        `off`, `computing`, `shown`, `silent` (the map says nothing: `words` tell why) or `failed`.
    words
        What to say of it.
    found
        The map and its boxes.
    layer
        Hidden where there is nothing to see; None before it was first needed.
    box_rejected
        Whether the box is not to be drawn: a person has said that it is wrong.
    changed
        Emitted when any of these changed.
    """

    changed = Signal()

    def __init__(self, viewer: "Viewer", session: Session, parent: QObject | None = None) -> None:
        self._viewer, self._session = viewer, session
        self.class_id: int | None = None
        self.state: State = "off"
        self.words = ""
        self.found: FoundMap | None = None
        self.layer: Image | None = None
        self.box_rejected = False
        self.box = BoxLines(viewer, PREDICTED, parent)
        self._variant: str | None = None
        self._own: tuple[str, str] | None = None
        self._opacity, self._threshold = HEAT_OPACITY, 0.5
        self._asked_by_key = False
        self._picture: Picture | None = None
        self._seeker = MapSeeker(session, self._show, self._fail, parent)
        self._soon = QTimer(parent)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SETTLE_MS)
        self._soon.timeout.connect(self._find_boxes)
        session.run_changed.connect(self._seek)
        session.project_changed.connect(self._on_project)

    # --- what a panel may ask ---

    @property
    def variant(self) -> str:
        """The way it is computed, one of `VARIANTS`: as chosen, else as the run is measured."""
        return self._variant or self._variant_of_run()

    @variant.setter
    def variant(self, variant: str) -> None:
        changed = variant != self.variant
        self._variant = variant
        if changed:
            self._seek()

    def _variant_of_run(self) -> str:
        project, run_id = self._session.project, self._session.run_id
        if project is None or run_id is None:
            return DEFAULT_VARIANT
        if self._own is None or self._own[0] != run_id:  # a run of many cases is long to read
            self._own = run_id, looking_of(project.run(run_id).spec.get("settings", {})).variant
        return self._own[1]

    @property
    def opacity(self) -> float:
        """How opaque it is, 0 to 1; kept from case to case."""
        return self._opacity

    @opacity.setter
    def opacity(self, opacity: float) -> None:
        self._opacity = opacity
        if self.layer is not None:
            self.layer.opacity = opacity

    @property
    def threshold(self) -> float:
        """From which share of the map's maximum a place lies in the box."""
        return self._threshold

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        self._threshold = min(max(threshold, 0.01), 1.0)
        self._soon.start()

    @property
    def stored(self) -> StoredMap | None:
        """The map that is there, seen or silent."""
        return self.found.stored if self.found is not None else None

    @property
    def best_box(self) -> "FoundBox | None":
        """The box around the hottest part; None where the map points nowhere."""
        return self.found.boxes[0] if self.found is not None and self.found.boxes else None

    def choose(self, class_id: int | None) -> None:
        """Show the map of a class, of the likeliest one (`LIKELIEST`), or with None no map."""
        if class_id != self.class_id or self.state == "failed":
            self.class_id = class_id
            self.box_rejected = False
            self._seek()

    def cycle(self) -> None:
        """Go to the next class by probability; behind the last one the map goes off."""
        self._asked_by_key = True
        order = self._order()
        shown = self.stored.class_id if self.stored is not None else self.class_id
        if not order:
            self._session.notify(NO_RUN)
        elif shown not in order:
            self.choose(order[0])
        else:
            later = order[order.index(shown) + 1 :]
            self.choose(later[0] if later else None)

    def reject_box(self, rejected: bool) -> None:
        """Draw the box no more, or again."""
        self.box_rejected = rejected
        self._draw_box()
        self.changed.emit()

    # --- what the canvas tells ---

    def follow(self, picture: Picture | None) -> None:
        """Another case is shown, or none."""
        self._picture = picture
        self.box_rejected = False
        self._seek()

    def hold_hidden(self, hidden: bool) -> None:
        """Hide it for a moment, or show it again."""
        if self.layer is not None:
            self.layer.visible = self.state == "shown" and not hidden
        self.box.hold_hidden(hidden)

    def make_room(self, axes: int) -> None:
        """Take the layers away unless the next case has as many axes."""
        if self.layer is not None and self.layer.ndim != axes:
            layer, self.layer = self.layer, None
            remove(self._viewer, layer)
        self.box.make_room(axes)

    def forget_layer(self, layer: object) -> None:
        """Let go of a layer if it is ours: somebody else removed it."""
        if layer is self.layer and layer is not None:
            self.class_id = None
            self.layer = None
            self._seek()
        elif layer is self.box.layer:
            self.box.forget_layer()

    def close(self) -> None:
        """Take the layers away and follow nothing more."""
        self._soon.stop()
        self._session.run_changed.disconnect(self._seek)
        self._session.project_changed.disconnect(self._on_project)
        self._seeker.close()
        self._clear()
        self.make_room(0)
        self.box.close()

    # --- seeking the map ---

    def _on_project(self) -> None:
        self.class_id = self._own = None
        self._seek()

    def _seek(self) -> None:
        self._seeker.forget()
        self._clear()
        picture, class_id = self._picture, self.class_id
        if class_id is None or picture is None:
            self._enter("off")
        elif self._session.project is None or self._session.run_id is None:
            self._enter("failed", NO_RUN)
        else:
            self._enter("computing")
            self._seeker.seek(picture.case, class_id, self.variant, self._threshold)

    def _fail(self, words: str) -> None:
        self._clear()
        if not words:
            self.class_id = None
        self._enter("failed" if words else "off", words)

    # --- showing it ---

    def _show(self, found: FoundMap) -> None:
        picture = self._picture
        if picture is None:
            return
        self.found, self.class_id = found, found.stored.class_id
        if not found.stored.says_where:
            self._enter("silent", silent_words(found.stored, self._noun))
            return
        self._add(picture, found.stored)
        self._draw_box()
        self._enter("shown")

    def _add(self, picture: Picture, stored: StoredMap) -> None:
        if self.layer is not None and fits(self.layer, picture):
            refill_heat(self.layer, picture, stored.values)
            self.layer.opacity = self._opacity
        else:
            remove(self._viewer, self.layer)
            self.layer = heat_layer(picture, stored.values, self._opacity)
            insert_quietly(self._viewer, self.layer, len(picture.plates))

    def _find_boxes(self) -> None:
        stored = self.stored
        if stored is None or self.state != "shown":
            return

        def take(boxes: "Sequence[FoundBox]") -> None:
            if stored is self.stored:
                self.found = FoundMap(stored, tuple(boxes))
                self._draw_box()
                self.changed.emit()

        self._seeker.find_boxes(stored, self._threshold, take)

    def _draw_box(self) -> None:
        best = None if self.box_rejected else self.best_box
        self.box.show(self._picture, () if best is None else ((best.start, best.size),))

    def _clear(self) -> None:
        self.found = None
        if self.layer is not None:
            empty_heat(self.layer)
        self.box.show(None)

    def _enter(self, state: State, words: str = "") -> None:
        self.state, self.words = state, words
        if self._asked_by_key and state != "computing":
            self._asked_by_key = False
            self._answer_key()
        self.changed.emit()

    def _answer_key(self) -> None:
        """Say what a key has led to: no panel need be open that tells it."""
        stored = self.stored
        if self.state == "silent":
            self._session.notify(self.words)
        elif self.state == "shown" and stored is not None:
            share = "" if stored.probability is None else f" {stored.probability:.2f}"
            self._viewer.status = f"Heat map: {stored.class_name}{share} · H shows the next class"

    # --- what is known ---

    @property
    def _is_segmentation(self) -> bool:
        project = self._session.project
        return project is not None and project.task is Task.SEGMENTATION

    @property
    def _noun(self) -> str:
        return "scan" if self._is_segmentation else "image"

    def _order(self) -> tuple[int, ...]:
        project, run_id, case = self._session.project, self._session.run_id, self._session.case
        if project is None or run_id is None or case is None:
            return ()
        return classes_by_probability(project, project.run(run_id), case.id)


def silent_words(stored: StoredMap, noun: str) -> str:
    """Say why a map shows nothing, in words."""
    name = stored.class_name
    return {
        "constant": f"Every place of this {noun} speaks alike for {name}: "
        "the map cannot say where.",
        "empty": f"Nothing in this {noun} speaks for {name}, so there is no map.",
        "absent": f"The run outlines no {name} in this {noun}, so there is nothing to explain.",
    }.get(stored.kind, f"The map of {name} cannot be computed: the network's numbers overflow.")
