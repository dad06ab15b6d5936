"""From a wish to the plan of a comparison, or a sentence that says why it cannot be."""

import hashlib
import platform
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ..errors import LongtailError
from ..methods.spec import RunSpec
from ..project.records import Split, Task
from ..project.rows import SPLIT_CODES
from ..project.store import Project
from ..training.plan import plan_run
from .contenders import read_contenders
from .plan import Contender, Draw, Plan, first_problem
from .shared_encoder import check_order, standing_alone

DEFAULT_MINUTES = 6.0
FOLDER = "comparisons"
PACKAGES = ("napari-longtail", "torch", "monai", "numpy")


def plan_comparison(
    project: Project,
    *,
    methods: Sequence[str | Contender],
    seeds: Sequence[int] = (0,),
    draws: Sequence[Path] = (),
    folds: int | None = None,
    labelled: Sequence[str] = (),
    minutes: float | None = None,
    iterations: int | Mapping[str, int] | None = None,
    validation: Literal["none", "split"] = "none",
    presets: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    reference: str | None = None,
    device: str = "auto",
    keep: Literal["weights", "all"] = "weights",
    title: str = "",
    notes: Sequence[str] = (),
) -> Plan:
    """Plan a comparison, and check that its runs can be planned.

    Parameters
    ----------
    project
        Its task and classes, and without `draws` its cases too.
    methods
        Contenders, or texts: `bcp`, `cross-entropy:loss=ldam:size=96`, `action++:preset=auto`, or
        a loss such as `balanced-softmax`, which stands for `cross-entropy` with it. A setting
        `extractor` may name another of them in place of a run; see `shared_encoder`.
    seeds
        Each repeats all runs with another labelled subset.
    draws
        Tables of files, labels and split; each becomes a project of its own.
    folds
        Cross-validation in so many parts, patients together, instead of the project's own parts.
    labelled
        `4` or `5%`: how many labelled training cases keep their labels; without any, all do.
    minutes, iterations
        The budget of one run; one of the two, by default six minutes. Iterations may be given by
        the name of each contender.
    presets
        `NAME` for every method that has it, or `METHOD=NAME`.
    settings
        Settings for every method that has them; those of a contender go before.
    reference
        The contender that the others are compared with; the first, if none is named.

    Raises
    ------
    LongtailError
        A method, preset, setting, number or file is not possible; the sentence says which.
    """
    contenders = read_contenders(methods, presets, settings or {}, project.task)
    check_order(contenders)
    if isinstance(iterations, Mapping):
        contenders = _with_budgets(contenders, iterations)
        iterations = None
    elif minutes is None and iterations is None and not any(one.iterations for one in contenders):
        minutes = DEFAULT_MINUTES
    try:
        plan = Plan(
            title=title or f"{project.task.value.capitalize()} on {project.name}",
            task=project.task,
            project=project.path.as_posix(),
            data=data_digest(project, with_cases=not draws),
            contenders=contenders,
            seeds=tuple(seeds),
            draws=_draws(draws),
            folds=folds,
            labelled=tuple(labelled) or (None,),
            minutes=minutes,
            iterations=iterations,
            validation=validation,
            device=device,
            reference=reference or (contenders[0].name if contenders else ""),
            keep=keep,
            versions=_versions(),
            notes=tuple(notes),
        )
    except ValidationError as error:
        raise LongtailError(f"This cannot be compared: {first_problem(error)}.") from error
    if draws:
        _check_numbers(project)
        return plan
    return _tried(project, plan)


def plan_cell(
    project: Project, plan: Plan, contender: Contender, labelled: str | None, seed: int
) -> RunSpec:
    """Plan one run of a comparison on the project that holds its cases."""
    return plan_run(
        project,
        method=contender.method,
        preset=contender.preset,
        settings=contender.settings,
        labelled=labelled,
        validation=plan.validation,
        seed=seed,
        minutes=plan.minutes,
        iterations=contender.iterations or plan.iterations,
        device=plan.device,
    )


def default_folder(plan: Plan) -> Path:
    """Give the folder of a comparison that was asked for without one: the same for equal plans."""
    return Path(plan.project) / FOLDER / f"{plan.task.value}-{plan.digest}"


def data_digest(project: Project, *, with_cases: bool = True) -> str:
    """Give a text that changes with the classes, and with cases, parts and labels if wished."""
    lines = [f"{record.id} {record.name}" for record in project.classes]
    if with_cases:
        catalogue = project.catalogue()
        columns = zip(catalogue.ids, catalogue.split, catalogue.labelled, strict=True)
        lines += sorted(f"{name} {part} {is_labelled}" for name, part, is_labelled in columns)
        lines.append(str(project.label_version))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file.

    Raises
    ------
    LongtailError
        It cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise LongtailError(
            f"The table {path} cannot be read: {error.strerror or error}.", "Check its name."
        ) from error


def _with_budgets(
    contenders: Sequence[Contender], budgets: Mapping[str, int]
) -> tuple[Contender, ...]:
    unknown = sorted(set(budgets) - {one.name for one in contenders})
    if unknown:
        raise LongtailError(
            f"Iterations are given for {unknown[0]!r}, which is not compared.",
            f"Name them as --methods does: {', '.join(one.name for one in contenders)}.",
        )
    return tuple(
        one.model_copy(update={"iterations": budgets.get(one.name, one.iterations)})
        for one in contenders
    )


def _draws(tables: Sequence[Path]) -> tuple[Draw, ...]:
    found: dict[str, Draw] = {}
    for table in tables:
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", table.stem).strip("-_")[:60] or "draw"
        names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 10_000))
        name = next(one for one in names if one not in found)
        absolute = table.expanduser().resolve()
        found[name] = Draw(name=name, table=absolute.as_posix(), sha256=file_digest(absolute))
    return tuple(found.values())


def _tried(project: Project, plan: Plan) -> Plan:
    """Plan the runs of the first seed, so that what cannot work is said at once."""
    if plan.folds:
        project.folds(plan.folds)
        return plan
    _check_test(project)
    specs = [
        plan_cell(project, plan, standing_alone(one, plan.contenders), labels, plan.seeds[0])
        for labels in plan.labelled
        for one in plan.contenders
    ]
    return plan.model_copy(update={"notes": (*plan.notes, *_unequal(plan, specs))})


def _check_numbers(project: Project) -> None:
    """Refuse draws where a mask's values would mean other classes in a project made anew."""
    ids = [record.id for record in project.classes]
    if project.task is Task.SEGMENTATION and ids != list(range(1, len(ids) + 1)):
        raise LongtailError(
            f"Classes of {project.name} were merged or retired, so the values in the masks of a "
            "draw would mean other classes.",
            "Make a project with the classes as the masks have them, and compare there.",
        )


def _check_test(project: Project) -> None:
    catalogue = project.catalogue()
    if not (catalogue.labelled & (catalogue.split == SPLIT_CODES[Split.TEST])).any():
        raise LongtailError(
            f"{project.name} has no labelled test case, so nothing could be compared.",
            "Put labelled cases into the part test, for example by importing with --split.",
        )


def _unequal(plan: Plan, specs: Sequence[RunSpec]) -> list[str]:
    """Say where methods vary the images differently, which a table should not hide."""
    ways = {
        one.name: str(spec.settings.get("augmentation", "not at all"))
        for one, spec in zip(plan.contenders, specs, strict=False)
    }
    if len(set(ways.values())) < 2:
        return []
    told = ", ".join(f"{name} {way}" for name, way in ways.items())
    return [f"The methods vary the images differently while training: {told}."]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
