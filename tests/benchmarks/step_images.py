"""Images a second while methods on images train, beside plain forward and backward of their net."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image

from longtail.app.cli.bench import result
from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.run import Batch, Moment, Setup
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.training.plan import plan_run
from longtail.core.training.precision import choose_precision
from longtail.core.training.stepper import Stepper

COUNTS = (120, 60, 30, 15, 8, 5)
SIDE, BATCH = 96, 32
TOTAL = 1000
FIRST = TOTAL // 4
"""Within the first stage of two, after any warm-up."""

WARM, ROUNDS = 4, 16
WAITING_AT_MOST = 5.0


@dataclass(frozen=True)
class Contender:
    """A method, and the share of the plain net's speed that it has to reach."""

    method: str
    at_least: float | None
    changes: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""


CONTENDERS = (
    Contender("cross-entropy", 0.8),
    Contender("proco", 0.8),
    Contender("proco", 0.35, {"second_view": True}, "proco with a second view"),
    Contender("two-stage", None),
    Contender("radiomic-contrast", None),
)


def measure() -> list[dict[str, Any]]:
    """Measure each method there is, with ResNet-18 at 96 pixels."""
    with TemporaryDirectory() as folder:
        path = _project(Path(folder))
        with Project.open(path, write=False) as project:
            known = [one for one in CONTENDERS if one.method in METHODS.names()]
            return [line for one in known for line in _measured(project, one)]


def _measured(project: Project, one: Contender) -> list[dict[str, Any]]:
    settings = {"encoder": "resnet18", "size": SIDE, "pretrained": "none", "batch": BATCH}
    spec = plan_run(
        project, method=one.method, settings={**settings, **one.changes}, iterations=TOTAL
    )
    run = METHODS.get(one.method).load()(Setup(spec, project, "cpu", torch.get_num_threads()))
    for _ in run.prepare():
        pass
    stepper, seconds = Stepper(run), defaultdict(list)
    for number in range(WARM + ROUNDS):
        for name, spent in _round(stepper, FIRST + number, one_first=bool(number % 2)).items():
            if number >= WARM:
                seconds[name].append(spent)
    return _lines(one, {name: statistics.median(each) for name, each in seconds.items()})


def _round(stepper: Stepper, step: int, *, one_first: bool) -> dict[str, float]:
    """Time a step and the plain net on the same batch, now one first and now the other."""
    batch, batch_s, waiting_s = _watched_batch(stepper, step)
    works: dict[str, Callable[[], Any]] = {
        "step": lambda: stepper.step(batch, Moment(step, TOTAL)),
        "plain": lambda: _plain(stepper, batch),
    }
    spent = {name: _seconds(works[name]) for name in sorted(works, reverse=one_first)}
    return {**spent, "batch": batch_s, "waiting": waiting_s}


def _watched_batch(stepper: Stepper, step: int) -> tuple[Batch, float, float]:
    """Make a batch; give the seconds that it took, and those for getting stored images."""
    store: Any = stepper.run.store
    waited: list[float] = []
    take = store.take

    def timed_take(rows: Any) -> Any:
        begun = time.perf_counter()
        images = take(rows)
        waited.append(time.perf_counter() - begun)
        return images

    store.take = timed_take
    begun = time.perf_counter()
    batch = stepper.run.batch(step)
    spent = time.perf_counter() - begun
    del store.take  # the method of its class shows again
    return batch, spent, sum(waited)


def _plain(stepper: Stepper, batch: Batch) -> None:
    run = stepper.run
    dtype = choose_precision(run.common.precision, run.device, run.gains_from_bfloat16)
    with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
        logits = run.network.train()(batch["image"])
    logits.float().square().mean().backward()
    run.network.zero_grad(set_to_none=True)


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _lines(one: Contender, medians: Mapping[str, float]) -> list[dict[str, Any]]:
    whole = medians["step"] + medians["batch"]
    plain = BATCH / medians["plain"]
    name = f"{one.label or one.method}, ResNet-18, {SIDE} px"
    return [
        result(
            f"{name}: images",
            BATCH / whole,
            "a second",
            reference=f"plain forward and backward of the net, {plain:.0f} a second",
            ratio=medians["plain"] / whole,
            at_least=one.at_least,
        ),
        result(
            f"{name}: varying images",
            100 * (medians["batch"] - medians["waiting"]) / whole,
            "%",
            reference=f"of a step of {1000 * whole:.0f} ms",
        ),
        result(
            f"{name}: waiting for data",
            100 * medians["waiting"] / whole,
            "%",
            reference=f"of a step of {1000 * whole:.0f} ms",
            at_most=WAITING_AT_MOST,
        ),
    ]


def _project(folder: Path) -> Path:
    path = folder / "generated.longtail"
    classes = [f"class {number + 1}" for number in range(len(COUNTS))]
    cases = [_case(folder, number) for number in range(sum(COUNTS))]
    with Project.create(path, task=Task.CLASSIFICATION, classes=classes) as project:
        project.add_cases(cases)
    return path


def _case(folder: Path, number: int) -> NewCase:
    """A colour picture of noise whose mean tells its class."""
    column = int(np.searchsorted(np.cumsum(COUNTS), number, side="right"))
    random = np.random.default_rng(number)
    pixels = random.integers(0, 100, (SIDE, SIDE, 3), dtype=np.uint8) + np.uint8(20 * column)
    place = folder / f"picture{number}.png"
    Image.fromarray(pixels).save(place)
    labels = ImageLabels(yes=frozenset({column + 1}))
    return NewCase(place.stem, (str(place),), (SIDE, SIDE), 3, None, Split.TRAIN, labels=labels)
