"""What an import found, before anything is stored: also the dry run, told in sentences."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box as found; in pixels of the file as stored, `slice` along z in a volume."""

    class_name: str
    x: float
    y: float
    width: float
    height: float
    slice: int | None = None
    author: str = ""

    @property
    def xywh(self) -> tuple[float, float, float, float]:
        """The box as x, y, width and height."""
        return self.x, self.y, self.width, self.height


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case as found on disk; paths are absolute, with `/`.

    `channels` are paths that `core.io.image` reads. `shape` is (z, y, x) or (y, x); `()` means
    that the file was not looked into, which very large tables do. `class_names` None means
    unlabelled (segmentation: see `mask`); `no_class` says that somebody looked and found none of
    the classes, `class_names` is then empty. `unknown` are classes of which nobody knows whether
    a labelled case has them. `split` is train, val, test or None. `boxes` None means that nobody
    looked for boxes.
    """

    id: str
    channels: tuple[str, ...]
    shape: tuple[int, ...]
    channel_count: int
    spacing_mm: tuple[float, ...] | None
    split: str | None = None
    patient: str | None = None
    class_names: tuple[str, ...] | None = None
    no_class: bool = False
    mask: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    boxes: tuple[FoundBox, ...] | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or a table row that will not be imported, or a mask left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Everything that an import would do.

    `class_names` are the classes found, in the order of their values where they have values.
    `mask_values` maps values of the mask files to class names; 0 is background and is not in it,
    `ignore_values` are read as *not labelled*. `task` is segmentation, classification or
    multilabel. `boxes_only` says that it brings boxes and nothing of whole images: known cases
    keep their labels, splits and patients. `uncertain` is what findings were taken for that a
    reader was not sure of; None where the source knows none.
    """

    format: str
    cases: tuple[FoundCase, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    mask_values: Mapping[int, str] | None = None
    ignore_values: tuple[int, ...] = (255,)
    task: str = "segmentation"
    boxes_only: bool = False
    uncertain: str | None = None

    @property
    def has_boxes(self) -> bool:
        """Whether the source brings boxes."""
        return any(case.boxes is not None for case in self.cases)

    def sentences(self) -> list[str]:
        """Tell in words what will be imported, what will not, and why."""
        return [
            self._headline(),
            *self._class_words(),
            *self._box_words(),
            *self._split_words(),
            *self._value_words(),
            *self.notes,
            *_skipped_words(self.skipped),
        ]

    def _headline(self) -> str:
        if self.boxes_only:
            boxed = sum(case.boxes is not None for case in self.cases)
            return (
                f"Boxes for {_count(boxed, 'case')} found in {FORMAT_TITLES[self.format]}; labels "
                "of known cases stay as they are."
            )
        labelled = sum(_is_labelled(case) for case in self.cases)
        total = len(self.cases)
        labels = f"{labelled:,} labelled and {total - labelled:,} unlabelled"
        return f"{_count(total, 'case')} found in {FORMAT_TITLES[self.format]}: {labels}."

    def _class_words(self) -> list[str]:
        counts = Counter(name for case in self.cases for name in case.class_names or ())
        none = sum(case.no_class or case.class_names == () for case in self.cases)
        if not counts and not none:
            return []
        told = [f"{name} {count:,}" for name, count in counts.most_common()]
        if none:
            told.append(f"none of the classes {none:,}")
        words = [f"Cases of each class: {', '.join(told)}."]
        unsure = sum(bool(case.unknown) for case in self.cases)
        if unsure:
            words.append(f"In {_count(unsure, 'case')} a finding stays unknown.")
        return words

    def _box_words(self) -> list[str]:
        counts = Counter(box.class_name for case in self.cases for box in case.boxes or ())
        empty = sum(case.boxes == () for case in self.cases)
        if not counts and not empty:
            return []
        told = [f"{name} {count:,}" for name, count in counts.most_common()]
        if empty:
            told.append(f"none in {_count(empty, 'image')} that somebody looked at")
        return [f"Boxes: {', '.join(told)}."]

    def _split_words(self) -> list[str]:
        counts = Counter(case.split for case in self.cases if case.split)
        if not counts:
            return []
        parts = [f"{counts[name]} {name}" for name in ("train", "val", "test") if counts[name]]
        return [f"The source gives the split: {', '.join(parts)}."]

    def _value_words(self) -> list[str]:
        if not self.mask_values:
            return []
        pairs = [f"{value} is {name}" for value, name in sorted(self.mask_values.items())]
        return [f"In the masks 0 is background, {', '.join(pairs)}."]


FORMAT_TITLES = {
    "msd": "a Medical Segmentation Decathlon folder",
    "nnunet": "an nnU-Net raw folder",
    "folders": "folders of images",
    "csv": "a table",
    "npz": "a MedMNIST file",
    "dicom": "DICOM series",
    "acdc": "ACDC heart scans",
    "la": "scans of the 2018 atrial challenge",
    "isic": "ISIC skin photographs",
    "aptos": "APTOS photographs of the retina",
    "nih": "NIH ChestX-ray14 X-rays",
    "rsna": "X-rays of the RSNA pneumonia challenge",
    "vindr": "VinDr-CXR X-rays",
    "chexpert": "CheXpert X-rays",
    "voc": "boxes in the form of Pascal VOC",
    "coco": "boxes in the form of COCO",
}

TOLD_AT_MOST = 5
REASONS_TOLD_AT_MOST = 20


def _is_labelled(case: FoundCase) -> bool:
    return case.mask is not None or case.class_names is not None or case.no_class


def _skipped_words(skipped: tuple[Skipped, ...]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for item in skipped:
        by_reason.setdefault(item.reason, []).append(item.path)
    told = [_reason_words(reason, paths) for reason, paths in by_reason.items()]
    rest = len(told) - REASONS_TOLD_AT_MOST
    return [
        *told[:REASONS_TOLD_AT_MOST],
        *([f"{rest} more reasons like these."] if rest > 0 else []),
    ]


def _reason_words(reason: str, paths: list[str]) -> str:
    told = ", ".join(paths[:TOLD_AT_MOST])
    rest = len(paths) - TOLD_AT_MOST
    more = f" and {rest} more" if rest > 0 else ""
    return f"Left out: {told}{more}: {reason}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
