"""nnU-Net raw: `imagesTr/NAME_0000.nii.gz` a file a channel, `labelsTr/NAME.nii.gz`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import LongtailError
from .description import channel_count, class_values, read_description, region_names
from .listing import case_id, image_files
from .masknames import ORPHAN
from .maskplan import plan_with_masks
from .masks import IGNORED
from .plan import FoundCase, ImportPlan, Skipped
from .request import Request

CHANNEL = re.compile(r"^(?P<name>.*)_(?P<channel>\d{4})$")
FOLDERS = (("imagesTr", "labelsTr", None), ("imagesTs", "labelsTs", "test"))
IGNORE_NAME = "ignore"


def plan_nnunet(request: Request) -> ImportPlan:
    """Plan the import of a raw nnU-Net data set.

    Raises
    ------
    LongtailError
        There is no `dataset.json` or no image, or its classes are regions of several values.
    """
    root = request.root
    document = read_description(root)
    _check_no_regions(document)
    values = class_values(document.get("labels"))
    ignored = tuple(value for value, name in values.items() if name.lower() == IGNORE_NAME)
    named = {value: name for value, name in values.items() if value not in ignored}
    wanted = channel_count(document)
    cases: list[FoundCase] = []
    skipped: list[Skipped] = []
    for images, labels, split in FOLDERS:
        found = _by_case(root / images)
        masks = _masks(root / labels)
        whole = {
            name: files for name, files in found.items() if len(files) == (wanted or len(files))
        }
        skipped += [
            Skipped(n, _channel_words(len(found[n]), wanted)) for n in found.keys() - whole.keys()
        ]
        skipped += [Skipped(Path(masks[n]).name, ORPHAN) for n in masks.keys() - found.keys()]
        for name, files in whole.items():
            mask = masks.get(name)
            case = FoundCase(f"{images}/{name}", tuple(files), (), 1, None, split=split, mask=mask)
            cases.append(case)
    if not cases:
        raise LongtailError(
            f"The folder {root} holds no images of an nnU-Net data set.",
            "They belong into imagesTr, named NAME_0000.nii.gz.",
        )
    ignore = (*ignored, *(() if IGNORED in named else (IGNORED,)))
    notes = [f"The value {value} (ignore) is read as not labelled." for value in ignored]
    return plan_with_masks(
        "nnunet", cases, request, named=named, ignore=ignore, skipped=skipped, notes=notes
    )


def _check_no_regions(document: Mapping[str, Any]) -> None:
    regions = region_names(document.get("labels"))
    if regions:
        raise LongtailError(
            f"The classes {', '.join(regions)} of this data set overlap (nnU-Net regions), and "
            "Longtail gives a voxel one class only.",
            "List each value as a class of its own under labels in dataset.json.",
        )


def _by_case(folder: Path) -> dict[str, list[str]]:
    """Give the channel files of each case, in channel order."""
    cases: dict[str, list[str]] = {}
    for file in image_files(folder) if folder.is_dir() else []:
        match = CHANNEL.match(case_id(file))
        if match:
            path = (folder / file).as_posix()
            cases.setdefault(match["name"], []).append(path)
    return cases


def _masks(folder: Path) -> dict[str, str]:
    files = image_files(folder) if folder.is_dir() else []
    return {case_id(file): (folder / file).as_posix() for file in files}


def _channel_words(found: int, wanted: int) -> str:
    return f"it has {found} channels, but dataset.json names {wanted}."
