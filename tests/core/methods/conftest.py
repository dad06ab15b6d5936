"""Tiny projects of scans with and without labels, and runs on them without an engine."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.run import Moment, Setup
from longtail.core.project.records import NOT_LABELLED, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.training.plan import plan_run
from longtail.core.training.stepper import Stepper

SHAPE = (18, 20, 16)
SMALL = {"width": 4, "patch": "16x16x16", "levels": 2}
SMALL_CONTRAST = {
    "width_contrast": 16,
    "queries": 16,
    "negatives": 16,
    "mean_pixels": 64,
    "queue": 64,
    "bank": 8,
}
SLICES = (3, 9, 14)
"""The slices of the scan that is labelled in a few slices only."""


def balls(seed, shape=SHAPE):
    """A scan with a large ball (1) and a small one (2)."""
    random = np.random.default_rng(seed)
    grid = np.indices(shape)
    image = random.normal(50, 5, shape).astype(np.float32)
    mask = np.zeros(shape, np.uint8)
    for value, radius, grey, share in ((1, 4.5, 40, 0.3), (2, 2.5, 80, 0.75)):
        centre = np.array(shape) * share + random.integers(-1, 2, len(shape))
        inside = ((grid - centre.reshape(-1, *[1] * len(shape))) ** 2).sum(0) < radius**2
        image[inside] += grey
        mask[inside] = value
    return image, mask


def make(folder, masks, classes=("ball", "pea"), shape=SHAPE) -> Project:
    """A project with one training case for each entry; a mask is a function of the whole one."""
    folder.mkdir(exist_ok=True)
    project = Project.create(
        folder / "scans.longtail", task=Task.SEGMENTATION, classes=list(classes)
    )
    cases = []
    for number in range(len(masks)):
        image, _ = balls(number, shape)
        np.save(folder / f"scan{number}.npy", image)
        path = str(folder / f"scan{number}.npy")
        cases.append(NewCase(f"scan{number}", (path,), shape, 1, None, Split.TRAIN))
    project.add_cases(cases)
    for number, change in enumerate(masks):
        if change is not None:
            mask = change(balls(number, shape)[1])
            project.write_label_map(f"scan{number}", mask, author="me")
    return project


def whole(mask):
    return mask


def three_slices(mask):
    partly = np.full_like(mask, NOT_LABELLED)
    partly[list(SLICES)] = mask[list(SLICES)]
    return partly


@pytest.fixture
def scans(tmp_path) -> Iterator[Project]:
    """Two labelled scans, one labelled in three slices, two without labels."""
    with make(tmp_path / "scans", [whole, whole, three_slices, None, None]) as project:
        yield project


@pytest.fixture
def slices(tmp_path) -> Iterator[Project]:
    """Two labelled images and two without labels."""
    with make(tmp_path / "flat", [whole, whole, None, None], shape=(26, 24)) as project:
        yield project


@pytest.fixture
def one_class(tmp_path) -> Iterator[Project]:
    """Scans with one class beside the background."""

    def ball(mask):
        return np.where(mask == 1, mask, 0).astype(np.uint8)

    with make(tmp_path / "one", [ball, ball, None, None], classes=["ball"]) as project:
        yield project


@pytest.fixture
def project_of(tmp_path):
    """Make a project of masks that are functions of the whole mask, or None."""
    opened = []

    def begin(*masks, **wishes):
        opened.append(make(tmp_path / f"made{len(opened)}", masks, **wishes))
        return opened[-1]

    yield begin
    for project in opened:
        project.close()


@pytest.fixture
def partly():
    """Which labels of a scan are kept: those of three slices."""
    return three_slices


@pytest.fixture
def plan():
    """Plan a small run."""

    def begin(project, method, *, settings=None, iterations=6, **wishes):
        small = {**SMALL, **(SMALL_CONTRAST if method.startswith("action") else {})}
        if project.cases()[0].shape is not None and len(project.cases()[0].shape) == 2:
            small["patch"] = "16x16"
        return plan_run(
            project,
            method=method,
            settings={**small, "batch": 2, **(settings or {})},
            iterations=iterations,
            **wishes,
        )

    return begin


class Trial:
    """A prepared run and what takes its steps."""

    def __init__(self, project, spec, folder=None):
        self.total = spec.iterations
        self.run = METHODS.get(spec.method).load()(Setup(spec, project, "cpu", 1, folder))
        self.events = list(self.run.prepare())
        self.stepper = Stepper(self.run)
        self.done = 0

    def go(self, steps):
        """Take some steps; gives their losses."""
        losses = []
        for number in range(self.done, self.done + steps):
            moment = Moment(number, self.total)
            losses.append(self.stepper.step(self.run.batch(number), moment).loss)
        self.done += steps
        return losses

    def saved(self):
        """What a checkpoint holds, after a way through a file."""
        file = io.BytesIO()
        torch.save((self.stepper.state(), self.stepper.average.state_dict()), file)
        file.seek(0)
        return torch.load(file, weights_only=True)

    def load(self, saved, done):
        self.stepper.load_state(*saved)
        self.done = done


@pytest.fixture
def trial(plan, tmp_path):
    """Plan and prepare a small run."""

    def begin(project, method, *, spec=None, folder=None, **wishes):
        return Trial(project, spec or plan(project, method, **wishes), folder or tmp_path)

    return begin


@pytest.fixture
def finished():
    """Go through a generator to its end; gives what it returns."""

    def go(steps):
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    return go


def same(first, second, at=""):
    """Fail where two nests of tensors and plain data differ in a single bit."""
    assert type(first) is type(second), at
    if isinstance(first, torch.Tensor):
        assert torch.equal(torch.nan_to_num(first), torch.nan_to_num(second)), at
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), at
        for key in first:
            same(first[key], second[key], f"{at}.{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), at
        for number, pair in enumerate(zip(first, second, strict=True)):
            same(*pair, f"{at}[{number}]")
    else:
        assert first == second, at


@pytest.fixture
def bit_equal():
    return same
