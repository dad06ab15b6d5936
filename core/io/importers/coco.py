"""COCO: one JSON file with images, categories and boxes `[x, y, width, height]`.

Lin et al., ECCV 2014. Outlines and crowds are left out: a crowd's box is no box of one object.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import LongtailError
from ..hostile import reading
from .boxtables import number
from .described import ClassNames, DescribedImage, plan_described
from .idtables import DEEPEST
from .plan import FoundBox, ImportPlan, Skipped
from .request import Request

KEYS = ("images", "annotations", "categories")
HEAD_BYTES = 1 << 16
FILES_LOOKED_AT = 50
PARTS = {"train": "train", "val": "val", "test": "test"}


def is_coco(source: Path) -> bool:
    """Tell whether a folder, or a file, has boxes in the form of COCO."""
    return any(_looks_like(path) for path in _json_files(source))


def plan_coco(request: Request) -> ImportPlan:
    """Plan the import of the pictures that the JSON files name.

    Raises
    ------
    LongtailError
        There is no such file, it lacks what boxes need, or none of the pictures is there.
    """
    given = [path for path in (request.labels, request.source) if path and path.is_file()]
    paths = given[:1] or [path for path in _json_files(request.root) if _looks_like(path)]
    if not paths:
        raise LongtailError(
            f"{request.source} holds no boxes in the form of COCO.",
            "A JSON file has the lists images, annotations and categories.",
        )
    images: list[DescribedImage] = []
    odd: list[Skipped] = []
    for path in paths:
        part = next((PARTS[word] for word in PARTS if word in path.name.lower()), None)
        found, lost = _read(path, part if len(paths) > 1 else None)
        images += found
        odd += lost
    classes = tuple(dict.fromkeys(box.class_name for one in images for box in one.boxes or ()))
    return plan_described(
        "coco",
        images,
        request,
        ClassNames(request),
        class_names=classes,
        skipped=odd,
        boxes_only=True,
        whole=True,
    )


def _read(path: Path, part: str | None) -> tuple[list[DescribedImage], list[Skipped]]:
    document = _load(path)
    names = {one.get("id"): str(one.get("name", "")) for one in document["categories"]}
    boxes: dict[Any, list[FoundBox]] = defaultdict(list)
    odd = []
    for one in document["annotations"]:
        box = _box(one, names)
        if box is None:
            odd.append(Skipped(f"annotation {one.get('id')}", "it has no box of a known category."))
        elif not one.get("iscrowd"):
            boxes[one.get("image_id")].append(box)
    images = [
        DescribedImage(
            name=str(one["file_name"]),
            table=path,
            split=part,
            boxes=tuple(boxes.get(one.get("id"), ())),
            drawn_on=_size(one),
        )
        for one in document["images"]
        if one.get("file_name")
    ]
    return images, odd


def _load(path: Path) -> Mapping[str, list[dict[str, Any]]]:
    with reading(path):
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    lists = [document.get(key) for key in KEYS] if isinstance(document, dict) else [None]
    whole = all(
        isinstance(one, list) and all(isinstance(entry, dict) for entry in one) for one in lists
    )
    if not whole:
        raise LongtailError(
            f"{path.name} has no boxes in the form of COCO.",
            "It needs the lists images, annotations and categories.",
        )
    return {key: document[key] for key in KEYS}


def _box(one: Mapping[str, Any], names: Mapping[Any, str]) -> FoundBox | None:
    sides, category = one.get("bbox"), one.get("category_id")
    if not isinstance(category, int | str) or not names.get(category):
        return None
    if not isinstance(sides, list) or len(sides) != 4:
        return None
    x, y, w, h = (number(str(side)) for side in sides)
    return FoundBox(names[category], x, y, w, h)


def _size(one: Mapping[str, Any]) -> tuple[float, float] | None:
    size = number(str(one.get("width"))), number(str(one.get("height")))
    return size if min(size) > 0 else None


def _json_files(source: Path) -> Iterator[Path]:
    """List JSON files up to two folders below `source`, or the file itself."""
    if source.is_file():
        return iter([source] if source.suffix.lower() == ".json" else [])
    return islice(_json_below(source), FILES_LOOKED_AT)


def _json_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        if len(Path(place).relative_to(folder).parts) >= DEEPEST:
            folders[:] = []
        yield from (Path(place) / one for one in sorted(names) if one.lower().endswith(".json"))


def _looks_like(path: Path) -> bool:
    """Tell by the ends of a file, which may be very large, whether it is worth reading."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(max(0, path.stat().st_size - HEAD_BYTES))
            ends = head + file.read(HEAD_BYTES)
    except OSError:
        return False
    return sum(f'"{key}"'.encode() in ends for key in KEYS) >= 2 and b'"file_name"' in ends
