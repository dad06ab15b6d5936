import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from longtail.core.backend.events import Artifact, Outcome
from longtail.core.backend.local import LocalBackend
from longtail.core.checkpoints.card import ModelCard
from longtail.core.checkpoints.store import save
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.evaluate.setting import Setting
from longtail.core.explain.stored import map_name
from longtail.core.explain.variants import VARIANTS
from longtail.core.jobs.explaining import ExplainCaseJob
from longtail.core.methods.spec import RunSpec
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project

AS_IT_IS = Intensity("window", 0.0, 100.0, (0.0,), (1.0,))
HEIGHT, WIDTH = 48, 80


def add_run(project, card, method):
    classes = [
        {"id": id_, "name": name, "examples": 10, "volume": 0.5}
        for id_, name in zip(card.class_ids, card.class_names, strict=True)
    ]
    spec = RunSpec(method=method, task=card.task, classes=classes, iterations=7)
    run = project.new_run(spec.to_mapping())
    torch.manual_seed(0)
    weights = build_network(card.network).state_dict()
    path = project.run_folder(run.id) / "checkpoints" / "last.pt"
    save(path, {"card": card.to_mapping(), "weights": weights})
    return run.id


@pytest.fixture
def film_card():
    return ModelCard(
        task=Task.MULTILABEL,
        class_ids=(1, 2),
        class_names=("blob", "line"),
        network=NetworkRecipe("encoder", 2, 1, 2, {"name": "resnet18"}),
        preprocessing=Preprocessing(2, 1, AS_IT_IS, size=(64, 64)),
        prior=(0.5, 0.1),
    )


@pytest.fixture
def films(tmp_path, film_card):
    """A project of two pictures with two findings, and a run with untrained weights."""
    rng = np.random.default_rng(0)
    cases = []
    for number in range(2):
        path = tmp_path / "filme ü" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        values = rng.integers(0, 40, (HEIGHT, WIDTH))
        values[10:24, 50:70] += 50
        Image.fromarray(values.astype(np.uint8)).save(path)
        cases.append(
            NewCase(
                f"a/film-{number}",
                (path.as_posix(),),
                (HEIGHT, WIDTH),
                1,
                None,
                split=Split.TEST,
                labels=ImageLabels(frozenset({1}), frozenset({2})),
            )
        )
    with Project.create(
        tmp_path / "filme", task=Task.MULTILABEL, classes=["blob", "line"]
    ) as project:
        assert project.add_cases(cases).skipped == ()
        yield project, add_run(project, film_card, "cross-entropy")


def explain(films, **changes):
    project, run = films
    job = ExplainCaseJob(project.path.as_posix(), run, "a/film-0", **changes)
    return LocalBackend("cpu").submit(job).wait()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_map_is_written_beside_the_run_on_the_sources_grid(films, variant):
    project, run = films
    finished = explain(films, class_id=2, variant=variant)
    assert finished.outcome is Outcome.COMPLETED, finished
    found = finished.result
    assert found["file"] == f"runs/{run}/explanations/a__film-0--class-2--{variant}.npz"
    assert (found["class_id"], found["class_name"], found["kind"]) == (2, "line", "graded")
    with np.load(project.path / found["file"], allow_pickle=False) as stored:
        values, about = stored["map"], json.loads(str(stored["about"]))
    assert (values.shape, values.dtype) == ((HEIGHT, WIDTH), np.float16)
    assert 0 <= values.min()
    assert 0.5 < values.max() <= 1
    assert {**about, "file": found["file"]} == found
    box, (x, y) = found["box"], found["point"]
    assert 0 <= box["x"] < box["x"] + box["w"] <= WIDTH
    assert 0 <= box["y"] < box["y"] + box["h"] <= HEIGHT
    assert values[int(y), int(x)] == values.max()
    # All that lies in no box is below the threshold or in another piece.
    inside = values[box["y"] : box["y"] + box["h"], box["x"] : box["x"] + box["w"]]
    assert inside.max() >= 0.5 * values.max()


def test_without_a_class_it_is_the_likeliest_with_the_kept_setting(films):
    project, run = films
    shares = {one: explain(films, class_id=one).result["probability"] for one in (1, 2)}
    likeliest = max(shares, key=shares.get)
    assert explain(films).result["class_id"] == likeliest
    # The slider moved so far that the other one is now the likeliest.
    target = tuple(0.001 if one == likeliest else 0.999 for one in (1, 2))
    for key, value in Setting(target).to_settings().items():
        project.set_run_setting(run, key, value)
    moved = explain(films).result
    assert moved["class_id"] == 3 - likeliest
    assert moved["probability"] > shares[3 - likeliest]


def test_what_is_written_is_told_and_jobs_go_before_training(films):
    project, run = films
    job = ExplainCaseJob(project.path.as_posix(), run, "a/film-1", 1)
    assert job.interactive
    told = [one for one in LocalBackend("cpu").submit(job) if isinstance(one, Artifact)]
    assert [one.kind for one in told] == ["explanation"]
    assert told[0].path.endswith(map_name("a/film-1", 1, "grad-cam"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"class_id": 9}, "not learned the class"),
        ({"class_id": 1, "variant": "score-cam"}, "no map called"),
        ({"class_id": 1, "which": "class-7"}, "no checkpoint"),
        ({"class_id": 1, "layer": "body.network.layer9"}, "no layer"),
    ],
)
def test_what_cannot_be_explained_is_told(films, changes, reason):
    finished = explain(films, **changes)
    assert finished.outcome is Outcome.FAILED
    assert reason in finished.reason
    project, run = films
    assert not list((project.run_folder(run)).glob("explanations/*.npz"))


def test_an_earlier_layer_and_several_boxes(films):
    found = explain(
        films, class_id=1, variant="layercam", layer="body.network.layer2", threshold=0.6, most=4
    ).result
    assert 1 <= len(found["boxes"]) <= 4
    assert found["box"] == found["boxes"][0]
    scores = [box["score"] for box in found["boxes"]]
    assert scores == sorted(scores, reverse=True)


def test_a_scan_is_explained_class_by_class(untrained, volume_card):
    card = replace(
        volume_card,
        network=NetworkRecipe("unet", 3, 1, 3, {"width": 4, "strides": [[1, 2, 2]]}),
        patch_size=(4, 8, 8),
    )
    run = add_run(untrained, card, "supervised")
    where = untrained.path.as_posix()

    def look(class_id):
        job = ExplainCaseJob(where, run, "scan/1", class_id)
        return LocalBackend("cpu").submit(job).wait()

    kinds = set()
    for class_id in (1, 2):
        finished = look(class_id)
        assert finished.outcome is Outcome.COMPLETED, finished
        found = finished.result
        kinds.add(found["kind"])
        assert found["probability"] is None
        with np.load(untrained.path / found["file"], allow_pickle=False) as stored:
            assert stored["map"].shape == (5, 12, 10)
        if found["kind"] == "graded":
            assert {"x", "y", "z", "w", "h", "d"} <= set(found["box"])
            assert len(found["point"]) == 3
    assert "graded" in kinds
    assert "No class was chosen" in look(None).reason
