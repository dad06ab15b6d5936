"""Published protocols, as data: `resources/compare/NAME.yaml`; imports no torch."""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from ... import resources
from ..errors import LongtailError
from ..project.records import Task
from ..project.store import Project
from .plan import Plan
from .planning import plan_comparison

PROTOCOLS = ("acdc", "la", "isic", "aptos")


class Budget(BaseModel):
    """What a run may take; one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations: int | None = None
    minutes: float | None = None


class Variant(BaseModel):
    """What differs between the published protocol and its short form.

    `preset` is taken by every method that has it, `settings` go before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str
    seeds: tuple[int, ...] = Field(min_length=1)
    budget: Budget
    settings: dict[str, Any] = Field(default_factory=dict)


class Figure(BaseModel):
    """A published row: `ours` names our contender for it; `values` are by number of labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    ours: str | None = None
    values: dict[str, str]


class Reported(BaseModel):
    """Published figures: what they are, where they stand, and the rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str
    source: str
    rows: tuple[Figure, ...]

    def sentences(self) -> list[str]:
        """Tell the figures, a sentence for each number of labels."""
        columns = dict.fromkeys(column for row in self.rows for column in row.values)
        told = [
            ", ".join(f"{row.method} {row.values[one]}" for row in self.rows if one in row.values)
            for one in columns
        ]
        return [
            *(
                f"Reported with {one} labelled: {figures}."
                for one, figures in zip(columns, told, strict=True)
            ),
            f"These are {self.measure}. Source: {self.source}.",
        ]


class Protocol(Variant):
    """A published comparison.

    Parameters
    ----------
    format
        The importer that reads its data.
    classes
        Names in the order of their ids; empty takes those of the data.
    split
        Shares of train, val and test, drawn by patient where the data bring no lists.
    group
        What is never divided over the parts, in the plural: patients, lesions.
    taken
        Whether only the source's training part is divided, or all that is labelled.
    """

    name: str
    title: str
    format: str
    task: Task
    classes: tuple[str, ...] = ()
    split: str
    group: str = "patients"
    taken: Literal["training", "labelled"] = "training"
    labelled: tuple[str, ...] = ()
    methods: tuple[str, ...] = Field(min_length=1)
    reference: str
    validation: Literal["none", "split"] = "none"
    notes: tuple[str, ...] = ()
    short: Variant
    reported: Reported


@cache
def read_protocol(name: str) -> Protocol:
    """Read a protocol by its name.

    Raises
    ------
    LongtailError
        There is no such protocol.
    """
    if name not in PROTOCOLS:
        raise LongtailError(
            f"There is no protocol {name!r}.", f"Protocols are: {', '.join(PROTOCOLS)}."
        )
    text = (files(resources) / "compare" / f"{name}.yaml").read_text(encoding="utf-8")
    return Protocol.model_validate({"name": name, **yaml.safe_load(text)})


def plan_protocol(
    project: Project, protocol: Protocol, *, short: bool = False, device: str = "auto"
) -> Plan:
    """Plan the comparison on the project that `protocoldata.make_project` made.

    Raises
    ------
    LongtailError
        The data are too few for it, or a method cannot be planned on them.
    """
    variant = protocol.short if short else protocol
    return plan_comparison(
        project,
        methods=protocol.methods,
        seeds=variant.seeds,
        labelled=protocol.labelled,
        minutes=variant.budget.minutes,
        iterations=variant.budget.iterations,
        validation=protocol.validation,
        presets=(variant.preset,),
        settings=variant.settings,
        reference=protocol.reference,
        device=device,
        title=f"{protocol.title}, short form" if short else protocol.title,
        notes=(*protocol.notes, *protocol.reported.sentences()),
    )
