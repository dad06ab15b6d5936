"""From boxes to review through the command line: what steps four and five added, end to end."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from longtail.core.project.sample import build_chest_sample

Command = Callable[..., Any]


@pytest.fixture
def boxed(command: Command, tmp_path: Path) -> Path:
    """A small chest sample with a box on every image."""
    project = build_chest_sample(tmp_path, images=60)
    classes = command("info", project)["classes"]
    finding = classes[0]["name"]
    pictures = sorted((tmp_path / "chest-images").rglob("*.png"))
    table = tmp_path / "boxes.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "finding", "x", "y", "w", "h"])
        for picture in pictures:
            rows.writerow([picture.name, finding, 8, 8, 24, 20])
    told = command("import", project, pictures[0].parent, "--labels", table)
    assert told["boxes"] == len(pictures)
    return project


def test_radiomic_contrast_learns_where_and_is_measured_by_boxes(
    command: Command, boxed: Path
) -> None:
    trained = command(
        "train", boxed, "--method", "radiomic-contrast", "--iterations", "6",
        "--set", "encoder=resnet18", "--set", "size=64", "--set", "batch=8",
    )  # fmt: skip
    measured = command("evaluate", boxed, "--run", trained["run"])
    assert {"auc", "box_iou", "box_acc_30", "pointing"} <= set(measured["summary"])
    assert 0 <= measured["summary"]["box_iou"]["mean"] <= 1
    audited = command("audit", boxed, "--run", "last", "--most", "4")
    assert audited["run"] == trained["run"]
    queue = command("review", boxed, "--run", "last")
    assert queue["run"] == trained["run"]
    assert all(entry["why"] for entry in queue["entries"])


def test_the_doctor_tells_what_it_found_in_the_contracts_form(
    command: Command, heart: Path
) -> None:
    found = command("doctor", heart)["findings"]
    assert all(set(each) == {"kind", "severity", "sentence", "cases", "fix"} for each in found)
    assert not [each for each in found if each["kind"] in ("leak", "duplicate", "geometry")]
