"""Small projects and a session for the tests of the window."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project

_spec = importlib.util.spec_from_file_location("app_fakes", Path(__file__).with_name("fakes.py"))
assert _spec is not None
assert _spec.loader is not None
app_fakes = importlib.util.module_from_spec(_spec)
sys.modules.setdefault("app_fakes", app_fakes)
_spec.loader.exec_module(app_fakes)


@pytest.fixture
def cells(tmp_path):
    """A closed project of twelve images: five of `common`, one of `rare`, six unlabelled."""
    path = tmp_path / "cells.longtail"
    with Project.create(path, task=Task.CLASSIFICATION, classes=["common", "rare"]) as project:
        new = []
        for number in range(12):
            file = tmp_path / f"cell_{number:02d}.png"
            Image.fromarray(np.full((20, 30, 3), 20 * number, np.uint8)).save(file)
            given = {5: 2}.get(number, 1)
            labels = ImageLabels(frozenset({given})) if number < 6 else None
            split = Split.TEST if number >= 10 else Split.TRAIN
            new.append(
                NewCase(file.stem, (str(file),), (20, 30), 3, None, split, f"P{number}", labels)
            )
        project.add_cases(new)
        project.set_status(["cell_00"], Status.DRAFT)
    return path


@pytest.fixture
def scans(tmp_path):
    """A closed project of three volumes, the first of them labelled."""
    path = tmp_path / "scans.longtail"
    with Project.create(path, task=Task.SEGMENTATION, classes=["organ", "lesion"]) as project:
        for number in range(3):
            file, mask = tmp_path / f"scan_{number}.nii.gz", tmp_path / f"mask_{number}.nii.gz"
            voxels = np.zeros((4, 12, 10), np.uint8)
            voxels[1:3, 2:8, 2:8] = 1
            voxels[2, 3, 3] = 2
            for name, array in ((file, voxels.astype(np.float32)), (mask, voxels)):
                image = sitk.GetImageFromArray(array)
                image.SetSpacing((1.0, 1.0, 2.5))
                sitk.WriteImage(image, str(name))
            case = NewCase(file.name.split(".")[0], (str(file),), (4, 12, 10), 1, (2.5, 1.0, 1.0))
            if not number:
                values = {0: 0, 1: 1, 2: 2}
                case = NewCase(
                    case.id,
                    case.channels,
                    case.shape,
                    1,
                    case.spacing_mm,
                    mask=str(mask),
                    mask_values=values,
                )
            project.add_cases([case])
    return path
