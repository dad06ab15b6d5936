import numpy as np
import pytest
import torch

from longtail.core.predict.classify import classify, uncertainty_of


class Sums(torch.nn.Module):
    def __init__(self, most=99):
        super().__init__()
        self.most, self.sizes = most, []

    def forward(self, values):
        self.sizes.append(len(values))
        if len(values) > self.most:
            raise RuntimeError("not enough memory: you tried to allocate")
        total = values.sum(dim=(1, 2, 3))
        return torch.stack([total, -total], dim=1)


def images(count):
    return [(f"image-{i}", torch.full((1, 2, 2), float(i))) for i in range(count)]


def test_batches_keep_names_and_order():
    network = Sums()
    batches = list(classify(network, iter(images(7)), "cpu", exclusive=True, batch=3))
    assert [len(batch) for batch in batches] == network.sizes == [3, 3, 1]
    flat = [one for batch in batches for one in batch]
    assert [one.name for one in flat] == [name for name, _ in images(7)]
    np.testing.assert_allclose([one.logits[0] for one in flat], [4.0 * i for i in range(7)])
    assert flat[0].logits.dtype == np.float32


def test_images_are_read_as_they_are_needed():
    read = []

    def reading():
        for image in images(4):
            read.append(image[0])
            yield image

    steps = classify(Sums(), reading(), "cpu", exclusive=True, batch=2)
    next(steps)
    assert len(read) == 2


def test_memory_that_runs_out_halves_the_batch():
    network = Sums(most=2)
    (batch,) = classify(network, images(5), "cpu", exclusive=True, batch=8)
    np.testing.assert_allclose([one.logits[0] for one in batch], [4.0 * i for i in range(5)])
    with pytest.raises(RuntimeError, match="memory"):
        list(classify(Sums(most=0), images(2), "cpu", exclusive=True))


def test_uncertainty_of_exclusive_classes():
    doubt = uncertainty_of(np.array([[0.0, 0, 0], [50, 0, 0]]), exclusive=True)
    np.testing.assert_allclose(doubt, [1.0, 0.0], atol=1e-6)


def test_uncertainty_of_several_classes_is_their_mean():
    doubt = uncertainty_of(np.array([[0.0, 60.0], [-60.0, 60.0]]), exclusive=False)
    np.testing.assert_allclose(doubt, [0.5, 0.0], atol=1e-6)
