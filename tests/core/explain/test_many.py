import numpy as np
import torch

from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.explain.many import Picture, maps_of_pictures
from longtail.core.explain.whole import map_of_picture
from longtail.core.io.image_types import Image
from longtail.core.nets.recipe import NetworkRecipe, build_network

AS_IT_IS = Intensity("window", 0.0, 100.0, (0.0,), (1.0,))


def test_maps_of_many_are_those_of_one_at_a_time():
    torch.manual_seed(0)
    network = build_network(NetworkRecipe("encoder", 2, 1, 3, {"name": "resnet18"})).eval()
    ready = Preprocessing(2, 1, AS_IT_IS, size=(64, 64))
    rng = np.random.default_rng(1)
    shapes = [(40, 70), (64, 64), (90, 50), (40, 70), (30, 30)]
    images = [Image(rng.integers(0, 90, (1, *shape)).astype(np.float32), None) for shape in shapes]
    wanted = [(0,), (2, 1), (1,), (0,), (1, 0)]
    pictures = [
        Picture(str(number), ready.apply(image), image.shape, outputs)
        for number, (image, outputs) in enumerate(zip(images, wanted, strict=True))
    ]
    batches = list(maps_of_pictures(network, ready, pictures, "cpu", batch=2))
    assert [[(one.name, one.output) for one in batch] for batch in batches] == [
        [("0", 0), ("2", 1)],
        [("1", 2), ("1", 1), ("4", 1), ("4", 0)],
        [("3", 0)],
    ]
    for one in (found for batch in batches for found in batch):
        image = images[int(one.name)]
        alone = map_of_picture(network, ready, image, one.output, "cpu")
        assert one.map.kind == alone.kind
        assert one.map.values.shape == image.shape
        np.testing.assert_allclose(one.map.values, alone.values, atol=1e-4)
        np.testing.assert_allclose(one.map.logits, alone.logits, atol=1e-4)
