import pytest
import torch

from longtail.core.predict.windows import SlidingWindow


def whole(steps):
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return end.value, told


class Blurred(torch.nn.Module):
    """Depends on its surroundings and on where the window's edge is."""

    def __init__(self, dims, classes=3):
        super().__init__()
        kind = {2: torch.nn.Conv2d, 3: torch.nn.Conv3d}[dims]
        torch.manual_seed(0)
        self.conv = kind(1, classes, 3, padding=1)

    def forward(self, values):
        return self.conv(values)


@pytest.mark.parametrize(
    ("shape", "window"), [((21, 17, 12), (8, 8, 8)), ((5, 30, 7), (8, 16, 8)), ((40, 33), (16, 16))]
)
def test_equals_monais_sliding_window(shape, window):
    from monai.inferers import sliding_window_inference

    torch.manual_seed(1)
    values = torch.rand(1, *shape)
    network = Blurred(len(shape)).eval()
    found, _ = whole(SlidingWindow(window, at_once=3).slide(network, values, "cpu"))
    softly = lambda x: torch.softmax(network(x), dim=1)  # noqa: E731
    with torch.no_grad():
        expected = sliding_window_inference(
            values[None], window, 2, softly, overlap=0.5, mode="gaussian"
        )[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.sum(dim=0), torch.ones(shape))


def test_a_volume_is_seen_slice_by_slice_by_a_flat_network():
    values = torch.rand(1, 5, 20, 18)
    network = Blurred(2).eval()
    window = SlidingWindow((16, 16))
    found, told = whole(window.slide(network, values, "cpu"))
    assert found.shape == (3, 5, 20, 18)
    for index in range(5):
        one, _ = whole(window.slide(network, values[:, index], "cpu"))
        torch.testing.assert_close(found[:, index], one)
    assert told[-1] == (20, 20)


def test_progress_counts_windows_and_ends():
    _, told = whole(
        SlidingWindow((8, 8, 8), at_once=4).slide(Blurred(3), torch.rand(1, 16, 16, 8), "cpu")
    )
    assert told == [(4, 9), (8, 9), (9, 9)]


def test_mirrored_looks_are_averaged():
    values = torch.rand(1, 16, 16)
    network = Blurred(2).eval()
    found, _ = whole(SlidingWindow((16, 16), flips=True).slide(network, values, "cpu"))
    with torch.no_grad():
        looks = [
            torch.softmax(network(values[None].flip(axes)), dim=1).flip(axes)[0]
            for axes in ((), (2,), (3,), (2, 3))
        ]
    torch.testing.assert_close(found, torch.stack(looks).mean(dim=0))


class Hungry(torch.nn.Module):
    """Runs out of memory above a number of windows."""

    def __init__(self, most):
        super().__init__()
        self.most, self.sizes = most, []

    def forward(self, values):
        self.sizes.append(len(values))
        if len(values) > self.most:
            raise RuntimeError("CUDA out of memory. Tried to allocate")
        return torch.cat([values, -values], dim=1)


def test_fewer_windows_at_once_where_memory_runs_out():
    network, values = Hungry(1), torch.rand(1, 16, 16)
    found, told = whole(SlidingWindow((8, 8), at_once=4).slide(network, values, "cpu"))
    torch.testing.assert_close(found, torch.softmax(torch.cat([values, -values]), dim=0))
    assert network.sizes[:4] == [4, 2, 1, 1]
    assert told[-1] == (9, 9)


def test_memory_that_is_not_enough_for_one_window_is_told():
    with pytest.raises(RuntimeError, match="out of memory"):
        whole(SlidingWindow((8, 8)).slide(Hungry(0), torch.rand(1, 16, 16), "cpu"))


def test_another_error_is_not_taken_for_lack_of_memory():
    class Broken(torch.nn.Module):
        def forward(self, values):
            raise RuntimeError("size mismatch")

    network = Broken()
    with pytest.raises(RuntimeError, match="size mismatch"):
        whole(SlidingWindow((8, 8)).slide(network, torch.rand(1, 16, 16), "cpu"))


@pytest.mark.parametrize("shape", [(3, 3), (1, 20), (20, 1)])
def test_images_smaller_than_the_window(shape):
    values = torch.rand(1, *shape)
    found, _ = whole(SlidingWindow((8, 8)).slide(Hungry(99), values, "cpu"))
    torch.testing.assert_close(found, torch.softmax(torch.cat([values, -values]), dim=0))
