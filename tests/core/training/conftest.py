"""Small generated projects, and a context without a backend."""

from collections.abc import Iterator

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.methods.spec import read_spec, write_spec
from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project
from longtail.core.training.engine import train
from longtail.core.training.plan import plan_run

SMALL = {"width": 4, "patch": "16x16x16"}
SMALL_IMAGES = {"size": 32, "batch": 8}


class Context:
    """What the engine sees of a backend: here nothing happens but what a test wishes."""

    device = "cpu"
    threads = 1

    def __init__(self, stop_after=None, changes=()):
        self.points = 0
        self.stop_after = stop_after
        self.waiting = list(changes)

    @property
    def stop_asked(self):
        return self.stop_after is not None and self.points > self.stop_after

    def safe_point(self):
        self.points += 1
        return iter(())

    def changes(self):
        taken, self.waiting = self.waiting, []
        return taken


def write(array, path, spacing=(1.0, 1.0, 1.0)):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))
    return str(path)


def balls(seed):
    """A volume with a large ball (1) and a small one (2)."""
    random = np.random.default_rng(seed)
    grid = np.indices((18, 20, 16))
    image = random.normal(50, 5, grid.shape[1:]).astype(np.float32)
    mask = np.zeros(grid.shape[1:], np.uint8)
    for value, radius, grey in ((1, 4.5, 40), (2, 2.5, 80)):
        centre = np.array([5 if value == 1 else 13, 10, 8]) + random.integers(-1, 2, 3)
        inside = ((grid - centre[:, None, None, None]) ** 2).sum(0) < radius**2
        image[inside] += grey
        mask[inside] = value
    return image, mask


def volume_case(folder, number, split, masked=True):
    image, mask = balls(number)
    name = f"case{number}"
    return NewCase(
        name,
        (write(image, folder / f"{name}.nii.gz"),),
        image.shape,
        1,
        (1.0, 1.0, 1.0),
        split,
        mask=write(mask, folder / f"{name}-mask.nii.gz") if masked else None,
        mask_values={0: 0, 1: 1, 2: 2} if masked else None,
    )


@pytest.fixture(scope="session")
def volumes_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("volumes")


@pytest.fixture
def volumes(tmp_path, volumes_folder) -> Iterator[Project]:
    """Four labelled volumes, one unlabelled, two for validation."""
    splits = [Split.TRAIN] * 5 + [Split.VAL] * 2
    cases = [
        volume_case(volumes_folder, number, split, masked=number != 4)
        for number, split in enumerate(splits)
    ]
    folder = tmp_path / "balls.longtail"
    with Project.create(folder, task=Task.SEGMENTATION, classes=["ball", "pea"]) as project:
        project.add_cases(cases, status=Status.REVIEWED)
        yield project


@pytest.fixture
def many_volumes(tmp_path, volumes_folder) -> Iterator[Project]:
    """Seven labelled volumes: enough for some to sit out in turn."""
    cases = [volume_case(volumes_folder, number, Split.TRAIN) for number in range(10, 17)]
    folder = tmp_path / "many.longtail"
    with Project.create(folder, task=Task.SEGMENTATION, classes=["ball", "pea"]) as project:
        project.add_cases(cases, status=Status.REVIEWED)
        yield project


def pictures_array(seed=0, counts=(16, 8, 4)):
    """Grey pictures whose classes are stripes, a square, or neither."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    images = random.integers(0, 60, (len(labels), 32, 32)).astype(np.uint8)
    images[labels == 1, ::4] += 150
    images[labels == 2, 8:24, 8:24] += 150
    return images, labels


def picture_cases(folder, images, answers, split=Split.TRAIN, name="p"):
    path = folder / f"{name}.npy"
    cases = []
    for row, (image, labels) in enumerate(zip(images, answers, strict=True)):
        path = folder / f"{name}{row}.npy"
        np.save(path, image)
        cases.append(
            NewCase(f"{name}{row}", (str(path),), image.shape, 1, None, split, labels=labels)
        )
    return cases


@pytest.fixture
def pictures(tmp_path) -> Iterator[Project]:
    """28 pictures of three uneven classes, six more for validation."""
    images, labels = pictures_array()
    more, more_labels = pictures_array(1, (2, 2, 2))
    answers = [ImageLabels(yes=frozenset({int(one) + 1})) for one in labels]
    more_answers = [ImageLabels(yes=frozenset({int(one) + 1})) for one in more_labels]
    folder = tmp_path / "pictures.longtail"
    names = ["plain", "stripes", "square"]
    with Project.create(folder, task=Task.CLASSIFICATION, classes=names) as project:
        project.add_cases(picture_cases(tmp_path, images, answers))
        project.add_cases(picture_cases(tmp_path, more, more_answers, Split.VAL, "v"))
        yield project


@pytest.fixture
def findings(tmp_path) -> Iterator[Project]:
    """Pictures with several classes, some of them unknown."""
    images, labels = pictures_array(0, (10, 8, 6))
    answers = [
        ImageLabels(
            yes=frozenset({int(one)} if one else ()),
            no=frozenset({1, 2} - {int(one)}) if row % 3 else frozenset({2} - {int(one)}),
        )
        for row, one in enumerate(labels)
    ]
    folder = tmp_path / "findings.longtail"
    with Project.create(folder, task=Task.MULTILABEL, classes=["stripes", "square"]) as project:
        project.add_cases(picture_cases(tmp_path, images, answers))
        yield project


def run_to_end(steps):
    """Collect all events of a generator and what it returned."""
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


@pytest.fixture
def context():
    return Context


@pytest.fixture
def finish():
    return run_to_end


@pytest.fixture
def start(tmp_path, finish, context):
    """Train a plan in a folder: gives events, result and folder."""

    def begin(
        project,
        method,
        *,
        name="run",
        resume=False,
        spec=None,
        stop_after=None,
        changes=(),
        settings=None,
        **wishes,
    ):
        small = SMALL if method == "supervised" else SMALL_IMAGES
        spec = spec or plan_run(
            project, method=method, settings={**small, **(settings or {})}, **wishes
        )
        folder = tmp_path / name
        if not resume:
            write_spec(folder, spec)
        steps = train(read_spec(folder), project, folder, context(stop_after, changes), resume)
        events, result = finish(steps)
        return events, result, folder

    return begin
