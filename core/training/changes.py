"""What a person may tell a training run while it goes on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleMore:
    """Look at a class `factor` times as often as until now."""

    class_id: int
    factor: float


@dataclass(frozen=True, slots=True)
class WeighMore:
    """Let mistakes on a class count `factor` times as much as until now."""

    class_id: int
    factor: float


@dataclass(frozen=True, slots=True)
class LabelsChanged:
    """These cases were labelled, or labelled anew; those in training are read again."""

    case_ids: tuple[str, ...]
