"""Label, images: the boxes of this image as a list, and the tool that draws them."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from ...core.project.boxfiles import DrawnBox
from ..canvas_boxes import DrawnBoxes
from ..session import Session
from ..widgets import HairLine, IconButton, LinkButton, QuietLabel, SectionLabel
from .label_parts import keep_keys
from .label_rows import LabelRows, Row

ROW_PX, GAP_PX = 28, 4
DRAWING = "Drag over the image around a {name}; keys 1 to 9 choose another class."
HELD = "Drag its edges on the image; keys 1 to 9 give it another class."


class BoxesPart(QWidget):
    """The tool, undo and delete above a row a box; the chosen one is in hand on the image."""

    def __init__(self, session: Session, boxes: DrawnBoxes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._boxes = session, boxes
        self.section = SectionLabel("Boxes", parent=self, line=False)
        self.tool = IconButton("ph.bounding-box", "Draw a box", self, key="B", checkable=True)
        self.kind = IconButton("ph.palette", "Class of the box", self, key="1-9")
        self.undo = IconButton("ph.arrow-counter-clockwise", "Undo", self, key="Ctrl+Z")
        self.delete = IconButton("ph.trash", "Delete the box in hand", self, key="Delete")
        self.rows = LabelRows("Boxes", self, row_px=ROW_PX, gap_px=GAP_PX)
        self.words = QuietLabel("", self)
        self.none = LinkButton("There is nothing to box", self)
        self.none.setToolTip("Say that you looked at this image and there is no box to draw")
        self._lay_out()
        self._connect()
        self.show_boxes(writable=True)

    def show_boxes(self, *, writable: bool) -> None:
        """Show the boxes of the image and what can be done."""
        boxes = self._boxes
        self.setVisible(boxes.possible)
        self.rows.show_rows(
            [self._row(place, box) for place, box in enumerate(boxes.boxes or ())], boxes.selected
        )
        self.rows.setVisible(bool(boxes.boxes))
        self.tool.setChecked(boxes.drawing)
        for button in (self.tool, self.kind):
            button.setEnabled(writable)
        self.undo.setEnabled(writable and boxes.can_undo)
        self.delete.setEnabled(writable and boxes.selected is not None)
        words = self._say()
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.none.setVisible(writable and boxes.boxes is None and not boxes.drawing)

    def _say(self) -> str:
        boxes = self._boxes
        if boxes.drawing:
            return DRAWING.format(name=self._name(boxes.class_id))
        if boxes.selected is not None:
            return HELD
        if boxes.boxes is None:
            return "Nobody has looked for boxes here."
        return "" if boxes.boxes else "Somebody looked: there is nothing to box."

    def _row(self, place: int, box: DrawnBox) -> Row:
        size = f"{box.width:.0f} × {box.height:.0f} px"  # noqa: RUF001 - times, as it is read
        who = f" Drawn by {box.author}." if box.author else ""
        tip = f"{self._name(box.class_id)}, {size}, at {box.x:.0f}, {box.y:.0f}.{who}"
        return Row(place, self._name(box.class_id), self._colour(box.class_id), size, tip=tip)

    def _name(self, class_id: int) -> str:
        project = self._session.project
        known = {one.id: one.name for one in project.all_classes} if project else {}
        return known.get(class_id, "")

    def _colour(self, class_id: int) -> str:
        project = self._session.project
        known = {one.id: one.colour for one in project.all_classes} if project else {}
        return known.get(class_id, "")

    def _connect(self) -> None:
        boxes = self._boxes
        self.tool.clicked.connect(lambda _checked=False: self._take())
        self.kind.clicked.connect(lambda _checked=False: self._open_menu())
        self.undo.clicked.connect(lambda _checked=False: boxes.undo())
        self.delete.clicked.connect(lambda _checked=False: boxes.remove_selected())
        self.none.clicked.connect(lambda _checked=False: boxes.none_here())
        self.rows.chosen.connect(self._select)

    def _take(self) -> None:
        self._boxes.take()
        self.tool.setChecked(self._boxes.drawing)

    def _select(self, place: int) -> None:
        self._boxes.select(None if place == self._boxes.selected else place)

    def _open_menu(self) -> None:
        project = self._session.project
        if project is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for number, record in enumerate(project.classes, start=1):
            key = f"\t{number}" if number <= 9 else ""
            action = menu.addAction(f"{record.name}{key}")
            action.setCheckable(True)
            action.setChecked(record.id == self._boxes.class_id)
            action.triggered.connect(self._chooser(record.id))
        menu.popup(self.kind.mapToGlobal(self.kind.rect().bottomLeft()))

    def _chooser(self, class_id: int) -> Callable[[], None]:
        return lambda: self._boxes.choose_class(class_id)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.section, 1)
        for button in (self.tool, self.kind, self.undo, self.delete):
            keep_keys(button)
            head.addWidget(button)
        keep_keys(self.none)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        column.addWidget(HairLine(self))
        column.addLayout(head)
        column.addWidget(self.rows)
        column.addWidget(self.words)
        column.addWidget(self.none, 0, Qt.AlignmentFlag.AlignLeft)
