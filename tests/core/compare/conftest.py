"""A small project, and jobs that take no time: what they learn follows from their plan."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from longtail.core.backend.events import Progress
from longtail.core.backend.job import Job
from longtail.core.backend.local import LocalBackend
from longtail.core.compare.planning import plan_comparison
from longtail.core.errors import LongtailError
from longtail.core.jobs.record import record
from longtail.core.jobs.training import TrainJob
from longtail.core.methods.spec import read_spec
from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project

STEPS = 4
MEASURES = ("dice", "jaccard", "hd95_mm", "asd_mm", "nsd_1mm")


@dataclass(frozen=True)
class FakeTraining(TrainJob):
    """Counts its steps in the run's folder, and fails where the project says so."""

    def run(self, context):
        folder = Path(self.project) / "runs" / self.run_id
        checkpoint = folder / "checkpoints" / "last.pt"
        done = int(checkpoint.read_text()) if self.resume else 0
        log(self.project, ["train", self.run_id, done])
        if read_spec(folder).settings["learning_rate"] == 0.5:
            raise LongtailError("The loss was not a number.", "Lower the learning rate.")
        while done < STEPS and not context.stop_asked:
            yield from context.safe_point()
            done += 1
            checkpoint.write_text(str(done))
            yield Progress(done, STEPS, what="Training")
        return {"run": self.run_id, "iterations": done, "seconds": 1.5, "device": "cpu"}


@dataclass(frozen=True)
class FakeEvaluation(Job):
    """Gives each test case a Dice that follows from the method, the seed and the case."""

    project: str
    run_id: str
    which: str

    title = "Evaluate"

    def run(self, context):
        yield Progress(0, 1, what="measuring")
        log(self.project, ["evaluate", self.run_id, self.which])
        spec = read_spec(Path(self.project) / "runs" / self.run_id)
        with Project.open(Path(self.project), write=False) as project:
            cases = project.cases(split=Split.TEST, labelled=True)
        lines = []
        for number, case in enumerate(cases):
            value = 0.5 + 0.02 * spec.seed + 0.01 * number + 5 * spec.settings["learning_rate"]
            one = {each.name: value for each in spec.classes}
            lines.append({"case": case.id, "patient": None, **dict.fromkeys(MEASURES, one)})
        return {"run": self.run_id, "split": "test", "cases": lines}


@dataclass(frozen=True)
class FakeSlimming(Job):
    """Notes that it was asked for."""

    project: str
    run_id: str
    which: str

    title = "Slim"

    def run(self, context):
        yield Progress(0, 1)
        log(self.project, ["slim", self.run_id, self.which])


class FakeWork:
    """The jobs above in place of those that train."""

    def train(self, project, run_id, *, resume):
        return FakeTraining(project, run_id, resume=resume)

    def evaluate(self, project, run_id, which):
        return FakeEvaluation(project, run_id, which)

    def slim(self, project, run_id, which):
        return FakeSlimming(project, run_id, which)

    def record(self, project, job, finished):
        record(project, job, finished)


def log(project, line):
    with (Path(project) / "cache" / "jobs.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def logged(project):
    """What jobs have run on a project: their kind, their run, and one more word."""
    path = Path(project) / "cache" / "jobs.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


@pytest.fixture
def jobs_of():
    return logged


@pytest.fixture
def work():
    return FakeWork()


@pytest.fixture
def backend(monkeypatch):
    """Runs jobs at once; it need not search for memory after each of these."""
    monkeypatch.setattr("longtail.core.backend.local.give_back_memory", lambda: None)
    with_cpu = LocalBackend("cpu")
    yield with_cpu
    with_cpu.close()


def write_maps(folder, count):
    """Volumes with a block of class 1 and, in most, a voxel of class 2."""
    for number in range(count):
        image = np.zeros((4, 16, 16), np.float32)
        mask = np.zeros((4, 16, 16), np.uint8)
        image[1:3, 2:6, 2:6], mask[1:3, 2:6, 2:6] = 100, 1
        if number % 3:
            mask[3, 7, 7] = 2
        np.save(folder / f"scan{number}.npy", image + number)
        np.save(folder / f"mask{number}.npy", mask)


@pytest.fixture
def scans(tmp_path):
    """Eight labelled training scans and four test scans, of two classes; gives the folder."""
    source = tmp_path / "scans"
    source.mkdir()
    write_maps(source, 12)
    cases = [
        NewCase(
            f"scan{number}",
            (str(source / f"scan{number}.npy"),),
            (4, 16, 16),
            1,
            (1.0, 1.0, 1.0),
            Split.TRAIN if number < 8 else Split.TEST,
            mask=str(source / f"mask{number}.npy"),
            mask_values={0: 0, 1: 1, 2: 2},
        )
        for number in range(12)
    ]
    folder = tmp_path / "study.longtail"
    with Project.create(folder, task=Task.SEGMENTATION, classes=["block", "dot"]) as project:
        project.add_cases(cases, status=Status.REVIEWED)
    return folder


@pytest.fixture
def pictures(tmp_path):
    """Twelve pictures for training and six for testing, of three uneven classes."""
    labels = [1] * 7 + [2] * 4 + [3] + [1, 2, 3] * 2
    cases = []
    for number, label in enumerate(labels):
        path = tmp_path / f"p{number}.npy"
        picture = np.random.default_rng(number).integers(0, 60, (32, 32)).astype(np.uint8)
        picture[:: label + 1] += 80
        np.save(path, picture)
        split = Split.TRAIN if number < 12 else Split.TEST
        answer = ImageLabels(yes=frozenset({label}))
        cases.append(NewCase(f"p{number}", (str(path),), (32, 32), 1, None, split, labels=answer))
    folder = tmp_path / "pictures.longtail"
    with Project.create(folder, task=Task.CLASSIFICATION, classes=["a", "b", "c"]) as project:
        project.add_cases(cases, status=Status.REVIEWED)
    return folder


@pytest.fixture
def plan_for():
    """Plan a comparison on a closed project."""

    def plan(folder, **wish):
        with Project.open(folder, write=False) as project:
            return plan_comparison(project, **{"iterations": STEPS, **wish})

    return plan
