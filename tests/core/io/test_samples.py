import csv
from collections import Counter

import numpy as np
import pytest
from PIL import Image as PillowImage

from longtail.core.io.chest_findings import SHARES
from longtail.core.io.image import read_image
from longtail.core.io.importers import plan_import
from longtail.core.io.labelmap import read_label_map
from longtail.core.io.samples import write_chest_images, write_heart_volumes


@pytest.fixture(scope="module")
def hearts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heart")
    write_heart_volumes(folder, 8, 3)
    return folder


@pytest.fixture(scope="module")
def chests(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chest")
    write_chest_images(folder, 60, 3)
    return folder


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_hearts_import_as_a_decathlon_folder(hearts):
    plan = plan_import(hearts)
    assert plan.format == "msd"
    assert plan.class_names == ("left ventricle", "myocardium", "right ventricle", "scar")
    assert len(plan.cases) == 8
    assert not plan.skipped
    for case in plan.cases:
        assert case.mask is not None
        assert 10 <= case.shape[0] <= 12
        assert 96 <= case.shape[1] == case.shape[2] <= 112
        assert case.spacing_mm == pytest.approx((8.0, 1.6, 1.6))


def test_the_scar_is_rare_in_presence_and_in_volume(hearts):
    maps = [read_label_map(path).array for path in sorted((hearts / "labelsTr").iterdir())]
    counts = np.array([np.bincount(labels.ravel(), minlength=5) for labels in maps])
    assert np.all(counts[:, 1:4] > 1000)
    scarred = counts[:, 4] > 0
    assert scarred.sum() == 2
    shares = counts[scarred, 4] / counts[scarred, 1:].sum(axis=1)
    assert np.all((shares > 0.003) & (shares < 0.03))


def test_tissue_looks_as_it_should(hearts):
    for path in sorted((hearts / "imagesTr").iterdir()):
        image = read_image(str(path)).array[0]
        labels = read_label_map(hearts / "labelsTr" / path.name).array
        blood, muscle = image[labels == 1].mean(), image[labels == 2].mean()
        assert blood > 1.3 * muscle
        if (labels == 4).any():
            assert image[labels == 4].mean() > 1.2 * muscle


def test_chests_have_a_long_tail(chests):
    table = rows(chests / "labels.csv")
    assert list(table[0]) == ["file", "findings", "patient_id", "view", "split"]
    assert len(table) == 60
    counts = Counter(name for row in table for name in row["findings"].split("|"))
    assert [counts[name] for name in SHARES] == [27, 15, 8, 5, 2, 1]
    assert {row["view"] for row in table} == {"AP", "PA"}


def test_no_patient_is_in_two_parts(chests):
    table = rows(chests / "labels.csv")
    parts = {
        row["patient_id"]: {r["split"] for r in table if r["patient_id"] == row["patient_id"]}
        for row in table
    }
    assert all(len(part) == 1 for part in parts.values())
    assert {row["split"] for row in table} == {"train", "val", "test"}


def test_every_finding_but_no_other_has_a_box_in_the_picture(chests):
    found = {(row["file"], row["finding"]) for row in rows(chests / "boxes.csv")}
    stated = {
        (row["file"], name)
        for row in rows(chests / "labels.csv")
        for name in row["findings"].split("|")
        if name != "No Finding"
    }
    assert found == stated
    for row in rows(chests / "boxes.csv"):
        x, y, w, h = (int(row[key]) for key in "xywh")
        assert x >= 0
        assert y >= 0
        assert w > 1
        assert h > 1
        assert x + w <= 192
        assert y + h <= 192


def test_chests_are_grey_pictures_with_a_full_range(chests):
    for row in rows(chests / "labels.csv"):
        with PillowImage.open(chests / row["file"]) as picture:
            assert picture.mode == "L"
            pixels = np.asarray(picture)
        assert pixels.shape == (192, 192)
        assert pixels.std() > 30


def test_chests_import_as_a_table(chests):
    plan = plan_import(chests)
    assert plan.task == "multilabel"
    assert set(plan.class_names) == set(SHARES)
    assert not plan.skipped
    assert plan.cases[0].patient


@pytest.mark.parametrize("write", [write_heart_volumes, write_chest_images])
def test_the_seed_decides(write, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(tmp_path / name, 2, seed)

    def content(name):
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        return [path.read_bytes() for path in files]

    assert content("a") == content("b")
    assert content("a") != content("c")


@pytest.mark.parametrize("write", [write_heart_volumes, write_chest_images])
def test_a_single_one(write, tmp_path):
    write(tmp_path, 1, 0)
    assert len(plan_import(tmp_path).cases) == 1
