"""`foundation` in the engine: kept features, adapters, several classes, no folder afterwards."""

import json
import shutil

import pytest
import torch
from safetensors.torch import save_file

from longtail.core.backend.events import Progress
from longtail.core.checkpoints.store import load, load_network
from longtail.core.errors import LongtailError
from longtail.core.methods.spec import read_spec, write_spec
from longtail.core.nets.vit import VisionTransformer, VitShape
from longtail.core.training.engine import train
from longtail.core.training.plan import plan_run


@pytest.fixture
def encoder(tmp_path):
    """Write the folder of a tiny transformer with random weights."""
    torch.manual_seed(0)
    network = VisionTransformer(VitShape(16, 1, 2, 8, 4, 32))
    folder = tmp_path / "Kodierer ä"
    folder.mkdir()
    save_file(dict(network.state_dict()), folder / "model.safetensors")
    config = {
        "model_type": "dinov2",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "patch_size": 8,
        "mlp_ratio": 2,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture
def start(tmp_path, encoder, finish, context):
    """Train on a project in a folder: gives events, result and folder."""

    def begin(project, name="run", *, resume=False, stop_after=None, settings=None, **wishes):
        folder = tmp_path / name
        if not resume:
            small = {"size": 32, "batch": 8, "encoder": str(encoder), **(settings or {})}
            write_spec(folder, plan_run(project, method="foundation", settings=small, **wishes))
        steps = train(read_spec(folder), project, folder, context(stop_after), resume)
        return *finish(steps), folder

    return begin


def bodies(encoder, folder):
    own = VisionTransformer(VitShape(16, 1, 2, 8, 4, 32)).state_dict()
    found = load(folder / "checkpoints/last.pt")["weights"]
    return own.keys(), {k.removeprefix("body."): v for k, v in found.items()}


def test_a_classifier_on_kept_features_learns(pictures, start, encoder):
    events, result, folder = start(pictures, iterations=150, validation="none")
    assert all(share > 0.6 for share in result["train"].values())
    assert result["prior"] == pytest.approx([1 / 3] * 3)
    looked = [e for e in events if isinstance(e, Progress) and "Looking" in e.what]
    assert looked[-1].done == looked[-1].total == 4 * 28
    from safetensors.torch import load_file

    before = load_file(encoder / "model.safetensors")
    _, after = bodies(encoder, folder)
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, rtol=0, atol=0)
    shutil.rmtree(encoder)
    network, card, preprocessing = load_network(folder, "last")
    assert preprocessing.network_channels == 3
    assert card.network.options["pretrained"] == "none"
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3)


@pytest.mark.parametrize("settings", [{}, {"adapt": "lift"}, {"head": "prototype"}])
def test_resuming_is_exact_and_needs_no_folder(pictures, start, encoder, settings):
    wishes = {"iterations": 6, "validation": "none", "settings": settings}
    _, _, whole = start(pictures, "whole", **wishes)
    _, stopped, parted = start(pictures, "parted", stop_after=40, **wishes)
    if stopped["iterations"] == 6:
        _, stopped, parted = start(pictures, "parted", stop_after=7, **wishes)
    shutil.rmtree(encoder)
    start(pictures, "parted", resume=True)
    first, second = (load(each / "checkpoints/last.pt")["weights"] for each in (whole, parted))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_lift_changes_adapters_and_classifier_only(pictures, start, encoder):
    from safetensors.torch import load_file

    _, _, folder = start(pictures, iterations=3, settings={"adapt": "lift", "rank": 2})
    before = load_file(encoder / "model.safetensors")
    _, after = bodies(encoder, folder)
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, rtol=0, atol=0)
    assert (after["blocks.0.query.up"] != 0).any()
    assert load_network(folder).card.network.options["shape"]["rank"] == 2


@pytest.mark.parametrize("head", ["cosine", "prototype"])
def test_other_classifiers(pictures, start, head):
    _, result, folder = start(
        pictures, iterations=100, validation="none", settings={"head": head, "loss": "ce"}
    )
    assert sum(result["train"].values()) > 1.5
    assert load(folder / "checkpoints/last.pt")["weights"]["head.scale"] == 20


@pytest.mark.parametrize("loss", ["auto", "asymmetric"])
def test_several_classes(findings, start, loss):
    _, result, _ = start(findings, iterations=3, settings={"loss": loss})
    assert all(0 < share < 1 for share in result["prior"])


def test_the_images_mean_what_the_encoder_was_trained_with(pictures, start, encoder):
    means = {"image_mean": [0.6, 0.6, 0.6], "image_std": [0.3, 0.3, 0.3]}
    (encoder / "preprocessor_config.json").write_text(json.dumps(means), encoding="utf-8")
    _, _, folder = start(pictures, iterations=1)
    intensity = load_network(folder).preprocessing.intensity
    assert intensity.mean == pytest.approx((0.6,))
    assert intensity.deviation == pytest.approx((0.3,))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"encoder": "resnet18"}, "needs pretrained=FILE"),
        ({"pretrained": "none"}, "needs encoder=FOLDER"),
        ({"adapt": "lift"}, "folder of a transformer"),
        ({"loss": "ldam"}, "not made for a frozen encoder"),
        ({"mixup": "balanced"}, "not made for a frozen encoder"),
    ],
)
def test_wishes_that_cannot_be(pictures, settings, words):
    with pytest.raises(LongtailError, match=words):
        plan_run(pictures, method="foundation", settings=settings)


def test_a_folder_that_is_not_there(pictures, start, tmp_path):
    with pytest.raises(LongtailError, match=r"config\.json is missing"):
        start(pictures, iterations=1, settings={"encoder": str(tmp_path / "nowhere")})
