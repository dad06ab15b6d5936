"""What a comparison will do: frozen, plain data, stored as `comparison.yaml` in its folder.

A protocol (`bench acdc` and its like) makes a project by an import and then a `Plan` by
`planning.plan_comparison`, and fixes in it

- `contenders`: one row of the table each, a `Contender(name, method, preset, settings)`;
- `seeds`: each seed draws the labelled subset and is the seed of the runs;
- `draws`: instead of a drawn subset, tables that give labels and split (`Draw`);
- `folds`: instead of the project's own parts, all labelled cases are measured once, by runs that
  have not seen them or their patients, and the cases of all folds are measured together;
- `labelled`: such as `("3", "7")`, the numbers of labelled training cases; `(None,)` for all;
- `iterations` or `minutes`: the budget of every run, one of the two, unless each contender has
  iterations of its own;
- `validation`: `none` (the last averaged weights are measured) or `split` (the best);
- `reference`: the name of the contender that the others are compared with;
- `title` and `notes`: the heading of the table, and sentences printed under it, such as the
  published figures and their source.

A short preset of a protocol is the same call with other `minutes` and `settings`.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import LongtailError
from ..files import write_text
from ..project.records import Task

PLAN_FORMAT = 1
PLAN_FILE = "comparison.yaml"

NOT_DECIDING = ("format", "project", "reference", "keep", "versions", "title", "notes", "device")
"""Fields that change nothing in what a finished cell has measured."""

WORDS = {
    "task": "the task",
    "data": "the cases, parts or labels of the project",
    "contenders": "the methods or their settings",
    "seeds": "the seeds",
    "draws": "the draws",
    "folds": "the number of folds",
    "labelled": "the numbers of labelled cases",
    "minutes": "the minutes of a run",
    "iterations": "the iterations of a run",
    "validation": "the validation",
}


class Contender(BaseModel):
    """One row of a comparison: a method with what is set for it; `name` is what tables call it.

    `iterations` is a budget of its own, for methods whose steps cost unlike: what the same minutes
    would give them on a quiet machine. Such a run gives the same figures on a busy one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=120)
    method: str
    preset: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    iterations: int | None = Field(default=None, ge=1)


class Draw(BaseModel):
    """A table that gives labels and split; `name` is safe as the name of a folder.

    `table` is where the file was, absolute; `sha256` tells whether it is still the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")
    table: str
    sha256: str


class Cell(NamedTuple):
    """One run of a comparison: `draw` is None where seeds alone are repeated."""

    contender: str
    labelled: str | None
    draw: str | None
    seed: int

    @property
    def words(self) -> str:
        """Name the cell for a person."""
        labels = "all labels" if self.labelled is None else f"{self.labelled} labelled"
        where = f"seed {self.seed}" if self.draw is None else f"{self.draw}, seed {self.seed}"
        return f"{self.contender}, {labels}, {where}"


class Plan(BaseModel):
    """Everything that decides a comparison; see the module for what each field means.

    `project` is where the project was, absolute; `data` tells whether its cases, parts and labels
    are still the same. `keep` is what of a run's checkpoints stays when it has been measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    title: str = ""
    task: Task
    project: str
    data: str
    contenders: tuple[Contender, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    draws: tuple[Draw, ...] = ()
    folds: int | None = Field(default=None, ge=2, le=20)
    labelled: tuple[str | None, ...] = Field(default=(None,), min_length=1)
    minutes: float | None = None
    iterations: int | None = None
    validation: Literal["none", "split"] = "none"
    device: str = "auto"
    reference: str
    keep: Literal["weights", "all"] = "weights"
    versions: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Plan":
        names = [one.name for one in self.contenders]
        for what, values in (
            ("method", names),
            ("seed", list(self.seeds)),
            ("draw", [one.name for one in self.draws]),
            ("number of labelled cases", list(self.labelled)),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"a {what} is named twice")
        if self.folds and (self.draws or self.validation != "none"):
            raise ValueError("folds go neither with draws nor with a part for validation")
        if self.reference not in names:
            raise ValueError(f"the reference {self.reference} is none of the methods")
        self._check_budget()
        return self

    def _check_budget(self) -> None:
        own = [one.iterations for one in self.contenders]
        if any(own):
            if not all(own) or self.minutes is not None or self.iterations is not None:
                raise ValueError("either each method has iterations of its own, or none")
        elif (self.minutes is None) == (self.iterations is None):
            raise ValueError("the budget is either minutes or iterations")

    @property
    def fold_names(self) -> tuple[str, ...]:
        """The folds of a cross-validation: names of folders, and what tables call them."""
        return tuple(f"fold-{n}-of-{self.folds}" for n in range(1, (self.folds or 0) + 1))

    @property
    def digest(self) -> str:
        """Give a short text that is equal for plans that would measure the same."""
        text = json.dumps(self._deciding(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def which(self) -> str:
        """The checkpoint that is measured."""
        return "best" if self.validation == "split" else "last"

    @property
    def budget(self) -> str:
        """The budget of a run in words."""
        if self.iterations is not None:
            return f"{self.iterations} iterations"
        if self.minutes is None:
            told = ", ".join(f"{one.name} {one.iterations}" for one in self.contenders)
            return f"iterations of each method's own ({told})"
        return f"{self.minutes:g} {'minute' if self.minutes == 1 else 'minutes'}"

    def contender(self, name: str) -> Contender:
        """Find a contender by its name."""
        return next(one for one in self.contenders if one.name == name)

    def cells(self) -> Iterator[Cell]:
        """List all runs in their order: seeds outermost, so that half of them is balanced."""
        draws: list[str | None] = [*(one.name for one in self.draws), *self.fold_names]
        for draw in draws or [None]:
            for seed in self.seeds:
                for labelled in self.labelled:
                    for contender in self.contenders:
                        yield Cell(contender.name, labelled, draw, seed)

    def changed_from(self, earlier: "Plan") -> list[str]:
        """Name, as words, what differs from `earlier` and would make their cells unlike."""
        mine, theirs = self._deciding(), earlier._deciding()
        return [WORDS[key] for key in {**mine, **theirs} if mine.get(key) != theirs.get(key)]

    def _deciding(self) -> dict[str, Any]:
        document = self.model_dump(mode="json", exclude=set(NOT_DECIDING))
        for draw in document["draws"]:
            del draw["table"]
        if self.folds is None:
            del document["folds"]  # plans of earlier versions have none
        return document


def write_plan(folder: Path, plan: Plan) -> None:
    """Replace `comparison.yaml` of a comparison's folder."""
    text = yaml.safe_dump(plan.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_text(folder / PLAN_FILE, text)


def read_plan(folder: Path) -> Plan | None:
    """Read `comparison.yaml`, None where the folder has none.

    Raises
    ------
    LongtailError
        It is damaged, or a newer version wrote it.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        return None
    remedy = "Choose another folder with --out."
    try:
        mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
        if isinstance(mapping, dict) and int(mapping.get("format", 1)) > PLAN_FORMAT:
            raise LongtailError(f"A newer Longtail made the comparison {folder}.", remedy)
        return Plan.model_validate(mapping)
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise LongtailError(
            f"The comparison's plan {path} is damaged: {first_problem(error)}.", remedy
        ) from error


def first_problem(error: Exception) -> str:
    """Say what is wrong first, in a few words."""
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        reason = str(problem["msg"]).removeprefix("Value error, ")
        return f"{where}: {reason}" if where else reason
    return (str(error).splitlines() or [type(error).__name__])[0]
