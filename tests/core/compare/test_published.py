"""Published figures beside ours, and the distance in voxels that they are told in."""

import itertools
import math

import numpy as np
import pytest

from longtail.core.compare.cells import CellRecord
from longtail.core.compare.plan import Contender, Plan
from longtail.core.compare.protocols import read_protocol
from longtail.core.compare.published import published_beside_ours, write_published
from longtail.core.compare.results import Comparison, Row, Spread
from longtail.core.compare.voxel_distance import asd_voxels, directed_asd
from longtail.core.io.labelmap import write_label_map
from longtail.core.project.records import NewCase, PredictionRecord, Split, Task
from longtail.core.project.store import Project

SHAPE = (4, 6, 6)


def blob(*, shift=0, value=1):
    array = np.zeros(SHAPE, np.uint8)
    array[1:3, 1 + shift : 4 + shift, 1:4] = value
    return array


def surface(mask):
    """Voxels with a neighbour across a face outside of the mask, by brute force."""
    places = {tuple(place) for place in np.argwhere(mask).tolist()}
    steps = [step for step in itertools.product((-1, 0, 1), repeat=3) if sum(map(abs, step)) == 1]
    return [
        place
        for place in places
        if any(tuple(np.add(place, step).tolist()) not in places for step in steps)
    ]


def test_the_directed_distance_by_brute_force():
    found, truth = blob(shift=2) > 0, blob() > 0
    found[0, 0, 0] = True
    expected = [min(math.dist(one, other) for other in surface(truth)) for one in surface(found)]
    assert directed_asd(found, truth) == pytest.approx(np.mean(expected))
    assert directed_asd(found, truth) != pytest.approx(directed_asd(truth, found))
    assert directed_asd(truth, truth) == 0
    assert directed_asd(np.zeros(SHAPE, bool), truth) == pytest.approx(
        math.sqrt(4**2 + 6**2 + 6**2)
    )


@pytest.fixture
def measured(tmp_path):
    """A project of two test scans and a training scan, with a run that predicted all of them."""
    folder = tmp_path / "hearts.longtail"
    with Project.create(folder, task=Task.SEGMENTATION, classes=["a", "b"]) as project:
        cases = []
        for name in ("one", "two", "three"):
            np.save(tmp_path / f"{name}.npy", np.zeros(SHAPE, np.int16))
            write_label_map(tmp_path / f"{name}.nii.gz", blob(), None)
            split = Split.TRAIN if name == "three" else Split.TEST
            mask = str(tmp_path / f"{name}.nii.gz")
            path = str(tmp_path / f"{name}.npy")
            cases.append(NewCase(name, (path,), SHAPE, 1, None, split, mask=mask))
        project.add_cases(cases)
        run = project.new_run({"method": "bcp"}).id
        records = []
        for name, shift in (("one", 0), ("two", 1), ("three", 2)):
            file = project.run_folder(run) / f"{name}.nii.gz"
            write_label_map(file, blob(shift=shift), None)
            stored = file.relative_to(project.path).as_posix()
            records.append(PredictionRecord(name, run, "x", 1, file=stored))
        project.record_predictions(records)
    return folder, run


def test_a_run_is_measured_on_its_test_scans(measured):
    folder, run = measured
    with Project.open(folder, write=False) as project:
        found = asd_voxels(project, run)
    moved = directed_asd(blob(shift=1) > 0, blob() > 0)
    assert found == pytest.approx(moved / 2)


def test_published_figures_beside_ours(measured, tmp_path):
    folder, run = measured
    protocol = read_protocol("acdc")
    contender = Contender(name="action++", method="action++")
    plan = Plan(
        task=Task.SEGMENTATION,
        project=folder.as_posix(),
        data="",
        contenders=(contender,),
        iterations=1,
        reference="action++",
    )
    row = Row(
        name="action++",
        labelled="3 patients",
        replicates=("seed 0",),
        overall={"dice": Spread(0.871, None, 1)},
        classes={},
        points={},
        class_points={},
    )
    record = CellRecord(contender="action++", labelled="3 patients", state="done", run=run)
    with Project.open(folder, write=False) as project:
        lines = published_beside_ours(
            protocol, Comparison(plan, (row,), (record,), (), ()), project
        )
    ours = directed_asd(blob(shift=1) > 0, blob() > 0) / 2
    assert ("ACTION++", "3 patients", "88.5 / 0.723", f"87.1 / {ours:.2f}") in lines
    assert ("ACTION++", "7 patients", "90.4 / 0.592", "") in lines
    assert ("CompNet", "3 patients", "89.7", "") in lines
    text = write_published(tmp_path, protocol, lines).read_text(encoding="utf-8")
    assert "| ACTION++ | 3 patients | 88.5 / 0.723 | 87.1 / " in text
    assert "arXiv 2304.02689" in text
    assert "Research use only" in text
