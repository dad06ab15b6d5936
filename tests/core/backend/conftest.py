"""Jobs that the compute process can import, and backends that end with their test."""

import importlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from longtail.core.backend.client import ProcessBackend

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def jobs() -> Iterator[ModuleType]:
    """The module `sample_jobs`, importable here and in processes started from here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        patch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
        patch.setenv("OMP_NUM_THREADS", "1")
        yield importlib.import_module("sample_jobs")


@pytest.fixture
def start(jobs: ModuleType, tmp_path: Path) -> Iterator[Callable[..., ProcessBackend]]:
    """Start a backend that is closed, and whose process is gone, when the test ends."""
    started: list[ProcessBackend] = []

    def begin(**wishes: object) -> ProcessBackend:
        started.append(ProcessBackend(log_path=tmp_path / "compute.log", **wishes))
        return started[-1]

    yield begin
    for backend in started:
        backend.close()


@pytest.fixture(scope="module")
def backend(jobs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessBackend]:
    """One backend for the tests that leave its process alive."""
    with ProcessBackend(log_path=tmp_path_factory.mktemp("log") / "compute.log") as backend:
        yield backend


def is_gone(process_id: int) -> bool:
    """Tell whether a process has ended, whether or not somebody has asked for its exit code."""
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Wait for something that another process does, and fail when it does not."""

    def wait(condition: Callable[[], bool], within_s: float = 20.0) -> None:
        end = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.02)

    return wait


@pytest.fixture
def gone(eventually: Callable[..., None]) -> Callable[[int], None]:
    """Wait for the end of a process."""
    return lambda process_id: eventually(lambda: is_gone(process_id))
