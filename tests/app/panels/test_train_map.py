"""Maps of what was learned, as files of a stranger."""

import io
import zipfile

import numpy as np
import pytest

from longtail.app.panels.train_map import MOST_POINTS, map_step, read_map
from longtail.core.errors import LongtailError

NAME = "maps/step-0000400.npz"


def arrays(n=5, k=2, **changes):
    made = {
        "points": np.arange(2 * n, dtype=np.float32).reshape(n, 2),
        "point_classes": (np.arange(n) % (k + 1)).astype(np.int16),
        "centres": np.ones((k, 2), np.float32),
        "centre_classes": np.arange(1, k + 1, dtype=np.int16),
        "step": np.int64(400),
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


def write(folder, name=NAME, **changes):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays(**changes))
    return path


def test_a_map_is_read(tmp_path):
    write(tmp_path)
    frame = read_map(tmp_path, NAME)
    assert frame.step == 400
    assert frame.points.tolist() == arrays()["points"].tolist()
    assert frame.point_classes.tolist() == [0, 1, 2, 0, 1]
    assert frame.centre_classes.tolist() == [1, 2]
    assert not frame.is_empty


@pytest.mark.parametrize(
    "path",
    [
        "../outside.npz",
        "/etc/passwd",
        "maps/../../step-1.npz",
        "maps/step-1.npy",
        "maps\\step-1.npz",
        "maps/step-1.npz\n",
        "",
    ],
)
def test_no_path_leads_out_of_the_run(tmp_path, path):
    assert map_step(path) is None
    with pytest.raises(LongtailError):
        read_map(tmp_path, path)


def test_a_map_is_known_by_its_step():
    assert map_step(NAME) == 400
    assert map_step("maps/step-123456789012.npz") == 123456789012


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"points": None}, "a part of it is missing"),
        ({"points": np.array([["a", "b"]])}, "points are not of the right kind"),
        ({"points": np.zeros((5, 2), np.complex64)}, "points are not of the right kind"),
        ({"points": np.zeros((5, 2), object)}, "points are not of the right kind"),
        ({"points": np.zeros((5, 2), np.longdouble)}, "points are not of the right kind"),
        ({"points": np.zeros(10, np.float32)}, "points are not of the right kind"),
        ({"points": np.zeros((5, 3), np.float32)}, "do not fit each other"),
        ({"points": np.zeros((4, 2), np.float32)}, "do not fit each other"),
        ({"point_classes": np.zeros(5, np.float32)}, "point classes are not of the right kind"),
        ({"centres": np.zeros((1, 2), np.float32)}, "centres and their classes"),
        ({"step": np.zeros(3, np.int64)}, "step are not of the right kind"),
        ({"n": MOST_POINTS + 1}, "more than 20,000 points"),
    ],
)
def test_what_is_no_map_is_told_in_a_sentence(tmp_path, changes, words):
    write(tmp_path, **changes)
    with pytest.raises(LongtailError) as told:
        read_map(tmp_path, NAME)
    assert told.value.reason.startswith("The map of step 400 cannot be read")
    assert words in told.value.reason


def damaged(path, how):
    whole = path.read_bytes()
    if how == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("not a map")
    elif how == "flipped":
        path.write_bytes(whole[:180] + bytes(255 - byte for byte in whole[180:260]) + whole[260:])
    elif how == "folder":
        path.unlink()
        path.mkdir()


@pytest.mark.parametrize("how", ["cut", "empty", "text", "flipped", "folder"])
def test_a_damaged_file_is_told_in_a_sentence(tmp_path, how):
    damaged(write(tmp_path), how)
    with pytest.raises(LongtailError, match="The map of step 400 cannot be read"):
        read_map(tmp_path, NAME)


def test_a_map_that_is_gone(tmp_path):
    with pytest.raises(LongtailError, match="The map of step 400 is gone"):
        read_map(tmp_path, NAME)


def test_a_huge_array_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = write(tmp_path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 2)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("points.npy", header.getvalue() + b"\0" * 1000)
    monkeypatch.setattr(np, "load", lambda *_a, **_k: pytest.fail("it was unpacked"))
    with pytest.raises(LongtailError, match="more than 20,000 points"):
        read_map(tmp_path, NAME)


def test_places_that_are_no_numbers_are_left_out(tmp_path):
    points = np.array([[0, 0], [np.nan, 1], [1, np.inf], [1e38, 1], [2, 2]], np.float32)
    write(tmp_path, points=points)
    frame = read_map(tmp_path, NAME)
    assert frame.points.tolist() == [[0, 0], [2, 2]]
    assert frame.point_classes.tolist() == [0, 1]


def test_other_widths_of_numbers_are_taken(tmp_path):
    write(
        tmp_path,
        points=np.ones((5, 2), np.float64) * 1e300,
        centres=np.ones((2, 2), np.float16),
        centre_classes=np.array([1, 2**40], np.int64),
    )
    frame = read_map(tmp_path, NAME)
    assert len(frame.points) == 0
    assert frame.centres.dtype == np.float32
    assert frame.centre_classes.tolist() == [1, 32767]


def test_a_map_of_nothing_is_empty(tmp_path):
    write(tmp_path, n=0, k=0)
    assert read_map(tmp_path, NAME).is_empty
