"""Image-level classes of the case that is shown: given by key or button, written a moment later."""

from collections import deque
from dataclasses import dataclass

from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from ..core.project.records import Case, ImageLabels, Status, Task
from .canvas_desk import Desk

# A class that Return follows at once is written once, as reviewed.
WRITE_MS = 400
LAST = 5
ASK_ONE = "Give this image a class first."
ASK_SEVERAL = "Answer at least one class first, or press 0: no to all of them."


@dataclass(frozen=True)
class Given:
    """What an image was given, for the list of the last ones."""

    case: Case
    labels: ImageLabels


class Answers:
    """The classes of the shown image, and what the last images were given.

    Attributes
    ----------
    labels
        Yes and no of the image that is shown; all other classes are unknown.
    last
        The last images that were given something, the newest first.
    changed
        Emitted when either changed.
    """

    changed = Signal()

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        self.desk = desk
        self.labels = ImageLabels()
        self.last: deque[Given] = deque(maxlen=LAST)
        self._case: Case | None = None
        self._dirty = False
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.write)
        session = desk.session
        session.case_about_to_change.connect(self.leave)
        session.case_changed.connect(self._on_case)
        session.labels_changed.connect(self._on_labels)
        session.classes_changed.connect(self._on_classes)
        session.project_changed.connect(self._on_project)

    def answer(self, class_id: int) -> None:
        """Give a class: the one of this image, or the next of yes, no and unknown."""
        if self._task is Task.CLASSIFICATION:
            self._set(ImageLabels(yes=frozenset({class_id})))
        elif self._task is Task.MULTILABEL:
            self._set(_turned(self.labels, class_id))

    def zero(self) -> None:
        """Take the class back; of several, answer no for every one that is unknown."""
        project = self.desk.session.project
        if self._task is Task.CLASSIFICATION:
            self._set(ImageLabels())
        elif project is not None:
            others = {record.id for record in project.classes} - self.labels.yes
            self._set(ImageLabels(self.labels.yes, frozenset(others)))

    def reviewed_next(self) -> None:
        """Say that the answers are right and go to the next image."""
        if self._case is None or not self.desk.writable:
            return
        if not self._is_answered():
            return
        self._write(Status.REVIEWED)
        self._remember()
        self.desk.session.next_case()

    def set_status(self, status: Status) -> None:
        """Say how far the image is; *unlabelled* takes its classes away."""
        if self._case is None or not self.desk.writable:
            return
        if status is Status.UNLABELLED:
            self._set(ImageLabels())
            self.write()
        elif self._is_answered():
            self._write(status)

    def write(self) -> None:
        """Write what is not written yet, as a draft."""
        if self._dirty:
            self._write(Status.DRAFT)

    def leave(self) -> None:
        """Write and remember what was given before another image is shown."""
        if self._dirty:
            self.write()
            self._remember()

    def close(self) -> None:
        """Write what is not written and follow nothing more."""
        self.leave()
        session = self.desk.session
        session.case_about_to_change.disconnect(self.leave)
        session.case_changed.disconnect(self._on_case)
        session.labels_changed.disconnect(self._on_labels)
        session.classes_changed.disconnect(self._on_classes)
        session.project_changed.disconnect(self._on_project)

    @property
    def _task(self) -> Task | None:
        project = self.desk.session.project
        return project.task if project is not None else None

    def _is_answered(self) -> bool:
        if self.labels.yes or self.labels.no:
            return True
        several = self._task is Task.MULTILABEL
        self.desk.session.notify(ASK_SEVERAL if several else ASK_ONE)
        return False

    def _set(self, labels: ImageLabels) -> None:
        if self._case is None or not self.desk.writable:
            return
        self.labels, self._dirty = labels, True
        self._timer.start(WRITE_MS)
        self.changed.emit()

    def _write(self, status: Status) -> None:
        if self._case is None:
            return
        self._timer.stop()
        self._dirty = False
        if not self.labels.yes and not self.labels.no:
            self.desk.give([self._case.id], None, Status.UNLABELLED)
        else:
            self.desk.give([self._case.id], self.labels, status)

    def _remember(self) -> None:
        if self._case is None:
            return
        others = [given for given in self.last if given.case.id != self._case.id]
        self.last = deque([Given(self._case, self.labels), *others], maxlen=LAST)
        self.changed.emit()

    def _on_case(self) -> None:
        self._case = self.desk.session.case
        self._read()

    def _on_labels(self, case_ids: tuple[str, ...]) -> None:
        if self._case is not None and self._case.id in case_ids and not self._dirty:
            self._case = self.desk.session.case
            self._read()

    def _on_classes(self) -> None:
        # A merge answers for another class from now on.
        project = self.desk.session.project
        if self._case is not None and project is not None and not self._dirty:
            self._case = project.case(self._case.id)
            self._read()

    def _on_project(self) -> None:
        self.last.clear()
        self.changed.emit()

    def _read(self) -> None:
        self._dirty = False
        self.labels = (self._case.labels if self._case else None) or ImageLabels()
        self.changed.emit()


def _turned(labels: ImageLabels, class_id: int) -> ImageLabels:
    one = frozenset({class_id})
    if class_id in labels.yes:
        return ImageLabels(labels.yes - one, labels.no | one)
    if class_id in labels.no:
        return ImageLabels(labels.yes, labels.no - one)
    return ImageLabels(labels.yes | one, labels.no)
