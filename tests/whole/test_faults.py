"""What goes wrong in hospitals: each fault gets a sentence, none a crash, none silence."""

import csv
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import SimpleITK as sitk

from longtail.core.backend.client import ProcessBackend
from longtail.core.backend.events import Metric, Outcome
from longtail.core.errors import LongtailError
from longtail.core.jobs.record import record
from longtail.core.jobs.training import TrainJob
from longtail.core.project.records import Status
from longtail.core.project.store import Project
from longtail.core.training.plan import plan_run

Command = Callable[..., Any]
CLASSES = "cat,dog"
SHORT = ("--method", "supervised", "--iterations", "2", "--set", "width=8")


def write_volume(path: Path, array: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.0, 1.0, 2.0))
    sitk.WriteImage(image, str(path))


def scan(seed: int = 0, shape: tuple[int, ...] = (6, 16, 16)) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)


def mask(*values: int, shape: tuple[int, ...] = (6, 16, 16)) -> np.ndarray[Any, Any]:
    array = np.zeros(shape, np.uint8)
    for place, value in enumerate(values):
        array[1:4, 2 + 4 * place : 5 + 4 * place, 3:9] = value
    return array


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four scans with masks of both classes, as images and labels folders."""
    for number in range(4):
        write_volume(tmp_path / "source" / "images" / f"scan{number}.nii.gz", scan(number))
        write_volume(tmp_path / "source" / "labels" / f"scan{number}.nii.gz", mask(1, 2))
    return tmp_path / "source"


@pytest.fixture
def project(command: Command, tmp_path: Path) -> Path:
    path = tmp_path / "study.longtail"
    command("init", path, "--classes", CLASSES)
    return path


def bring(command: Command, project: Path, source: Path, *more: str) -> Any:
    labels = source / "labels"
    return command("import", project, source / "images", "--labels", labels, *more)


def reasons(document: Any) -> dict[str, str]:
    return {Path(item["file"]).name.split(".")[0]: item["reason"] for item in document["skipped"]}


def test_a_broken_volume_is_named_and_the_others_come_in(
    command: Command, project: Path, source: Path
) -> None:
    (source / "images" / "scan1.nii.gz").write_bytes(b"\x1f\x8bnot a volume")
    document = bring(command, project, source)
    assert document["added"] == 3
    assert "scan1" in reasons(document)


def test_a_mask_of_another_shape_leaves_its_case_unlabelled(
    command: Command, project: Path, source: Path
) -> None:
    write_volume(source / "labels" / "scan2.nii.gz", mask(1, shape=(5, 16, 16)))
    document = bring(command, project, source)
    assert document["added"] == 4
    assert command("info", project)["labelled"] == 3
    assert "scan2" in reasons(document)


def test_a_label_id_outside_the_classes_is_named(
    command: Command, project: Path, source: Path
) -> None:
    write_volume(source / "labels" / "scan3.nii.gz", mask(1, 7))
    document = bring(command, project, source)
    assert "7" in reasons(document)["scan3"]
    assert command("info", project)["labelled"] == 3


def test_an_empty_folder_is_refused(command: Command, project: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "empty" in command("import", project, empty, fails=True)


def test_a_table_with_a_missing_file_says_which(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "cells.longtail"
    command("init", path, "--classes", CLASSES, "--task", "classification")
    for name in ("a", "b"):
        sitk.WriteImage(
            sitk.GetImageFromArray(np.zeros((9, 9), np.uint8)), tmp_path / f"{name}.png"
        )
    rows = (("file", "label"), ("a.png", "cat"), ("absent.png", "dog"), ("b.png", "dog"))
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    document = command("import", path, tmp_path / "labels.csv")
    assert document["added"] == 2
    assert "absent" in reasons(document)


def test_a_truncated_dicom_is_named(command: Command, project: Path, tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    folder = tmp_path / "series"
    folder.mkdir()
    whole = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    (folder / "one.dcm").write_bytes(whole[: len(whole) // 2])
    sentence = command("import", project, folder, fails=True)
    assert "one.dcm" in sentence or "series" in sentence


@pytest.mark.parametrize("labelled", [1, 4])
def test_few_labelled_cases_or_a_class_without_examples_still_train(
    command: Command, project: Path, source: Path, labelled: int
) -> None:
    for number in range(4):
        if number < labelled:  # only the first class is ever drawn
            write_volume(source / "labels" / f"scan{number}.nii.gz", mask(1))
        else:
            (source / "labels" / f"scan{number}.nii.gz").unlink()
    bring(command, project, source)
    run = command(
        "train", project, "--method", "supervised", "--iterations", "2", "--set", "width=8"
    )
    assert run["iterations"] == 2


def test_no_labelled_case_is_refused_before_anything_starts(
    command: Command, project: Path, source: Path
) -> None:
    command("import", project, source / "images")
    sentence = command("train", project, "--method", "supervised", "--iterations", "2", fails=True)
    assert "label" in sentence
    assert command("runs", project) == []


def test_all_images_of_one_class_are_refused_with_a_reason(
    command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "cells.longtail"
    command("init", path, "--classes", CLASSES, "--task", "classification")
    for number in range(3):
        folder = tmp_path / "source" / "cat"
        folder.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(
            sitk.GetImageFromArray(np.full((9, 9), number, np.uint8)), folder / f"{number}.png"
        )
    command("import", path, tmp_path / "source")
    sentence = command("train", path, "--method", "cross-entropy", "--iterations", "2", fails=True)
    assert "cat" in sentence or "one class" in sentence


def test_a_project_of_a_newer_version_is_refused(command: Command, project: Path) -> None:
    with closing(sqlite3.connect(project / "project.db")) as database:
        database.execute("PRAGMA user_version = 9999")
        database.commit()
    assert "newer" in command("info", project, fails=True)


def test_a_project_held_by_somebody_else_can_be_read_but_not_trained(
    command: Command, project: Path, source: Path
) -> None:
    bring(command, project, source)
    with Project.open(project) as held:
        assert held.writable
        assert command("info", project)["cases"] == 4
        sentence = command("train", project, "--method", "supervised", fails=True)
    assert "open" in sentence


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(os.urandom(4096))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where this user may mount one."""
    place = tmp_path / "tiny"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a tmpfs cannot be mounted by this user")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_leaves_the_old_labels_and_says_so(
    command: Command, source: Path, tiny_disk: Path
) -> None:
    path = tiny_disk / "study.longtail"
    command("init", path, "--classes", CLASSES)
    bring(command, path, source)
    with Project.open(path) as opened:
        case = opened.cases(labelled=True)[0].id
        before = opened.read_label_map(case)
        filler = tiny_disk / "filler"
        with pytest.raises(OSError, match="space"):
            fill(filler)
        changed = np.random.default_rng(0).integers(0, 3, before.shape).astype(np.uint8)
        with pytest.raises(LongtailError, match=r"disk is full"):
            opened.write_label_map(case, changed, author="test", status=Status.DRAFT)
        filler.unlink()
    with Project.open(path) as opened:
        assert np.array_equal(opened.read_label_map(case), before)


def test_a_killed_compute_process_is_told_and_the_run_resumes(heart: Path) -> None:
    with Project.open(heart) as project, ProcessBackend(device="cpu") as backend:
        spec = plan_run(project, method="supervised", settings={"width": 8}, iterations=100_000)
        run = project.new_run(spec.to_mapping())
        job = TrainJob(str(project.path), run.id)
        handle = backend.submit(job)
        last = project.run_folder(run.id) / "checkpoints" / "last.pt"
        for _event in handle:
            if last.is_file() and psutil.pid_exists(backend.process_id or 0):
                psutil.Process(backend.process_id).kill()
                break
        finished = handle.wait()
        record(project, job, finished)
        assert finished.outcome is Outcome.FAILED
        assert "killed" in finished.reason
        assert finished.remedy
        assert project.run(run.id).state == "failed"
        again = TrainJob(str(project.path), run.id, resume=True)
        handle = backend.submit(again)
        steps = []
        for event in handle:
            if isinstance(event, Metric) and event.name == "loss":
                steps.append(event.step)
                handle.stop()
        record(project, again, handle.wait())
        assert steps[0] > 1
        assert handle.wait().outcome is Outcome.STOPPED
        assert project.run(run.id).state == "stopped"


def test_a_checkpoint_cut_in_half_is_said_to_be_so(command: Command, heart: Path) -> None:
    run = command(
        "train", heart, "--method", "supervised", "--iterations", "2", "--set", "width=8"
    )["run"]
    for checkpoint in (heart / "runs" / run / "checkpoints").glob("*.pt"):
        whole = checkpoint.read_bytes()
        checkpoint.write_bytes(whole[: len(whole) // 2])
    sentence = command("evaluate", heart, "--run", run, fails=True)
    assert ".pt" in sentence
    assert "damaged" in sentence or "incomplete" in sentence
