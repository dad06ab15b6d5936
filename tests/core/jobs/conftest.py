from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from longtail.core.backend.local import LocalBackend
from longtail.core.checkpoints.store import save
from longtail.core.data.preprocessing import Preprocessing
from longtail.core.methods.spec import RunSpec
from longtail.core.nets.recipe import NetworkRecipe
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project


def checkpoint(folder, card, network):
    """Write what training would have left."""
    state = {"card": card.to_mapping(), "weights": network.state_dict()}
    save(folder / "checkpoints" / "last.pt", state)


def spec_of(card, **changes):
    classes = [
        {"id": id_, "name": name, "examples": 150 // id_**3, "volume": 0.9 if id_ == 1 else 0.04}
        for id_, name in zip(card.class_ids, card.class_names, strict=True)
    ]
    segmentation = card.task is Task.SEGMENTATION
    method = "supervised" if segmentation else "cross-entropy"
    spec = RunSpec(method=method, task=card.task, classes=classes, iterations=7, **changes)
    return spec.to_mapping()


def write_volume(path, array):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.5, 3.0))
    image.SetOrigin((-7.0, 3.0, 11.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def blocks(rim):
    """Give a label map: a core of ones with, where wanted, a rim of twos beside it."""
    labels = np.zeros((5, 12, 10), dtype=np.uint8)
    labels[1:4, 2:6, 2:6] = 1
    if rim:
        labels[1:4, 6:8, 2:6] = 2
    return labels


def volume_project(tmp_path):
    """Make a project of four volumes whose grey values are their labels."""
    cases = []
    for number in range(4):
        labels = blocks(rim=number != 3)
        place = tmp_path / "source ü"
        write_volume(place / "images" / f"{number}.nii.gz", labels.astype(np.float32))
        write_volume(place / "labels" / f"{number}.nii.gz", labels)
        cases.append(
            NewCase(
                id=f"scan/{number}",
                channels=((place / "images" / f"{number}.nii.gz").as_posix(),),
                shape=(5, 12, 10),
                channel_count=1,
                spacing_mm=(3.0, 0.5, 0.5),
                split=Split.TRAIN if number == 0 else Split.TEST,
                patient=f"p{number}",
                mask=(place / "labels" / f"{number}.nii.gz").as_posix(),
                mask_values={0: 0, 1: 1, 2: 2},
            )
        )
    project = Project.create(
        tmp_path / "ü volumes", task=Task.SEGMENTATION, classes=["core", "rim"]
    )
    assert project.add_cases(cases).skipped == ()
    return project


@pytest.fixture
def untrained(tmp_path):
    """The project of volumes without a run, for real networks."""
    with volume_project(tmp_path) as project:
        yield project


@pytest.fixture
def volumes(tmp_path, known_networks, volume_card):
    """The project of volumes with a run whose network answers rightly."""
    with volume_project(tmp_path) as project:
        run = project.new_run(spec_of(volume_card, train_labelled=("scan/0",)))
        checkpoint(project.run_folder(run.id), volume_card, known_networks(volume_card.network))
        yield project


@pytest.fixture
def images(tmp_path, known_networks, image_card):
    """A project of nine pictures whose grey value is their class, less one; and a run of it."""
    cases = []
    for number in range(9):
        path = tmp_path / "pictures" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), number % 3, np.uint8)).save(path)
        cases.append(
            NewCase(
                id=f"pic-{number}",
                channels=(path.as_posix(),),
                shape=(8, 8),
                channel_count=1,
                spacing_mm=None,
                split=Split.TEST,
                # The last one is labelled wrongly.
                labels=ImageLabels(frozenset({1 if number == 8 else number % 3 + 1})),
            )
        )
    with Project.create(
        tmp_path / "pictures", task=Task.CLASSIFICATION, classes=["low", "mid", "high"]
    ) as project:
        assert project.add_cases(cases).skipped == ()
        run = project.new_run(spec_of(image_card))
        checkpoint(project.run_folder(run.id), image_card, known_networks(image_card.network))
        yield project


@pytest.fixture
def findings(tmp_path, known_networks, image_card):
    """A project of six pictures with several classes each, some of them unknown; and a run."""
    card = replace(image_card, task=Task.MULTILABEL, prior=(0.5, 0.4, 0.1))
    cases = []
    for number in range(6):
        path = tmp_path / "films" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8), number % 3, np.uint8)).save(path)
        yes = {2, 3} - set(range(number % 3 + 2, 4))
        no = {2, 3} - yes
        labels = ImageLabels(frozenset(yes), frozenset(no))
        cases.append(
            NewCase(
                f"film-{number}",
                (path.as_posix(),),
                (8, 8),
                1,
                None,
                split=Split.TEST,
                patient=f"p{number // 2}",
                labels=labels,
            )
        )
    with Project.create(
        tmp_path / "films", task=Task.MULTILABEL, classes=["low", "mid", "high"]
    ) as project:
        assert project.add_cases(cases).skipped == ()
        run = project.new_run(spec_of(card))
        checkpoint(project.run_folder(run.id), card, known_networks(card.network))
        yield project


@pytest.fixture
def slides(tmp_path, known_networks, volume_card):
    """A project of two pictures with outlines and no spacing, and a run of a flat network."""
    flat = replace(
        volume_card,
        network=NetworkRecipe("unet", 2, 1, 3),
        preprocessing=Preprocessing(2, 1, volume_card.preprocessing.intensity),
        patch_size=(8, 8),
    )
    cases = []
    for number in range(2):
        place = tmp_path / "slides"
        for folder in ("images", "masks"):
            (place / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(blocks(rim=True)[2]).save(place / folder / f"{number}.png")
        cases.append(
            NewCase(
                f"slide-{number}",
                ((place / "images" / f"{number}.png").as_posix(),),
                (12, 10),
                1,
                None,
                split=Split.TEST,
                mask=(place / "masks" / f"{number}.png").as_posix(),
                mask_values={0: 0, 1: 1, 2: 2},
            )
        )
    with Project.create(
        tmp_path / "slides", task=Task.SEGMENTATION, classes=["core", "rim"]
    ) as project:
        assert project.add_cases(cases).skipped == ()
        run = project.new_run(spec_of(flat))
        checkpoint(project.run_folder(run.id), flat, known_networks(flat.network))
        yield project


@pytest.fixture
def finish():
    """Run a job to its end in this process; give its last event."""
    return lambda job: LocalBackend("cpu").submit(job).wait()
