"""Small studies, made up on the spot."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.project.records import ImageLabels, NewCase, Task
from longtail.core.project.store import Project

SHAPE = (4, 6, 5)
SPACING_MM = (3.0, 1.5, 1.25)
ORIGIN = (-10.0, 20.0, 5.5)


def write_volume(path: Path, array: np.ndarray) -> str:
    """Write (z, y, x) with a spacing, an origin and a flipped direction."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING_MM[::-1])
    image.SetOrigin(ORIGIN)
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path.as_posix()


@pytest.fixture
def write() -> Callable[[Path, np.ndarray], str]:
    return write_volume


@pytest.fixture
def volume(tmp_path: Path) -> Callable[..., NewCase]:
    """Make a volume on the disk, with a mask where one is given."""

    def make(case_id: str, mask: np.ndarray | None = None, **facts: object) -> NewCase:
        rng = np.random.default_rng(zlib.crc32(case_id.encode()))
        pixels = rng.integers(0, 500, SHAPE).astype(np.int16)
        path = write_volume(tmp_path / "images" / f"{case_id}.nii.gz", pixels)
        masked = None
        if mask is not None:
            masked = write_volume(tmp_path / "masks" / f"{case_id}.nii.gz", mask)
        return NewCase(case_id, (path,), SHAPE, 1, SPACING_MM, mask=masked, **facts)

    return make


@pytest.fixture
def picture() -> Callable[..., NewCase]:
    """Name an image of a class; nobody looks into the file."""

    def make(case_id: str, *yes: int, no: tuple[int, ...] = (), **facts: object) -> NewCase:
        labels = ImageLabels(frozenset(yes), frozenset(no)) if yes or no else None
        facts = {"labels": labels} | facts
        return NewCase(case_id, (f"/nowhere/x/{case_id}.png",), (64, 64), 1, None, **facts)

    return make


@pytest.fixture
def heart(tmp_path: Path) -> Iterator[Project]:
    """An empty study of volumes with two classes."""
    with Project.create(
        tmp_path / "heart.longtail", task=Task.SEGMENTATION, classes=["wall", "scar"]
    ) as project:
        yield project


@pytest.fixture
def chest(tmp_path: Path) -> Iterator[Project]:
    """An empty study of images with three findings."""
    with Project.create(
        tmp_path / "chest.longtail", task=Task.MULTILABEL, classes=["mass", "nodule", "hernia"]
    ) as project:
        yield project


@pytest.fixture
def blood(tmp_path: Path) -> Iterator[Project]:
    """An empty study of images with one of three classes."""
    with Project.create(
        tmp_path / "blood.longtail", task=Task.CLASSIFICATION, classes=["a", "b", "c"]
    ) as project:
        yield project


@pytest.fixture
def mask() -> np.ndarray:
    """(z, y, x) with wall, scar and background."""
    array = np.zeros(SHAPE, np.uint8)
    array[1, 1:4, 1:4] = 1
    array[2, 2, 2] = 2
    return array
