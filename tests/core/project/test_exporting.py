import csv
from pathlib import Path

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.boxes import DrawnBox
from longtail.core.project.exporting import export_labels
from longtail.core.project.store import Project


def _rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_boxes_are_written_beside_the_labels(chest: Project, picture, tmp_path: Path) -> None:
    chest.add_cases([picture("a/one", 1), picture("two"), picture("three"), picture("four", 2)])
    chest.set_boxes("a/one", [DrawnBox(1, 3.5, 4, 10, 20.25), DrawnBox(3, 0, 0, 1, 1)], author="me")
    chest.set_boxes("two", [], author="me")
    assert export_labels(chest, tmp_path / "out") == 3
    assert _rows(tmp_path / "out" / "boxes.csv") == [
        ["file", "finding", "x", "y", "w", "h"],
        ["a/one", "mass", "3.5", "4", "10", "20.25"],
        ["a/one", "hernia", "0", "0", "1", "1"],
        ["two", "none", "", "", "", ""],
    ]
    labelled = [row[:2] for row in _rows(tmp_path / "out" / "labels.csv")[1:]]
    assert labelled == [["a/one", "mass"], ["four", "nodule"]]


def test_boxes_alone_are_enough(heart: Project, volume, tmp_path: Path) -> None:
    heart.add_cases([volume("scan")])
    with pytest.raises(LongtailError, match="no labelled case"):
        export_labels(heart, tmp_path / "none")
    heart.set_boxes("scan", [DrawnBox(2, 1, 1, 2, 2, slice=3)], author="me")
    assert export_labels(heart, tmp_path / "out") == 1
    rows = _rows(tmp_path / "out" / "boxes.csv")
    assert rows == [
        ["file", "finding", "x", "y", "w", "h", "slice"],
        ["scan", "scar", "1", "1", "2", "2", "3"],
    ]


def test_without_boxes_there_is_no_table_of_them(
    heart: Project, volume, mask: np.ndarray, tmp_path: Path
) -> None:
    heart.add_cases([volume("scan", mask)])
    assert export_labels(heart, tmp_path / "out") == 1
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"scan.nii.gz", "classes.csv"}
