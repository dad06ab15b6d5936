import pytest
import torch

from longtail.core.backend import devices
from longtail.core.backend.devices import (
    autocast_dtype,
    choose_device,
    describe_device,
    thread_count,
)
from longtail.core.errors import LongtailError

WITHOUT_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


def test_auto_finds_a_device_that_torch_can_use() -> None:
    device = choose_device()
    assert torch.ones(2, device=device).sum().item() == 2
    assert describe_device(device)


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == "cpu"
    assert describe_device("cpu") == "CPU"
    assert autocast_dtype("cpu") is None


@WITHOUT_CUDA
@pytest.mark.parametrize("wish", ["cuda", "cuda:1"])
def test_a_missing_card_is_told_with_a_remedy(wish: str) -> None:
    with pytest.raises(LongtailError, match="no CUDA device") as told:
        choose_device(wish)
    assert "cpu" in told.value.remedy


@pytest.mark.parametrize("wish", ["", "tpu", "cpu:3"])
def test_unknown_devices_are_refused(wish: str) -> None:
    with pytest.raises(LongtailError, match="no device"):
        choose_device(wish)


@pytest.mark.parametrize(
    ("cores", "window_open", "wish", "threads"),
    [
        (8, False, None, 8),
        (8, True, None, 7),
        (1, True, None, 1),
        (8, True, "2", 2),
        (2, False, "16", 2),
        (4, False, "many", 4),
    ],
)
def test_an_open_window_keeps_a_core(
    monkeypatch: pytest.MonkeyPatch, cores: int, window_open: bool, wish: str | None, threads: int
) -> None:
    monkeypatch.setattr(devices, "core_count", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if wish is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", wish)
    assert thread_count(window_open) == threads
