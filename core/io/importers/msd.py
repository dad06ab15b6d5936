"""Medical Segmentation Decathlon: `dataset.json` names images, labels, channels and classes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import LongtailError
from .description import channel_count, class_values, inside, listed, read_description
from .headers import look_into
from .listing import case_id, with_unique_ids
from .masks import settle_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import SEGMENTATION, Request


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
    named = [*_training(document), *((image, None, "test") for image in _tests(document))]
    cases: list[FoundCase] = []
    skipped: list[Skipped] = []
    for image, mask, split in named:
        found = _case(root, image, mask, several=several)
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            cases.append(replace(found, split=split))
            skipped += _lost_mask(found, mask)
    if not cases:
        raise LongtailError(
            f"None of the {len(named)} images named in the dataset.json of {root.name} is there.",
            "Unpack the images beside it.",
        )
    looked = look_into(with_unique_ids(cases))
    settled = settle_masks(
        looked.cases, looked.headers, request, named=class_values(document.get("labels"))
    )
    return ImportPlan(
        format="msd",
        cases=settled.cases,
        skipped=(*skipped, *looked.skipped, *settled.skipped),
        notes=(*looked.notes, *settled.notes),
        class_names=settled.class_names,
        mask_values=settled.mask_values,
        ignore_values=settled.ignore_values,
        task=SEGMENTATION,
    )


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
    return [Skipped(mask, "the mask is not there. The image is imported unlabelled.")]
