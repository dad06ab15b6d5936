"""The `dataset.json` of the Decathlon and of nnU-Net."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import LongtailError
from ..image_paths import is_inside

NAME = "dataset.json"
BYTES_AT_MOST = 64 << 20


def read_description(folder: Path) -> Mapping[str, Any]:
    """Read `dataset.json` in `folder`.

    Raises
    ------
    LongtailError
        It is absent or broken.
    """
    path = folder / NAME
    if not path.is_file():
        raise LongtailError(
            f"The folder {folder} has no {NAME}.", "Choose the folder that holds it."
        )
    try:
        if path.stat().st_size > BYTES_AT_MOST:
            raise ValueError("too large")
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise LongtailError(
            f"The {NAME} in {folder.name} cannot be read: it is not valid JSON.",
            "Download it again, or import the folders of images and labels instead.",
        ) from error
    if not isinstance(document, dict):
        raise LongtailError(f"The {NAME} in {folder.name} does not describe a data set.")
    return document


def listed(document: Mapping[str, Any], key: str) -> list[Any]:
    """Give the list under `key`, empty where there is none."""
    value = document.get(key)
    return value if isinstance(value, list) else []


def channel_count(document: Mapping[str, Any]) -> int:
    """Count the channels that are named, 0 where they are not."""
    named = document.get("channel_names") or document.get("modality")
    return len(named) if isinstance(named, (dict, list)) else 0


def class_values(labels: object) -> dict[int, str]:
    """Give the class name of each mask value above 0.

    Both ways are in use: `{"0": "background", "1": "liver"}` and `{"background": 0, "liver": 1}`.
    A class of several regions (`{"tumour": [1, 2]}`) is told apart by `region_names`.
    """
    if not isinstance(labels, dict):
        return {}
    values: dict[int, str] = {}
    for key, value in labels.items():
        number, name = (key, value) if str(key).isdigit() else (value, key)
        if isinstance(number, (int, str)) and str(number).isdigit() and int(number) > 0:
            values[int(number)] = str(name)
    return values


def region_names(labels: object) -> list[str]:
    """List the classes of `labels` that overlap: regions made of several values."""
    if not isinstance(labels, dict):
        return []
    return [str(name) for name, value in labels.items() if isinstance(value, list)]


def inside(root: Path, name: str) -> Path | None:
    """Resolve a file that a description names; None when it is absent or outside of `root`."""
    path = Path(os.path.abspath(root / name.replace("\\", "/")))
    return path if is_inside(path, root) and path.is_file() else None
