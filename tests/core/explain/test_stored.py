import json
import os

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.explain.stored import (
    StoredMap,
    is_current,
    map_path,
    read_stored,
    write_stored,
)

ABOUT = {
    "class_id": 3,
    "class_name": "Knötchen",
    "variant": "grad-cam",
    "kind": "graded",
    "probability": 0.25,
    "box": None,
}


@pytest.fixture
def path(tmp_path):
    return map_path(tmp_path / "runs" / "run-1", "a/film ü", 3, "grad-cam")


def ramp(shape=(4, 6)):
    return np.linspace(0, 1, np.prod(shape), dtype=np.float32).reshape(shape)


def test_a_map_is_read_as_it_was_written(path):
    write_stored(path, ramp(), ABOUT)
    found = read_stored(path, (4, 6))
    np.testing.assert_allclose(found.values, ramp(), atol=1e-3)
    assert found.values.dtype == np.float16
    assert (found.class_id, found.class_name, found.probability) == (3, "Knötchen", 0.25)
    assert found.says_where


def test_a_map_that_says_nothing_does_not_say_where():
    zeros = np.zeros((2, 2), np.float16)
    for kind in ("constant", "empty", "absent", "undefined"):
        assert not StoredMap(zeros, 1, "a", "grad-cam", kind).says_where


def test_a_map_of_another_size_is_refused_before_it_is_unpacked(path):
    write_stored(path, ramp((400, 600)), ABOUT)
    with pytest.raises(LongtailError, match="another size"):
        read_stored(path, (4, 6))


def save(path, **arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "about",
    ["no json", "[]", json.dumps(ABOUT | {"class_id": None}), json.dumps({"class_id": 1})],
)
def test_a_map_without_a_sound_text_is_refused(path, about):
    save(path, map=np.zeros((4, 6), np.float16), about=np.array(about))
    with pytest.raises(LongtailError, match="cannot be read"):
        read_stored(path, (4, 6))


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 2.0])
def test_values_that_are_no_shares_are_refused(path, value):
    values = ramp().astype(np.float16)
    values[1, 1] = value
    save(path, map=values, about=np.array(json.dumps(ABOUT)))
    with pytest.raises(LongtailError, match="cannot be read"):
        read_stored(path, (4, 6))


def test_code_in_a_file_is_not_run(path):
    save(path, map=np.zeros((4, 6), np.float16), about=np.array([print], dtype=object))
    with pytest.raises(LongtailError, match="cannot be read"):
        read_stored(path, (4, 6))


def test_a_map_that_is_gone_is_told(path):
    with pytest.raises(LongtailError, match="cannot be read"):
        read_stored(path, (4, 6))


def test_a_map_is_current_while_weights_and_image_are_older(path, tmp_path):
    weights, image = tmp_path / "best.pt", tmp_path / "film.png"
    for each in (weights, image):
        each.write_bytes(b"x")
        os.utime(each, (100, 100))
    assert not is_current(path, (weights, image))
    write_stored(path, ramp(), ABOUT)
    os.utime(path, (200, 200))
    assert is_current(path, (weights, image))
    os.utime(weights, (300, 300))
    assert not is_current(path, (weights, image))
    weights.unlink()
    assert not is_current(path, (weights, image))
