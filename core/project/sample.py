"""The sample projects: generated images with a long tail, no download."""

from pathlib import Path

from ..io.importers import plan_import
from ..io.samples import write_chest_images, write_heart_volumes
from .importing import apply_plan
from .records import Status, Task
from .store import Project

HEART_SCANS = 28
HEART_TEST = 8
HEART_LABELLED = 12
CHEST_IMAGES = 480
AUTHOR = "sample"


def build_heart_sample(folder: Path, *, scans: int = HEART_SCANS, seed: int = 0) -> Path:
    """Make `heart.longtail` in `folder`: short-axis volumes, four classes, a rare scar.

    A number of the training scans are left without labels, as in a laboratory that has begun.

    Returns
    -------
    Path
        The project; its images are in `heart-images` beside it.
    """
    images = folder / "heart-images"
    write_heart_volumes(images, scans, seed)
    plan = plan_import(images, format="msd", task=Task.SEGMENTATION.value)
    test = max(2, scans * HEART_TEST // HEART_SCANS)
    path = folder / "heart.longtail"
    with Project.create(path, task=Task.SEGMENTATION, classes=plan.class_names) as project:
        split = f"{scans - test}/0/{test}"
        apply_plan(project, plan, split=split, seed=seed, status=Status.REVIEWED, author=AUTHOR)
        train = [case.id for case in project.cases() if case.split == "train"]
        wish = max(1, scans * HEART_LABELLED // HEART_SCANS)
        kept = set(project.labelled_subset(str(wish), seed))
        project.set_labels(
            [case for case in train if case not in kept],
            None,
            author=AUTHOR,
            status=Status.UNLABELLED,
        )
    return path


def build_chest_sample(folder: Path, *, images: int = CHEST_IMAGES, seed: int = 0) -> Path:
    """Make `chest.longtail` in `folder`: X-ray-like images, six findings from common to rare.

    Returns
    -------
    Path
        The project; its images are in `chest-images` beside it.
    """
    source = folder / "chest-images"
    write_chest_images(source, images, seed)
    plan = plan_import(source / "labels.csv", format="csv", task=Task.MULTILABEL.value)
    path = folder / "chest.longtail"
    with Project.create(path, task=Task.MULTILABEL, classes=plan.class_names) as project:
        apply_plan(project, plan, split="split", seed=seed, status=Status.REVIEWED, author=AUTHOR)
    return path
