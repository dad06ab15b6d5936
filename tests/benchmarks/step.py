"""Where the time of a step of ACTION++ goes, and images a second, beside the plain networks."""

import runpy
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from longtail.app.cli.bench import result
from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.run import Batch, Moment, Setup
from longtail.core.project.records import NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.training.plan import plan_run
from longtail.core.training.precision import choose_precision
from longtail.core.training.stepper import Stepper

METHOD = "action++"
NO_CONTRAST = {"anco": False, "saacl": False}
LABELLED, UNLABELLED = 4, 8
CLASSES = ("large", "middle", "small")
RADII = (0.30, 0.18, 0.08)
TOTAL = 1000
FIRST = TOTAL // 2
"""Half way: after pre-training, with the unlabelled scans come in."""

CONTRASTIVE_AT_MOST, WAITING_AT_MOST = 30.0, 5.0


@dataclass(frozen=True)
class Setting:
    """What is measured: generated scans of one size, and how they are learned from."""

    name: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    preset: str
    warm: int
    rounds: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_judged: bool = True


AS_ACDC = (10, 256, 256), (10.0, 1.5, 1.5), "acdc"
POINTS = {"head": "points"}
SETTINGS = (
    Setting("35x51x35", (35, 51, 35), (1.0, 1.0, 1.0), "few-label-fast", 9, 20),
    Setting("128x128", (10, 128, 128), (10.0, 1.5, 1.5), "few-label-fast", 9, 20),
    # The published head takes half a minute a step on a processor, so there are two of them.
    Setting("acdc, 256x256", *AS_ACDC, 0, 2, is_judged=False),
    Setting("acdc, 256x256, head=points", *AS_ACDC, 1, 4, changes=POINTS, is_judged=False),
)


class Timed:
    """Seconds by name, as they were measured."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        answer = work()
        self.seconds[name].append(time.perf_counter() - begun)
        return answer

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def median_difference(self, name: str, other: str) -> float:
        pairs = zip(self.seconds[name], self.seconds[other], strict=True)
        return statistics.median(a - b for a, b in pairs)


def measure() -> list[dict[str, Any]]:
    images = runpy.run_path(str(Path(__file__).with_name("step_images.py")))["measure"]
    return [line for setting in SETTINGS for line in _measured(setting)] + images()


def _measured(setting: Setting) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        path = _project(Path(folder), setting)
        with Project.open(path, write=False) as project:
            full = _stepper(project, setting.preset, setting.changes)
            without = _stepper(project, setting.preset, {**setting.changes, **NO_CONTRAST})
            timed = Timed()
            for number in range(setting.warm + setting.rounds):
                _round(full, without, number, timed if number >= setting.warm else Timed())
    return _lines(setting, timed)


def _round(full: Stepper, without: Stepper, number: int, timed: Timed) -> None:
    """Time one step in its parts; what is compared takes turns, so that drift cancels."""
    moment = Moment(FIRST + number, TOTAL)
    batch = timed("batch", lambda: _watched_batch(full, moment.step, timed))
    works: list[tuple[str, Callable[[], Any]]] = [
        ("full", lambda: full.step(batch, moment)),
        ("without", lambda: without.step(batch, moment)),
        ("student", lambda: _learn(without, batch)),
        ("teacher", lambda: _teach(without, batch)),
    ]
    turn = number % len(works)
    for name, work in works[turn:] + works[:turn]:
        timed(name, work)


def _watched_batch(stepper: Stepper, step: int, timed: Timed) -> Batch:
    """Make a batch and count what choosing, reading and cutting its patches takes."""
    run: Any = stepper.run
    places = [(run, "cut"), (run.sampler, "draw"), (run.pool, "draw")]
    waited = Timed()
    for owner, name in places:
        work = getattr(owner, name)
        setattr(
            owner,
            name,
            lambda *given, work=work, **named: waited("", lambda: work(*given, **named)),
        )
    batch: Batch = run.batch(step)
    for owner, name in places:
        delattr(owner, name)  # the method of its class shows again
    timed.seconds["waiting"].append(sum(waited.seconds[""]))
    return batch


def _learn(stepper: Stepper, batch: Batch) -> None:
    """Plain forward and backward of the student on what it sees in a step."""
    network = stepper.run.network.train()
    with _precision(stepper):
        logits = network(torch.cat([batch["image"], batch["strong"]])).float()
    logits.square().mean().backward()
    network.zero_grad(set_to_none=True)


def _teach(stepper: Stepper, batch: Batch) -> None:
    """Plain forward of the teacher on the unlabelled patches."""
    with torch.no_grad(), _precision(stepper):
        stepper.average(batch["weak"])


def _precision(stepper: Stepper) -> torch.autocast:
    run = stepper.run
    dtype = choose_precision(run.common.precision, run.device, run.gains_from_bfloat16)
    return torch.autocast("cpu", dtype=dtype, enabled=dtype is not None)


def _stepper(project: Project, preset: str, settings: Mapping[str, Any]) -> Stepper:
    spec = plan_run(project, method=METHOD, preset=preset, settings=settings, iterations=TOTAL)
    run = METHODS.get(METHOD).load()(Setup(spec, project, "cpu", torch.get_num_threads()))
    for _ in run.prepare():
        pass
    return Stepper(run)


def _lines(setting: Setting, timed: Timed) -> list[dict[str, Any]]:
    batch, full, student = (timed.median(name) for name in ("batch", "full", "student"))
    step = batch + full
    network = student + timed.median("teacher")
    contrastive = timed.median_difference("full", "without")
    waiting = timed.median("waiting")
    shares = {
        "networks": (network, None),
        "contrastive part": (contrastive, CONTRASTIVE_AT_MOST),
        "augmentation": (batch - waiting, None),
        "waiting for data": (waiting, WAITING_AT_MOST),
        "other losses, optimiser, average": (full - network - contrastive, None),
    }
    reference = f"plain forward and backward of the student {1 / student:.2f} a second"
    return [
        result(f"{setting.name}: steps", 1 / step, "a second", reference=reference),
        *(
            result(
                f"{setting.name}: {name}",
                100 * seconds / step,
                "%",
                reference=f"of a step of {1000 * step:.0f} ms",
                at_most=at_most if setting.is_judged else None,
            )
            for name, (seconds, at_most) in shares.items()
        ),
    ]


def _project(folder: Path, setting: Setting) -> Path:
    path = folder / "generated.longtail"
    cases = [_case(folder, setting, number) for number in range(LABELLED + UNLABELLED)]
    with Project.create(path, task=Task.SEGMENTATION, classes=CLASSES) as project:
        project.add_cases(cases)
    return path


def _case(folder: Path, setting: Setting, number: int) -> NewCase:
    image, mask = _balls(setting.shape, number)
    name = f"case{number}"
    scan = _write(image, folder / f"{name}.nii", setting)
    labels = _write(mask, folder / f"{name}-mask.nii", setting) if number < LABELLED else None
    values = {value: value for value in range(len(CLASSES) + 1)}
    return NewCase(
        name,
        (scan,),
        setting.shape,
        1,
        setting.spacing_mm,
        Split.TRAIN,
        mask=labels,
        mask_values=values if labels else None,
    )


def _balls(shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A noisy volume with a ball a class, each brighter and smaller than the one before."""
    random = np.random.default_rng(seed)
    image = random.normal(100, 15, shape).astype(np.float32)
    mask = np.zeros(shape, np.uint8)
    grid = np.indices(shape) / np.array(shape)[:, None, None, None]
    for value, radius in enumerate(RADII, start=1):
        centre = random.uniform(0.3, 0.7, 3)
        inside = ((grid - centre[:, None, None, None]) ** 2).sum(0) < radius**2
        image[inside] += 40
        mask[inside] = value
    return image, mask


def _write(array: np.ndarray, path: Path, setting: Setting) -> str:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(setting.spacing_mm[::-1])
    sitk.WriteImage(image, str(path))
    return str(path)
