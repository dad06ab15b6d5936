"""Whether the loop of radiomic-contrast lives: boxes on patches of texture, epoch by epoch.

Generated chests whose two classes differ by the texture of a patch alone (`texture_phantom`), 5
seeds, with the comparisons, without them, and as published. A training takes a minute or two on one
thread; what is done is kept in a folder (LONGTAIL_LOOP, else one for temporary files), so that it
can be gone on with.
"""

import json
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from longtail.app.cli.bench import result
from longtail.core.explain.cam import map_of_each
from longtail.core.files import write_json
from longtail.core.io.texture_phantom import KINDS, textured_film
from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.radiomic_regions import central_box
from longtail.core.methods.run import Moment, Setup
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.training.plan import plan_run
from longtail.core.training.stepper import Stepper

SEEDS = (0, 1, 2, 3, 4)
SIDE, PATCH = 64, 24
TRAINED, TESTED = 192, 48
BATCH, EPOCHS = 16, 12
SETTINGS = {
    "size": SIDE,
    "batch": BATCH,
    "encoder": "resnet18",
    "map_layer": "body.network.layer3",
    "augmentation": "light",
    "ema": 0.9,
    "learning_rate": 2e-3,
    "warm_up": 0.3,
}
FEW = {"labelled": "32"}
ARMS: Mapping[str, Mapping[str, Any]] = {
    "with the comparisons": {},
    "without them": {"contrast_share": 0.0},
    "the published mix": {"mix": "published"},
    "32 labels, with the comparisons": {**FEW},
    "32 labels, without them": {**FEW, "contrast_share": 0.0},
}
"""What each arm changes; `labelled` hides the labels of the other films."""

BESIDE = {
    "with the comparisons": "without them",
    "the published mix": "without them",
    "32 labels, with the comparisons": "32 labels, without them",
}
"""With which arm one is compared: the same seeds, films and labels with plain Grad-CAM."""


def measure() -> list[dict[str, Any]]:
    """Train what is missing and compare."""
    torch.set_num_threads(1)
    folder = Path(os.environ.get("LONGTAIL_LOOP") or Path(tempfile.gettempdir()) / "longtail-loop")
    # Both arms of a seed one after the other, so that what is done is paired at any time.
    done = [[_kept(folder, name, seed) for name in ARMS] for seed in SEEDS]
    found = {name: [pair[column] for pair in done] for column, name in enumerate(ARMS)}
    return _lines(found)


def _kept(folder: Path, name: str, seed: int) -> dict[str, Any]:
    """Give the course of a training, from the folder where it was done before."""
    path = folder / f"{name.replace(' ', '-')}-{seed}.json"
    wanted = {"settings": {**SETTINGS, **ARMS[name]}, "seed": seed, "epochs": EPOCHS}
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if kept["wanted"] == wanted:
            return kept
    done = {"wanted": wanted, **_trained(seed, wanted["settings"])}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, done)
    return done


def _trained(seed: int, wishes: Mapping[str, Any]) -> dict[str, Any]:
    steps = TRAINED // BATCH
    settings = {name: value for name, value in wishes.items() if name != "labelled"}
    with TemporaryDirectory() as folder:
        with _project(Path(folder), seed) as project:
            spec = plan_run(
                project,
                method="radiomic-contrast",
                settings=settings,
                labelled=wishes.get("labelled"),
                iterations=EPOCHS * steps,
                seed=seed,
            )
            run: Any = METHODS.get(spec.method).load()(Setup(spec, project, "cpu", 1))
            for _ in run.prepare():
                pass
        stepper, tested = Stepper(run), _films(1_000 + seed, TESTED)
        course = [_seen(run, tested)]
        for step in range(EPOCHS * steps):
            stepper.step(run.batch(step), Moment(step, EPOCHS * steps))
            if (step + 1) % steps == 0:
                course.append(_seen(run, tested))
    return {"course": course, "gradient": run.balance.ratio, "centre": _centre(tested)}


def _seen(run: Any, films: Sequence[Any]) -> dict[str, float]:
    """Mean IoU of the boxes of the true class, and the share of right answers."""
    pictures = torch.from_numpy(np.stack([film.picture for film in films])[:, None])
    chosen = torch.arange(len(films)) % len(KINDS)
    layer = run.choice.map_layer or None
    images = run.preprocessing.normalise(pictures, channel_axis=1)
    found = map_of_each(run.average, images, chosen, variant=run.choice.map, layer=layer)
    boxes = [run.finder.box(values) for values in found.values[:, 0].numpy()]
    right = (found.logits.argmax(1) == chosen).float().mean()
    overlaps = [_iou(box, film.box) for box, film in zip(boxes, films, strict=True)]
    return {"iou": statistics.mean(overlaps), "accuracy": float(right)}


def _centre(films: Sequence[Any]) -> float:
    box = central_box((SIDE, SIDE))
    return statistics.mean(_iou(box, film.box) for film in films)


def _iou(box: Sequence[int], patch: Sequence[int]) -> float:
    y, x, height, width = box
    left, top, wide, high = patch
    across = max(0, min(x + width, left + wide) - max(x, left))
    down = max(0, min(y + height, top + high) - max(y, top))
    return across * down / (width * height + wide * high - across * down)


def _films(seed: int, count: int) -> list[Any]:
    random = np.random.default_rng(seed)
    return [
        textured_film(random, KINDS[number % len(KINDS)], side=SIDE, patch=PATCH)
        for number in range(count)
    ]


def _project(folder: Path, seed: int) -> Project:
    cases = []
    for number, film in enumerate(_films(seed, TRAINED)):
        path = folder / f"film{number}.npy"
        np.save(path, film.picture)
        labels = ImageLabels(yes=frozenset({number % len(KINDS) + 1}))
        cases.append(
            NewCase(path.stem, (str(path),), (SIDE, SIDE), 1, None, Split.TRAIN, labels=labels)
        )
    project = Project.create(folder / "films.longtail", task=Task.CLASSIFICATION, classes=KINDS)
    project.add_cases(cases)
    return project


def _lines(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    lines = []
    for epoch in range(EPOCHS + 1):
        for name, runs in found.items():
            overlaps = [run["course"][epoch]["iou"] for run in runs]
            right = statistics.mean(run["course"][epoch]["accuracy"] for run in runs)
            said = f"{100 * right:.0f} % of the answers are right"
            measured = f"epoch {epoch}, {name}: mean IoU of the boxes"
            lines.append(result(measured, statistics.mean(overlaps), "IoU", reference=said))
    for name, other in BESIDE.items():
        lines.append(_gain(name, _ends(found[name]) - _ends(found[other])))
        ratio = statistics.mean(run["gradient"] for run in found[name])
        lines.append(result(f"gradient of the comparisons by the classes', {name}", ratio, ""))
    centre = statistics.mean(run["centre"] for runs in found.values() for run in runs)
    return [*lines, result("the central box", centre, "IoU")]


def _ends(runs: Sequence[Mapping[str, Any]]) -> Any:
    return np.array([run["course"][-1]["iou"] for run in runs])


def _gain(name: str, gains: Any) -> dict[str, Any]:
    """Give the difference to plain Grad-CAM, paired over the seeds."""
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    said = f"standard error {error:.3f}; by seed {np.round(gains, 3).tolist()}"
    measured = f"gain in IoU at the end, {name}"
    return result(measured, float(gains.mean()), "IoU", reference=said)


if __name__ == "__main__":
    for line in measure():
        print(f"{line['measure']:60} {line['value']:.3f} {line['reference'] or ''}")  # noqa: T201
