"""From a wish to a plan that can run, or a sentence that says why it cannot; without torch."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from ..errors import LongtailError
from ..methods.catalogue import METHODS, Method
from ..methods.extractor import extractor_warnings, with_extractor
from ..methods.settings import (
    SEVERAL_LABEL_LOSSES,
    SINGLE_LABEL_LOSSES,
    ImageSettings,
    MethodSettings,
    SegmentationSettings,
    read_settings,
)
from ..methods.spec import RunSpec, SpecClass, SpecGrid
from ..project.catalogue import Catalogue
from ..project.records import Case, Split, Task
from ..project.store import Project
from .estimate import memory_there
from .grid import choose_batch, choose_grid

ENOUGH_TO_VALIDATE = 5
DEFAULT_MINUTES = 6.0
UNEVEN = 3.0
"""A largest class this many times the smallest calls for a balanced loss."""

FEW_EXAMPLES = 5
CASES_LOOKED_AT = 200
IMAGE_BATCH = 32
VOLUME_SIZE = 64
"""Side that volumes are brought to for image-level classes, where none is asked for."""

PACKAGES = ("napari-longtail", "torch", "monai", "numpy")


def plan_run(
    project: Project,
    *,
    method: str,
    preset: str | None = None,
    settings: Mapping[str, Any] | None = None,
    labelled: str | None = None,
    validation: str | None = None,
    seed: int = 0,
    minutes: float | None = None,
    iterations: int | None = None,
    device: str = "auto",
) -> RunSpec:
    """Plan a run: choose everything that is automatic, and check that it can work.

    Parameters
    ----------
    labelled
        `10` or `5%`: only that many labelled training cases keep their labels.
    validation
        `none` or `split`; by default `split` where at least five cases are kept for it.
    minutes, iterations
        The budget; one of the two, by default the iterations of a published preset or six minutes.

    Raises
    ------
    LongtailError
        The run cannot work as wished: the sentence says why and what to do.
    """
    chosen = METHODS.get(method)
    _check_task(chosen, project.task)
    read, name = _settings(chosen, preset, settings or {})
    read = with_extractor(read, project)
    minutes, iterations = _budget(minutes, iterations, chosen.preset_iterations.get(name))
    catalogue = project.catalogue()
    labelled_ids = _labelled(project, catalogue, labelled, seed)
    val_ids = _validation(catalogue, validation)
    classes = _classes(project, catalogue, labelled_ids)
    cases = _some_cases(project, labelled_ids)
    resolved, grid = _resolved(read, project.task, classes, cases, device, minutes)
    return RunSpec(
        method=chosen.name,
        preset=name,
        settings=resolved.model_dump(),
        task=project.task,
        classes=classes,
        channel_count=_channel_count(cases, project.task),
        grid=grid,
        seed=seed,
        minutes=minutes,
        iterations=iterations,
        iterations_planned=iterations,
        validation="split" if val_ids else "none",
        labelled=labelled,
        train_labelled=tuple(labelled_ids),
        train_unlabelled=tuple(_unlabelled(catalogue, labelled_ids)),
        val=tuple(val_ids),
        label_version=project.label_version,
        device=device,
        versions=_versions(),
        warnings=(
            *_warnings(project.task, classes, len(labelled_ids), resolved),
            *extractor_warnings(resolved, project, catalogue),
        ),
    )


def _check_task(method: Method, task: Task) -> None:
    if task not in method.tasks:
        fitting = ", ".join(METHODS.names(task))
        raise LongtailError(
            f"The method {method.name} does not do {task.value}.", f"Choose one of: {fitting}."
        )


def _settings(
    method: Method, preset: str | None, settings: Mapping[str, Any]
) -> tuple[MethodSettings, str]:
    name = preset or method.default_preset
    if name not in method.presets:
        known = ", ".join(method.presets)
        raise LongtailError(f"{method.name} has no preset {name!r}.", f"Presets are: {known}.")
    return read_settings(method.settings, {**method.presets[name], **settings}), name


def _budget(
    minutes: float | None, iterations: int | None, suggested: int | None
) -> tuple[float | None, int | None]:
    if minutes is not None and iterations is not None:
        raise LongtailError("Both minutes and iterations were given.", "Give one of the two.")
    if minutes is not None and not 0 < minutes <= 60 * 24 * 30:
        raise LongtailError(f"A run cannot last {minutes:g} minutes.", "Give more than 0.")
    if iterations is not None and iterations < 1:
        raise LongtailError(f"A run cannot have {iterations} iterations.", "Give at least 1.")
    if minutes is None and iterations is None:
        return (DEFAULT_MINUTES, None) if suggested is None else (None, suggested)
    return minutes, iterations


def _labelled(project: Project, catalogue: Catalogue, wish: str | None, seed: int) -> list[str]:
    rows = np.flatnonzero(catalogue.labelled & (catalogue.split == _code(Split.TRAIN)))
    ids = sorted(catalogue.ids[row] for row in rows.tolist())
    if not ids:
        elsewhere = int(catalogue.labelled.sum())
        raise LongtailError(
            "There is no labelled case to train on"
            + (
                f": all {elsewhere} labelled cases are kept for validation or test."
                if elsewhere
                else "."
            ),
            "Put some labelled cases into the training part."
            if elsewhere
            else "Label a few cases first, or import their labels.",
        )
    return sorted(project.labelled_subset(wish, seed)) if wish else ids


def _unlabelled(catalogue: Catalogue, labelled: Sequence[str]) -> list[str]:
    taken = set(labelled)
    rows = np.flatnonzero(catalogue.split == _code(Split.TRAIN)).tolist()
    return sorted(catalogue.ids[row] for row in rows if catalogue.ids[row] not in taken)


def _validation(catalogue: Catalogue, wish: str | None) -> list[str]:
    rows = np.flatnonzero(catalogue.labelled & (catalogue.split == _code(Split.VAL))).tolist()
    if wish not in (None, "none", "split"):
        raise LongtailError(f"Validation cannot be {wish!r}.", "It is none or split.")
    if wish == "none" or (wish is None and len(rows) < ENOUGH_TO_VALIDATE):
        return []
    if not rows:
        raise LongtailError(
            "No labelled case is kept for validation.",
            "Put labelled cases into the validation part, or train without validation.",
        )
    return sorted(catalogue.ids[row] for row in rows)


def _classes(
    project: Project, catalogue: Catalogue, labelled: Sequence[str]
) -> tuple[SpecClass, ...]:
    taken = set(labelled)
    rows = np.array([row for row, name in enumerate(catalogue.ids) if name in taken], int)
    examples = (catalogue.presence[rows] == 1).sum(axis=0)
    volumes = catalogue.volumes[rows].sum(axis=0) if len(catalogue.volumes) else examples * 0.0
    total = float(volumes.sum()) or 1.0
    column = {class_id: number for number, class_id in enumerate(catalogue.class_ids)}
    return tuple(
        SpecClass(
            id=each.id,
            name=each.name,
            examples=int(examples[column[each.id]]),
            volume=float(volumes[column[each.id]]) / total,
        )
        for each in project.classes
    )


def _some_cases(project: Project, ids: Sequence[str]) -> list[Case]:
    """Take enough cases to know sizes and channels; a hundred thousand are not read for that."""
    step = max(1, len(ids) // CASES_LOOKED_AT)
    return project.cases(ids=list(ids)[::step])


def _channel_count(cases: Sequence[Case], task: Task) -> int:
    counts = sorted({case.channel_count for case in cases if case.channel_count})
    grey_and_colour = counts == [1, 3] and task is not Task.SEGMENTATION
    if len(counts) > 1 and not grey_and_colour:
        raise LongtailError(
            f"The training cases have different numbers of channels: {counts}.",
            "Train cases with the same channels.",
        )
    return counts[-1] if counts else 1


def _resolved(
    settings: MethodSettings,
    task: Task,
    classes: Sequence[SpecClass],
    cases: Sequence[Case],
    device: str,
    minutes: float | None,
) -> tuple[MethodSettings, SpecGrid | None]:
    if isinstance(settings, SegmentationSettings):
        _check_segments(classes)
        return _resolved_segmentation(settings, cases, device, minutes)
    _check_answers(task, classes)
    changes: dict[str, Any] = {"batch": settings.batch or IMAGE_BATCH}
    dims = max((len(case.shape) for case in cases if case.shape), default=2)
    if isinstance(settings, ImageSettings):
        changes["encoder"] = settings.encoder_name
        if dims == 3 and "size" not in settings.model_fields_set:
            changes["size"] = VOLUME_SIZE
    if hasattr(settings, "loss"):
        changes["loss"] = _loss(settings.loss, task, classes)
    return settings.model_copy(update=changes), SpecGrid(spatial_dims=dims)


def _resolved_segmentation(
    settings: SegmentationSettings, cases: Sequence[Case], device: str, minutes: float | None
) -> tuple[MethodSettings, SpecGrid]:
    grid = choose_grid(
        cases,
        settings,
        device.startswith("cuda"),
        memory_bytes=memory_there(device),
        minutes=minutes,
    )
    changes = {
        "dimensions": f"{grid.spatial_dims}d",
        "patch": "x".join(map(str, grid.patch)),
        "levels": len(grid.strides),
        "batch": choose_batch(grid.patch, settings),
    }
    return settings.model_copy(update=changes), grid


def _loss(wish: str, task: Task, classes: Sequence[SpecClass]) -> str:
    fitting = SEVERAL_LABEL_LOSSES if task is Task.MULTILABEL else SINGLE_LABEL_LOSSES
    if wish == "auto":
        return _automatic_loss(task, classes)
    if wish not in fitting:
        kind = "several classes" if task is Task.MULTILABEL else "one class"
        raise LongtailError(
            f"Loss (loss) cannot be {wish!r} with {kind} per image.",
            f"Choose one of: {', '.join(fitting)}.",
        )
    return wish


def _automatic_loss(task: Task, classes: Sequence[SpecClass]) -> str:
    if task is Task.MULTILABEL:
        return "bce"
    counts = [each.examples for each in classes if each.examples]
    return "balanced-softmax" if max(counts) >= UNEVEN * min(counts) else "ce"


def _check_segments(classes: Sequence[SpecClass]) -> None:
    if not any(each.examples for each in classes):
        raise LongtailError(
            "No training case holds any of the classes: everything labelled is background.",
            "Draw the classes in a few cases first.",
        )


def _check_answers(task: Task, classes: Sequence[SpecClass]) -> None:
    present = [each for each in classes if each.examples]
    if not present:
        raise LongtailError(
            "No training case has any of the classes.", "Give a few cases their classes first."
        )
    if task is Task.CLASSIFICATION and len(present) == 1:
        raise LongtailError(
            f"All labelled training cases are {present[0].name}, so there is nothing to tell "
            "apart.",
            "Label some cases of another class.",
        )


def _warnings(
    task: Task, classes: Sequence[SpecClass], labelled: int, settings: MethodSettings
) -> list[str]:
    found = []
    without = [each.name for each in classes if not each.examples]
    if without:
        verb = "have" if len(without) > 1 else "has"
        found.append(f"{_listed(without)} {verb} no training example and cannot be learned.")
    few = [each.name for each in classes if 0 < each.examples < FEW_EXAMPLES]
    if few and labelled >= FEW_EXAMPLES:
        verb = "have" if len(few) > 1 else "has"
        found.append(f"{_listed(few)} {verb} fewer than {FEW_EXAMPLES} training examples.")
    if labelled < FEW_EXAMPLES:
        noun = "case" if labelled == 1 else "cases"
        found.append(f"Only {labelled} labelled {noun}: what is learned may not hold elsewhere.")
    if getattr(settings, "loss", "") == "ce" and task is Task.CLASSIFICATION:
        counts = [each.examples for each in classes if each.examples]
        if max(counts) >= 10 * min(counts):
            found.append(
                f"The largest class has {max(counts) // min(counts)} times the examples of the "
                "smallest; the loss balanced-softmax holds rare classes up better than ce."
            )
    return found


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _code(split: Split) -> int:
    return tuple(Split).index(split)
