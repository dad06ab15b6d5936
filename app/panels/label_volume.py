"""Label, volumes: tools, classes with their volumes, what is not labelled yet, status."""

from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QMenu, QMessageBox, QWidget

from ...core.project.records import NOT_LABELLED, Case, Status
from ..canvas import Canvas
from ..canvas_edits import LabelArray
from ..canvas_reading import read_mask_file
from ..session import Session
from ..widgets import GhostButton, IconButton, Page
from .label_parts import CaseHead, ClassesHead, Foot, Hint, SliderRow, StatusPart, keep_keys
from .label_rows import LabelRows, Row, amount_words
from .label_words import reading_only, saved_words, slices_words

TOOLS = (
    ("paint", "ph.paint-brush", "Brush", "P"),
    ("erase", "ph.eraser", "Eraser: background", "E"),
    ("fill", "ph.paint-bucket", "Fill", "F"),
    ("polygon", "ph.polygon", "Polygon; Return closes it", "G"),
    ("pick", "ph.eyedropper", "Pick the class under the cursor", "L"),
)
LARGEST_BRUSH = 40
ENOUGH = "Three slices are enough to start."
WHY = "What you leave unlabelled takes part in training as unlabelled, not as background."
MASK_FILES = "Masks (*.nii *.nii.gz *.nrrd *.mha *.mhd *.png *.tif *.tiff)"


class ToolRow(QWidget):
    """The tools, and undo and redo."""

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self.buttons: dict[str, IconButton] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        for mode, symbol, tip, key in TOOLS:
            button = self._add(IconButton(symbol, tip, self, key=key, checkable=True))
            button.clicked.connect(partial(self._take, mode))
            self.buttons[mode] = button
        self.more = self._add(IconButton("ph.dots-three", "More", self))
        self.undo = self._add(IconButton("ph.arrow-counter-clockwise", "Undo", self, key="Ctrl+Z"))
        self.redo = self._add(IconButton("ph.arrow-clockwise", "Redo", self, key="Ctrl+Shift+Z"))
        self.undo.clicked.connect(lambda _checked=False: canvas.strokes.undo())
        self.redo.clicked.connect(lambda _checked=False: canvas.strokes.redo())

    def show_mode(self, mode: str) -> None:
        """Show which tool is in hand."""
        for name, button in self.buttons.items():
            button.setChecked(name == mode)

    def _add(self, button: IconButton) -> IconButton:
        keep_keys(button)
        self._row.addWidget(button, 1)
        return button

    def _take(self, mode: str, _checked: bool = False) -> None:
        # The tool in hand, clicked again, is put down: the mouse moves the image then.
        self._canvas.tools.take("pan_zoom" if self._canvas.tools.mode == mode else mode)
        self.show_mode(self._canvas.tools.mode)


class VolumePage(Page):
    """The page for label maps."""

    def __init__(self, session: Session, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._canvas = session, canvas
        self.case_head = CaseHead(self)
        self.read_only = Hint("", "", self)
        self.tools = ToolRow(canvas, self)
        self.brush = SliderRow("Brush", 1, LARGEST_BRUSH, "Width of the brush ([ and ])", self)
        self.opacity = SliderRow("Opacity", 0, 100, "Opacity of the labels", self)
        self.rows = LabelRows("Classes", self)
        self.classes_head = ClassesHead("Classes", self)
        self.hint = Hint(ENOUGH, WHY, self)
        self.adopt = GhostButton("Start from the prediction", self, symbol="ph.copy")
        self.adopt.setToolTip(
            "Copy the prediction into the labels, to be corrected; undo takes it back"
        )
        self.status = StatusPart("scan", self)
        self.end = Foot("scan", self)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.head.addWidget(self.case_head)
        self.head.addWidget(self.read_only)
        self.body.addWidget(self.tools)
        self.body.addWidget(self.brush)
        self.body.addWidget(self.opacity)
        self.body.addWidget(self.classes_head)
        self.body.addWidget(self.rows)
        self.body.addWidget(self.hint)
        self.body.addWidget(self.adopt)
        self.body.addWidget(self.status)
        self.foot.addWidget(self.end)

    def _connect(self) -> None:
        session, canvas = self._session, self._canvas
        self.case_head.previous.clicked.connect(lambda _checked=False: session.previous_case())
        self.case_head.next.clicked.connect(lambda _checked=False: session.next_case())
        self.brush.moved.connect(self._resize)
        self.opacity.moved.connect(self._fade)
        self.rows.chosen.connect(canvas.tools.choose)
        self.rows.lock_clicked.connect(self._turn_lock)
        self.classes_head.edit.clicked.connect(lambda _checked=False: self._edit_classes())
        self.status.chosen.connect(self._set_status)
        self.end.button.clicked.connect(lambda _checked=False: canvas.tools.reviewed_next())
        self.adopt.clicked.connect(lambda _checked=False: canvas.start_from_prediction())
        self.tools.more.clicked.connect(lambda _checked=False: self._open_menu())
        # napari cannot tell Shift+0 from the sign that the keyboard makes of it.
        shortcut = QShortcut(QKeySequence("Shift+0"), self)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(canvas.tools.unlabel)

    # --- showing ---

    def show_state(self) -> None:
        """Show everything anew."""
        case, why = self._session.case, reading_only(self._session)
        self.case_head.name.setText(case.id.rpartition("/")[2] if case else "")
        self.case_head.name.setToolTip(case.id if case else "")
        self.read_only.say("", why)
        self.read_only.setVisible(bool(why))
        ready = self._canvas.labels is not None and not why
        for part in (self.tools, self.brush, self.rows, self.status):
            part.setEnabled(ready)
            part.setToolTip(why)
        self.classes_head.edit.setEnabled(not why)
        self.end.button.setEnabled(ready)
        self.end.button.setToolTip(why or "Mark as reviewed and go on (Return)")
        self.status.segments.set_value(case.status.value if case else "")
        self.show_tool()
        self.show_rows()
        self.show_saved()

    def show_tool(self) -> None:
        """Show the tool in hand, its size and the opacity."""
        layer = self._canvas.labels
        self.tools.show_mode(self._canvas.tools.mode)
        size = int(layer.brush_size) if layer is not None else 1
        self.brush.show_value(min(size, LARGEST_BRUSH), f"{size} px")
        percent = round(self._canvas.opacity * 100)
        self.opacity.show_value(percent, f"{percent} %")

    def show_rows(self) -> None:
        """Show the classes and how much of this scan they have."""
        layer = self._canvas.labels
        chosen = None
        if layer is not None:
            chosen = 0 if self._canvas.tools.mode == "erase" else int(layer.selected_label)
        self.rows.show_rows((*self._class_rows(), *self._other_rows()), chosen)
        sheet = self._canvas.strokes.sheet
        counts = sheet.counts if sheet is not None else None
        self.hint.setVisible(counts is not None and not counts.labelled.all())
        canvas = self._canvas
        offered = canvas.has_prediction and canvas.tools.nothing_drawn and canvas.desk.writable
        self.adopt.setVisible(bool(offered))

    def show_saved(self) -> None:
        """Say what is saved."""
        sheet, case = self._canvas.strokes.sheet, self._session.case
        if case is None or reading_only(self._session):
            self.end.say("")
            return
        words = saved_words(
            sheet.strokes if sheet else 0,
            self._canvas.desk.saved_ago_s(case.id),
            sheet.trouble if sheet else "",
            case.has_mask,
        )
        self.end.say(words, bad=bool(sheet and sheet.trouble))

    def _class_rows(self) -> list[Row]:
        project = self._session.project
        classes = project.classes if project is not None else ()
        return [
            Row(
                record.id,
                record.name,
                record.colour,
                self._amount(record.id),
                str(place) if place <= 9 else "",
                record.id in self._canvas.strokes.locked,
            )
            for place, record in enumerate(classes, start=1)
        ]

    def _other_rows(self) -> list[Row]:
        sheet = self._canvas.strokes.sheet
        done, left = "", ""
        if sheet is not None:
            labelled = int(sheet.counts.labelled.sum())
            done, left = slices_words(labelled, sheet.counts.labelled.size)
            if sheet.counts.axis is None:
                done, left = self._amount(0), self._amount(NOT_LABELLED)
        return [
            Row(0, "background", "", done, "0", tip="Looked at, and none of the classes"),
            Row(NOT_LABELLED, "not labelled yet", _GREY, left, "⇧0", tip=WHY),
        ]

    def _amount(self, value: int) -> str:
        sheet, picture = self._canvas.strokes.sheet, self._canvas.picture
        if sheet is None or picture is None:
            return ""
        spacing = picture.spacing if picture.in_mm else None
        return amount_words(float(sheet.counts.voxels[value]), spacing, len(picture.shape))

    # --- doing ---

    def _resize(self, size: int) -> None:
        if self._canvas.labels is not None:
            self._canvas.labels.brush_size = size

    def _fade(self, percent: int) -> None:
        self._canvas.opacity = percent / 100
        self.show_tool()

    def _turn_lock(self, class_id: int) -> None:
        self._canvas.strokes.locked ^= {class_id}
        self.show_rows()

    def _set_status(self, value: str) -> None:
        case = self._session.case
        if case is None:
            return
        status = Status(value)
        if status is Status.UNLABELLED:
            if case.status is not status and self._sure_to_clear(case):
                self._canvas.strokes.clear_labels()
        elif self._canvas.tools.nothing_drawn:
            self._session.notify(f"Nothing is labelled in {case.id} yet.")
        else:
            self._canvas.strokes.set_status(status)
        self.status.segments.set_value(case.status.value)

    def _sure_to_clear(self, case: Case) -> bool:
        box = QMessageBox(QMessageBox.Icon.Question, "Clear labels", "", parent=self)
        box.setText(f"Clear all labels of {case.id}?")
        box.setInformativeText("The present version stays in the history, and undo brings it back.")
        yes = box.addButton("Clear labels", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is yes

    def _edit_classes(self) -> None:
        from .case_classes import ClassesDialog

        ClassesDialog(self._session, self).open()

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        canvas, strokes = self._canvas, self._canvas.strokes

        def switch(words: str, on: bool, act: object) -> None:
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(on)
            action.toggled.connect(act)

        switch(
            "First stroke makes the rest of its slice background",
            strokes.fill_rest,
            lambda on: setattr(strokes, "fill_rest", on),
        )
        switch("Show what is not labelled yet", canvas.veil, lambda on: setattr(canvas, "veil", on))
        switch(
            "Draw in neighbouring slices too",
            canvas.thick_brush,
            lambda on: setattr(canvas, "thick_brush", on),
        )
        menu.addSeparator()
        menu.addAction("Load mask from file...").triggered.connect(
            lambda _checked=False: self._choose_mask()
        )
        menu.popup(self.tools.more.mapToGlobal(self.tools.more.rect().bottomLeft()))

    def _choose_mask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load a mask", "", MASK_FILES)
        if path:
            self.load_mask(Path(path))

    def load_mask(self, path: Path) -> None:
        """Draw a mask from a file over the labels, as one step of undo."""
        project, sheet = self._session.project, self._canvas.strokes.sheet
        if project is None or sheet is None:
            return
        known = frozenset(record.id for record in project.all_classes)
        shape = sheet.known.shape

        def lay(array: LabelArray) -> None:
            if sheet is self._canvas.strokes.sheet:
                self._canvas.strokes.replace(array)

        self._canvas.aside(lambda: read_mask_file(path, shape, known), lay)


_GREY = "#5b626c"
