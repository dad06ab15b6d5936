"""What a training would use and need, and whether it can start; knows neither Qt nor torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...core.errors import LongtailError
from ...core.methods.catalogue import METHODS, Method
from ...core.methods.spec import RunSpec
from ...core.project.records import NOT_LABELLED, RunRecord, Split, Task
from .train_fields import SettingField
from .train_live import ClassLook, Tier, budget
from .train_words import case_noun, memory, plural, run_number

if TYPE_CHECKING:
    from ...core.project.catalogue import Catalogue
    from ...core.project.store import Project

DEFAULT_MINUTES = 6.0
VALIDATION, LABELLED = "validation", "labelled"
TIMES = " \N{MULTIPLICATION SIGN} "
RESUMABLE = ("stopped", "failed", "running", "created")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks for; what is left None is chosen by the plan."""

    method: str
    preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    minutes: float | None = DEFAULT_MINUTES
    iterations: int | None = None
    validation: str | None = None
    labelled: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a training cannot start, what to do about it, and the panel where that is done.

    `field` names the setting that stands in the way, empty if it is none of them.
    """

    reason: str
    remedy: str = ""
    panel: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class UseRow:
    """A class and in how many labelled training cases it is; `key` is its id."""

    key: int
    name: str
    count: int
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a wish comes to: a spec that can run, or why there is none."""

    spec: RunSpec | None = None
    blocked: Blocked | None = None
    use: tuple[UseRow, ...] = ()
    labelled: int = 0
    unlabelled: int = 0
    memory_bytes: int = 0
    partly: int = 0
    """Scans labelled in part; counted where no other is unlabelled."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before starting."""
        return self.spec.warnings if self.spec else ()


def uses_unlabelled(method: str) -> bool:
    """Tell whether a method learns from unlabelled cases too; a supervised one does not."""
    known = METHODS.get(method) if method in METHODS.names() else None
    return bool(getattr(known, "uses_unlabelled", False))


def methods_for(task: Task) -> tuple[Method, ...]:
    """List the methods that can do `task`, in the order in which they are offered."""
    return tuple(METHODS.get(name) for name in METHODS.names(task))


def make_plan(
    project: "Project",
    wish: Wish,
    tiers: Mapping[int, str],
    fields: Sequence[SettingField] = (),
) -> Plan:
    """Resolve a wish against the project as it is now; failures become `blocked`."""
    from ...core.training.estimate import estimate_run

    try:
        spec = _spec(project, wish)
    except LongtailError as error:
        return Plan(blocked=_blocked(project, wish, error, fields))
    plan = Plan(
        spec,
        None,
        use_rows(spec, tiers),
        len(spec.train_labelled),
        len(spec.train_unlabelled),
        estimate_run(spec).memory_bytes,
        _partly_labelled(project, spec),
    )
    return plan if project.writable else replace(plan, blocked=read_only(project))


def _partly_labelled(project: "Project", spec: RunSpec) -> int:
    if spec.train_unlabelled or not uses_unlabelled(spec.method):
        return 0
    cases = project.cases(ids=spec.train_labelled)
    return sum(NOT_LABELLED in case.volumes_mm3 for case in cases)


def unlabelled_sentence(plan: Plan, *, used: bool) -> str:
    """Say what the unlabelled cases are to this training; empty where it needs no words.

    `used` says whether the method learns from them at all.
    """
    noun = case_noun(plan.spec.task if plan.spec else "")
    if plan.unlabelled:
        return "" if used else "This method learns from the labelled ones alone."
    if not used:
        return ""
    if plan.partly:
        return (
            f"Every {noun} is labelled, {plan.partly:,} of them in part: what was left out is "
            "learned from as unlabelled."
        )
    return f"Every {noun} is labelled: nothing to gain from this method."


def _spec(project: "Project", wish: Wish) -> RunSpec:
    from ...core.training.plan import plan_run

    return plan_run(
        project,
        method=wish.method,
        preset=wish.preset,
        settings=wish.settings,
        labelled=wish.labelled,
        validation=wish.validation,
        seed=wish.seed,
        minutes=wish.minutes,
        iterations=wish.iterations,
    )


def use_rows(spec: RunSpec, tiers: Mapping[int, str]) -> tuple[UseRow, ...]:
    """Count the labelled training cases of each class, the commonest first."""
    rows = [
        UseRow(each.id, each.name, each.examples, tiers.get(each.id, "")) for each in spec.classes
    ]
    return tuple(sorted(rows, key=lambda row: -row.count))


def read_only(project: "Project") -> Blocked:
    """Say why a run cannot be written into this project."""
    if project.lock_holder:
        return Blocked(
            f"{project.name} is open in {project.lock_holder} and can only be looked at here.",
            "Close it there and open it again here.",
        )
    return Blocked(
        f"The folder of {project.name} cannot be written, so a run cannot be kept.",
        "Ask for write permission or copy the project to a folder of your own.",
    )


def needs(plan: Plan, device: str, memory_there: int | None) -> tuple[tuple[str, str], ...]:
    """Tell what a plan will need as (what, how much) pairs; nothing for a plan that cannot run.

    Parameters
    ----------
    device
        Where it will run, in a word.
    memory_there
        Bytes of memory that the device has, None if that is not known.
    """
    if plan.spec is None:
        return ()
    lines = [("Looks at", looks_at(plan.spec)), ("Memory", _memory(plan, memory_there))]
    lines.append(("Time", f"{budget(plan.spec.to_mapping())} and set-up"))
    lines.append(("Runs on", device))
    return tuple((what, much) for what, much in lines if much)


def looks_at(spec: RunSpec) -> str:
    """Say what the network sees in one go: `48 x 64 x 48 voxels` or `128 x 128 pixels`."""
    if spec.grid is not None and spec.grid.patch:
        unit = "voxels" if len(spec.grid.patch) == 3 else "pixels, slice by slice"
        return f"{TIMES.join(map(str, spec.grid.patch))} {unit}"
    size = spec.settings.get("size")
    return f"{size}{TIMES}{size} pixels" if isinstance(size, int) else ""


def about_class(warning: str, rows: Sequence[UseRow]) -> bool:
    """Tell whether a warning names one of the classes."""
    return any(row.name and row.name in warning for row in rows)


def class_looks(project: "Project", tiers: Mapping[int, str]) -> tuple[ClassLook, ...]:
    """Give each class its colour and tier for the curves."""
    return tuple(
        ClassLook(each.name, each.colour, _tier(tiers.get(each.id, "head")))
        for each in project.classes
    )


def planned_looks(
    spec: Mapping[str, Any], project: "Project", tiers: Mapping[int, str]
) -> tuple[ClassLook, ...]:
    """Give the looks of a run's classes in the order of its plan, by their present names."""
    known = {each.id: each for each in project.all_classes}
    looks = []
    for planned in spec.get("classes", ()):
        record = known.get(planned.get("id"))
        name, colour = (record.name, record.colour) if record else (str(planned.get("name")), "")
        looks.append(ClassLook(name, colour, _tier(tiers.get(planned.get("id"), "head"))))
    return tuple(looks)


def labelled_in(catalogue: "Catalogue", split: Split) -> int:
    """Count the labelled cases of a part."""
    here = catalogue.split == tuple(Split).index(split)
    return int((catalogue.labelled & here).sum())


def validation_sentence(task: Task, count: int, choice: str) -> str:
    """Say what a choice of validation means for this project."""
    noun = case_noun(task)
    if choice == "split":
        return f"Measured as it learns on {plural(count, f'labelled {noun}')} kept for that."
    if count == 0:
        return f"No labelled {noun} is kept for validation, so all of them train."
    return f"The {plural(count, f'{noun}')} kept for validation are left alone."


def can_resume(run: RunRecord, has_checkpoint: bool) -> bool:
    """Tell whether a run can go on from its last checkpoint."""
    return has_checkpoint and run.state in RESUMABLE


def interrupted(run: RunRecord) -> str:
    """Say in a sentence that an earlier run can go on."""
    words = {"stopped": "was stopped", "failed": "ended early"}.get(run.state, "was interrupted")
    return f"{run_number(run.id).capitalize()} {words} and can go on from its last checkpoint."


def _memory(plan: Plan, there: int | None) -> str:
    if not plan.memory_bytes:
        return ""
    if there is None:
        return f"about {memory(plan.memory_bytes)}"
    return f"about {memory(plan.memory_bytes)} of {memory(there)}"


def _blocked(
    project: "Project", wish: Wish, error: LongtailError, fields: Sequence[SettingField]
) -> Blocked:
    setting = next((each.name for each in fields if names_setting(error.reason, each)), "")
    field = setting or _culprit(project, wish)
    return Blocked(error.reason, error.remedy, "" if field else _panel(project, error), field)


def _culprit(project: "Project", wish: Wish) -> str:
    """Find the part of a wish without which it would work; empty if it is none of them."""
    withouts = {
        VALIDATION: replace(wish, validation=None),
        LABELLED: replace(wish, labelled=None),
    }
    for name, without in withouts.items():
        if without == wish:
            continue
        try:
            _spec(project, without)
        except LongtailError:
            continue
        return name
    return ""


def run_of(job: object) -> str:
    """Give the run that a job works on; empty if it is about no run."""
    return _text(job, "run_id")


def case_of(job: object) -> str:
    """Give the one case that a job predicts; empty for other jobs."""
    return _text(job, "case")


def project_of(job: object) -> str:
    """Give the folder of the project that a job works on."""
    return _text(job, "project")


def names_setting(reason: str, setting: SettingField) -> bool:
    """Tell whether a sentence is about a setting: it names it as `(name)` or `name=`."""
    return f"({setting.name})" in reason or f"{setting.name}=" in reason


def _panel(project: "Project", error: LongtailError) -> str:
    """Name the panel where it is put right: Cases for images and their parts, else Label."""
    return "Cases" if not project.case_count or " part" in error.remedy else "Label"


def _tier(tier: str) -> Tier:
    return tier if tier in ("head", "medium", "tail") else "head"  # type: ignore[return-value]


def _text(job: object, name: str) -> str:
    value = getattr(job, name, "")
    return value if isinstance(value, str) else ""
