"""`longtail radiomics` on files and on a project."""

import csv
import json

import numpy as np
import pytest

from longtail.app.__main__ import main
from longtail.core.io.geometry import plain_geometry
from longtail.core.io.nifti_writer import write_nifti
from longtail.core.project.sample import build_heart_sample
from longtail.core.project.store import Project

MEAN = "original_firstorder_Mean"


@pytest.fixture
def run(capsys):
    def command(*words, fails=False):
        capsys.readouterr()
        status = main(["radiomics", *map(str, words), *(() if fails else ("--json",))])
        told = capsys.readouterr()
        assert (status != 0) == fails, told.err
        return told.err if fails else json.loads(told.out)

    return command


@pytest.fixture
def files(tmp_path):
    draw = np.random.default_rng(0)
    image = draw.normal(100, 30, (6, 12, 10)).astype(np.float32)
    mask = np.zeros(image.shape, dtype=np.uint8)
    mask[1:5, 2:9, 1:6] = 1
    mask[0, 11, 9] = 2
    geometry = plain_geometry((2.0, 1.0, 1.0))
    paths = tmp_path / "scan übung.nii.gz", tmp_path / "mask.nii.gz"
    for path, array in zip(paths, (image, mask), strict=True):
        write_nifti(path, array, geometry)
    return paths, image[mask == 1].mean()


def test_a_mask_gives_a_region_a_label(run, files):
    paths, mean = files
    found = run(*paths)
    assert found["engine"] == "fast"
    assert [one["label"] for one in found["regions"]] == [1, 2]
    first, second = (one["features"] for one in found["regions"])
    assert len(first) == 107
    assert first[MEAN] == pytest.approx(mean, rel=1e-6)
    assert set(second.values()) == {None}


def test_both_engines_give_one_form(run, files):
    pytest.importorskip("radiomics", reason="the extra radiomics is not installed")
    ours, theirs = (run(*files[0], "--engine", name) for name in ("fast", "pyradiomics"))
    assert theirs.pop("engine") == "pyradiomics"
    ours.pop("engine")
    first = ours["regions"][0]["features"]
    assert list(first) == list(theirs["regions"][0]["features"])
    assert first == pytest.approx(theirs["regions"][0]["features"], rel=1e-8)


def test_settings_are_read_from_a_file(run, files, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("featureClass:\n  glcm: [Contrast]\nsetting:\n  binWidth: 5\n")
    found = run(*files[0], "--settings", path)
    assert list(found["regions"][0]["features"]) == ["original_glcm_Contrast"]
    path.write_text("setting:\n  normalize: true\n")
    assert "normalize" in run(*files[0], "--settings", path, fails=True)


def test_what_is_missing_is_told(run, files, tmp_path):
    image, mask = files[0]
    assert "needs a mask" in run(image, fails=True)
    assert "--out" in run(image, mask, "--out", tmp_path / "x.csv", fails=True)


def test_a_project_becomes_a_table_that_is_continued(run, tmp_path):
    sample = build_heart_sample(tmp_path, scans=6)
    out = tmp_path / "tables" / "features.csv"
    first = run(sample, "--out", out)
    assert first["failed"] == []
    assert first["measured"] == first["cases"] > 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(first["regions"])
    assert {row["class"] for row in rows} <= {one.name for one in _classes(sample)}
    assert float(rows[0][MEAN]) == first["regions"][0]["features"][MEAN]

    again = run(sample, "--out", out)
    assert again["measured"] == 0
    assert again["regions"] == first["regions"]

    text = out.read_text(encoding="utf-8")
    out.write_text(text[: len(text) - 200], encoding="utf-8")  # cut off in writing
    continued = run(sample, "--out", out)
    assert continued["measured"] == 1
    assert sorted(map(str, continued["regions"])) == sorted(map(str, first["regions"]))

    other = tmp_path / "params.yaml"
    other.write_text("setting:\n  binWidth: 5\n")
    told = run(sample, "--out", out, "--settings", other, fails=True)
    assert "not measured with" in told


def _classes(path):
    with Project.open(path, write=False) as project:
        return project.classes
