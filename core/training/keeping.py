"""The checkpoints of a run: the last, the best, and the best for each class."""

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..backend.events import Artifact, Event
from ..checkpoints.store import FOLDER, load, save
from ..errors import LongtailError
from ..files import replacing
from ..methods.run import MethodRun
from .stepper import Stepper
from .telling import mean_known

LAST = "last.pt"
BEST = "best.pt"
DEAR = 150
"""Checkpoints of classes may take one part of this many of the time."""


class Keeper:
    """Writes checkpoints of a run and remembers what was best."""

    def __init__(
        self,
        folder: Path,
        run: MethodRun,
        stepper: Stepper,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder / FOLDER
        self._run = run
        self._stepper = stepper
        self.best: dict[str, float] = {}
        self._clock = clock
        self._classes_at, self._classes_s = -math.inf, 0.0

    @property
    def best_score(self) -> float | None:
        """The best mean so far, None before the first validation."""
        return self.best.get("mean")

    def save_last(self, step: int, training: Mapping[str, Any]) -> Iterator[Event]:
        """Write what a resume needs, with the averaged weights to predict with."""
        state = {
            **self._model(step),
            "training": {**training, **self._stepper.state(), "step": step, "best": self.best},
        }
        save(self._folder / LAST, state)
        yield Artifact(f"{FOLDER}/{LAST}", "checkpoint")

    def save_best(self, step: int, values: Sequence[float]) -> Iterator[Event]:
        """Write the averaged weights wherever they are better than before."""
        better = self._save_better(step, {"mean": mean_known(values), **self._by_class(values)})
        if "mean" in better:
            yield Artifact(f"{FOLDER}/{BEST}", "checkpoint")

    def save_classes(self, step: int, values: Sequence[float]) -> None:
        """Write the averaged weights for classes that are better than before.

        Without validation this is asked often, so it is done only when the last time has taken
        less than one per cent of the time since.
        """
        started = self._clock()
        if started - self._classes_at >= DEAR * self._classes_s:
            if self._save_better(step, self._by_class(values)):
                self._classes_at, self._classes_s = started, self._clock() - started

    def class_file(self, class_id: int) -> str | None:
        """Give the checkpoint that was best for a class, relative to the run; None without one."""
        name = _file_name(f"class-{class_id}")
        return f"{FOLDER}/{name}" if (self._folder / name).is_file() else None

    def forget(self) -> None:
        """Remove the checkpoints of an earlier try: a run that starts anew has none."""
        for path in self._folder.glob("*.pt"):
            path.unlink(missing_ok=True)

    def _by_class(self, values: Sequence[float]) -> dict[str, float]:
        ids = self._run.spec.class_ids
        return {f"class-{id_}": value for id_, value in zip(ids, values, strict=True)}

    def _save_better(self, step: int, scores: Mapping[str, float]) -> list[str]:
        better = [
            name
            for name, score in scores.items()
            if not math.isnan(score) and score > self.best.get(name, -math.inf)
        ]
        if not better:
            return []
        paths = [self._folder / _file_name(name) for name in better]
        save(paths[0], {**self._model(step), "scores": dict(scores)})
        for path in paths[1:]:
            with replacing(path) as aside:
                shutil.copyfile(paths[0], aside)
        self.best.update({name: scores[name] for name in better})
        return better

    def _model(self, step: int) -> dict[str, Any]:
        return {
            "card": self._run.card().to_mapping(),
            "weights": self._stepper.average.state_dict(),
            "step": step,
        }


def read_last(folder: Path) -> dict[str, Any] | None:
    """Read the last checkpoint of a run, None where it has none yet.

    Raises
    ------
    LongtailError
        The file is damaged, or only its weights were kept.
    """
    path = folder / FOLDER / LAST
    if not path.is_file():
        return None
    state = load(path)
    if "training" not in state:
        raise LongtailError(
            f"Of {folder.name} only its weights were kept, so it cannot be gone on with.",
            "Train a new run; a comparison keeps all with --keep all.",
        )
    return state


def _file_name(name: str) -> str:
    return BEST if name == "mean" else f"best-{name}.pt"
