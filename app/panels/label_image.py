"""Label, images: large class buttons with keys, and the last images with what they were given."""

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QWidget

from ...core.project.records import Case, ImageLabels, Status, Task
from ..canvas import Canvas
from ..canvas_answers import Given
from ..session import Session
from ..widgets import LinkButton, Page, SectionLabel
from .cases_thumbnails import Thumbnails
from .label_boxes import BoxesPart
from .label_last import LastImage, LastImages
from .label_parts import CaseHead, ClassesHead, Foot, Hint, StatusPart, keep_keys
from .label_rows import Answer, LabelRows, Row
from .label_words import reading_only, saved_words

BUTTON_PX = 34
GAP_PX = 4
LAID_OUT_MS = 50
"""A row that came is not laid out at once."""


class ImagePage(Page):
    """The page for classes of whole images."""

    def __init__(self, session: Session, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._canvas = session, canvas
        self._thumbnails = Thumbnails(self)
        self._cases: dict[str, Case] = {}
        self._held: tuple[bool, int | None, int] = (False, None, 0)
        self.case_head = CaseHead(self)
        self.read_only = Hint("", "", self)
        self.classes_head = ClassesHead("Class", self, line=False)
        self.rows = LabelRows("Classes", self, row_px=BUTTON_PX, gap_px=GAP_PX)
        self.rest = LinkButton("All others: no   0", self, tip="No to all that are unknown (0)")
        self.boxes = BoxesPart(session, canvas.boxes, self)
        self.status = StatusPart("image", self)
        self.last_section = SectionLabel("Last images", "click to correct", parent=self)
        self.last = LastImages(self._picture, self)
        self.end = Foot("image", self)
        self._build()
        self._connect()

    def _build(self) -> None:
        self.head.addWidget(self.case_head)
        self.head.addWidget(self.read_only)
        self.body.addWidget(self.classes_head)
        self.body.addWidget(self.rows)
        self.body.addWidget(self.rest, 0, Qt.AlignmentFlag.AlignLeft)
        keep_keys(self.rest)
        self.body.addWidget(self.boxes)
        self.body.addWidget(self.status)
        self.body.addWidget(self.last_section)
        self.body.addWidget(self.last)
        self.foot.addWidget(self.end)

    def _connect(self) -> None:
        session, answers = self._session, self._canvas.answers
        self.case_head.previous.clicked.connect(lambda _checked=False: session.previous_case())
        self.case_head.next.clicked.connect(lambda _checked=False: session.next_case())
        self.rows.chosen.connect(answers.answer)
        self.rest.clicked.connect(lambda _checked=False: answers.zero())
        self.classes_head.edit.clicked.connect(lambda _checked=False: self._edit_classes())
        self.status.chosen.connect(self._set_status)
        self.last.asked.connect(self._correct)
        self.end.button.clicked.connect(lambda _checked=False: self._canvas.tools.reviewed_next())
        self._thumbnails.ready.connect(lambda _case: self.last.update())

    def use_project(self) -> None:
        """Begin with another project."""
        project = self._session.project
        folder = project.path / "cache" / "thumbnails" if project and project.writable else None
        self._thumbnails.use_folder(folder)
        self._cases.clear()

    def close_threads(self) -> None:
        """Wait for thumbnails that are being made."""
        self._thumbnails.close()

    # --- showing ---

    def show_state(self) -> None:
        """Show everything anew."""
        case, why = self._session.case, reading_only(self._session)
        several = self._several
        self.case_head.name.setText(case.id.rpartition("/")[2] if case else "")
        self.case_head.name.setToolTip(case.id if case else "")
        self.read_only.say("", why)
        self.read_only.setVisible(bool(why))
        self.classes_head.section.set_text("Findings" if several else "Class")
        self.rest.setVisible(several)
        ready = case is not None and not why
        for part in (self.rows, self.rest, self.status, self.end.button):
            part.setEnabled(ready)
        self.classes_head.edit.setEnabled(not why)
        self.end.button.setToolTip(why or "Mark as reviewed and go on (Return)")
        self.status.segments.set_value(case.status.value if case else "")
        self.boxes.show_boxes(writable=ready)
        self._show_box_in_hand()
        self.show_rows()
        self.show_last()
        self.show_saved()

    def _show_box_in_hand(self) -> None:
        """Scroll to the boxes when the tool or one of them is taken in hand."""
        boxes = self._canvas.boxes
        held = boxes.drawing, boxes.selected, len(boxes.boxes or ())
        if held != self._held and (boxes.drawing or boxes.selected is not None):
            QTimer.singleShot(LAID_OUT_MS, self._scroll_to_boxes)
        self._held = held

    def _scroll_to_boxes(self) -> None:
        self.scroll.ensureWidgetVisible(self.boxes, 0, 8)

    def show_tool(self) -> None:
        """Nothing is drawn here."""

    def show_rows(self) -> None:
        """Show the classes and what is answered."""
        project, labels = self._session.project, self._canvas.answers.labels
        classes = project.classes if project is not None else ()
        rows = [
            Row(
                record.id,
                record.name,
                record.colour,
                key=str(place) if place <= 9 else "",
                answer=self._answer(record.id, labels),
            )
            for place, record in enumerate(classes, start=1)
        ]
        self.rows.show_rows(rows)

    def show_last(self) -> None:
        """Show the last images."""
        given = list(self._canvas.answers.last)
        self._cases = {each.case.id: each.case for each in given}
        self.last.show_images([self._last_image(each) for each in given])
        for part in (self.last_section, self.last):
            part.setVisible(bool(given))

    def show_saved(self) -> None:
        """Say what is saved."""
        case = self._session.case
        if case is None or reading_only(self._session):
            self.end.say("")
            return
        ago = self._canvas.desk.saved_ago_s(case.id)
        self.end.say(saved_words(0, ago, "", case.status is not Status.UNLABELLED))

    @property
    def _several(self) -> bool:
        project = self._session.project
        return project is not None and project.task is Task.MULTILABEL

    def _answer(self, class_id: int, labels: ImageLabels) -> Answer | None:
        if class_id in labels.yes:
            return Answer.YES if self._several else Answer.GIVEN
        if not self._several:
            return None
        return Answer.NO if class_id in labels.no else Answer.UNKNOWN

    def _last_image(self, given: Given) -> LastImage:
        project = self._session.project
        classes = project.all_classes if project is not None else ()
        yes = [record for record in classes if record.id in given.labels.yes]
        words = yes[0].name if yes else ("none" if given.labels.no else "taken back")
        if len(yes) > 1:
            words += f" +{len(yes) - 1}"
        name = given.case.id.rpartition("/")[2]
        return LastImage(given.case.id, name, words, yes[0].colour if yes else "")

    def _picture(self, case_id: str) -> QPixmap | None:
        case = self._cases.get(case_id)
        return self._thumbnails.get(case) if case is not None else None

    # --- doing ---

    def _set_status(self, value: str) -> None:
        case, answers = self._session.case, self._canvas.answers
        if case is None:
            return
        answers.set_status(Status(value))
        self.status.segments.set_value(case.status.value)

    def _correct(self, case_id: str) -> None:
        with self._session.reporting():
            self._session.show_case(case_id)

    def _edit_classes(self) -> None:
        from .case_classes import ClassesDialog

        ClassesDialog(self._session, self).open()
