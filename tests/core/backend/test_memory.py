import gc
import weakref

import numpy as np
import pytest
import torch

from longtail.core.backend.memory import give_back_memory, is_out_of_memory, retreat


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 3 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
    ],
)
def test_lack_of_memory_is_recognised(error: Exception) -> None:
    assert is_out_of_memory(error)


def test_lack_of_memory_is_recognised_where_it_really_happens() -> None:
    with pytest.raises(RuntimeError) as of_torch:
        torch.empty(2**55, dtype=torch.uint8)
    with pytest.raises(MemoryError) as of_numpy:
        np.empty(2**55, np.uint8)
    assert is_out_of_memory(of_torch.value)
    assert is_out_of_memory(of_numpy.value)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), ValueError("out of memory"), KeyError("a")]
)
def test_other_failures_are_not_lack_of_memory(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_retreat_halves_until_it_fits() -> None:
    tried: list[int] = []

    def attempt(size: int) -> str:
        tried.append(size)
        if size > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "fits"

    assert retreat(attempt, 12) == ("fits", 3)
    assert tried == [12, 6, 3]


def test_retreat_has_let_go_of_the_failed_attempt_before_the_next() -> None:
    class Big:
        pass

    alive: list[weakref.ref[Big]] = []

    def attempt(size: int) -> None:
        gc.disable()  # what only the collector finds would count as held
        try:
            assert not any(reference() for reference in alive)
            big = Big()
            alive.append(weakref.ref(big))
            if size > 1:
                raise MemoryError
        finally:
            gc.enable()

    assert retreat(attempt, 4) == (None, 1)


@pytest.mark.parametrize(("size", "error"), [(1, MemoryError()), (8, RuntimeError("shapes"))])
def test_retreat_raises_what_less_would_not_mend(size: int, error: Exception) -> None:
    def attempt(size: int) -> None:
        raise error

    with pytest.raises(type(error)):
        retreat(attempt, size)


def test_giving_back_memory_breaks_cycles() -> None:
    class Knot:
        def __init__(self) -> None:
            self.me = self

    knot = weakref.ref(Knot())
    give_back_memory()
    assert knot() is None
