import pytest
import torch

from longtail.core.explain.sanity import parts_of, randomised_maps, rank_correlation
from longtail.core.nets.encoders import build_encoder
from longtail.core.nets.unet import build_unet


def test_the_rank_correlation_is_spearmans():
    first = torch.tensor([[0.1, 0.2], [0.3, 0.9]])
    assert rank_correlation(first, first**3) == pytest.approx(1.0)
    assert rank_correlation(first, -first) == pytest.approx(-1.0)
    # Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 * 4 / (4 * 15).
    assert rank_correlation(first, torch.tensor([[2.0, 1.0], [4.0, 3.0]])) == pytest.approx(0.6)


def test_random_weights_give_another_map_and_leave_the_network(classifier, images):
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    found = list(randomised_maps(classifier, images, [0, 1, 2], parts=["body.0", "body.3", "head"]))
    assert [one.part for one in found] == ["head", "body.3", "body.0"]
    assert found[-1].maps > 0
    assert abs(found[-1].correlation) < 0.9
    torch.testing.assert_close(classifier.state_dict(), before, rtol=0, atol=0)


def test_a_map_without_classes_does_not_notice_a_random_head(classifier, images):
    (alone,) = randomised_maps(
        classifier, images, [0], how="independent", parts=["head"], variant="eigen-cam"
    )
    assert alone.correlation == pytest.approx(1.0)


def test_all_at_once_is_repeatable_by_its_seed(classifier, images):
    runs = [list(randomised_maps(classifier, images, [1], how="whole", seed=s)) for s in (4, 4, 5)]
    assert [one.part for one in runs[0]] == ["network"]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_parts_are_stages_and_each_can_be_had_by_name():
    encoder, unet = build_encoder("resnet18", 2, 1, 2), build_unet(2, 1, 2, width=4)
    stages = [
        f"body.network.{name}" for name in ("conv1", "bn1", *(f"layer{i}" for i in range(1, 5)))
    ]
    assert parts_of(encoder) == (*stages, "head")
    assert parts_of(unet) == ("down.0", "down.1", "down.2", "bottom", "up.0", "up.1", "up.2")
    dense = parts_of(build_encoder("densenet121", 2, 1, 2))
    assert "body.network.features.denseblock1" in dense
    assert all(unet.get_submodule(name) is not None for name in parts_of(unet))
