"""Follow what is drawn on the label layer, complete each stroke, and have it kept.

A finished stroke is compared with a copy of the label map from before it. Voxels of locked classes
come back, the rest of a slice that nobody had drawn in becomes background (both inside the same
step of undo), and what has changed goes to the journal at once and into the label map a few
seconds after the last stroke. The layer's data is never assigned to.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from ..core.project.records import NOT_LABELLED, Case, Status
from .canvas_desk import Desk
from .canvas_edits import (
    Correction,
    LabelArray,
    LabelCounts,
    Voxels,
    box_of_stroke,
    changed_anywhere,
    changed_voxels,
    is_written,
    joined,
    rest_of_slices,
    restore_locked,
    same_but_for,
)
from .canvas_post import Post
from .canvas_reading import MaskState
from .canvas_saving import Folded, Journalled, News, Trouble

if TYPE_CHECKING:
    from napari.layers import Labels

AUTOSAVE_MS = 3000
RETRY_MS = 15_000


@dataclass
class Sheet:
    """The label map that is drawn on: its layer, what is known of it, what of it is kept.

    `waiting` counts strokes of an earlier session that the journal brought back, `made` numbers
    those that the file lacks, `asked` is the newest that a file being written holds.
    """

    layer: "Labels"
    case: Case
    known: LabelArray
    counts: LabelCounts
    axis: Callable[[], int | None]
    waiting: int = 0
    made: list[int] = field(default_factory=list)
    asked: int = 0
    journalled: int = 0
    trouble: str = ""

    @property
    def strokes(self) -> int:
        """How many strokes the label map on the disk does not hold yet."""
        return self.waiting + len(self.made)

    @property
    def newest(self) -> int:
        """The number of the last stroke that the file lacks; 0 for none of this session."""
        return self.made[-1] if self.made else 0


class Strokes:
    """Keeps what is drawn.

    Attributes
    ----------
    locked
        Ids of classes that no stroke may overwrite.
    fill_rest
        Whether the first stroke in a slice makes the rest of the slice background.
    changed
        Emitted on the main thread after each stroke and each change of what is saved.
    """

    changed = Signal()

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        self.desk = desk
        self.locked: set[int] = set()
        self.fill_rest = True
        self.sheet: Sheet | None = None
        self._post = Post(parent)
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.save)
        desk.heard.connect(self._hear)
        desk.session.case_about_to_change.connect(self.detach)
        desk.session.project_changed.connect(self._on_project)

    # --- the layer ---

    def attach(
        self, layer: "Labels", case: Case, mask: MaskState, axis: Callable[[], int | None]
    ) -> None:
        """Follow the edits of `layer`, which shows `mask.array`; `axis` gives the plane's axis."""
        self.detach()
        self.sheet = Sheet(layer, case, mask.known, mask.counts, axis, mask.waiting)
        layer.events.paint.connect(self._on_paint)
        if mask.waiting and self.desk.writable:
            self._timer.start(AUTOSAVE_MS)
        self.changed.emit()

    def detach(self) -> None:
        """Follow the layer no more; what is not saved yet is saved."""
        if self.sheet is None:
            return
        self._catch_up(self.sheet)
        self.save()
        self._timer.stop()
        self.sheet.layer.events.paint.disconnect(self._on_paint)
        self.sheet = None
        self.changed.emit()

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.sheet is not None and self.desk.writable:
            self.sheet.layer.undo()
            self._record(self.sheet, changed_anywhere(self.sheet.known, _data(self.sheet)))

    def redo(self) -> None:
        """Make the stroke again that was taken back."""
        if self.sheet is not None and self.desk.writable:
            self.sheet.layer.redo()
            self._record(self.sheet, changed_anywhere(self.sheet.known, _data(self.sheet)))

    def replace(self, array: LabelArray) -> None:
        """Draw a whole label map over the present one, as one step of undo."""
        if self.sheet is None or not self.desk.writable:
            return
        voxels = changed_anywhere(_data(self.sheet), array)
        former, self.fill_rest = self.fill_rest, False
        try:
            with self.sheet.layer.block_history():
                self.sheet.layer.data_setitem(voxels, array[voxels])
        finally:
            self.fill_rest = former

    def merge(self, ends: Mapping[int, int]) -> None:
        """Take over that classes were merged, so that the next save does not part them again."""
        sheet = self.sheet
        gone = [value for value in ends if sheet is not None and sheet.counts.voxels[value]]
        if sheet is None or not gone:
            return
        array = sheet.known.copy()
        for value in gone:
            array[array == value] = ends[value]
        locked, self.locked = self.locked, set()
        self.replace(array)
        self.locked = locked - set(ends)

    def turn(self) -> None:
        """Count labelled slices along the plane that is shown now; the answer comes later."""
        sheet = self.sheet
        if sheet is None or sheet.axis() == sheet.counts.axis:
            return
        axis, known = sheet.axis(), sheet.known.copy()

        def count() -> None:
            counts = LabelCounts(known, axis)
            self._post.send(lambda: self._turned(sheet, counts))

        threading.Thread(target=count, name="longtail counting", daemon=True).start()

    # --- keeping ---

    def save(self) -> None:
        """Write the label map if it lacks strokes; returns before it is written."""
        sheet = self.sheet
        if sheet is not None and (sheet.waiting or sheet.newest > sheet.asked):
            self._fold(sheet, None, auto=True)

    def set_status(self, status: Status) -> None:
        """Write how far the shown case is, with the strokes that its file lacks."""
        if self.sheet is not None and self.sheet.strokes:
            self._fold(self.sheet, status, auto=False)
        elif self.desk.session.case is not None:
            self.desk.set_status(self.desk.session.case.id, status)

    def clear_labels(self) -> None:
        """Take all labels from the shown case; the former version stays in the history."""
        sheet = self.sheet
        if sheet is None:
            return
        self.replace(np.full_like(sheet.known, NOT_LABELLED))
        if sheet.strokes:
            self._fold(sheet, None, auto=False)

    def close(self) -> None:
        """Save and follow nothing more."""
        self.detach()
        self._post.close()
        self.desk.heard.disconnect(self._hear)
        self.desk.session.case_about_to_change.disconnect(self.detach)
        self.desk.session.project_changed.disconnect(self._on_project)

    # --- inside ---

    def _on_project(self) -> None:
        self.locked.clear()

    def _on_paint(self, event: Any) -> None:
        sheet = self.sheet
        if sheet is None or not self.desk.writable:
            return
        item, fill_rest = event.value, self.fill_rest
        if is_written(item, _data(sheet)):
            self._finish(sheet, item, fill_rest)
        else:
            # napari tells of a polygon just before it writes it: come back when it has.
            QTimer.singleShot(0, lambda: self._finish(sheet, item, fill_rest))

    def _catch_up(self, sheet: Sheet) -> None:
        # A stroke in hand is no step of the history yet; it was seen, so it is kept.
        self._complete(sheet, changed_anywhere(sheet.known, _data(sheet)), [], self.fill_rest)

    def _finish(self, sheet: Sheet, item: list[Any], fill_rest: bool) -> None:
        if sheet is self.sheet:
            box = box_of_stroke(item, sheet.known.shape)
            self._complete(sheet, changed_voxels(sheet.known, _data(sheet), box), item, fill_rest)

    def _complete(self, sheet: Sheet, voxels: Voxels, item: list[Any], fill_rest: bool) -> None:
        array = _data(sheet)
        kept = restore_locked(sheet.known, voxels, self.locked)
        if kept is not None:
            _add(sheet, item, kept)
            voxels = same_but_for(voxels, kept.voxels, array.shape)
        rest = rest_of_slices(sheet.known, array, voxels, sheet.axis()) if fill_rest else None
        if rest is not None:
            _add(sheet, item, rest)
            voxels = joined(voxels, rest.voxels)
        if kept is not None or rest is not None:
            sheet.layer.refresh()
        self._record(sheet, voxels)

    def _record(self, sheet: Sheet, voxels: Voxels) -> None:
        keeper = self.desk.keeper
        if keeper is None or not voxels[0].size:
            return
        values, former = _data(sheet)[voxels], sheet.known[voxels]
        sheet.known[voxels] = values
        sheet.counts.move(former, values)
        axis = sheet.counts.axis
        sheet.counts.look(sheet.known, [0] if axis is None else np.unique(voxels[axis]).tolist())
        sheet.made.append(keeper.stroke(sheet.case.id, voxels, values))
        self._timer.start(AUTOSAVE_MS)
        self.changed.emit()

    def _fold(self, sheet: Sheet, status: Status | None, *, auto: bool) -> None:
        keeper = self.desk.keeper
        if keeper is None:
            return
        self._timer.stop()
        sheet.asked = sheet.newest
        keeper.fold(sheet.case.id, sheet.known, sheet.newest, status, auto=auto)

    def _turned(self, sheet: Sheet, counts: LabelCounts) -> None:
        if self.sheet is sheet and sheet.axis() == counts.axis:
            counts.voxels = sheet.counts.voxels
            sheet.counts = counts
            self.changed.emit()

    def _hear(self, news: News) -> None:
        sheet = self.sheet
        if sheet is None or getattr(news, "case_id", None) != sheet.case.id:
            return
        if isinstance(news, Journalled):
            sheet.journalled = news.number
        elif isinstance(news, Folded):
            sheet.made = [number for number in sheet.made if number > news.number]
            sheet.waiting, sheet.trouble = 0, ""
        elif isinstance(news, Trouble):
            sheet.asked, sheet.trouble = 0, str(news.error)
            if sheet.strokes:
                self._timer.start(RETRY_MS)
        self.changed.emit()


def _data(sheet: Sheet) -> LabelArray:
    return np.asarray(sheet.layer.data)


def _add(sheet: Sheet, item: list[Any], correction: Correction) -> None:
    # `item` is this stroke's step in napari's history: one atom more keeps it one undo, which
    # `data_setitem` cannot, since it begins a step of its own.
    array = _data(sheet)
    item.append((correction.voxels, array[correction.voxels].copy(), correction.values))
    array[correction.voxels] = correction.values
