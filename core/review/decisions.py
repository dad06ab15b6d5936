"""What a person decided about the cases of a queue: kept with the labels, taken back one by one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..errors import LongtailError
from ..files import write_json
from ..project.records import Annotation, ImageLabels, Status, Task
from ..project.store import Project
from .queue import Entry

FILE = "annotations/review.json"


class Verdict(StrEnum):
    """What came of a look at a case."""

    ACCEPTED = "accepted"
    """The labels are right; an image without labels got the class that was suggested."""
    CORRECTED = "corrected"
    """The labels were changed."""
    FLAGGED = "flagged"
    """Set aside: the labels moved to the history, so that nothing trains on them."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One look at one case.

    `before` and `status` are how it was, `version` is the newest of its labels then, 0 for none.
    """

    case: str
    verdict: Verdict
    run: str
    author: str
    time: str
    before: ImageLabels | None
    status: Status
    version: int

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        before = self.before
        return {
            "case": self.case,
            "verdict": str(self.verdict),
            "run": self.run,
            "author": self.author,
            "time": self.time,
            "yes": None if before is None else sorted(before.yes),
            "no": None if before is None else sorted(before.no),
            "status": str(self.status),
            "version": self.version,
        }


class Decisions:
    """All decisions of a project, the oldest first; written at once.

    Parameters
    ----------
    project
        The project; one that is open for reading can be read alone.

    Raises
    ------
    LongtailError
        The file of decisions is damaged.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._path = project.path / FILE
        self._all = read_decisions(self._path)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def all(self) -> tuple[Decision, ...]:
        """All of them, the oldest first."""
        return tuple(self._all)

    @property
    def by_case(self) -> Mapping[str, Decision]:
        """The newest decision about each case."""
        return {each.case: each for each in self._all}

    def decide(
        self, entry: Entry, verdict: Verdict, *, run: str, author: str, before: Annotation | None
    ) -> Decision:
        """Act on a case and keep what was decided.

        Parameters
        ----------
        entry
            The case and what is suggested.
        verdict
            What was decided. Labels that were corrected by hand, as those of a scan are, stay as
            they are: `entry` then suggests nothing.
        before
            How its labels were before anything was changed; None where it has none.
        """
        known = before is not None
        decision = Decision(
            entry.case,
            verdict,
            run,
            author,
            datetime.now(UTC).isoformat(timespec="seconds"),
            before.labels if before is not None else None,
            before.status if before is not None else Status.UNLABELLED,
            before.version if before is not None else 0,
        )
        _act(self._project, entry, verdict, author, labelled=known and decision.status != _NONE)
        self._all.append(decision)
        self._write()
        return decision

    def take_back(self, author: str) -> Decision | None:
        """Undo the newest decision: the case is labelled as it was before; None without one."""
        if not self._all:
            return None
        decision = self._all[-1]
        _restore(self._project, decision, author)
        self._all.pop()
        self._write()
        return decision

    def _write(self) -> None:
        write_json(self._path, {"decisions": [each.to_json() for each in self._all]})


def read_decisions(path: Path) -> list[Decision]:
    """Read the decisions; none where there is no file.

    Raises
    ------
    LongtailError
        The file is damaged.
    """
    if not path.is_file():
        return []
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return [_decision(each) for each in document["decisions"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LongtailError(
            f"What was decided in reviews cannot be read from {path.name}: {error}.",
            f"Move {FILE} away; labels are not lost by it.",
        ) from error


def latest(project: Project, case_id: str) -> Annotation | None:
    """Give the newest version of a case's labels."""
    history = project.history(case_id)
    return history[-1] if history else None


def corrected(labels: ImageLabels | None, entry: Entry, task: Task) -> ImageLabels | None:
    """Give image-level labels with the suggestion taken; None where nothing is suggested."""
    if entry.suggested is None:
        return None
    one = frozenset({entry.suggested})
    if task is Task.CLASSIFICATION:
        return ImageLabels(yes=one)
    known = labels or ImageLabels()
    if entry.present:
        return ImageLabels(known.yes | one, known.no - one)
    return ImageLabels(known.yes - one, known.no | one)


_NONE = Status.UNLABELLED


def _act(project: Project, entry: Entry, verdict: Verdict, author: str, *, labelled: bool) -> None:
    ids, scans = [entry.case], project.task is Task.SEGMENTATION
    if verdict is Verdict.FLAGGED:
        if labelled:
            project.set_labels(ids, None, author=author)
        return
    case = project.case(entry.case)
    kept = scans or (verdict is Verdict.ACCEPTED and labelled)
    changed = None if kept else corrected(case.labels, entry, project.task)
    if changed is not None:
        project.set_labels(ids, changed, author=author)
    elif case.status is not _NONE:
        project.set_status(ids, Status.REVIEWED)


def _restore(project: Project, decision: Decision, author: str) -> None:
    newest = latest(project, decision.case)
    if newest is not None and newest.version != decision.version:
        _label_again(project, decision, author)
    elif decision.status is not _NONE:
        project.set_status([decision.case], decision.status)


def _label_again(project: Project, decision: Decision, author: str) -> None:
    ids, status = [decision.case], decision.status
    if status is _NONE:
        project.set_labels(ids, None, author=author)
    elif project.task is Task.SEGMENTATION:
        array = project.read_history_map(decision.case, decision.version)
        project.write_label_map(decision.case, array, author=author, status=status)
    else:
        project.set_labels(ids, decision.before, author=author, status=status)


def _decision(document: Any) -> Decision:
    yes, no = document["yes"], document["no"]
    labels = None
    if yes is not None:
        labels = ImageLabels(frozenset(map(int, yes)), frozenset(map(int, no or ())))
    return Decision(
        case=str(document["case"]),
        verdict=Verdict(document["verdict"]),
        run=str(document["run"]),
        author=str(document["author"]),
        time=str(document["time"]),
        before=labels,
        status=Status(document["status"]),
        version=int(document["version"]),
    )
