"""Opens a case at a place in it: the slice is turned to when the case is shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .canvas import Canvas


class Places:
    """Goes to places in cases, such as the pixel that a point of an embedding stands for."""

    def __init__(self, canvas: "Canvas") -> None:
        self._canvas = canvas
        self._wish: tuple[str, tuple[int, ...]] | None = None
        canvas.changed.connect(self._arrive)
        canvas.keep(self)

    def go(self, case_id: str, place: Sequence[int] = ()) -> None:
        """Show a case; `place` is z, y, x in voxels of the file, -1 where an axis says nothing."""
        self._wish = (case_id, tuple(place))
        with self._canvas.session.reporting():
            self._canvas.session.show_case(case_id)
        self._arrive()

    def close(self) -> None:
        """Go nowhere any more."""
        self._canvas.changed.disconnect(self._arrive)

    def _arrive(self) -> None:
        canvas, wish = self._canvas, self._wish
        picture = canvas.picture
        if wish is None or canvas.state != "shown" or picture is None:
            return
        case_id, place = wish
        self._wish = None
        if picture.case.id != case_id or picture.axis is None or picture.axis >= len(place):
            return
        if place[picture.axis] >= 0:
            canvas.viewer.dims.set_current_step(picture.axis, place[picture.axis])
