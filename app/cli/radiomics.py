"""`longtail radiomics`: features of the regions of a mask, or of all cases of a project."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.progress import Progress

from ...core.errors import LongtailError
from ...core.io.image import read_image
from ...core.io.image_types import Image
from ...core.io.labelmap import check_mask_grid, is_zero_and_255, read_label_map, values_in
from ...core.project.records import Case, Task
from ...core.project.store import Project
from ...core.radiomics.extraction import RegionFeatures, extract
from ...core.radiomics.settings import RadiomicSettings, read_settings
from ...core.radiomics.table import HEADS, CaseMeasured, FeatureTable, Row
from .options import AsJson
from .output import Output

FAILURES_SHOWN = 10


class EngineName(StrEnum):
    """Which engine computes the features."""

    FAST = "fast"
    PYRADIOMICS = "pyradiomics"


def radiomics(
    source: Annotated[
        Path, typer.Argument(metavar="IMAGE|PROJECT", help="An image, or a project folder.")
    ],
    mask: Annotated[
        Path | None,
        typer.Argument(metavar="MASK", help="The image's mask: a number for each region."),
    ] = None,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="fast, or pyradiomics, the reference.")
    ] = EngineName.FAST,
    settings: Annotated[
        Path | None, typer.Option("--settings", help="A PyRadiomics parameter file (YAML).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The project's table; default: radiomics.csv in the project."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure size, shape, grey values and texture of regions."""
    output = Output(as_json)
    chosen = read_settings(settings) if settings else RadiomicSettings()
    if mask is not None:
        if out is not None:
            raise LongtailError("--out is for a project's table.", "Use --json for an image.")
        _tell_regions(output, engine, _of_files(source, mask, chosen, engine))
        return
    if not source.is_dir():
        raise LongtailError(
            f"{source} needs a mask, or to be a project folder.",
            "Use: longtail radiomics IMAGE MASK, or longtail radiomics PROJECT.",
        )
    with Project.open(source, write=False) as project:
        _of_project(project, chosen, engine, out, output)


def _of_files(
    source: Path, mask: Path, settings: RadiomicSettings, engine: EngineName
) -> tuple[RegionFeatures, ...]:
    image, drawn = read_image(str(source)), read_label_map(mask)
    check_mask_grid(mask.name, drawn.array.shape, drawn.geometry, image.shape, image.geometry)
    array = drawn.array.reshape(image.shape)
    if is_zero_and_255(values_in(array)):  # a single class drawn as white on black
        array = (array > 0).astype(np.uint8)
    return extract(image, Image(array[None], None), settings, engine.value)


def _tell_regions(output: Output, engine: EngineName, found: Sequence[RegionFeatures]) -> None:
    regions = [
        {"label": one.label, "features": dict(one.features), "reasons": dict(one.reasons)}
        for one in found
    ]
    document = {"engine": engine.value, "regions": regions}
    output.result(document, f"{len(found)} regions, engine {engine.value}.")
    if found:
        heads = ("feature", *(f"region {one.label}" for one in found))
        output.table(heads, [_line(name, found) for name in found[0].features])
    for one in found:
        for reason in dict.fromkeys(one.reasons.values()):
            output.warn(f"Region {one.label}: {reason}")


def _line(name: str, found: Sequence[RegionFeatures]) -> tuple[str, ...]:
    values = (one.features.get(name) for one in found)
    return (name, *("-" if value is None else f"{value:.6g}" for value in values))


def _of_project(
    project: Project,
    settings: RadiomicSettings,
    engine: EngineName,
    out: Path | None,
    output: Output,
) -> None:
    cases = _labelled(project)
    path = (out or project.path / "radiomics.csv").resolve()
    flat = len(cases[0].shape) == 2
    table = FeatureTable(path, settings, engine.value, flat=flat)
    kept = table.keep(cases)
    waiting = [case for case in cases if case.id not in kept]
    failed = _measure(table, project, waiting, output)
    rows = table.rows()
    regions = [_region(row) for row in rows if row["label"]]
    document = {
        "engine": engine.value,
        "out": path.as_posix(),
        "cases": len(cases),
        "measured": len(waiting) - len(failed),
        "failed": [{"case": one.case, "reason": one.reason} for one in failed],
        "regions": regions,
    }
    told = f"{len(regions)} regions of {len(cases) - len(failed)} cases are in {path}"
    output.result(document, f"{told}; {len(kept)} cases were there already.")
    for one in failed[:FAILURES_SHOWN]:
        output.warn(f"{one.case}: {one.reason}")


def _labelled(project: Project) -> list[Case]:
    if project.task is not Task.SEGMENTATION:
        raise LongtailError(
            "This project labels whole images, so it holds no regions to measure.",
            "Give an image and its mask: longtail radiomics IMAGE MASK.",
        )
    cases = project.cases(labelled=True)
    if not cases:
        raise LongtailError("No case of this project is labelled.", "Label some regions first.")
    if len({len(case.shape) for case in cases}) > 1:
        raise LongtailError(
            "This project holds pictures and volumes, whose features differ.",
            "Keep them in two projects.",
        )
    return cases


def _measure(
    table: FeatureTable, project: Project, cases: Sequence[Case], output: Output
) -> list[CaseMeasured]:
    failed = []
    with Progress(console=output.aside, transient=True) as bar:
        task = bar.add_task("Measuring regions", total=len(cases))
        for one in table.measure(project, cases):
            bar.advance(task)
            if one.reason:
                failed.append(one)
    return failed


def _region(row: Row) -> dict[str, Any]:
    features = {
        name: float(value) if value else None for name, value in row.items() if name not in HEADS
    }
    return {
        "case": row["case"],
        "label": int(row["label"]),
        "class": row["class"],
        "features": features,
    }
