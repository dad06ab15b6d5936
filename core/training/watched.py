"""What the tail guard has seen so far: thinned series of measures, class by class."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .losing import Series, latest

MOST_VALUES = 400
LOSS = "loss"


class Watched:
    """Series of values by measure and class; a long one keeps every second value.

    Parameters
    ----------
    classes
        How many classes there are.
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._tables: dict[str, list[list[tuple[int, float]]]] = {}
        self._losses: list[float] = []

    def note(self, measure: str, step: int, values: Sequence[float]) -> None:
        """Add one value a class; what is not a number is left out."""
        for number, value in enumerate(values):
            self.note_one(measure, step, number, value)

    def note_one(self, measure: str, step: int, number: int, value: float) -> None:
        """Add the value of one class."""
        rows = self._of(measure)[number]
        if math.isnan(value):
            return
        rows.append((step, value))
        if len(rows) > MOST_VALUES:
            del rows[-2::-2]

    def add_loss(self, loss: float) -> None:
        """Collect the loss of a step."""
        if math.isfinite(loss):
            self._losses.append(loss)

    def fold_losses(self, step: int) -> None:
        """Add the mean of the collected losses."""
        if self._losses:
            mean = sum(self._losses) / len(self._losses)
            self._of(LOSS)[0].append((step, mean))
            self._losses.clear()

    def series(self, measure: str, number: int = 0) -> Series:
        """Give what was noted of a class, (n, 2)."""
        rows = self._tables.get(measure, [[]] * self._classes)[number]
        return np.array(rows, float).reshape(-1, 2)

    def knows(self, measure: str) -> bool:
        """Tell whether anything was noted of a measure."""
        return any(self._tables.get(measure, ()))

    def latest(self, measure: str) -> list[float]:
        """Give the last value of each class, smoothed; not-a-number where nothing was noted."""
        return [latest(self.series(measure, number)) for number in range(self._classes)]

    def state(self) -> dict[str, Any]:
        """Give all of it, as plain data."""
        tables = {name: [list(rows) for rows in table] for name, table in self._tables.items()}
        return {"tables": tables, "losses": list(self._losses)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self._tables = {
            str(name): [[(int(step), float(value)) for step, value in rows] for rows in table]
            for name, table in state["tables"].items()
        }
        self._losses = [float(value) for value in state["losses"]]

    def _of(self, measure: str) -> list[list[tuple[int, float]]]:
        return self._tables.setdefault(measure, [[] for _ in range(self._classes)])
