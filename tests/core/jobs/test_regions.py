"""Features of one region, and of the training regions that it is compared with."""

import json
import os

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from PIL import Image

from longtail.core.backend.events import Outcome
from longtail.core.backend.local import LocalBackend
from longtail.core.checkpoints.card import ModelCard
from longtail.core.checkpoints.store import save
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.io.image import read_image
from longtail.core.io.image_types import Image as ReadImage
from longtail.core.jobs.region_table import BOX_SETTINGS, BoxTable, drawn_table, training_regions
from longtail.core.jobs.regions import MeasureClassJob, MeasureRegionJob, mask_of_box
from longtail.core.methods.spec import RunSpec
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.project.boxfiles import DrawnBox
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.radiomics.extraction import extract
from longtail.core.radiomics.unusual import FEWEST

BOX = (4.0, 6.0, 12.0, 10.0)
MEAN = "original_firstorder_Mean"


@pytest.fixture
def films(tmp_path):
    """Eight pictures with noise, six of them for training; the first class is given to all."""
    rng = np.random.default_rng(0)
    cases = []
    for number in range(8):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 200, (40, 48)).astype(np.uint8)).save(path)
        part = Split.TRAIN if number < 6 else Split.TEST
        given = ImageLabels(frozenset({1}), frozenset({2}))
        cases.append(NewCase(f"film-{number}", (str(path),), (40, 48), 1, None, part, None, given))
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=["blob", "line"]) as project:
        project.add_cases(cases)
        yield project


@pytest.fixture
def run(films):
    card = ModelCard(
        task=Task.MULTILABEL,
        class_ids=(1, 2),
        class_names=("blob", "line"),
        network=NetworkRecipe("encoder", 2, 1, 2, {"name": "resnet18"}),
        preprocessing=Preprocessing(
            2, 1, Intensity("window", 0, 200, (0.0,), (1.0,)), size=(64, 64)
        ),
    )
    classes = [
        {"id": i, "name": n, "examples": 6, "volume": 0.5} for i, n in ((1, "blob"), (2, "line"))
    ]
    spec = RunSpec(method="cross-entropy", task=card.task, classes=classes, iterations=1)
    record = films.new_run(spec.to_mapping())
    torch.manual_seed(0)
    network = build_network(card.network)
    # Its last layer speaks for both classes at some places, whatever the picture.
    with torch.no_grad():
        for weight in list(network.parameters())[-2:]:
            weight.abs_()
    path = films.run_folder(record.id) / "checkpoints" / "last.pt"
    save(path, {"card": card.to_mapping(), "weights": network.state_dict()})
    return record.id


def do(job):
    finished = LocalBackend("cpu").submit(job).wait()
    assert finished.outcome is Outcome.COMPLETED, finished
    return finished.result


def fails(job):
    finished = LocalBackend("cpu").submit(job).wait()
    assert finished.outcome is Outcome.FAILED
    return finished.reason


def draw(project, count):
    for number in range(count):
        project.set_boxes(f"film-{number}", [DrawnBox(1, *BOX)], author="a")


def test_the_features_of_a_box_are_those_of_its_pixels(films):
    job = MeasureRegionJob(films.path.as_posix(), "film-7", 1, box=BOX)
    assert job.interactive
    found = do(job)
    image = read_image(films.case("film-7").channels[0])
    inside = image.array[0, 6:16, 4:16].astype(float)
    assert found["pixels"] == inside.size == 120
    assert found["features"][MEAN] == pytest.approx(inside.mean())
    mask = np.zeros((40, 48), np.uint8)
    mask[6:16, 4:16] = 1
    whole = extract(image, ReadImage(mask[None], image.geometry), BOX_SETTINGS)[0]
    assert found["features"] == dict(whole.features)


def test_a_box_counts_pixels_whose_centre_lies_in_it():
    mask = mask_of_box((10, 12), (1.6, 2.4, 3.0, 2.0), None)
    assert np.argwhere(mask).min(0).tolist() == [2, 2]
    assert np.argwhere(mask).max(0).tolist() == [3, 4]
    deep = mask_of_box((4, 10, 12), (0, 0, 2, 3), 2)
    assert deep[2].sum() == deep.sum() == 6


def test_what_cannot_be_measured_is_told(films):
    where = films.path.as_posix()
    assert "outside" in fails(MeasureRegionJob(where, "film-7", 1, box=(90.0, 90.0, 5.0, 5.0)))
    assert "no label maps" in fails(MeasureRegionJob(where, "film-7", 1))
    assert "no class" in fails(MeasureClassJob(where, 9))


def test_drawn_boxes_of_training_images_are_measured_once(films):
    draw(films, 8)
    where = films.path.as_posix()
    assert training_regions(films, 1).waiting == 6
    assert do(MeasureClassJob(where, 1))["failed"] == 0
    found = training_regions(films, 1)
    assert (len(found.values), found.waiting, found.source) == (6, 0, "drawn")
    lines = drawn_table(films.path).read_text().splitlines()
    do(MeasureClassJob(where, 1))
    assert drawn_table(films.path).read_text().splitlines() == lines
    column = found.names.index(MEAN)
    one = do(MeasureRegionJob(where, "film-0", 1, box=BOX))["features"][MEAN]
    assert np.isclose(found.values[:, column], one).any()


def test_a_region_is_not_compared_with_itself(films):
    draw(films, 6)
    do(MeasureClassJob(films.path.as_posix(), 1))
    assert len(training_regions(films, 1, besides=("film-0", *BOX)).values) == 5
    assert len(training_regions(films, 1, besides=("film-7", *BOX)).values) == 6


def test_a_box_that_was_moved_waits_again(films):
    draw(films, 6)
    do(MeasureClassJob(films.path.as_posix(), 1))
    films.set_boxes("film-2", [DrawnBox(1, 0, 0, 9, 9)], author="a")
    found = training_regions(films, 1)
    assert (len(found.values), found.waiting) == (5, 1)


def test_torn_and_strange_lines_of_the_table_are_left_out(films):
    draw(films, 6)
    do(MeasureClassJob(films.path.as_posix(), 1))
    path = drawn_table(films.path)
    known = BoxTable(path).boxes()
    with path.open("a") as file:
        file.write('[]\n{"case": 3}\n{"case": "x", "class": 1, "box": [1], "slice": null}\n{"ca')
    assert BoxTable(path).boxes() == known
    path.write_text(json.dumps({"names": ["other"]}) + "\n" + path.read_text())
    assert BoxTable(path).boxes() == []


def test_a_box_that_cannot_be_measured_is_left_out_and_told(films, tmp_path):
    draw(films, 6)
    (tmp_path / "3.png").unlink()
    assert do(MeasureClassJob(films.path.as_posix(), 1))["failed"] == 1
    assert training_regions(films, 1).waiting == 1


def test_where_few_are_drawn_the_runs_own_boxes_make_up(films, run):
    draw(films, FEWEST - 1)
    assert training_regions(films, 1, run).source == "found"
    assert training_regions(films, 1, run).waiting == 6
    told = do(MeasureClassJob(films.path.as_posix(), 1, run))
    found = training_regions(films, 1, run)
    # An image in which it points nowhere was asked all the same, and is not waited for.
    assert (told["failed"], found.waiting) == (0, 0)
    assert 1 <= len(found.values) <= 6
    # New weights point elsewhere: what the old ones found counts no more.
    weights = films.run_folder(run) / "checkpoints" / "last.pt"
    table = films.run_folder(run) / "explanations" / "boxes.jsonl"
    os.utime(weights, (table.stat().st_mtime + 10,) * 2)
    assert len(training_regions(films, 1, run).values) == 0


@pytest.fixture
def scans(tmp_path):
    """Six scans with two regions each."""
    rng = np.random.default_rng(1)
    with Project.create(
        tmp_path / "s", task=Task.SEGMENTATION, classes=["organ", "lesion"]
    ) as project:
        for number in range(6):
            file, drawn = tmp_path / f"s{number}.nii.gz", tmp_path / f"m{number}.nii.gz"
            mask = np.zeros((5, 14, 12), np.uint8)
            mask[1:4, 2:9, 2:9] = 1
            mask[2:4, 4:7, 4:7] = 2
            for path, array in (
                (file, rng.normal(100, 40, mask.shape).astype(np.float32)),
                (drawn, mask),
            ):
                sitk.WriteImage(sitk.GetImageFromArray(array), str(path))
            project.add_cases(
                [
                    NewCase(
                        f"s{number}",
                        (str(file),),
                        mask.shape,
                        1,
                        (1.0, 1.0, 1.0),
                        mask=str(drawn),
                        mask_values={0: 0, 1: 1, 2: 2},
                    )
                ]
            )
        yield project


def test_a_class_of_a_label_map_is_measured_with_its_shape(scans):
    found = do(MeasureRegionJob(scans.path.as_posix(), "s0", 2))
    assert found["pixels"] == 2 * 3 * 3
    assert found["features"]["original_shape_VoxelVolume"] == pytest.approx(18)
    assert "is marked" in fails(MeasureRegionJob(scans.path.as_posix(), "s0", 9))


def test_label_maps_are_measured_into_the_table_of_the_command(scans):
    where = scans.path.as_posix()
    assert training_regions(scans, 2).waiting == 6
    assert do(MeasureClassJob(where, 2))["failed"] == 0
    assert (scans.path / "radiomics.csv").is_file()
    found = training_regions(scans, 2)
    assert (len(found.values), found.waiting) == (6, 0)
    # The other class came along: a label map is measured whole.
    assert training_regions(scans, 1).waiting == 0
    column = found.names.index("original_shape_VoxelVolume")
    np.testing.assert_allclose(found.values[:, column], 18)
    assert len(training_regions(scans, 2, besides=("s1",)).values) == 5


def test_a_table_that_was_made_otherwise_is_left_alone(scans):
    own = scans.path / "radiomics.csv"
    own.write_text("something,else\n")
    do(MeasureClassJob(scans.path.as_posix(), 1))
    assert own.read_text() == "something,else\n"
    assert (scans.path / "cache" / "radiomics" / "regions.csv").is_file()
    assert len(training_regions(scans, 1).values) == 6
