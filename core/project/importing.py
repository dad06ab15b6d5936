"""Take what an importer found into a project."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace

from ..errors import LongtailError
from ..io.importers.plan import FoundCase, ImportPlan
from ..io.table import NO_CLASS_WORDS
from .boxes import DrawnBox
from .records import NOT_LABELLED, ImageLabels, ImportResult, NewCase, Split, Status, Task
from .splits import is_shares
from .store import Project
from .writtensplits import written_splits

Tell = Callable[[int, int], None]


def apply_plan(
    project: Project,
    plan: ImportPlan,
    *,
    split: str | None = None,
    seed: int = 0,
    status: Status = Status.REVIEWED,
    author: str = "import",
    boxes_of: Split | None = None,
    tell: Tell | None = None,
) -> ImportResult:
    """Add what a plan found, with its labels and splits.

    Parameters
    ----------
    project
        Open for writing.
    plan
        From `plan_import`.
    split
        `a/b/c` is drawn by `seed`; else a column of the table or a CSV file that says the part of
        each case. None takes what the source gives and leaves the parts of known cases.
    status, author
        Of the labels.
    boxes_of
        Take boxes of the cases of this part alone: those of the test part, to measure by, while
        a method learns where to look without them. A plan of boxes alone then adds no cases.
    tell
        Called with the number of masks read and their total.

    Raises
    ------
    LongtailError
        The split cannot be understood, or the project cannot be written.
    """
    drawn = split is not None and is_shares(split)
    splits = {} if split is None or drawn else written_splits(plan.cases, split)
    plan = limit_boxes(project, plan, boxes_of)
    words = _Words(project, plan)
    # A known case keeps its part unless the user speaks of parts.
    known = set(project.catalogue().ids)
    settled = known if split is None else set()
    wanted = [case for case in plan.cases if not (plan.boxes_only and case.id in known)]
    new = [words.new_case(case, _part(case, splits, settled)) for case in wanted]
    result = project.add_cases(new, author=author, status=status, tell=tell)
    if drawn and split is not None:
        project.assign_splits(split, seed, [case.id for case in new])
    boxes = words.boxes(_boxed_cases(project, plan.cases, boxes_of))
    boxed = project.set_boxes_of(boxes, author=author)
    return replace(result, notes=tuple(words.notes()), boxed=boxed)


class _Words:
    """Turns the class names of a plan into the project's ids, and counts what has none."""

    def __init__(self, project: Project, plan: ImportPlan) -> None:
        self._task = project.task
        self._every_id = frozenset(record.id for record in project.classes)
        self._ids = {record.name.casefold(): record.id for record in project.classes}
        self._dropped: Counter[str] = Counter()
        self._told: list[str] = []
        self._mask_values = self._meanings(plan)

    def new_case(self, case: FoundCase, split: Split | None) -> NewCase:
        """Turn a found case into one for the project."""
        return NewCase(
            id=case.id,
            channels=case.channels,
            shape=case.shape,
            channel_count=case.channel_count,
            spacing_mm=case.spacing_mm,
            split=split,
            patient=case.patient,
            labels=self._labels(case),
            mask=case.mask,
            mask_values=self._mask_values,
            metadata=case.metadata,
        )

    def boxes(self, cases: Iterable[FoundCase]) -> dict[str, tuple[DrawnBox, ...]]:
        """Turn the boxes of found cases into those of the project."""
        return {
            case.id: tuple(
                DrawnBox(self._ids[box.class_name.casefold()], *box.xywh, box.slice, box.author)
                for box in case.boxes or ()
                if box.class_name.casefold() in self._ids
            )
            for case in cases
        }

    def notes(self) -> list[str]:
        """Say which labels were dropped, with their numbers, and how values were understood."""
        return [*self._told, *(_dropped_words(*one) for one in self._dropped.most_common())]

    def _labels(self, case: FoundCase) -> ImageLabels | None:
        if self._task is Task.SEGMENTATION or (case.class_names is None and not case.no_class):
            return None
        yes = self._named(case)
        if self._task is Task.CLASSIFICATION:
            # An image of a class that the project lacks has no label that the project could use.
            return ImageLabels(yes) if yes or case.no_class else None
        unknown = {self._ids.get(name.casefold()) for name in case.unknown}
        return ImageLabels(yes, self._every_id - yes - unknown)

    def _named(self, case: FoundCase) -> frozenset[int]:
        names = case.class_names or ()
        known = {name: self._ids.get(name.casefold()) for name in names}
        self._dropped.update(name for name, number in known.items() if number is None)
        yes = frozenset(number for number in known.values() if number is not None)
        if case.no_class and not yes:
            # `normal` may be declared as a class of its own.
            return frozenset(self._ids[word] for word in NO_CLASS_WORDS & self._ids.keys())
        return yes

    def _meanings(self, plan: ImportPlan) -> dict[int, int] | None:
        """Give the class id of each value in the plan's masks; None where values are class ids."""
        if plan.mask_values is None:
            return None
        names = {value: name.casefold() for value, name in plan.mask_values.items()}
        found = {value: self._ids[name] for value, name in names.items() if name in self._ids}
        if not found:
            found = self._by_order(plan)
        else:
            lost = [name for value, name in plan.mask_values.items() if value not in found]
            self._told += [
                f"{name} is no class of the project: it becomes background." for name in lost
            ]
            found |= {value: 0 for value in names if value not in found}
        return dict.fromkeys(plan.ignore_values, NOT_LABELLED) | found

    def _by_order(self, plan: ImportPlan) -> dict[int, int]:
        pairs = list(zip(sorted(plan.mask_values or {}), sorted(self._every_id), strict=False))
        names = {number: name for name, number in self._ids.items()}
        said = ", ".join(f"{value} is {names[number]}" for value, number in pairs)
        self._told.append(f"The names of the classes differ, so they go by their order: {said}.")
        return dict(pairs)


def limit_boxes(project: Project, plan: ImportPlan, part: Split | None) -> ImportPlan:
    """Give a plan of boxes alone the ids of known cases, and of a part leave no others.

    The project knows a file wherever the first import began to count its folders.
    """
    if not plan.boxes_only:
        return plan
    ids = {case.channels[0]: case.id for case in project.cases(split=part)}
    others = {} if part is not None else {case.channels[0]: case.id for case in plan.cases}
    named = {**others, **ids}
    kept = (case for case in plan.cases if case.channels[0] in named)
    cases = tuple(replace(case, id=named[case.channels[0]]) for case in kept)
    if not cases and part is not None:
        raise LongtailError(
            f"None of these boxes belongs to a {part} case of {project.name}.",
            f"Import the images first, and put some into the part {part}.",
        )
    return replace(plan, cases=cases)


def brings_boxes(project: Project, plan: ImportPlan) -> bool:
    """Tell whether any case of a table of boxes is known; a second import changes none."""
    known = {case.channels[0] for case in project.cases()} if plan.boxes_only else set()
    return any(case.boxes is not None and case.channels[0] in known for case in plan.cases)


def _boxed_cases(
    project: Project, cases: Sequence[FoundCase], part: Split | None
) -> list[FoundCase]:
    """Give the cases that are to get boxes; one that was refused as a case gets none."""
    chosen = {case.id for case in project.cases(split=part)}
    return [case for case in cases if case.boxes is not None and case.id in chosen]


def _part(case: FoundCase, splits: Mapping[str, Split], settled: Set[str]) -> Split | None:
    if case.id in splits:
        return splits[case.id]
    return Split(case.split) if case.split and case.id not in settled else None


def _dropped_words(name: str, count: int) -> str:
    labels = "1 label" if count == 1 else f"{count} labels"
    return f"{name} is no class of the project: {labels} left out."
