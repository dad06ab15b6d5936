import errno
import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.journal import FRAME, MAGIC, StrokeJournal

SHAPE = (3, 8, 8)


def _stroke(z: int, label: int) -> tuple[tuple[np.ndarray, ...], int]:
    area = np.zeros(SHAPE, bool)
    area[z, 2:5, 1:6] = True
    return np.nonzero(area), label


@pytest.fixture
def journal(tmp_path: Path) -> StrokeJournal:
    return StrokeJournal(tmp_path / "case.log")


def _replayed(journal: StrokeJournal) -> np.ndarray:
    array = np.full(SHAPE, 255, np.uint8)
    StrokeJournal(journal.path).apply(array)
    return array


def test_strokes_come_back_in_their_order(journal: StrokeJournal) -> None:
    assert journal.pending == 0
    journal.append(*_stroke(0, 1))
    journal.append(*_stroke(0, 2))
    values = np.arange(3, dtype=np.uint8)
    journal.append((np.array([2, 2, 2]), np.array([0, 0, 0]), np.array([0, 1, 2])), values)
    assert journal.pending == 3
    expected = np.full(SHAPE, 255, np.uint8)
    expected[0, 2:5, 1:6] = 2
    expected[2, 0, :3] = values
    np.testing.assert_array_equal(_replayed(journal), expected)


def test_two_axes_and_an_empty_stroke(journal: StrokeJournal) -> None:
    journal.append((np.array([], int), np.array([], int)), np.array([], np.uint8))
    journal.append((np.array([1]), np.array([2])), 7)
    array = np.zeros((4, 4), np.uint8)
    journal.apply(array)
    assert array[1, 2] == 7
    assert array.sum() == 7


def test_every_torn_tail_leaves_the_strokes_before_it(journal: StrokeJournal) -> None:
    journal.append(*_stroke(0, 1))
    whole = journal.path.read_bytes()
    journal.append(*_stroke(1, 2))
    longer = journal.path.read_bytes()
    expected = np.full(SHAPE, 255, np.uint8)
    expected[_stroke(0, 1)[0]] = 1
    for length in range(len(whole), len(longer)):
        journal.path.write_bytes(longer[:length])
        assert StrokeJournal(journal.path).pending == 1
        np.testing.assert_array_equal(_replayed(journal), expected)


def test_after_a_torn_tail_new_strokes_are_found(journal: StrokeJournal) -> None:
    journal.append(*_stroke(0, 1))
    journal.append(*_stroke(1, 2))
    journal.path.write_bytes(journal.path.read_bytes()[:-3])
    again = StrokeJournal(journal.path)
    again.append(*_stroke(2, 3))
    array = _replayed(journal)
    assert set(np.unique(array[0])) == {1, 255}
    assert set(np.unique(array[1])) == {255}
    assert set(np.unique(array[2])) == {3, 255}


def test_a_flipped_bit_is_noticed(journal: StrokeJournal) -> None:
    journal.append(*_stroke(0, 1))
    content = bytearray(journal.path.read_bytes())
    content[-1] ^= 1
    journal.path.write_bytes(content)
    assert StrokeJournal(journal.path).pending == 0


@pytest.mark.parametrize("content", [b"", b"LT", b"something else entirely"])
def test_a_file_that_is_no_journal_holds_nothing(journal: StrokeJournal, content: bytes) -> None:
    journal.path.write_bytes(content)
    assert journal.pending == 0
    journal.append(*_stroke(0, 1))
    assert StrokeJournal(journal.path).pending == 1


def test_clearing_up_to_a_mark_keeps_what_came_later(journal: StrokeJournal) -> None:
    before = journal.mark()
    journal.append(*_stroke(0, 1))
    mark = journal.mark()
    journal.append(*_stroke(1, 2))
    journal.clear(before)
    assert journal.pending == 2
    journal.clear(mark)
    assert journal.pending == 1
    assert set(np.unique(_replayed(journal)[1])) == {2, 255}
    journal.append(*_stroke(2, 3))
    assert journal.pending == 2
    journal.clear()
    assert not journal.path.exists()
    journal.append(*_stroke(0, 1))
    assert journal.pending == 1


def test_a_stroke_beyond_the_image_is_refused(journal: StrokeJournal) -> None:
    journal.append(*_stroke(2, 1))
    with pytest.raises(LongtailError, match="do not fit the image"):
        journal.apply(np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(LongtailError, match="do not fit the image"):
        journal.apply(np.zeros((8, 8), np.uint8))


@pytest.mark.parametrize(
    "payload",
    [
        b"no zlib",
        zlib.compress(b""),
        zlib.compress(b"\x03" + (2**32 - 1).to_bytes(4, "little")),
        zlib.compress(b"\x09\x01\x00\x00\x00" + bytes(100)),
    ],
)
def test_a_record_made_by_others_is_refused(journal: StrokeJournal, payload: bytes) -> None:
    journal.path.write_bytes(MAGIC + FRAME.pack(len(payload), zlib.crc32(payload)) + payload)
    with pytest.raises(LongtailError, match="did not write"):
        journal.apply(np.zeros(SHAPE, np.uint8))


def test_a_full_disk_keeps_the_strokes_before(
    journal: StrokeJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(*_stroke(0, 1))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(LongtailError, match="disk is full"):
            journal.append(*_stroke(1, 2))
    journal.append(*_stroke(2, 3))
    array = _replayed(journal)
    assert set(np.unique(array[0])) == {1, 255}
    assert set(np.unique(array[2])) == {3, 255}


def test_reading_only(tmp_path: Path) -> None:
    journal = StrokeJournal(tmp_path / "case.log", writable=False)
    for change in (lambda: journal.append(*_stroke(0, 1)), journal.clear):
        with pytest.raises(LongtailError, match="reading only"):
            change()


DRAW = """
import sys
from pathlib import Path
import numpy as np
from longtail.core.project.store import Project
project = Project.open(Path(sys.argv[1]))
journal = project.journal("one")
for number in range(60):
    z, y, x = number % 4, number // 4 % 6, number // 24
    journal.append((np.array([z]), np.array([y]), np.array([x])), 1)
    print(number, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends processes differently")
def test_killed_while_labelling(heart, volume, tmp_path: Path) -> None:
    heart.add_cases([volume("one")])
    heart.close()
    process = subprocess.Popen(
        [sys.executable, "-c", DRAW, str(heart.path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    for line in process.stdout:
        if int(line) == 20:
            os.kill(process.pid, signal.SIGKILL)
            break
    told = 21 + len(process.stdout.readlines())
    process.wait()
    process.stdout.close()
    with type(heart).open(heart.path) as project:
        assert project.writable
        array = project.read_label_map("one")
        assert project.journal("one").pending >= told
        assert (array == 1).sum() >= told
        project.write_label_map("one", array, author="me")
        assert project.journal("one").pending == 0
        np.testing.assert_array_equal(project.read_label_map("one"), array)
