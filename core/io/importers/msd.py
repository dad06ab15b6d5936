"""Medical Segmentation Decathlon: `dataset.json` names images, labels, channels and classes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import LongtailError
from .description import channel_count, class_values, inside, listed, read_description
from .listing import case_id
from .maskplan import NO_MASK, plan_with_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import Request


def plan_msd(request: Request) -> ImportPlan:
    """Plan the import of a folder with the `dataset.json` of the Decathlon.

    Raises
    ------
    LongtailError
        There is no such file, it is broken, or none of its images is there.
    """
    root = request.root
    document = read_description(root)
    several = channel_count(document) > 1
    images = [*_training(document), *((image, None, "test") for image in _tests(document))]
    cases: list[FoundCase] = []
    skipped: list[Skipped] = []
    for image, mask, split in images:
        found = _case(root, image, mask, several=several)
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            cases.append(replace(found, split=split))
            skipped += _lost_mask(found, mask)
    if not cases:
        raise LongtailError(
            f"None of the {len(images)} images named in the dataset.json of {root.name} is there.",
            "Unpack the images beside it.",
        )
    named = class_values(document.get("labels"))
    return plan_with_masks("msd", cases, request, named=named, skipped=skipped)


def _training(document: Mapping[str, Any]) -> Iterator[tuple[str, str | None, None]]:
    for entry in listed(document, "training"):
        if isinstance(entry, dict) and isinstance(entry.get("image"), str):
            label = entry.get("label")
            yield entry["image"], label if isinstance(label, str) else None, None


def _tests(document: Mapping[str, Any]) -> Iterator[str]:
    for entry in listed(document, "test"):
        image = entry.get("image") if isinstance(entry, dict) else entry
        if isinstance(image, str):
            yield image


def _case(root: Path, image: str, mask: str | None, *, several: bool) -> FoundCase | Skipped:
    path = inside(root, image)
    if path is None:
        return Skipped(image, "dataset.json names it, but it is not there.")
    # The mark says that the fourth axis is known to hold channels: Decathlon files give it
    # seconds as its unit all the same.
    channel = f"{path.as_posix()}#channels" if several else path.as_posix()
    mask_path = inside(root, mask) if mask else None
    relative = path.relative_to(root).as_posix()
    return FoundCase(
        case_id(relative), (channel,), (), 1, None, mask=mask_path.as_posix() if mask_path else None
    )


def _lost_mask(case: FoundCase, mask: str | None) -> list[Skipped]:
    if mask is None or case.mask is not None:
        return []
    return [Skipped(mask, NO_MASK)]
