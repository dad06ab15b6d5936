"""The dialog in which classes are added, renamed, recoloured, merged and retired."""

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPaintEvent
from qtpy.QtWidgets import (
    QColorDialog,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QMessageBox,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...core.errors import LongtailError
from ...core.project.records import ClassRecord
from ..session import Session
from ..widgets.basic import (
    GhostButton,
    IconButton,
    PrimaryButton,
    QuietLabel,
    TextLabel,
    TitleLabel,
    mark,
)
from ..widgets.dress import dress
from ..widgets.paint import bar, painting


class ColourButton(QToolButton):
    """A class's colour; a click changes it."""

    def __init__(self, colour: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = colour
        self.setFixedSize(QSize(28, 28))
        self.setToolTip(f"Colour of {name}")
        self.setAccessibleName(self.toolTip())
        mark(self, "icon")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the colour."""
        super().paintEvent(event)
        with painting(self) as painter:
            bar(painter, QRectF(7, 7, 14, 14), self._colour, 3)


class ClassRow(QWidget):
    """One class: colour, name to be changed in place, labelled count, and a menu."""

    def __init__(self, record: ClassRecord, count: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.record = record
        self.colour = ColourButton(record.colour, record.name, self)
        self.name = QLineEdit(record.name, self)
        self.name.setAccessibleName(f"Name of {record.name}")
        self.count = TextLabel(f"{count:,} labelled", self)
        mark(self.count, "quiet")
        self.menu = IconButton("ph.dots-three", "Merge or retire", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.colour)
        row.addWidget(self.name, 1)
        row.addWidget(self.count)
        row.addWidget(self.menu)


class ClassesDialog(QDialog):
    """Changes take effect at once; ids of classes never shift."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Classes")
        self.resize(440, 420)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.complaint = TextLabel("", self)
        self.complaint.setWordWrap(True)
        mark(self.complaint, "bad")
        self.complaint.hide()
        self._build()
        dress(self)
        self.show_classes()

    def _build(self) -> None:
        inner = QWidget()
        mark(inner, "body")
        inner.setLayout(self._rows)
        self._rows.setContentsMargins(0, 0, 8, 0)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        self.fresh = QLineEdit(self)
        self.fresh.setPlaceholderText("Name of a new class")
        self.fresh.returnPressed.connect(self.add)
        add = GhostButton("Add", self, symbol="ph.plus")
        add.setAutoDefault(False)
        add.clicked.connect(lambda _checked=False: self.add())
        last = QHBoxLayout()
        last.addWidget(self.fresh, 1)
        last.addWidget(add)
        done = PrimaryButton("Done", self)
        done.setAutoDefault(False)
        done.clicked.connect(lambda _checked=False: self.accept())
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(10)
        column.addWidget(TitleLabel("Classes", self))
        column.addWidget(
            QuietLabel(
                "Names and colours can change at any time; what is labelled stays with its class.",
                self,
            )
        )
        column.addWidget(area, 1)
        column.addLayout(last)
        column.addWidget(self.complaint)
        column.addWidget(done, 0, Qt.AlignmentFlag.AlignRight)

    def show_classes(self) -> None:
        """List the classes in use."""
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        project, catalogue = self._session.project, self._session.catalogue
        if project is None:
            return
        counts = catalogue.class_counts() if catalogue else {}
        for record in self.records():
            row = ClassRow(record, int(counts.get(record.id, 0)), self)
            row.name.editingFinished.connect(partial(self.rename, row))
            row.colour.clicked.connect(partial(self._choose_colour, record))
            row.menu.clicked.connect(partial(self._open_menu, row))
            self._rows.addWidget(row)
        self._rows.addStretch(1)

    def records(self) -> tuple[ClassRecord, ...]:
        """Give the classes that are listed."""
        return self._session.project.classes if self._session.project is not None else ()

    # --- changes ---

    def add(self) -> None:
        """Add the class whose name was typed."""
        name = self.fresh.text().strip()
        if name and self._do(lambda project: project.add_class(name)):
            self.fresh.clear()

    def rename(self, row: ClassRow) -> None:
        """Take over a name that was changed in place."""
        name = row.name.text().strip()
        if name == row.record.name:
            return
        done = self._do(lambda project: project.rename_class(row.record.id, name))
        if not done:
            row.name.setText(row.record.name)

    def recolour(self, record: ClassRecord, colour: str) -> None:
        """Give a class another colour."""
        self._do(lambda project: project.recolour_class(record.id, colour))

    def merge(self, source: ClassRecord, into: ClassRecord) -> None:
        """Give all that is labelled with one class to another."""
        self._do(lambda project: project.merge_classes(source.id, into.id))

    def retire(self, record: ClassRecord) -> None:
        """Take a class out of use."""
        self._do(lambda project: project.retire_class(record.id))

    def _do(self, change: Callable[..., object]) -> bool:
        project = self._session.project
        if project is None:
            return False
        try:
            change(project)
        except LongtailError as error:
            self.complaint.setText(str(error))
            self.complaint.show()
            return False
        self.complaint.hide()
        self._session.classes_edited()
        self.show_classes()
        return True

    def _choose_colour(self, record: ClassRecord, _checked: bool = False) -> None:
        colour = QColorDialog.getColor(QColor(record.colour), self, f"Colour of {record.name}")
        if colour.isValid():
            self.recolour(record, colour.name())

    def _open_menu(self, row: ClassRow, _checked: bool = False) -> None:
        project = self._session.project
        if project is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        others = [c for c in project.classes if c.id != row.record.id]
        into = menu.addMenu("Merge into")
        into.setEnabled(bool(others))
        for other in others:
            into.addAction(other.name).triggered.connect(
                lambda _checked=False, other=other: self._ask_merge(row.record, other)
            )
        retire = menu.addAction("Retire..." if others else "Retire (the last class stays)")
        retire.setEnabled(bool(others))
        retire.triggered.connect(lambda _checked=False: self._ask_retire(row.record))
        menu.popup(row.menu.mapToGlobal(row.menu.rect().bottomLeft()))

    def _ask_merge(self, source: ClassRecord, into: ClassRecord) -> None:
        text = f"Everything labelled {source.name} becomes {into.name}. The history keeps both."
        if self._sure(f"Merge {source.name} into {into.name}?", text, "Merge"):
            self.merge(source, into)

    def _ask_retire(self, record: ClassRecord) -> None:
        text = "It is no longer offered, shown or trained. What was labelled stays in the files."
        if self._sure(f"Retire {record.name}?", text, "Retire"):
            self.retire(record)

    def _sure(self, title: str, text: str, verb: str) -> bool:
        box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=self)
        box.setText(title)
        box.setInformativeText(text)
        yes = box.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        return box.clickedButton() is yes
