import json

import numpy as np
import pytest

from longtail.core.predict.shelf import (
    FOLDER,
    Shelf,
    Shelved,
    entropy_file,
    map_file,
    open_shelf,
    read_shelf,
    uncertainty_beside,
    write_shelf,
)


def logits_shelf():
    shelf = Shelf("ab", 3, (1, 2))
    shelf.cases["a/ü"] = Shelved(0.25, logits=np.array([1, -2], np.float32))
    shelf.cases["b"] = Shelved(0.5, logits=np.array([0, 3], np.float32))
    return shelf


def map_shelf(folder):
    shelf = Shelf("ab", 3, (1, 2))
    shelf.cases["x/y"] = Shelved(0.1, file=map_file("x/y"))
    (folder / FOLDER).mkdir(parents=True)
    (folder / FOLDER / "x__y.nii.gz").write_bytes(b"")
    return shelf


def test_logits_survive(tmp_path):
    write_shelf(tmp_path, logits_shelf())
    found = read_shelf(tmp_path)
    assert (found.weights_hash, found.label_version, found.class_ids) == ("ab", 3, (1, 2))
    assert list(found.cases) == ["a/ü", "b"]
    np.testing.assert_array_equal(found.cases["a/ü"].logits, [1, -2])
    assert found.cases["b"].uncertainty == 0.5


def test_no_pickle_is_written_and_none_is_read(tmp_path):
    path = write_shelf(tmp_path, logits_shelf())
    with np.load(path, allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)
    np.savez(path, ids=np.array([print], dtype=object), about=np.array("{}"))
    assert read_shelf(tmp_path) is None


def test_maps_survive(tmp_path):
    shelf = map_shelf(tmp_path)
    write_shelf(tmp_path, shelf)
    assert read_shelf(tmp_path) == shelf


def test_a_map_that_was_deleted_counts_as_not_predicted(tmp_path):
    write_shelf(tmp_path, map_shelf(tmp_path))
    (tmp_path / FOLDER / "x__y.nii.gz").unlink()
    assert read_shelf(tmp_path).cases == {}


def test_a_name_that_leads_elsewhere_is_not_believed(tmp_path):
    path = write_shelf(tmp_path, map_shelf(tmp_path))
    (tmp_path / "secret.nii.gz").write_bytes(b"")
    document = json.loads(path.read_text())
    document["cases"]["x/y"]["file"] = "../secret.nii.gz"
    path.write_text(json.dumps(document))
    assert read_shelf(tmp_path).cases == {}


@pytest.mark.parametrize("name", ["index.json", "logits.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04 cut", b"\x00\xff"])
def test_a_damaged_shelf_is_empty(tmp_path, name, content):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / name).write_bytes(content)
    assert read_shelf(tmp_path) is None


def test_other_weights_begin_a_new_shelf(tmp_path):
    write_shelf(tmp_path, logits_shelf())
    assert len(open_shelf(tmp_path, "ab", 3, (1, 2)).cases) == 2
    assert open_shelf(tmp_path, "cd", 3, (1, 2)).cases == {}


def test_records_for_the_project(tmp_path):
    (record,) = map_shelf(tmp_path).records("run-001-supervised", "runs/run-001-supervised")
    assert record.file == "runs/run-001-supervised/predictions/x__y.nii.gz"
    assert (record.case, record.weights_hash, record.label_version) == ("x/y", "ab", 3)


def test_names_of_files():
    assert map_file("a/b") == "a__b.nii.gz"
    assert entropy_file("a/b") == "a__b.uncertainty.nii.gz"
    assert uncertainty_beside("runs/r/predictions/a.nii.gz").endswith("/a.uncertainty.nii.gz")


def test_what_another_job_has_put_there_stays(tmp_path):
    ours, theirs = logits_shelf(), logits_shelf()
    theirs.cases = {"c": Shelved(0.9, logits=np.array([7, 7], np.float32))}
    write_shelf(tmp_path, theirs)
    write_shelf(tmp_path, ours)
    assert list(read_shelf(tmp_path).cases) == ["c", "a/ü", "b"]
