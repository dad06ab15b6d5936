"""Pascal VOC: one XML file a picture, with a box an object.

Sides count pixels from 1 and both ends belong to the box, as in the challenge's kit, so that a box
begins at `xmin - 1` and is `xmax - xmin + 1` wide. Parts are read from `ImageSets/Main` or
`splits`. Everingham et al., IJCV 2010.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

from ...errors import LongtailError
from ..hostile import reading
from .boxtables import number
from .described import ClassNames, DescribedImage, plan_described
from .plan import FoundBox, ImportPlan, Skipped
from .request import Request

LOOKED_AT = 20
DEEPEST = 3
BYTES_AT_MOST = 4 << 20
LIST_FOLDERS = ("ImageSets/Main", "splits")
PARTS = ("train", "val", "test")


def is_voc(source: Path) -> bool:
    """Tell whether a folder holds XML files with boxes."""
    return any(_is_annotation(path) for path in islice(_xml_below(source), LOOKED_AT))


def plan_voc(request: Request) -> ImportPlan:
    """Plan the import of the pictures that the XML files name.

    Raises
    ------
    LongtailError
        There is no such file, none of the pictures is there, or they have another size.
    """
    folder = request.labels or request.root
    images: list[DescribedImage] = []
    odd: list[Skipped] = []
    parts = _parts([folder, folder.parent, request.root])
    for path in _xml_below(folder) if folder.is_dir() else [folder]:
        try:
            images += _image(path, request.root, parts)
        except LongtailError as error:
            odd.append(Skipped(path.name, error.reason))
    if not images:
        raise LongtailError(
            f"{folder} holds no boxes in the form of Pascal VOC.",
            "Each picture has an XML file with annotation, filename and object.",
        )
    classes = tuple(dict.fromkeys(box.class_name for one in images for box in one.boxes or ()))
    return plan_described(
        "voc",
        images,
        request,
        ClassNames(request),
        class_names=classes,
        skipped=odd,
        boxes_only=True,
        whole=True,
    )


def _image(path: Path, root: Path, parts: dict[str, str]) -> list[DescribedImage]:
    """Read the boxes of one picture; nothing of an XML file about something else."""
    top = _parse(path)
    if top.tag != "annotation":
        return []
    name = (top.findtext("filename") or path.stem).strip()
    boxes = tuple(_box(one) for one in top.iter("object"))
    size = number(top.findtext("size/width", "")), number(top.findtext("size/height", ""))
    return [
        DescribedImage(
            name=name,
            # Pictures lie under the source, not beside each XML file.
            table=root / path.name,
            split=parts.get(Path(name).stem) or parts.get(path.stem),
            boxes=boxes,
            drawn_on=size if min(size) > 0 else None,
        )
    ]


def _box(one: ElementTree.Element) -> FoundBox:
    a, b, c, d = (
        number(one.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")
    )
    # Ends in the wrong order, or on one place, were no box before the ends were counted in.
    w, h = (c - a + 1 if c > a else 0.0), (d - b + 1 if d > b else 0.0)
    return FoundBox((one.findtext("name") or "").strip(), a - 1, b - 1, w, h)


def _parse(path: Path) -> ElementTree.Element:
    with reading(path):
        if path.stat().st_size > BYTES_AT_MOST:
            raise LongtailError(f"{path.name} is too large for the boxes of one picture.")
        raw = path.read_bytes()
        if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
            raise LongtailError(f"{path.name} defines words of its own, which boxes do not need.")
        return ElementTree.fromstring(raw)


def _is_annotation(path: Path) -> bool:
    try:
        return _parse(path).tag == "annotation"
    except LongtailError:
        return False


def _xml_below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        if len(Path(place).relative_to(folder).parts) >= DEEPEST:
            folders[:] = []
        yield from (Path(place) / one for one in sorted(names) if one.lower().endswith(".xml"))


def _parts(folders: Sequence[Path]) -> dict[str, str]:
    """Read the lists of names without suffix that say which part a picture belongs to."""
    parts: dict[str, str] = {}
    for place in (folder / name for folder in folders for name in LIST_FOLDERS):
        for part in PARTS:
            path = place / f"{part}.txt"
            if path.is_file():
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
                parts.update((line.split()[0], part) for line in lines if line.strip())
    return parts
