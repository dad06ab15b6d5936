"""Images that tables or notes describe: labels, parts, patients and boxes, by the file's name."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import LongtailError
from .boxreading import RawBoxes, settle_boxes
from .headers import look_into
from .listing import with_unique_ids
from .named_files import case_of, files_of
from .plan import FORMAT_TITLES, FoundBox, FoundCase, ImportPlan, Skipped
from .request import CLASSIFICATION, MULTILABEL, SEGMENTATION, Request


@dataclass(frozen=True, slots=True)
class DescribedImage:
    """An image as a table describes it; `class_names` None means unlabelled.

    `no_class` says that somebody looked and found none of the classes there are, not of ours
    alone. `unknown` are classes of which nobody knows whether they are there. `boxes` None means
    that nobody looked for boxes; `drawn_on` is the width and height of the picture that they were
    drawn on, None for the file itself.
    """

    name: str
    table: Path
    class_names: tuple[str, ...] | None = None
    no_class: bool = False
    unknown: tuple[str, ...] = ()
    split: str | None = None
    patient: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    boxes: tuple[FoundBox, ...] | None = None
    drawn_on: tuple[float, float] | None = None


class ClassNames:
    """Finds the project's class for the names of a source, and counts those that it lacks.

    Parameters
    ----------
    request
        Its classes; without any, each name of the source is a class.
    aliases
        Names of the source by other words for them, which are in lower case.
    """

    def __init__(self, request: Request, aliases: Mapping[str, str] | None = None) -> None:
        self._aliases = aliases or {}
        self._ours = {_plain(self._meant(name)): name for name in request.classes}
        self._dropped: Counter[str] = Counter()
        self._found: dict[str, str | None] = {}

    def find(self, name: str) -> str | None:
        """Give the class of a name, None if there is none."""
        if name not in self._found:
            meant = self._meant(name)
            self._found[name] = self._ours.get(_plain(meant)) if self._ours else meant
        return self._found[name]

    def keep(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give the classes of labels; those without one are counted."""
        kept = []
        for name in names:
            ours = self.find(name)
            if ours is None:
                self._dropped[name] += 1
            else:
                kept.append(ours)
        return tuple(dict.fromkeys(kept))

    def notes(self) -> list[str]:
        """Name the labels outside of the project's classes, with their counts."""
        if not self._dropped:
            return []
        told = ", ".join(f"{name} ({count:,})" for name, count in self._dropped.most_common())
        return [f"Dropped labels that are no class of the project: {told}."]

    def _meant(self, name: str) -> str:
        return self._aliases.get(_plain(name), name)


def plan_described(
    format: str,
    images: Sequence[DescribedImage],
    request: Request,
    names: ClassNames,
    *,
    class_names: Sequence[str] = (),
    skipped: Sequence[Skipped] = (),
    notes: Sequence[str] = (),
    boxes_only: bool = False,
    whole: bool = False,
) -> ImportPlan:
    """Find the files of the images and plan their import.

    Parameters
    ----------
    class_names
        The classes found, for a project that has none yet.
    boxes_only
        The source says nothing of whole images: labels stay as they are.
    whole
        Whoever drew boxes looked for all classes.

    Raises
    ------
    LongtailError
        None of the images is there, the project outlines its classes and the source has labels of
        whole images, or the boxes were drawn on pictures of another size.
    """
    if request.task == SEGMENTATION and not boxes_only:
        raise LongtailError(
            f"In {FORMAT_TITLES[format]} whole images have classes, but this project outlines its "
            "classes.",
            "Make a project for several findings (multilabel).",
        )
    cases, raw, lost = _find(images, request)
    if request.task == CLASSIFICATION:
        cases, several = _one_class(cases)
        lost += several
    looked = look_into(with_unique_ids(cases))
    settled = settle_boxes(looked.cases, raw, names.find, whole=whole)
    return ImportPlan(
        format=format,
        cases=settled.cases,
        skipped=(*lost, *skipped, *looked.skipped, *settled.skipped),
        notes=(*notes, *names.notes(), *looked.notes, *settled.notes),
        class_names=tuple(request.classes) or tuple(class_names),
        task=request.task or MULTILABEL,
        boxes_only=boxes_only,
    )


def _find(
    images: Sequence[DescribedImage], request: Request
) -> tuple[list[FoundCase], dict[str, RawBoxes], list[Skipped]]:
    cases: dict[str, FoundCase] = {}
    raw: dict[str, RawBoxes] = {}
    found, lost = files_of(images, request)
    for image, path in found:
        cases.setdefault(path, _case(image, path, request.root))
        if image.boxes is not None:
            # Two names may lead to one file, such as one with another suffix.
            before = raw[path].boxes if path in raw else ()
            raw[path] = RawBoxes((*before, *image.boxes), image.drawn_on)
    return list(cases.values()), raw, lost


def _case(image: DescribedImage, path: str, root: Path) -> FoundCase:
    return case_of(
        path,
        root,
        split=image.split,
        patient=image.patient,
        class_names=image.class_names,
        no_class=image.no_class,
        unknown=image.unknown,
        metadata=image.metadata,
    )


def _one_class(cases: Sequence[FoundCase]) -> tuple[list[FoundCase], list[Skipped]]:
    """Take the labels of images with several classes away, where the project takes one."""
    kept, lost = [], []
    for case in cases:
        several = len(case.class_names or ()) > 1
        if several:
            told = ", ".join(case.class_names or ())
            reason = f"it has several classes ({told}), but a case of this project takes one."
            lost.append(Skipped(case.id, reason))
        kept.append(replace(case, class_names=None, unknown=()) if several else case)
    return kept, lost


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())
