"""Mend what was found, one step at a time, and take a step back; for the project's holder alone."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import LongtailError
from ..files import write_json
from ..project.records import ImageLabels, Split, Status
from .doctor_records import Fix

if TYPE_CHECKING:
    from ..project.records import Case
    from ..project.store import Project

FILE = "fixes.json"
"""In the project's folder: the steps that can be taken back, also after a restart."""

MOST_STEPS = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mended:
    """A step that was done, and what is needed to take it back.

    Attributes
    ----------
    number
        Counts the steps of a project.
    sentence
        What was done.
    finding
        The sentence of what it mended.
    parts
        The former and the new part of each case that was moved.
    trash
        The item of the trash that holds what was left out; empty if nothing was.
    labels
        The former classes of each case whose labels were taken away: `yes` and `no`, and `status`.
    """

    number: int
    sentence: str
    finding: str
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trash: str = ""
    labels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases that are still in the project and were changed."""
        return (*self.parts, *self.labels)


def mend(project: "Project", fix: Fix, finding: str, *, author: str) -> Mended:
    """Do what a fix says, and remember how to take it back.

    Raises
    ------
    LongtailError
        The project cannot be written, or a case is gone.
    """
    project.require_writable()
    steps = mended(project)
    number = max((one.number for one in steps), default=0) + 1
    parts = _move(project, fix.parts)
    item = project.delete_cases(fix.leave_out)
    labels = _unlabel(project, fix.unlabel, author)
    done = Mended(number, fix.sentence, finding, parts, item.id if item else "", labels)
    _keep(project, [*steps, done])
    return done


def take_back(project: "Project", number: int, *, author: str) -> Mended:
    """Undo a step; cases that somebody changed since then stay as they are now.

    Raises
    ------
    LongtailError
        There is no such step, the project cannot be written, or the trash was emptied.
    """
    project.require_writable()
    steps = mended(project)
    done = next((one for one in steps if one.number == number), None)
    if done is None:
        raise LongtailError("This step was taken back already.")
    if done.trash:
        project.restore(done.trash)
    there = _there(project, done.cases)
    _move(
        project, {i: p[0] for i, p in done.parts.items() if i in there and there[i].split == p[1]}
    )
    back = {i: was for i, was in done.labels.items() if i in there and there[i].labels is None}
    for (yes, no, status), ids in _grouped(back.items(), _labels_key).items():
        labels = ImageLabels(frozenset(yes), frozenset(no))
        project.set_labels(ids, labels, author=author, status=Status(status))
    _keep(project, [one for one in steps if one.number != number])
    return done


def mended(project: "Project") -> list[Mended]:
    """List the steps that can be taken back, the oldest first; a damaged list counts as none."""
    try:
        stored = json.loads((project.path / FILE).read_text("utf-8"))
        return [_read(one) for one in stored["steps"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _read(stored: Mapping[str, Any]) -> Mended:
    parts = {str(i): (Split(a).value, Split(b).value) for i, (a, b) in stored["parts"].items()}
    labels = {
        str(i): {
            "yes": [int(one) for one in was["yes"]],
            "no": [int(one) for one in was["no"]],
            "status": Status(was["status"]).value,
        }
        for i, was in stored["labels"].items()
    }
    number, trash = int(stored["number"]), str(stored["trash"])
    return Mended(number, str(stored["sentence"]), str(stored["finding"]), parts, trash, labels)


def _keep(project: "Project", steps: Sequence[Mended]) -> None:
    document = {"steps": [asdict(one) for one in steps[-MOST_STEPS:]]}
    write_json(Path(project.path) / FILE, document)


def _move(project: "Project", parts: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    if not parts:
        return {}
    before = {case.id: case.split.value for case in project.cases(ids=list(parts))}
    for part, ids in _grouped(parts.items(), str).items():
        project.set_split(ids, Split(part))
    return {case: (before[case], part) for case, part in parts.items()}


def _unlabel(project: "Project", ids: Sequence[str], author: str) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    before = {
        case.id: {
            "yes": sorted(case.labels.yes),
            "no": sorted(case.labels.no),
            "status": case.status.value,
        }
        for case in project.cases(ids=ids)
        if case.labels is not None
    }
    project.set_labels(list(before), None, author=author)
    return before


def _there(project: "Project", ids: Sequence[str]) -> "dict[str, Case]":
    known = set(project.catalogue().ids)
    return {case.id: case for case in project.cases(ids=[one for one in ids if one in known])}


def _labels_key(was: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    return tuple(was["yes"]), tuple(was["no"]), str(was["status"])


def _grouped(pairs: Iterable[tuple[str, Any]], key: Callable[[Any], T]) -> dict[T, list[str]]:
    groups: dict[T, list[str]] = {}
    for case, value in pairs:
        groups.setdefault(key(value), []).append(case)
    return groups
