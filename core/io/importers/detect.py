"""Which layout a folder or file has, and why."""

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ...errors import LongtailError
from ..dicom_file import parse_file
from ..image_paths import (
    DICOM_SUFFIXES,
    NUMPY_SUFFIXES,
    RASTER_SUFFIXES,
    VOLUME_SUFFIXES,
    image_suffix,
)
from ..table import Table, read_table
from .acdc import is_acdc
from .aptos import is_aptos, is_aptos_table
from .chexpert import is_chexpert, is_chexpert_table
from .coco import is_coco
from .description import NAME, read_description
from .folders import IMAGE_FOLDERS, MASK_FOLDERS
from .isic import is_isic, is_isic_table
from .la import is_la
from .medmnist import is_medmnist
from .nih import is_nih, is_nih_table
from .rsna import is_rsna, is_rsna_table
from .vindr import is_vindr, is_vindr_table
from .voc import is_voc

TABLE_SUFFIXES = (".csv", ".tsv", ".csv.gz")
LOOKED_AT = 400
PREFERRED_TABLE = "labels.csv"


class _Challenge(NamedTuple):
    format: str
    holds: Callable[[Path], bool]
    reason: str


CHALLENGES = (
    _Challenge("acdc", is_acdc, "its folders or files are called patientNNN_frameNN"),
    _Challenge("la", is_la, "its folders hold lgemri.nrrd or mri_norm2.h5"),
    _Challenge("isic", is_isic, "it holds a table of skin diagnoses"),
    _Challenge("aptos", is_aptos, "it holds a table with the columns id_code and diagnosis"),
    _Challenge("nih", is_nih, "it holds a table of ChestX-ray14"),
    _Challenge("rsna", is_rsna, "it holds a table of the RSNA pneumonia challenge"),
    _Challenge("vindr", is_vindr, "it holds a table of radiologists' boxes"),
    _Challenge("chexpert", is_chexpert, "it holds a table of CheXpert"),
    _Challenge("voc", is_voc, "it holds XML files with boxes"),
    _Challenge("coco", is_coco, "it holds a JSON file with boxes"),
)


CHEST_TABLES = (
    _Challenge("nih", is_nih_table, "has the columns of ChestX-ray14"),
    _Challenge("rsna", is_rsna_table, "has the columns of the RSNA pneumonia challenge"),
    _Challenge("vindr", is_vindr_table, "has boxes of radiologists"),
    _Challenge("chexpert", is_chexpert_table, "has the findings of CheXpert"),
)


class Detected(NamedTuple):
    """A format, the reason in words, and the table where it is one."""

    format: str
    reason: str
    table: Table | None = None


def detect(source: Path, labels: Path | None) -> Detected:
    """Tell the layout of `source`.

    Raises
    ------
    LongtailError
        A `dataset.json` or table that decides cannot be read.
    """
    for path in (labels, source):
        if path is not None and is_table(path):
            return _detect_table(path)
    boxes = None if labels is None else _detect_boxes(labels)
    if boxes is not None:
        return boxes
    if source.is_file():
        return _detect_file(source)
    if labels is not None:
        if _is_dicom(source):
            return Detected("dicom", "its files are DICOM, and a folder of masks was given")
        return Detected("folders", "a folder of masks was given")
    if (source / NAME).is_file():
        return _detect_described(source)
    return _detect_folder(source)


def _detect_table(path: Path) -> Detected:
    if is_isic_table(path):
        return Detected("isic", f"{path.name} is a table of skin diagnoses")
    if is_aptos_table(path):
        return Detected("aptos", f"{path.name} has the columns id_code and diagnosis")
    for table in CHEST_TABLES:
        if table.holds(path):
            return Detected(table.format, f"{path.name} {table.reason}")
    return Detected("csv", f"{path.name} is a table", read_table(path))


def _detect_boxes(labels: Path) -> Detected | None:
    if labels.is_file():
        return Detected("coco", f"{labels.name} holds boxes") if is_coco(labels) else None
    return Detected("voc", f"{labels.name} holds XML files with boxes") if is_voc(labels) else None


def is_table(path: Path) -> bool:
    """Tell whether a path names a table."""
    return path.is_file() and path.name.lower().endswith(TABLE_SUFFIXES)


def _detect_file(source: Path) -> Detected:
    if source.name == NAME:
        return _detect_described(source.parent)
    if source.suffix.lower() == ".npz" and is_medmnist(source):
        return Detected("npz", "the file holds images and labels by split")
    if source.suffix.lower() == ".json" and is_coco(source):
        return Detected("coco", "the file holds boxes")
    if image_suffix(source.name) in DICOM_SUFFIXES:
        return Detected("dicom", "the file is DICOM")
    return Detected("folders", "it is one image file")


def _detect_described(folder: Path) -> Detected:
    document = read_description(folder)
    if isinstance(document.get("training"), list) and document["training"]:
        if all(isinstance(entry, dict) for entry in document["training"]):
            return Detected("msd", "its dataset.json lists the training images")
    return Detected("nnunet", "it has a dataset.json and no list of training images")


def _detect_folder(source: Path) -> Detected:
    challenge = next((found for found in CHALLENGES if found.holds(source)), None)
    if challenge is not None:
        return Detected(challenge.format, challenge.reason)
    subfolders = {entry.name.lower() for entry in os.scandir(source) if entry.is_dir()}
    table = _table_in(source)
    if table is not None:
        return Detected("csv", f"it holds the table {table.path.name}", table)
    if subfolders & set(IMAGE_FOLDERS) and subfolders & set(MASK_FOLDERS):
        return Detected("folders", "it holds a folder of images and a folder of masks")
    npz = [entry.name for entry in os.scandir(source) if entry.name.lower().endswith(".npz")]
    if len(npz) == 1 and is_medmnist(source / npz[0]):
        return Detected("npz", f"it holds {npz[0]}")
    if _is_dicom(source):
        return Detected("dicom", "its files are DICOM")
    return Detected("folders", "it holds image files")


def _table_in(source: Path) -> Table | None:
    """Give the table that describes the images of a folder, None when there is not just one."""
    files = [Path(entry.path) for entry in os.scandir(source) if is_table(Path(entry.path))]
    preferred = [path for path in files if path.name.lower() == PREFERRED_TABLE]
    found = (_table_of_images(path) for path in preferred or files)
    candidates = [table for table in found if table is not None]
    return candidates[0] if len(candidates) == 1 else None


def _table_of_images(path: Path) -> Table | None:
    try:
        table = read_table(path)
    except LongtailError:
        return None  # some other table that lies about
    return table if table.columns["label"] >= 0 and not table.holds_boxes else None


def _is_dicom(source: Path) -> bool:
    files = (Path(place) / name for place, _, names in os.walk(source) for name in sorted(names))
    looked_at = list(islice((path for path in files if not path.name.startswith(".")), LOOKED_AT))
    plain = VOLUME_SUFFIXES + RASTER_SUFFIXES + NUMPY_SUFFIXES
    if any(image_suffix(path.name) in plain for path in looked_at):
        return False
    unnamed = [path for path in looked_at if "." not in path.name or path.suffix[1:].isdigit()]
    named = any(image_suffix(path.name) in DICOM_SUFFIXES for path in looked_at)
    return named or any(parse_file(path) is not None for path in unnamed[:5])
