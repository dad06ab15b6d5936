"""Write predictions: label maps on the grid of their source, tables of probabilities."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image as PillowImage

from ..files import replacing, write_text
from ..io.geometry import Geometry
from ..io.image import RASTER_SUFFIXES, image_suffix, split_source
from ..io.labelmap import write_label_map

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

TABLE = "predictions.csv"
CLASSES = "classes.csv"
ENTROPY_TOP = 255
SETTING = "setting.txt"
YES_FROM = 0.5


def write_map(path: Path, labels: Array, geometry: Geometry | None) -> None:
    """Write a label map as NIfTI with the source's geometry; spacing 1 where it has none."""
    write_label_map(path, labels, geometry)


def write_entropy(path: Path, entropy: Array, geometry: Geometry | None) -> None:
    """Write a map of uncertainty (0 to 1) as NIfTI with the source's geometry.

    It is stored in whole numbers, 0 sure to 255 undecided: a quarter of the size, and finer than
    what an eye can tell apart.
    """
    # What is no number comes of a network that has gone astray: nobody can be less sure.
    shares = np.nan_to_num(entropy, nan=1.0)
    write_label_map(path, np.rint(shares * ENTROPY_TOP).astype(np.uint8), geometry)


def write_picture_mask(path: Path, labels: Array) -> None:
    """Write a (y, x) label map as a grey PNG whose values are class ids."""
    with replacing(path) as aside, aside.open("wb") as file:
        PillowImage.fromarray(labels).save(file, format="PNG")


def write_map_like(folder: Path, name: str, source: str, labels: Array, geometry: Any) -> Path:
    """Write a label map in the kind of file that its source is: PNG for pictures, else NIfTI.

    Parameters
    ----------
    folder
        Where to; `name` may hold `/` for folders in it.
    source
        The path of the source's first channel.
    labels
        (z, y, x) or (y, x).
    geometry
        The source's, None where it has none.
    """
    if labels.ndim == 2 and image_suffix(split_source(source).path.name) in RASTER_SUFFIXES:
        path = folder / f"{name}.png"
        write_picture_mask(path, labels)
    else:
        path = folder / f"{name}.nii.gz"
        write_map(path, labels, geometry)
    return path


def write_probabilities(
    path: Path,
    class_names: Sequence[str],
    rows: Iterable[tuple[str, Sequence[float], float]],
    *,
    exclusive: bool,
    thresholds: Sequence[float] | None = None,
) -> None:
    """Write a table: file, a probability a class, what is predicted, and the uncertainty.

    Parameters
    ----------
    rows
        Name, probabilities in the order of `class_names`, and uncertainty of each image.
    exclusive
        One class an image: the likeliest. Otherwise all that are found, joined by a bar.
    thresholds
        From which probability each class counts as found; None takes 0.5.
    """
    cuts = [YES_FROM] * len(class_names) if thresholds is None else thresholds
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *class_names, "predicted", "uncertainty"])
        for name, probabilities, uncertainty in rows:
            values = [f"{value:.6f}" for value in probabilities]
            said = _said(class_names, probabilities, None if exclusive else cuts)
            writer.writerow([_plain(name), *values, said, f"{uncertainty:.4f}"])


def write_classes(path: Path, classes: Iterable[tuple[int, str]]) -> None:
    """Write which value of a label map is which class."""
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name"])
        writer.writerows((id_, _plain(name)) for id_, name in classes)


def write_setting(folder: Path, sentence: str) -> None:
    """Say beside a table at which setting its answers were given; nothing as trained."""
    path = folder / SETTING
    if sentence:
        write_text(path, f"{sentence}\n")
    else:
        path.unlink(missing_ok=True)


def _said(
    names: Sequence[str], probabilities: Sequence[float], cuts: Sequence[float] | None
) -> str:
    if cuts is None:
        return _plain(names[int(np.argmax(probabilities))])
    triples = zip(names, probabilities, cuts, strict=True)
    return _plain("|".join(name for name, value, cut in triples if value >= cut) or "none")


def _plain(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
