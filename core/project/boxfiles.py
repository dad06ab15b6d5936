"""The files of boxes: one JSON a case in `annotations`, and the older versions in its history."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import LongtailError
from ..files import write_json
from .mapfiles import CURRENT, HISTORY
from .paths import file_stem

SUFFIX = ".boxes.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box that somebody drew around one finding.

    `x`, `y`, `width` and `height` are in pixels of the file as stored, from the corner of its
    first pixel; `slice` is the place along z in a volume, None in a picture. `author` is who drew
    this box; where it is empty, whoever saves the boxes.
    """

    class_id: int
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


def current_boxes(case_id: str) -> str:
    """Give the place of a case's boxes, relative to the project."""
    return f"{CURRENT}/{file_stem(case_id)}{SUFFIX}"


def kept_boxes(case_id: str, version: int) -> str:
    """Give the place of an older version, relative to the project."""
    return f"{HISTORY}/{file_stem(case_id)}.v{version}{SUFFIX}"


def write_boxes(path: Path, boxes: Sequence[DrawnBox], version: int) -> None:
    """Replace `path` by boxes; see `core.files.replacing` for what it raises."""
    write_json(
        path, {"format": FORMAT, "version": version, "boxes": [_plain(box) for box in boxes]}
    )


def read_boxes(path: Path) -> tuple[int, tuple[DrawnBox, ...]]:
    """Read the version and the boxes of a file.

    Raises
    ------
    LongtailError
        The file is missing, damaged or of a newer Longtail.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(document, dict) or not isinstance(document.get("boxes"), list):
        raise _damaged(path)
    if document.get("format") != FORMAT:
        raise LongtailError(
            f"The boxes in {path.name} were written by another version of Longtail.",
            "Update Longtail to open them.",
        )
    try:
        return int(document["version"]), tuple(_box(one) for one in document["boxes"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error


def _plain(box: DrawnBox) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "class": box.class_id,
        "x": box.x,
        "y": box.y,
        "w": box.width,
        "h": box.height,
        "author": box.author,
    }
    return plain if box.slice is None else plain | {"slice": box.slice}


def _box(entry: Any) -> DrawnBox:
    x, y, w, h = (float(entry[key]) for key in ("x", "y", "w", "h"))
    if not all(map(math.isfinite, (x, y, w, h))):
        raise ValueError("a side is no number")
    place = entry.get("slice")
    return DrawnBox(
        class_id=int(entry["class"]),
        x=x,
        y=y,
        width=w,
        height=h,
        slice=None if place is None else int(place),
        author=str(entry.get("author", "")),
    )


def _damaged(path: Path) -> LongtailError:
    return LongtailError(
        f"The boxes in {path.name} are missing or damaged.",
        "Restore the file from a backup or from annotations/history, or draw the boxes anew.",
    )
