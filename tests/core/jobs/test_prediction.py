import csv
import hashlib

import numpy as np
import pytest
import SimpleITK as sitk

from longtail.core.backend.events import Artifact, Outcome, Progress, Started, Warned
from longtail.core.backend.local import LocalBackend
from longtail.core.jobs.prediction import PredictCaseJob, PredictFilesJob, PredictJob
from longtail.core.jobs.record import record
from longtail.core.predict.shelf import read_shelf, uncertainty_beside

RUN = "run-001-supervised"
IMAGE_RUN = "run-001-cross-entropy"


def where(project):
    return project.path.as_posix()


def test_cases_of_a_split_are_predicted_beside_the_lock(volumes, finish):
    job = PredictJob(where(volumes), RUN, None, "test")
    assert volumes.writable  # this process holds the lock, as the window would
    finished = finish(job)
    assert finished.outcome is Outcome.COMPLETED, finished
    assert finished.result["count"] == finished.result["predicted"] == 3
    record(volumes, job, finished)
    records = volumes.predictions(RUN)
    assert [one.case for one in records] == ["scan/1", "scan/2", "scan/3"]
    assert {one.weights_hash for one in records} == {finished.result["weights_hash"]}
    assert {one.label_version for one in records} == {5}
    assert all(0 <= one.uncertainty < 0.05 for one in records)
    for one in records:
        doubt = sitk.ReadImage(str(volumes.path / uncertainty_beside(one.file)))
        source = sitk.ReadImage(volumes.case(one.case).channels[0])
        assert doubt.GetPixelID() == sitk.sitkUInt8
        assert (doubt.GetSize(), doubt.GetOrigin()) == (source.GetSize(), source.GetOrigin())


def test_a_predicted_map_lies_on_the_sources_grid_in_class_ids(volumes, finish):
    job = PredictJob(where(volumes), RUN, ("scan/1",))
    record(volumes, job, finish(job))
    (one,) = volumes.predictions(RUN)
    assert one.file == f"runs/{RUN}/predictions/scan__1.nii.gz"
    found = sitk.ReadImage(str(volumes.path / one.file))
    source = sitk.ReadImage(volumes.case("scan/1").channels[0])
    assert found.GetPixelID() == sitk.sitkUInt8
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(source).astype(np.uint8)
    )
    for of in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(found, of)(), getattr(source, of)(), rtol=1e-6)


def test_what_is_predicted_is_not_predicted_again(volumes, finish):
    finish(PredictJob(where(volumes), RUN, ("scan/1",)))
    again = finish(PredictJob(where(volumes), RUN, None, "test")).result
    assert (again["predicted"], again["count"]) == (2, 3)
    assert (
        finish(PredictJob(where(volumes), RUN, None, "test", again=True)).result["predicted"] == 3
    )


def test_other_weights_predict_anew(volumes, volume_card, finish):
    from longtail.core.checkpoints.store import load, save

    first = finish(PredictJob(where(volumes), RUN, None, "test")).result
    path = volumes.run_folder(RUN) / "checkpoints" / "last.pt"
    state = load(path)
    state["weights"]["conv.bias"][0] += 0.5
    save(path, state)
    second = finish(PredictJob(where(volumes), RUN, None, "test")).result
    assert second["predicted"] == 3
    assert second["weights_hash"] != first["weights_hash"]


def test_events_tell_cases_and_what_was_written(volumes):
    events = list(LocalBackend("cpu").submit(PredictJob(where(volumes), RUN, None, "test")))
    assert isinstance(events[0], Started)
    told = [(event.done, event.total) for event in events if isinstance(event, Progress)]
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert any(isinstance(event, Artifact) and event.kind == "prediction" for event in events)


def test_a_broken_image_is_left_out_and_named(volumes, finish):
    from pathlib import Path

    Path(volumes.case("scan/2").channels[0]).write_bytes(b"broken")
    events = list(LocalBackend("cpu").submit(PredictJob(where(volumes), RUN, None, "test")))
    result = events[-1].result
    assert (result["predicted"], [one["case"] for one in result["skipped"]]) == (2, ["scan/2"])
    assert next(event.text for event in events if isinstance(event, Warned)).startswith("scan/2")
    alone = finish(PredictJob(where(volumes), RUN, ("scan/2",)))
    assert alone.outcome is Outcome.FAILED
    assert "scan/2" in alone.reason


def test_cancelling_between_cases_keeps_what_is_done(volumes):
    handle = LocalBackend("cpu").submit(PredictJob(where(volumes), RUN, None, "test"))
    for event in handle:
        if isinstance(event, Progress) and event.done == 1:
            handle.cancel()
    assert handle.finished.outcome is Outcome.CANCELLED
    assert list(read_shelf(volumes.run_folder(RUN)).cases) == ["scan/1"]


def test_stopping_keeps_what_is_done(volumes):
    handle = LocalBackend("cpu").submit(PredictJob(where(volumes), RUN, None, "test"))
    for event in handle:
        if isinstance(event, Progress) and event.done == 2:
            handle.stop()
    assert handle.finished.outcome is Outcome.STOPPED
    assert handle.finished.result["predicted"] == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run_id": "run-099-x"}, "no run"),
        ({"split": "later"}, "no part"),
        ({"split": "val"}, "no val cases"),
        ({"cases": ("unknown",)}, "unknown"),
        ({"which": "class-9"}, "no checkpoint"),
    ],
)
def test_what_cannot_be_is_a_sentence(volumes, finish, changes, words):
    finished = finish(PredictJob(**{"project": where(volumes), "run_id": RUN} | changes))
    assert finished.outcome is Outcome.FAILED
    assert words in finished.reason


def test_merged_classes_are_written_as_they_are_now(volumes, finish):
    volumes.merge_classes(2, 1)
    job = PredictCaseJob(where(volumes), RUN, "scan/1")
    result = finish(job).result
    found = sitk.GetArrayFromImage(sitk.ReadImage(str(volumes.path / result["file"])))
    assert sorted(np.unique(found)) == [0, 1]
    np.testing.assert_array_equal(found, volumes.read_label_map("scan/1"))


def test_one_case_now_with_its_uncertainty(volumes, finish):
    job = PredictCaseJob(where(volumes), RUN, "scan/3")
    assert job.interactive
    finished = finish(job)
    result = finished.result
    entropy = sitk.GetArrayFromImage(sitk.ReadImage(str(volumes.path / result["uncertainty_file"])))
    assert entropy.shape == (5, 12, 10)
    assert entropy.dtype == np.uint8
    assert result["uncertainty"] == pytest.approx(entropy.mean() / 255, abs=1 / 255)
    record(volumes, job, finished)
    assert [one.case for one in volumes.predictions(RUN)] == ["scan/3"]


def test_one_case_tells_its_windows(volumes):
    events = list(LocalBackend("cpu").submit(PredictCaseJob(where(volumes), RUN, "scan/3")))
    told = [event for event in events if isinstance(event, Progress)]
    assert told[-1].done == told[-1].total > 1


def test_pictures_are_predicted_as_logits(images, finish):
    job = PredictJob(where(images), IMAGE_RUN, None, "test")
    finished = finish(job)
    assert finished.result["count"] == 9
    record(images, job, finished)
    records = images.predictions(IMAGE_RUN)
    said = [int(np.argmax(one.logits)) for one in records]
    assert said == [number % 3 for number in range(9)]
    assert records[0].file is None
    result = finish(PredictCaseJob(where(images), IMAGE_RUN, "pic-4")).result
    np.testing.assert_allclose(result["logits"], records[4].logits)


def test_files_by_a_run(volumes, finish, tmp_path):
    source, out = tmp_path / "source ü" / "images", tmp_path / "out"
    before = hashlib.sha256((source / "1.nii.gz").read_bytes()).hexdigest()
    finished = finish(PredictFilesJob(where(volumes), RUN, (str(source),), str(out)))
    assert finished.outcome is Outcome.COMPLETED, finished
    assert finished.result["count"] == 4
    found = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "1.nii.gz")))
    np.testing.assert_array_equal(found, volumes.read_label_map("scan/1"))
    assert hashlib.sha256((source / "1.nii.gz").read_bytes()).hexdigest() == before
    with (out / "classes.csv").open() as file:
        assert list(csv.reader(file)) == [["id", "name"], ["1", "core"], ["2", "rim"]]


def test_files_never_replace_their_sources(volumes, finish, tmp_path):
    source = tmp_path / "source ü" / "images"
    finished = finish(PredictFilesJob(where(volumes), RUN, (str(source),), str(source)))
    assert finished.outcome is Outcome.FAILED
    assert "replace" in finished.reason


def test_picture_files_become_a_table(images, finish, tmp_path):
    out = tmp_path / "out"
    finished = finish(
        PredictFilesJob(where(images), IMAGE_RUN, (str(tmp_path / "pictures"),), str(out))
    )
    assert finished.outcome is Outcome.COMPLETED, finished
    with (out / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    by_name = {row["file"]: row for row in rows}
    assert by_name["2"]["predicted"] == "high"
    assert float(by_name["2"]["high"]) > 0.99
    assert sum(float(by_name["2"][name]) for name in ("low", "mid", "high")) == pytest.approx(1)


def test_the_prior_that_was_chosen_moves_the_table(images, finish, tmp_path):
    images.set_run_setting(IMAGE_RUN, "prior_target", [1e-6, 1e-6, 1 - 2e-6])
    out = tmp_path / "out"
    source = str(tmp_path / "pictures" / "1.png")
    finish(PredictFilesJob(where(images), IMAGE_RUN, (source,), str(out)))
    with (out / "predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["predicted"] == "high"


def test_thresholds_that_were_chosen_decide_what_is_found(findings, finish, tmp_path):
    source, out = str(tmp_path / "films" / "1.png"), tmp_path / "out"
    job = PredictFilesJob(where(findings), IMAGE_RUN, (source,), str(out))
    finish(job)
    with (out / "predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    share = float(row["mid"])
    assert "mid" in row["predicted"].split("|")
    assert not (out / "setting.txt").exists()
    findings.set_run_setting(IMAGE_RUN, "thresholds", {"2": (1 + share) / 2})
    finished = finish(job)
    with (out / "predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert "mid" not in row["predicted"].split("|")
    assert "mid from" in finished.result["setting"]
    assert "mid from" in (out / "setting.txt").read_text(encoding="utf-8")


def test_a_damaged_setting_is_a_sentence(images, finish, tmp_path):
    images.set_run_setting(IMAGE_RUN, "prior_target", [0.5, "much"])
    source = str(tmp_path / "pictures" / "1.png")
    finished = finish(PredictFilesJob(where(images), IMAGE_RUN, (source,), str(tmp_path / "o")))
    assert finished.outcome is Outcome.FAILED
    assert "prior slider" in finished.reason


def test_pictures_with_outlines_become_pictures(slides, finish, tmp_path):
    from PIL import Image

    source, out = tmp_path / "slides" / "images", tmp_path / "out"
    finished = finish(PredictFilesJob(where(slides), RUN, (str(source),), str(out)))
    assert finished.outcome is Outcome.COMPLETED, finished
    found = np.asarray(Image.open(out / "0.png"))
    np.testing.assert_array_equal(found, slides.read_label_map("slide-0"))
    result = finish(PredictCaseJob(where(slides), RUN, "slide-0")).result
    entropy = sitk.GetArrayFromImage(sitk.ReadImage(str(slides.path / result["uncertainty_file"])))
    assert entropy.shape == (12, 10)
