"""The plan of a run: frozen, versioned, plain data, stored as `spec.yaml` beside its results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import LongtailError
from ..files import write_text
from ..project.records import Task

SPEC_FORMAT = 1
SPEC_FILE = "spec.yaml"


class SpecClass(BaseModel):
    """A class as it was when the run was planned; `examples` counts its labelled training cases.

    For label maps `volume` is its share of the labelled foreground volume, else 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    name: str
    examples: int = 0
    volume: float = 0.0


class SpecGrid(BaseModel):
    """The network's grid, chosen from the cases when the run was planned.

    `spacing_mm` is in the array order of the source, 0 where an axis is kept, None where nothing
    is resampled; `slice_axis` counts the slices of a volume for a 2D network. `patch` and
    `strides` (level, axis) are on the network's grid; empty for image-level classes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spatial_dims: int
    spacing_mm: tuple[float, ...] | None = None
    slice_axis: int = 0
    patch: tuple[int, ...] = ()
    strides: tuple[tuple[int, ...], ...] = ()


class RunSpec(BaseModel):
    """Everything that decides how a run goes; two runs with equal specs learn the same.

    `settings` holds every setting of the method with automatic choices resolved. Outputs of the
    network are in the order of `classes`; for label maps output 0 is the background before them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    method: str
    preset: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    task: Task
    classes: tuple[SpecClass, ...]
    channel_count: int = 1
    grid: SpecGrid | None = None
    seed: int = 0
    minutes: float | None = None
    iterations: int | None = None
    iterations_planned: int | None = None
    validation: Literal["none", "split"] = "none"
    labelled: str | None = None
    train_labelled: tuple[str, ...] = ()
    train_unlabelled: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    label_version: int = 0
    device: str = "auto"
    versions: dict[str, str] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def class_ids(self) -> tuple[int, ...]:
        """Ids of the classes, in the order of the network's outputs, background left out."""
        return tuple(each.id for each in self.classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of `class_ids`."""
        return tuple(each.name for each in self.classes)

    def replace(self, **changes: Any) -> "RunSpec":
        """Copy the spec with other values; they are checked again."""
        return RunSpec.model_validate({**self.model_dump(), **changes})

    def to_mapping(self) -> dict[str, Any]:
        """Plain data for YAML or JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "RunSpec":
        """Read what `to_mapping` wrote.

        Raises
        ------
        LongtailError
            The mapping is damaged or was written by a newer version.
        """
        if int(mapping.get("format", SPEC_FORMAT)) > SPEC_FORMAT:
            raise LongtailError("This run was planned by a newer Longtail.", "Update Longtail.")
        try:
            return cls.model_validate(dict(mapping))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise LongtailError(
                f"The plan of this run is damaged: {where or 'spec'}: {first['msg']}.",
                "Start a new run with the same settings.",
            ) from error


def read_spec(folder: Path) -> RunSpec:
    """Read `spec.yaml` of a run folder.

    Raises
    ------
    LongtailError
        It is missing or damaged.
    """
    path = folder / SPEC_FILE
    try:
        mapping = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LongtailError(
            f"The plan of this run cannot be read: {path}.", "Start a new run."
        ) from error
    if not isinstance(mapping, dict):
        raise LongtailError(f"The plan of this run is empty: {path}.", "Start a new run.")
    return RunSpec.from_mapping(mapping)


def write_spec(folder: Path, spec: RunSpec) -> None:
    """Replace `spec.yaml` of a run folder."""
    text = yaml.safe_dump(spec.to_mapping(), sort_keys=False, allow_unicode=True)
    write_text(folder / SPEC_FILE, text)
