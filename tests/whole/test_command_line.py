"""The whole way through the command line, on small generated data and in a real process."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.io.samples import write_heart_volumes

Command = Callable[..., Any]
MEASURES = {"mean", "low", "high", "n", "classes"}


def test_volumes_from_a_folder_to_predictions_and_a_model(command: Command, tmp_path: Path) -> None:
    images, project = tmp_path / "Bilder mit Umlaut ä", tmp_path / "heart.longtail"
    write_heart_volumes(images, 8, 1)
    names = "left ventricle,myocardium,right ventricle,scar"
    assert command("init", project, "--classes", names)["classes"] == names.split(",")
    dry = command("import", project, images, "--dry-run")
    assert dry["found"] == 8
    assert dry["dry_run"]
    assert command("info", project)["cases"] == 0
    assert command("import", project, images, "--split", "5/0/3", "--seed", "3")["added"] == 8
    described = command("info", project)
    assert described["splits"] == {"train": 5, "val": 0, "test": 3}
    trained = command(
        "train", project, "--method", "supervised", "--iterations", "12", "--labelled", "4",
        "--set", "width=8",
    )  # fmt: skip
    assert trained["iterations"] == 12
    assert trained["seconds"] > 0
    measured = command("evaluate", project, "--run", trained["run"], "--split", "test")
    assert set(measured["summary"]["dice"]) == MEASURES
    assert set(measured["summary"]["dice"]["classes"]) == set(names.split(","))
    assert len(measured["cases"]) == 3
    assert command("runs", project)[0]["run"] == trained["run"]

    out = tmp_path / "predictions"
    assert command("export", project, "--what", "predictions", "--out", out)["count"] == 3
    source = next((images / "imagesTr").glob("*.nii.gz"))
    predicted = sitk.ReadImage(str(next(out.rglob("*.nii.gz"))))
    assert predicted.GetSpacing() == pytest.approx(sitk.ReadImage(str(source)).GetSpacing())

    model = tmp_path / "model"
    command("export", project, "--what", "model", "--out", model)
    direct = command("predict", model, "--source", source, "--out", tmp_path / "by-model")
    assert direct["count"] == 1
    again = command("predict", project, "--source", source, "--out", tmp_path / "by-project")
    assert again["count"] == 1
    first, second = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(next((tmp_path / place).rglob("*.nii.gz")))))
        for place in ("by-model", "by-project")
    )
    assert np.array_equal(first, second)


def test_images_from_a_table_to_probabilities(
    command: Command, chest: Path, tmp_path: Path
) -> None:
    trained = command(
        "train", chest, "--method", "cross-entropy", "--iterations", "4",
        "--set", "encoder=resnet18", "--set", "size=64", "--seed", "5",
    )  # fmt: skip
    measured = command("evaluate", chest, "--run", "last", "--split", "test")
    assert measured["run"] == trained["run"]
    assert 0 <= measured["summary"]["auc"]["mean"] <= 1
    out = tmp_path / "table"
    count = command("export", chest, "--what", "predictions", "--out", out)["count"]
    with (out / "predictions.csv").open() as file:
        rows = list(csv.reader(file))
    assert len(rows) == count + 1
    assert all(0 <= float(value) <= 1 for row in rows[1:] for value in row[1:])


def test_labels_leave_the_project_as_they_came(
    command: Command, heart: Path, tmp_path: Path
) -> None:
    count = command("export", heart, "--what", "labels", "--out", tmp_path / "out")["count"]
    assert count == command("info", heart)["labelled"]
    label = next((tmp_path / "out").rglob("*.nii.gz"))
    original = next((heart.parent / "heart-images" / "labelsTr").rglob(label.name))
    ours, theirs = (sitk.ReadImage(str(path)) for path in (label, original))
    assert np.array_equal(sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(theirs))
    assert ours.GetOrigin() == pytest.approx(theirs.GetOrigin())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("info", "absent.longtail"), "absent.longtail"),
        (("train", "{heart}", "--method", "nonsense"), "nonsense"),
        (("train", "{heart}", "--method", "cross-entropy"), "cross-entropy"),
        (("train", "{heart}", "--method", "supervised", "--set", "width=-3"), "width"),
        (("train", "{heart}", "--method", "supervised", "--set", "colour=red"), "colour"),
        (("evaluate", "{heart}", "--run", "run-999"), "run-999"),
        (("import", "{heart}", "absent-folder"), "absent-folder"),
        (("predict", "{heart}", "--run", "last", "--source", "absent"), ""),
        (("bench", "nonsense"), "nonsense"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    command: Command, heart: Path, arguments: tuple[str, ...], words: str
) -> None:
    sentence = command(*(part.format(heart=heart) for part in arguments), fails=True)
    assert words in sentence
    assert sentence.count("\n") == 0


def test_methods_are_listed_with_their_presets(command: Command) -> None:
    listed = {method["name"]: method for method in command("methods")}
    assert {"supervised", "cross-entropy"} <= set(listed)
    assert all(method["when"] for method in listed.values())
