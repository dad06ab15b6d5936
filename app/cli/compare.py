"""`longtail bench segmentation|classification|label-efficiency`: fair comparisons of methods."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ...core.errors import LongtailError
from ...core.project.records import Task
from ...core.project.store import Project
from .options import AsJson, Device, ProjectPath
from .output import Output
from .training import parse_settings

if TYPE_CHECKING:
    from ...core.compare.plan import Plan


class Validation(StrEnum):
    """Whether the part for validation chooses the checkpoint that is measured."""

    NONE = "none"
    SPLIT = "split"


class Keep(StrEnum):
    """What of a run's checkpoints stays when it has been measured."""

    WEIGHTS = "weights"
    ALL = "all"


Methods = Annotated[
    str,
    typer.Option(
        "--methods",
        help="Names with commas; METHOD:key=value:... sets something for one of them, and a loss "
        "such as balanced-softmax stands for cross-entropy with it. "
        "two-stage:extractor=ce trains on the encoder of the method ce, named before it.",
    ),
]
Labelled = Annotated[
    str | None,
    typer.Option("--labelled", help="Numbers of labelled training cases, such as 4,8 or 5%."),
]
Seeds = Annotated[
    str | None,
    typer.Option("--seeds", help="Each seed repeats all runs with labels drawn by it; such as 0,1"),
]
Draws = Annotated[
    str | None,
    typer.Option("--draws", help="Tables with commas, each giving files, labels and split."),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        help="Cross-validation: every labelled case is measured once, by a run that has not seen "
        "its patient; the parts of the project do not count.",
    ),
]
Minutes = Annotated[float | None, typer.Option("--minutes", help="Budget of one run.")]
Iterations = Annotated[
    str | None,
    typer.Option(
        "--iterations",
        help="Budget of one run in iterations instead: a number, or METHOD=NUMBER,... where a step "
        "of one method costs more than of another.",
    ),
]
Validate = Annotated[
    Validation, typer.Option("--validation", help="none measures the last weights; or split.")
]
Presets = Annotated[
    list[str] | None,
    typer.Option("--preset", help="NAME for every method that has it, or METHOD=NAME."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="key=value for every method that has the setting; repeatable."),
]
Reference = Annotated[
    str | None, typer.Option("--reference", help="What the others are compared with; the first.")
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of the comparison; else in the project.")
]
KeepOf = Annotated[
    Keep, typer.Option("--keep", help="weights, or all checkpoints so that runs can go on.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be run and how long it would take.")
]


def segmentation(
    project: ProjectPath,
    methods: Methods,
    labelled: Labelled = None,
    seeds: Seeds = None,
    draws: Draws = None,
    folds: Folds = None,
    minutes: Minutes = None,
    iterations: Iterations = None,
    validation: Validate = Validation.NONE,
    preset: Presets = None,
    settings: Settings = None,
    reference: Reference = None,
    out: Out = None,
    keep: KeepOf = Keep.WEIGHTS,
    device: Device = "auto",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Compare methods that outline: same labels, same budget, paired differences."""
    wish = Wish(methods, labelled, seeds, draws, minutes, iterations, validation.value)
    wish = wish.with_options(preset, settings, reference, keep.value, device, folds)
    _compare(project, wish, (Task.SEGMENTATION,), out, dry_run, Output(as_json))


def classification(
    project: ProjectPath,
    methods: Methods,
    labelled: Labelled = None,
    seeds: Seeds = None,
    draws: Draws = None,
    folds: Folds = None,
    minutes: Minutes = None,
    iterations: Iterations = None,
    validation: Validate = Validation.NONE,
    preset: Presets = None,
    settings: Settings = None,
    reference: Reference = None,
    out: Out = None,
    keep: KeepOf = Keep.WEIGHTS,
    device: Device = "auto",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Compare methods that recognise images: head, medium and tail, paired differences."""
    wish = Wish(methods, labelled, seeds, draws, minutes, iterations, validation.value)
    wish = wish.with_options(preset, settings, reference, keep.value, device, folds)
    _compare(project, wish, (Task.CLASSIFICATION, Task.MULTILABEL), out, dry_run, Output(as_json))


def label_efficiency(
    project: ProjectPath,
    methods: Methods,
    labelled: Annotated[str, typer.Option("--labelled", help="Two numbers at least: 2,4,8,16.")],
    seeds: Seeds = None,
    minutes: Minutes = None,
    iterations: Iterations = None,
    validation: Validate = Validation.NONE,
    preset: Presets = None,
    settings: Settings = None,
    reference: Reference = None,
    out: Out = None,
    keep: KeepOf = Keep.WEIGHTS,
    device: Device = "auto",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Compare methods with more and more labels; the plot has a curve for each."""
    if len(_parts(labelled)) < 2:
        raise LongtailError(
            "A curve over labels needs two numbers of labelled cases.", "Give --labelled 4,8,16."
        )
    wish = Wish(methods, labelled, seeds, None, minutes, iterations, validation.value)
    wish = wish.with_options(preset, settings, reference, keep.value, device)
    _compare(project, wish, tuple(Task), out, dry_run, Output(as_json))


@dataclass(frozen=True)
class Wish:
    """What was asked for, as it was typed."""

    methods: str
    labelled: str | None
    seeds: str | None
    draws: str | None
    minutes: float | None
    iterations: str | None
    validation: Literal["none", "split"]
    presets: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    reference: str | None = None
    keep: Literal["weights", "all"] = "weights"
    device: str = "auto"
    folds: int | None = None

    def with_options(
        self,
        presets: Sequence[str] | None,
        settings: Sequence[str] | None,
        reference: str | None,
        keep: Literal["weights", "all"],
        device: str,
        folds: int | None = None,
    ) -> "Wish":
        """Add what seldom is asked for."""
        return replace(
            self,
            presets=tuple(presets or ()),
            settings=parse_settings(list(settings or ())),
            reference=reference,
            keep=keep,
            device=device,
            folds=folds,
        )

    def plan(self, project: Project) -> "Plan":
        """Read it, and plan the comparison."""
        from ...core.compare.planning import plan_comparison

        return plan_comparison(
            project,
            methods=_parts(self.methods),
            seeds=_numbers(self.seeds or "0"),
            draws=[Path(part) for part in _parts(self.draws)],
            folds=self.folds,
            labelled=_parts(self.labelled),
            minutes=self.minutes,
            iterations=_budget(self.iterations),
            validation=self.validation,
            presets=self.presets,
            settings=self.settings,
            reference=self.reference,
            device=self.device,
            keep=self.keep,
        )


def _compare(
    project: Path,
    wish: Wish,
    tasks: Sequence[Task],
    out: Path | None,
    dry_run: bool,
    output: Output,
) -> None:
    with Project.open(project, write=False) as opened:
        if opened.task not in tasks:
            raise LongtailError(
                f"{opened.name} is a project for {opened.task.value}.",
                f"Use bench {_bench_for(opened.task)}.",
            )
        plan = wish.plan(opened)
    from .compare_run import carry_out  # late: other commands do not wait for what it needs

    carry_out(plan, output, out=out, dry_run=dry_run)


def _bench_for(task: Task) -> str:
    return "segmentation" if task is Task.SEGMENTATION else "classification"


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _budget(text: str | None) -> int | dict[str, int] | None:
    """Read `900`, or `bcp=900,action++=700`: the name of a method may hold an equals sign."""
    if text is None:
        return None
    try:
        if "=" not in text:
            return int(text)
        pairs = [part.rpartition("=") for part in _parts(text)]
        return {name.strip(): int(number) for name, _, number in pairs}
    except ValueError as error:
        raise LongtailError(
            f"--iterations {text} cannot be read.", "Such as 900, or bcp=900,action++=700."
        ) from error


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in _parts(text)]
    except ValueError as error:
        raise LongtailError(f"--seeds {text} are no whole numbers.", "Such as 0,1,2.") from error
