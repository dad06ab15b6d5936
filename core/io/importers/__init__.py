"""Importers: each turns one layout of files into a plan; `plan_import` chooses among them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import LongtailError
from ..table import read_table
from .acdc import plan_acdc
from .aptos import plan_aptos
from .boxtables import plan_box_table
from .chexpert import plan_chexpert
from .coco import plan_coco
from .detect import TABLE_SUFFIXES, Detected, detect, is_table
from .dicom_tree import plan_dicom
from .folders import plan_folders
from .isic import plan_isic
from .la import plan_la
from .medmnist import plan_medmnist
from .msd import plan_msd
from .nih import plan_nih
from .nnunet import plan_nnunet
from .plan import FORMAT_TITLES, FoundBox, FoundCase, ImportPlan, Skipped
from .request import Request
from .rsna import plan_rsna
from .tables import plan_table
from .vindr import plan_vindr
from .voc import plan_voc

__all__ = ["FORMATS", "FoundBox", "FoundCase", "ImportPlan", "Skipped", "plan_import"]

FORMATS = tuple(FORMAT_TITLES)
INSIDE = ("msd", "nnunet", "npz", "acdc", "la")
"""Formats that bring their labels themselves."""

_PLANNERS: dict[str, Callable[[Request], ImportPlan]] = {
    "msd": plan_msd,
    "nnunet": plan_nnunet,
    "folders": plan_folders,
    "npz": plan_medmnist,
    "dicom": plan_dicom,
    "acdc": plan_acdc,
    "la": plan_la,
    "isic": plan_isic,
    "aptos": plan_aptos,
    "nih": plan_nih,
    "rsna": plan_rsna,
    "vindr": plan_vindr,
    "chexpert": plan_chexpert,
    "voc": plan_voc,
    "coco": plan_coco,
}


def plan_import(
    source: Path,
    *,
    format: str = "auto",
    labels: Path | None = None,
    task: str | None = None,
    classes: Sequence[str] = (),
    uncertain: str = "unknown",
) -> ImportPlan:
    """Find out what an import would bring, without storing anything.

    Parameters
    ----------
    source
        A folder or file.
    format
        One of `FORMATS`, or `auto`.
    labels
        A folder of masks, or a table.
    task
        segmentation, classification or multilabel; None to guess.
    classes
        The project's classes in the order of their ids; empty to propose those that are found.
    uncertain
        What a finding counts as that a reader was not sure of: unknown, positive or negative.

    Raises
    ------
    LongtailError
        Nothing can be imported, or the format is unknown.
    """
    source, labels = _absolute(source), _absolute(labels) if labels else None
    _check_there(source, labels)
    request = Request(source, labels, str(task) if task else "", tuple(classes), uncertain)
    found = detect(source, labels) if format == "auto" else _as_asked(format, request)
    if labels is not None and found.format in INSIDE:
        raise LongtailError(
            f"{source.name} is {FORMAT_TITLES[found.format]}, which is imported without labels "
            "from elsewhere.",
            "Leave the labels out, or choose the format folders.",
        )
    plan = _plan(request, found)
    if format != "auto":
        return plan
    return replace(
        plan, notes=(f"Read as {FORMAT_TITLES[plan.format]}: {found.reason}.", *plan.notes)
    )


def _plan(request: Request, found: Detected) -> ImportPlan:
    if found.format == "csv" and found.table is not None:
        plan = plan_box_table if found.table.holds_boxes else plan_table
        return plan(request, found.table)
    return _PLANNERS[found.format](request)


def _as_asked(format: str, request: Request) -> Detected:
    if format == "csv":
        return Detected("csv", "it was asked for", read_table(_asked_table(request)))
    if format not in _PLANNERS:
        raise LongtailError(
            f"Longtail does not know the format {format}.", f"It knows {', '.join(FORMATS)}."
        )
    return Detected(format, "it was asked for")


def _asked_table(request: Request) -> Path:
    for path in (request.labels, request.source):
        if path is not None and path.is_file():
            return path
    tables = [path for path in sorted(request.source.iterdir()) if is_table(path)]
    if len(tables) != 1:
        raise LongtailError(
            f"The folder {request.source} holds {len(tables)} tables.",
            f"Give the table ({', '.join(TABLE_SUFFIXES)}) as source or labels.",
        )
    return tables[0]


def _absolute(path: Path) -> Path:
    # Links are kept, so that a folder of links stays one study that can be moved.
    return Path(os.path.abspath(path.expanduser()))


def _check_there(source: Path, labels: Path | None) -> None:
    for path in (source, labels):
        if path is not None and not path.exists():
            raise LongtailError(f"{path} is not there.", "Check the path.")
