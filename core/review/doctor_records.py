"""What the doctor hands out: findings, each with its cases and, where there is one, a fix."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a finding is about."""

    SHORTCUT = "shortcut"
    LEAK = "leak"
    DUPLICATE = "duplicate"
    LABEL_CONFLICT = "label-conflict"
    MISSING_CLASS = "missing-class"
    TOO_FEW = "too-few"
    OUTLIER = "outlier"
    GEOMETRY = "geometry"


class Severity(StrEnum):
    """How bad it is: figures will be wrong; results will suffer; good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Fix:
    """One step that mends a finding and can be taken back; one of the three is filled.

    Attributes
    ----------
    sentence
        What it does.
    parts
        The part (train, val, test) that a case is put into.
    leave_out
        Cases that go to the project's trash; their images are never touched.
    unlabel
        Cases whose labels are taken away until somebody has looked.
    """

    sentence: str
    parts: Mapping[str, str] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    unlabel: tuple[str, ...] = ()

    def to_mapping(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "sentence": self.sentence,
            "parts": dict(self.parts),
            "leave_out": list(self.leave_out),
            "unlabel": list(self.unlabel),
        }

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> "Fix":
        """Read what `to_mapping` gave."""
        return cls(
            stored["sentence"],
            dict(stored["parts"]),
            tuple(stored["leave_out"]),
            tuple(stored["unlabel"]),
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: a sentence for a person, the cases behind it, perhaps a fix."""

    kind: Kind
    severity: Severity
    sentence: str
    cases: tuple[str, ...] = ()
    fix: Fix | None = None

    def to_mapping(self) -> dict[str, Any]:
        """Give it in the form that the contract has for `doctor --json`."""
        return {
            "kind": self.kind.value,
            "severity": self.severity.value,
            "sentence": self.sentence,
            "cases": list(self.cases),
            "fix": None if self.fix is None else self.fix.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> "Finding":
        """Read what `to_mapping` gave."""
        fix = stored["fix"]
        return cls(
            Kind(stored["kind"]),
            Severity(stored["severity"]),
            stored["sentence"],
            tuple(stored["cases"]),
            None if fix is None else Fix.from_mapping(fix),
        )


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class in numbers; `parts` pairs images and patients of train, val and test.

    `effective` is the effective number of its training images: what they are worth when each
    further one adds less (Cui et al. 2019). `volume` is the labelled volume in the training part,
    mm3 or pixels; 0 where whole images have classes. `class_id` 0 is *no class*.
    """

    class_id: int
    name: str
    tier: str
    parts: tuple[tuple[int, int], ...]
    effective: float
    volume: float = 0.0

    def to_mapping(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "class_id": self.class_id,
            "name": self.name,
            "tier": self.tier,
            "parts": [list(part) for part in self.parts],
            "effective": self.effective,
            "volume": self.volume,
        }

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> "ClassCount":
        """Read what `to_mapping` gave."""
        parts = tuple((int(images), int(patients)) for images, patients in stored["parts"])
        return cls(**{**stored, "parts": parts})


@dataclass(frozen=True, slots=True)
class Probe:
    """How well a tiny classifier tells one class from what it was shown, as an AUC.

    `source` is `encoder`, `border`, `thumbnail`, or `column:NAME` for a column of the table.
    """

    source: str
    class_name: str
    auc: float
    low: float
    high: float

    def to_mapping(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "source": self.source,
            "class_name": self.class_name,
            "auc": self.auc,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All that the doctor tells of a project.

    Attributes
    ----------
    findings
        What was found, the worst first.
    classes
        The classes in numbers, the commonest first.
    probes
        What a tiny classifier can tell from what.
    notes
        Sentences on what could not be looked at, and why.
    cases
        How many cases there are.
    """

    findings: tuple[Finding, ...]
    classes: tuple[ClassCount, ...] = ()
    probes: tuple[Probe, ...] = ()
    notes: tuple[str, ...] = ()
    cases: int = 0

    def to_mapping(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "findings": [one.to_mapping() for one in self.findings],
            "classes": [one.to_mapping() for one in self.classes],
            "probes": [one.to_mapping() for one in self.probes],
            "notes": list(self.notes),
            "cases": self.cases,
        }

    @classmethod
    def from_mapping(cls, stored: Mapping[str, Any]) -> "Report":
        """Read what `to_mapping` gave; KeyError, TypeError, ValueError if it is not that."""
        return cls(
            tuple(Finding.from_mapping(one) for one in stored["findings"]),
            tuple(ClassCount.from_mapping(one) for one in stored["classes"]),
            tuple(Probe(**one) for one in stored["probes"]),
            tuple(stored["notes"]),
            int(stored["cases"]),
        )
