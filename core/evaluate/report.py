"""What came of evaluating a run: a frozen report, to JSON and back; imports no torch.

The window, the HTML file and the command line all show this one object. `to_contract` is the
document of `longtail evaluate --json`: run, split, summary and cases, and nothing else. All of the
report, with its curves, counts and provenance, is in the file `evaluation-<split>.json` of the
run's folder (`to_json`), whose four keys of the same names hold the same figures.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import LongtailError
from ..files import write_json
from .parts import Confusion, ImageParts

NOTICE = "Research use only. Not a medical device."
FEW_CASES = 5


@dataclass(frozen=True, slots=True)
class Value:
    """A mean with the ends of its 95 % interval; `n` counts the cases behind it.

    None means that the measure is not defined there.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class ClassValue:
    """One class's value of a measure.

    `false_positives` counts cases where it was predicted and is not in the reference, `missed`
    those where it is in the reference and was not predicted at all.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    false_positives: int | None = None
    missed: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure: its value over all classes, a value a class name, and one a tier."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    classes: Mapping[str, ClassValue] = field(default_factory=dict)
    tiers: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoxParts:
    """How well boxes of the run's maps lie on drawn ones.

    Parameters
    ----------
    rows
        Each measure of the run's maps (`map`), of a random map and of a box in the middle, which
        say what chance is worth here.
    boxes
        Drawn boxes by class name.
    cases, patients
        Images in which boxes were drawn, and whose they are.
    left_out
        Findings that could not be measured.
    most
        How many boxes a finding might have.
    """

    rows: Mapping[str, Mapping[str, Figure]]
    boxes: Mapping[str, int]
    cases: int
    patients: int
    left_out: int
    most: int = 1


@dataclass(frozen=True, slots=True)
class EvaluatedClass:
    """A class and what it was learned from.

    `training` is the number of labelled training cases with it, `share` its part of their
    labelled foreground volume (label maps only), `test` the number of evaluated cases with it.
    """

    id: int
    name: str
    colour: str
    tier: str
    training: int
    share: float | None
    test: int

    @property
    def few(self) -> bool:
        """Whether there are too few test cases to trust the figure."""
        return self.test < FEW_CASES


@dataclass(frozen=True, slots=True)
class Tuned:
    """The same cases under thresholds that were chosen on `labelled` validation cases.

    It stands apart from the figures proper, which took no validation label.
    """

    thresholds: Mapping[str, float]
    labelled: int
    summary: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the run came about and what it was measured on.

    `label_version` is the version of the labels that it was measured by, `trained_label_version`
    that of those that it learned from.
    """

    project: str
    task: str
    method: str
    method_title: str
    settings: Mapping[str, Any]
    seeds: tuple[int, ...]
    labelled: int
    unlabelled: int
    validation: str
    validation_labelled: int
    iterations: int | None
    label_version: int
    weights_hash: str
    evaluated: int
    patients: int
    left_out: int
    created: str
    versions: Mapping[str, str] = field(default_factory=dict)
    trained_label_version: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything an evaluation found, with what is needed to judge it."""

    run: str
    split: str
    summary: Mapping[str, Figure]
    cases: tuple[Mapping[str, Any], ...]
    provenance: Provenance
    classes: tuple[EvaluatedClass, ...]
    thresholds: str
    """The tiers' thresholds as a sentence."""
    confusion: Confusion | None = None
    images: ImageParts | None = None
    """Parts of a report on image-level classes; None for label maps."""
    setting: str = ""
    """The prior and the thresholds that all figures were made with, in words; empty as trained."""
    tuned: Tuned | None = None
    boxes: BoxParts | None = None
    """Where the evaluated images have drawn boxes."""
    notes: tuple[str, ...] = ()
    notice: str = NOTICE
    format: int = 1

    def class_named(self, name: str) -> EvaluatedClass:
        """Find a class by its name."""
        return next(each for each in self.classes if each.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain data that holds all of the report."""
        plain: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return plain

    def to_contract(self) -> dict[str, Any]:
        """Give what `longtail evaluate --json` prints: run, split, summary and cases.

        Where boxes were compared, `controls` has the same measures of a random map and of a box in
        the middle.
        """
        document: dict[str, Any] = {
            "run": self.run,
            "split": self.split,
            "summary": {name: _figure(figure) for name, figure in self.summary.items()},
            "cases": [dict(case) for case in self.cases],
        }
        if self.boxes is not None:
            document["controls"] = {
                way: {name: _figure(row[name]) for name in row if name in self.summary}
                for way, row in self.boxes.rows.items()
                if way != "map"
            }
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Report":
        """Read what `to_json` gave.

        Raises
        ------
        LongtailError
            The document is no report or of a newer version.
        """
        if int(document.get("format", 1)) > 1:
            raise LongtailError("This report was made by a newer Longtail.", "Update Longtail.")
        try:
            # Through text: JSON mode turns lists into the tuples of the dataclasses.
            return _ADAPTER.validate_json(json.dumps(document))
        except ValidationError as error:
            raise LongtailError(
                "This file is no evaluation of Longtail or was damaged.", "Evaluate the run again."
            ) from error


def write_report(path: Path, report: Report) -> None:
    """Replace `path` by the report as JSON."""
    write_json(path, report.to_json())


def read_report(path: Path) -> Report:
    """Read a report from JSON.

    Raises
    ------
    LongtailError
        The file is missing, damaged or of a newer version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LongtailError(
            f"The evaluation {path.name} cannot be read.", "Evaluate the run again."
        ) from error
    if not isinstance(document, dict):
        raise LongtailError(f"{path.name} is no evaluation.", "Evaluate the run again.")
    return Report.from_json(document)


def few_case_notes(classes: Sequence[EvaluatedClass]) -> list[str]:
    """Say which classes have too few test cases for their figure to mean much."""
    return [
        f"{each.name} is in only {each.test} of the evaluated cases: trust its interval, "
        "not its figure."
        for each in classes
        if each.few
    ]


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "mean": figure.mean,
        "low": figure.low,
        "high": figure.high,
        "n": figure.n,
        "classes": {name: _class_value(value) for name, value in figure.classes.items()},
    }


def _class_value(value: ClassValue) -> dict[str, Any]:
    document = {"mean": value.mean, "low": value.low, "high": value.high, "n": value.n}
    if value.false_positives is not None:
        document |= {"false_positives": value.false_positives, "missed": value.missed}
    return document


_ADAPTER: TypeAdapter[Report] = TypeAdapter(Report)
