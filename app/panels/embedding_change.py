"""Changes many cases in one step, and takes the step back. Free of Qt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ...core.project.records import Case, ImageLabels, Split, Status, Task

if TYPE_CHECKING:
    from ...core.project.store import Project

MOST_STEPS = 30

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class State:
    """What a step can change of a case."""

    labels: ImageLabels | None
    status: Status
    split: Split


@dataclass(frozen=True)
class Step:
    """What was done to cases: in words, and how each was before and after.

    `skipped` counts the cases that could not be changed, `why` says why.
    """

    words: str
    before: Mapping[str, State]
    after: Mapping[str, State]
    skipped: int = 0
    why: str = ""

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that were changed."""
        return tuple(self.after)


def give_class(
    project: "Project", case_ids: Sequence[str], class_id: int, *, yes: bool = True, author: str
) -> Step:
    """Give cases a class and mark them as reviewed; with several classes the others stay.

    Raises
    ------
    LongtailError
        The project draws classes, or cannot be written.
    """
    names = {record.id: record.name for record in project.classes}

    def change(case: Case) -> State:
        return State(_with(case.labels, class_id, yes, project.task), Status.REVIEWED, case.split)

    not_ = "" if yes else "not "
    return _done(project, case_ids, change, f"{not_}{names.get(class_id, class_id)}", author)


def give_status(
    project: "Project", case_ids: Sequence[str], status: Status, *, author: str
) -> Step:
    """Say how far cases are; those without labels stay as they are.

    Raises
    ------
    LongtailError
        The project cannot be written.
    """

    def change(case: Case) -> State | None:
        if case.status is Status.UNLABELLED:
            return None
        return State(case.labels, status, case.split)

    return _done(project, case_ids, change, str(status), author, "without labels")


def give_split(project: "Project", case_ids: Sequence[str], split: Split, *, author: str) -> Step:
    """Put cases into a part.

    Raises
    ------
    LongtailError
        The project cannot be written.
    """

    def change(case: Case) -> State:
        return State(case.labels, case.status, split)

    return _done(project, case_ids, change, f"part {split}", author)


def take_back(project: "Project", step: Step, *, author: str) -> Step:
    """Put cases back to what they were before a step; those changed since then stay.

    Raises
    ------
    LongtailError
        The project cannot be written.
    """

    def change(case: Case) -> State | None:
        return step.before[case.id] if _state(case) == step.after[case.id] else None

    words = f"undone: {step.words}"
    return _done(project, list(step.after), change, words, author, "changed since then")


def _done(
    project: "Project",
    case_ids: Sequence[str],
    change: Callable[[Case], State | None],
    words: str,
    author: str,
    why: str = "",
) -> Step:
    project.require_writable()
    before: dict[str, State] = {}
    after: dict[str, State] = {}
    skipped = 0
    for case in project.cases(ids=list(dict.fromkeys(case_ids))):
        now, wanted = _state(case), change(case)
        if wanted is None:
            skipped += 1
        elif wanted != now:
            before[case.id], after[case.id] = now, wanted
    _write(project, before, after, author)
    return Step(words, before, after, skipped, why if skipped else "")


def _write(
    project: "Project", before: Mapping[str, State], after: Mapping[str, State], author: str
) -> None:
    """Write what differs, many cases at a time."""
    changed = list(after)
    labelled = [i for i in changed if before[i].labels != after[i].labels]
    for (labels, status), ids in _grouped(
        (i, (after[i].labels, after[i].status)) for i in labelled
    ).items():
        project.set_labels(ids, labels, author=author, status=status)
    only = [i for i in changed if before[i].labels == after[i].labels]
    marked = ((i, after[i].status) for i in only if before[i].status != after[i].status)
    for status, ids in _grouped(marked).items():
        project.set_status(ids, status)
    moved = ((i, after[i].split) for i in changed if before[i].split != after[i].split)
    for split, ids in _grouped(moved).items():
        project.set_split(ids, split)


def _grouped(pairs: Iterable[tuple[str, Key]]) -> dict[Key, list[str]]:
    groups: dict[Key, list[str]] = {}
    for case_id, key in pairs:
        groups.setdefault(key, []).append(case_id)
    return groups


def _state(case: Case) -> State:
    return State(case.labels, case.status, case.split)


def _with(labels: ImageLabels | None, class_id: int, yes: bool, task: Task) -> ImageLabels:
    if task is Task.CLASSIFICATION:
        return ImageLabels(yes=frozenset({class_id}))
    known = labels or ImageLabels()
    one = frozenset({class_id})
    if yes:
        return ImageLabels(known.yes | one, known.no - one)
    return ImageLabels(known.yes - one, known.no | one)
