"""`radiomic-contrast`: its loop step by step, and in the engine."""

import json
import math

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Artifact, Metric
from longtail.core.checkpoints.store import load, load_network
from longtail.core.io.texture_phantom import KINDS, textured_film
from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.run import Moment, Setup
from longtail.core.project.boxes import DrawnBox
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.training.plan import plan_run
from longtail.core.training.stepper import Stepper

METHOD = "radiomic-contrast"
SMALL = {"size": 32, "batch": 4, "augmentation": "none", "warm_up": 0.0}
TOTAL = 100


class Trial:
    """A prepared run, and what takes its steps."""

    def __init__(self, project, **settings):
        wishes = {name: settings.pop(name) for name in ("labelled", "seed") if name in settings}
        spec = plan_run(
            project, method=METHOD, settings={**SMALL, **settings}, iterations=TOTAL, **wishes
        )
        self.run = METHODS.get(METHOD).load()(Setup(spec, project, "cpu", 1))
        list(self.run.prepare())
        self.stepper = Stepper(self.run)

    def go(self, first, last):
        return [
            self.stepper.step(self.run.batch(step), Moment(step, TOTAL))
            for step in range(first, last)
        ]

    def gradients(self, step):
        """Gradients of a step on all weights, which stay as they are."""
        self.run.network.train()
        self.run.before_step()
        torch.manual_seed(0)
        self.run.step(self.run.batch(step), Moment(step, TOTAL)).loss.backward()
        weights = [*self.run.network.named_parameters(), *self.run.partner.named_parameters()]
        found = {name: each.grad.clone() for name, each in weights if each.grad is not None}
        for _, each in weights:
            each.grad = None
        return found


# The loop -------------------------------------------------------------------------------------


def test_the_gradient_reaches_both_encoders_and_projections(pictures):
    made = Trial(pictures)
    found = made.gradients(0)
    for name in (
        "body.network.conv1.weight",
        "head.weight",
        "encoder.0.weight",
        "encoder.2.weight",
        "image_projection.layers.0.weight",
        "region_projection.layers.2.weight",
    ):
        assert float(found[name].norm()) > 0, name


def test_nothing_flows_through_the_mask(pictures):
    made = Trial(pictures, refresh=1000)
    looks = []
    plain = made.run.finder.maps
    made.run.finder.maps = lambda *given: looks.append(given) or plain(*given)
    first = made.gradients(0)
    # Now the regions and their features are remembered: numbers that nothing is learned through.
    second = made.gradients(0)
    assert len(looks) == 1
    assert first.keys() == second.keys()
    for name, gradient in first.items():
        torch.testing.assert_close(gradient, second[name], rtol=1e-4, atol=1e-6)
    assert all(weight.grad is None for weight in made.run.average.parameters())
    asked = made.run.asked(made.run.batch(0), torch.empty(0), 0)
    assert not made.run.finder.features(asked, 0, made.run.network).requires_grad


@pytest.mark.parametrize(("refresh", "looks"), [(1, 4), (1000, 2)])
def test_regions_are_found_anew_as_often_as_set(pictures, refresh, looks):
    made = Trial(pictures, refresh=refresh, batch=14)
    plain, asked = made.run.finder.maps, []
    made.run.finder.maps = lambda *given: asked.append(len(given[1])) or plain(*given)
    made.go(0, 4)  # 28 images are seen twice
    assert len(asked) == looks
    assert sum(asked) == 14 * looks


def test_the_ratio_of_gradients_is_as_set(pictures):
    made = Trial(pictures, contrast_share=0.25, learning_rate=1e-4)
    made.go(0, 12)
    metrics = {one.name: one.value for one in made.run.news(12) if isinstance(one, Metric)}
    assert metrics["contrast_gradient"] == pytest.approx(0.25, rel=0.3)
    assert metrics["contrast_loss"] > 0


def test_the_published_mix_is_a_switch(pictures):
    made = Trial(pictures, mix="published")
    batch = made.run.batch(0)
    made.run.network.train()
    result = made.run.step(batch, Moment(0, TOTAL))
    parts = result.parts
    expected = 0.7 * parts["class_loss"] + 0.3 * parts["contrast_loss"]
    assert float(result.loss.detach()) == pytest.approx(expected, rel=1e-5)
    balanced = Trial(pictures)
    for each in (made, balanced):
        each.go(0, 3)
    assert made.run.balance.ratio != pytest.approx(0.5, rel=0.02)
    assert balanced.run.balance.ratio == pytest.approx(0.5, rel=0.4)


def test_without_a_share_the_classes_are_learned_alone(pictures):
    made = Trial(pictures, contrast_share=0.0, labelled="12")
    assert "pool" not in made.run.batch(0)
    made.go(0, 2)
    assert len(made.run.finder.cache) == 0
    assert made.run.phases == (0.0,)


def test_the_classes_are_learned_alone_at_first(pictures):
    made = Trial(pictures, warm_up=0.3)
    made.go(0, 3)
    assert len(made.run.finder.cache) == 0
    made.go(30, 31)
    assert len(made.run.finder.cache) == 4
    assert made.run.phases == (0.0, 0.3)


# Labels, boxes and images without them ---------------------------------------------------------


def test_images_without_labels_are_compared_too(pictures):
    made = Trial(pictures, labelled="12", unlabelled=2)
    batch = made.run.batch(0)
    assert batch["pool"].shape == (4, 2)
    pool = {
        pictures_id
        for pictures_id, row in made.run.store.rows.items()
        if row in set(batch["pool"].flatten().tolist())
    }
    assert len(pool) == 8
    assert pool <= set(made.run.spec.train_unlabelled)
    made.go(0, 1)
    assert len(made.run.finder.cache) == 12


def test_images_that_are_labelled_leave_the_pool(pictures):
    made = Trial(pictures, labelled="12")
    before = len(made.run.pool_rows)
    given = made.run.spec.train_unlabelled[0]
    assert given in made.run.labels_changed([given])
    assert len(made.run.pool_rows) == before - 1
    made.go(0, 1)


def test_drawn_boxes_are_regions(pictures):
    pictures.set_boxes("p0", [DrawnBox(1, x=4, y=8, width=20, height=10)], author="me")
    made = Trial(pictures)
    row = made.run.store.rows["p0"]
    assert made.run.drawn == {row: {0: [(8, 4, 10, 20)]}}
    made.go(0, 7)
    assert made.run.finder.cache.get((row, 0)).box == (8, 4, 10, 20)
    assert Trial(pictures, drawn_boxes=False).run.drawn == {}


def test_boxes_are_hidden_with_the_labels(pictures):
    for number in range(28):
        pictures.set_boxes(f"p{number}", [DrawnBox(1, 4, 8, 20, 10)], author="me")
    made = Trial(pictures, labelled="12")
    assert set(made.run.drawn) == set(made.run.image_rows.tolist())


def test_an_image_without_a_finding_gives_its_centre(findings):
    made = Trial(findings, batch=24)
    made.go(0, 1)
    boxes = {key: made.run.finder.cache.get(key).box for key in made.run.finder.cache._known}
    none = [box for (_, column), box in boxes.items() if column < 0]
    assert len(none) == 10
    assert set(none) == {(3, 3, 26, 26)}


def test_the_classifier_begins_at_the_shares_of_the_classes(findings):
    made = Trial(findings)
    with torch.no_grad():
        start = made.run.network.head(torch.zeros(1, made.run.network.width))[0].sigmoid()
    targets = made.run.targets.numpy()
    expected = [((t == 1).sum() + 1) / ((t >= 0).sum() + 2) for t in targets.T]
    assert start.tolist() == pytest.approx(expected, rel=1e-5)


# Odd batches ----------------------------------------------------------------------------------


@pytest.fixture
def odd(tmp_path):
    """Constant pictures, with several findings, one or none."""
    answers = [{1, 2}, {1}, set(), set()]
    with Project.create(
        tmp_path / "odd.longtail", task=Task.MULTILABEL, classes=["a", "b"]
    ) as project:
        cases = []
        for number, yes in enumerate(answers):
            np.save(tmp_path / f"o{number}.npy", np.full((32, 32), 60 * number, np.uint8))
            labels = ImageLabels(yes=frozenset(yes), no=frozenset({1, 2} - yes))
            path = (str(tmp_path / f"o{number}.npy"),)
            cases.append(NewCase(f"o{number}", path, (32, 32), 1, None, Split.TRAIN, labels=labels))
        project.add_cases(cases)
        yield project


@pytest.mark.parametrize("settings", [{}, {"mix": "published"}, {"loss": "asymmetric"}])
@pytest.mark.parametrize("batch", [2, 4])
def test_constant_images_and_those_without_findings_are_finite(odd, batch, settings):
    made = Trial(odd, batch=batch, **settings)
    for stepped in made.go(0, 3):
        assert math.isfinite(stepped.loss)
        assert not stepped.skipped


def test_a_batch_of_one_image_is_finite(pictures):
    made = Trial(pictures)
    made.run.network.eval()  # a batch norm cannot learn from one image of this size
    batch = {name: values[:1] for name, values in made.run.batch(0).items()}
    result = made.run.step(batch, Moment(0, TOTAL))
    result.loss.backward()
    assert result.loss.isfinite()
    assert result.parts["contrast_loss"] == pytest.approx(0, abs=1e-6)


# In the engine --------------------------------------------------------------------------------


def test_resuming_is_exact(start, pictures):
    wishes = {
        "iterations": 8,
        "labelled": "16",
        "settings": {"warm_up": 0.3, "refresh": 3, "batch": 4},
    }
    _, _, whole = start(pictures, METHOD, name="whole", **wishes)
    _, stopped, parted = start(pictures, METHOD, name="parted", stop_after=9, **wishes)
    assert 3 < stopped["iterations"] < 8
    start(pictures, METHOD, name="parted", resume=True, spec=object())
    first, second = (load(each / "checkpoints/last.pt") for each in (whole, parted))
    torch.testing.assert_close(first["weights"], second["weights"], rtol=0, atol=0)
    ours, theirs = (each["training"]["method"] for each in (first, second))
    for key in ("partner", "regions", "scale", "balance"):
        torch.testing.assert_close(ours[key], theirs[key], rtol=0, atol=0, equal_nan=True)


def test_pictures_are_learned_and_followed(start, pictures):
    events, result, folder = start(
        pictures,
        METHOD,
        iterations=30,
        validation="split",
        settings={"learning_rate": 3e-3, "augmentation": "light"},
    )
    assert result["validation"]["recall"]["mean"] > 0.6
    network, card, _ = load_network(folder)
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 3)
    assert card.method == METHOD
    names = {event.name for event in events if isinstance(event, Metric)}
    assert {"contrast_gradient", "contrast_loss", "radiomics_r2"} <= names
    about = json.loads((folder / "strip/about.json").read_text(encoding="utf-8"))
    assert about["classes"] == ["plain", "stripes", "square"]
    strips = [e for e in events if isinstance(e, Artifact) and e.kind == "strip"]
    with np.load(folder / strips[-1].path) as arrays:
        assert arrays["step"] == 30
        count = len(about["cases"])
        assert arrays["maps"].shape == (count, 32, 32)
        assert arrays["boxes"].shape == (count, 4)
        assert arrays["probabilities"].sum(1) == pytest.approx([1.0] * count, abs=1e-5)
        assert set(arrays["chosen"].tolist()) == {0, 1, 2}
    told = json.loads((folder / "radiomics/predicted.json").read_text(encoding="utf-8"))
    assert len(told["r2"]) == 93


def test_memory_running_out_keeps_what_is_followed(start, pictures, monkeypatch):
    method = METHODS.get(METHOD).load().__globals__["RadiomicContrastRun"]
    plain = method.step

    def short_of_memory(self, batch, moment):
        result = plain(self, batch, moment)
        if len(batch["image"]) > 4:
            raise MemoryError
        return result

    monkeypatch.setattr(method, "step", short_of_memory)
    _, _, folder = start(
        pictures, METHOD, iterations=2, labelled="16", settings={"warm_up": 0.0, "batch": 8}
    )
    kept = load(folder / "checkpoints/last.pt")["training"]["method"]
    assert int(kept["balance"]["steps"]) == 2
    assert float(kept["scale"]["batches"].max()) == 2


@pytest.fixture
def volumes_with_classes(tmp_path):
    """Volumes of two classes, one of them with a ball."""
    random = np.random.default_rng(0)
    ball = (np.indices((16, 20, 20)) - 8 < 4).all(0)
    with Project.create(
        tmp_path / "v.longtail", task=Task.CLASSIFICATION, classes=["none", "ball"]
    ) as project:
        cases = []
        for number in range(6):
            scan = random.normal(50, 5, (16, 20, 20)).astype(np.float32)
            scan[ball] += 40 * (number % 2)
            np.save(tmp_path / f"v{number}.npy", scan)
            labels = ImageLabels(yes=frozenset({number % 2 + 1})) if number < 4 else None
            path = (str(tmp_path / f"v{number}.npy"),)
            cases.append(
                NewCase(f"v{number}", path, scan.shape, 1, None, Split.TRAIN, labels=labels)
            )
        project.add_cases(cases)
        yield project


def test_volumes_are_learned_with_an_encoder_of_their_own(volumes_with_classes):
    made = Trial(volumes_with_classes, batch=2)
    assert made.run.dims == 3
    # Not through the stepper: maps of one voxel, normed over four images, may explode.
    found = made.gradients(0)
    assert float(found["encoder.0.weight"].norm()) > 0
    assert found["body.network.conv1.weight"].isfinite().all()
    known = [made.run.finder.cache.get(key) for key in made.run.finder.cache._known]
    assert len(known) == 4
    assert all(len(each.box) == 6 and each.features.isfinite().any() for each in known)


# The loop is alive ----------------------------------------------------------------------------


def test_on_films_that_differ_by_texture_the_loop_moves(tmp_path):
    random = np.random.default_rng(0)
    with Project.create(
        tmp_path / "films.longtail", task=Task.CLASSIFICATION, classes=list(KINDS)
    ) as project:
        cases = []
        for number in range(24):
            film = textured_film(random, KINDS[number % 2], side=48, patch=20)
            np.save(tmp_path / f"f{number}.npy", film.picture)
            labels = ImageLabels(yes=frozenset({number % 2 + 1}))
            path = (str(tmp_path / f"f{number}.npy"),)
            cases.append(NewCase(f"f{number}", path, (48, 48), 1, None, Split.TRAIN, labels=labels))
        project.add_cases(cases)
        made = Trial(
            project, size=48, batch=12, warm_up=0.1, ema=0.5, map_layer="body.network.layer3"
        )
        made.go(0, 11)
        early, first = _boxes(made), made.run._parts["contrast_loss"]
        made.go(11, 34)
    # Regions follow the network, and each image's own comes nearer than those of the others.
    assert sum(early[key] != box for key, box in _boxes(made).items() if key in early) >= 3
    assert made.run._parts["contrast_loss"] < 0.9 * first


def _boxes(made):
    return {key: made.run.finder.cache.get(key).box for key in made.run.finder.cache._known}
