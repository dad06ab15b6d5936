"""What keys and buttons do on the image: tools, classes, brush, undo, and on to the next case."""

from typing import TYPE_CHECKING, Any

from napari.layers import Labels

from ..core.project.records import NOT_LABELLED, Status, Task

if TYPE_CHECKING:
    from .canvas import Canvas

# Coarser steps for a larger brush: each press is seen, and large sizes are reached.
FINE_UNTIL = 10
LARGEST_BRUSH = 100
POLYGON_POINTS = 3
_LEFT, _RIGHT = 1, 2


class Tools:
    """The tools of a canvas; nothing happens where there is nothing to draw on."""

    def __init__(self, canvas: "Canvas") -> None:
        self._canvas = canvas
        self._polygon_points = 0

    @property
    def mode(self) -> str:
        """The tool in hand: `paint`, `erase`, `fill`, `polygon`, `pick`, `pan_zoom`."""
        layer = self._canvas.labels
        return str(layer.mode) if layer is not None else ""

    def take(self, mode: str) -> None:
        """Take a tool in hand."""
        layer = self._canvas.labels
        if layer is not None and layer.editable:
            layer.mode = mode

    def choose(self, value: int) -> None:
        """Choose what is drawn: a class, 0 for background, 255 for *not labelled*."""
        layer = self._canvas.labels
        if layer is None or not layer.editable:
            return
        layer.selected_label = value
        if self.mode in ("erase", "pan_zoom", "pick"):
            layer.mode = "paint"

    def choose_number(self, number: int) -> None:
        """Choose or give the class that stands at this place in the list, from 1."""
        project = self._canvas.session.project
        if project is None or not 1 <= number <= len(project.classes):
            return
        class_id = project.classes[number - 1].id
        if project.task is Task.SEGMENTATION:
            self.choose(class_id)
        else:
            self._canvas.answers.answer(class_id)

    def zero(self) -> None:
        """Draw background; for images: no class, or no to all that are unknown."""
        if self._canvas.labels is not None:
            self.choose(0)
        else:
            self._canvas.answers.zero()

    def unlabel(self) -> None:
        """Draw *not labelled*."""
        self.choose(NOT_LABELLED)

    def resize(self, direction: int) -> None:
        """Make the brush larger (1) or smaller (-1)."""
        layer = self._canvas.labels
        if layer is not None:
            size = int(layer.brush_size)
            step = 1 if size + direction <= FINE_UNTIL else max(1, round(size * 0.15))
            layer.brush_size = min(max(size + direction * step, 1), LARGEST_BRUSH)

    def reviewed_next(self) -> None:
        """Mark the case as reviewed and show the next one."""
        session = self._canvas.session
        if session.project is None or session.case is None:
            return
        if not session.project.writable:
            session.next_case()
        elif session.project.task is not Task.SEGMENTATION:
            self._canvas.answers.reviewed_next()
        elif self.nothing_drawn:
            session.notify(f"Nothing is labelled in {session.case.id} yet.", "info")
        else:
            self._canvas.strokes.set_status(Status.REVIEWED)
            session.next_case()

    # --- polygons ---

    def follow_polygon(self, layer: Labels) -> None:
        """Count the corners that are set on a layer, so that Return knows what to finish."""
        self._polygon_points = 0
        layer.mouse_drag_callbacks.append(self._on_press)
        layer.events.mode.connect(self._on_no_polygon)
        layer.events.paint.connect(self._on_no_polygon)

    def finish(self, layer: Labels) -> None:
        """Finish the open polygon; without one the case is reviewed and the next one comes."""
        if not self._polygon_points:
            self.reviewed_next()
        elif self._polygon_points < POLYGON_POINTS:
            self._canvas.session.notify("A polygon needs three corners or more.", "info")
        else:
            close_polygon(layer)
            self._polygon_points = 0

    def _on_press(self, layer: Labels, event: Any) -> None:
        if layer.mode != "polygon":
            return
        if event.button == _LEFT:
            self._polygon_points += 1
        elif event.button == _RIGHT:
            self._polygon_points = max(0, self._polygon_points - 1)

    def _on_no_polygon(self, event: object = None) -> None:
        self._polygon_points = 0

    @property
    def nothing_drawn(self) -> bool:
        """Whether the shown label map holds nothing but *not labelled*."""
        sheet = self._canvas.strokes.sheet
        return sheet is not None and sheet.counts.voxels[:NOT_LABELLED].sum() == 0


def close_polygon(layer: Labels) -> None:
    """Do what napari does on Return: it keeps the corners where nobody else may look."""
    for key, act in Labels.class_keymap.items():
        if str(key) == "Enter":
            act(layer)
