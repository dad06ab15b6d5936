"""Keep what a person drew: strokes into the journal at once, label maps a little later.

Free of Qt. Two threads, so that a stroke never waits for a large map being compressed: one appends
strokes, one writes maps and reads them, each in the order in which it was asked.
"""

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ..core.errors import LongtailError
from ..core.project.journal import MAGIC
from ..core.project.records import Status
from .canvas_edits import LabelArray, Voxels

if TYPE_CHECKING:
    from ..core.project.store import Project

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stroke:
    """A finished stroke: voxels of a case and their new values."""

    number: int
    case_id: str
    voxels: Voxels
    values: LabelArray


@dataclass(frozen=True)
class Journalled:
    """The strokes of a case up to a number are in the journal."""

    case_id: str
    number: int


@dataclass(frozen=True)
class Folded:
    """The strokes of a case up to a number are in its label map."""

    case_id: str
    number: int


@dataclass(frozen=True)
class Changed:
    """Status or image-level labels of these cases were written."""

    case_ids: tuple[str, ...]


@dataclass(frozen=True)
class Trouble:
    """Something could not be written.

    `in_journal` says that the strokes are safe all the same, `plain` that it was no label map.
    """

    case_id: str
    error: LongtailError
    in_journal: bool
    plain: bool = False


News = Journalled | Folded | Changed | Trouble


class Keeper:
    """Writes the labels of one project.

    Parameters
    ----------
    project
        Where to.
    author
        Who labels.
    tell
        Takes the news; called in the writing threads.
    """

    def __init__(self, project: "Project", author: str, tell: Callable[[News], object]) -> None:
        self._project = project
        self._author = author
        self._tell = tell
        self._numbers = itertools.count(1)
        self._newest: dict[str, int] = {}
        self._unkept: list[Stroke] = []
        self._journal = ThreadPoolExecutor(1, thread_name_prefix="longtail journal")
        self._labels = ThreadPoolExecutor(1, thread_name_prefix="longtail labels")

    def stroke(self, case_id: str, voxels: Voxels, values: LabelArray) -> int:
        """Append a stroke to the journal; give its number."""
        stroke = Stroke(next(self._numbers), case_id, voxels, values)
        self._newest[case_id] = stroke.number
        self._journal.submit(self._append, stroke)
        return stroke.number

    def fold(
        self, case_id: str, array: LabelArray, upto: int, status: Status | None, *, auto: bool
    ) -> None:
        """Write a label map that holds at least the strokes up to `upto`.

        It is copied in the writing thread. Where a stroke is made meanwhile, the map may hold a
        part of it: the journal holds all of it. `auto` marks a version that the next automatic
        one replaces.
        """
        self._labels.submit(self._fold, case_id, array, upto, status, auto)

    def change(self, case_ids: Sequence[str], call: Callable[[], object]) -> None:
        """Write something else about these cases, behind what was asked before."""
        self._labels.submit(self._change, tuple(case_ids), call)

    def behind(self, call: Callable[[], Answer]) -> Answer:
        """Read behind what is still being written; waits, so call it in a worker."""
        return self._labels.submit(call).result()

    def wait(self) -> None:
        """Wait until everything asked so far is written."""
        self._journal.submit(lambda: None).result()
        self._labels.submit(lambda: None).result()

    def close(self) -> None:
        """Write what was asked, then end the threads."""
        # In this order: a map that is written asks the journal where to begin.
        self._labels.shutdown(wait=True)
        self._journal.shutdown(wait=True)

    @property
    def unkept(self) -> int:
        """How many strokes are on no disk, since the last attempt failed."""
        return len(self._unkept)

    def _append(self, stroke: Stroke) -> None:
        self._unkept.append(stroke)
        with self._telling(stroke.case_id):
            while self._unkept:
                first = self._unkept[0]
                self._project.journal(first.case_id).append(first.voxels, first.values)
                self._unkept.pop(0)
            self._tell(Journalled(stroke.case_id, stroke.number))

    def _fold(
        self, case_id: str, array: LabelArray, upto: int, status: Status | None, auto: bool
    ) -> None:
        with self._telling(case_id):
            held = array.copy()
            mark = self._journal.submit(self._mark, case_id, upto).result()
            self._project.write_label_map(
                case_id, held, author=self._author, status=status, autosave=auto, mark=mark
            )
            self._journal.submit(self._forget, case_id, upto).result()
            self._tell(Folded(case_id, upto))

    def _mark(self, case_id: str, upto: int) -> int:
        # Runs among the strokes. Where later ones were made, all stay: to repeat a stroke that
        # the map holds already, in its order, changes nothing.
        if self._newest.get(case_id, 0) > upto:
            return len(MAGIC)
        return max(self._project.journal(case_id).mark(), len(MAGIC))

    def _forget(self, case_id: str, upto: int) -> None:
        # A map that holds a stroke makes up for a journal that could not take it.
        self._unkept = [s for s in self._unkept if s.case_id != case_id or s.number > upto]

    def _change(self, case_ids: tuple[str, ...], call: Callable[[], object]) -> None:
        with self._telling(case_ids[0] if case_ids else "", plain=True):
            call()
            self._tell(Changed(case_ids))

    @contextmanager
    def _telling(self, case_id: str, *, plain: bool = False) -> Iterator[None]:
        try:
            yield
        except LongtailError as error:
            self._tell(Trouble(case_id, error, self._is_safe(case_id), plain))
        except Exception as error:  # the thread's edge: nobody else would ever hear of it
            log.exception("The labels of a case could not be written")
            unforeseen = LongtailError(
                f"The labels could not be saved: {type(error).__name__}: {error}.",
                "The log has more.",
            )
            self._tell(Trouble(case_id, unforeseen, self._is_safe(case_id), plain))

    def _is_safe(self, case_id: str) -> bool:
        return not any(stroke.case_id == case_id for stroke in self._unkept)
