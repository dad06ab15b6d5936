"""One real compute process for all the tests of the whole way, started once."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from longtail.app.__main__ import main
from longtail.core.backend.client import ProcessBackend
from longtail.core.project.sample import build_chest_sample, build_heart_sample

Command = Callable[..., Any]


class SharedBackend:
    """Lends the one backend to commands, which must not close it."""

    def __init__(self, backend: ProcessBackend) -> None:
        self.submit = backend.submit

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def backend() -> Iterator[ProcessBackend]:
    backend = ProcessBackend(device="cpu")
    yield backend
    backend.close()


@pytest.fixture
def command(
    backend: ProcessBackend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run one command with --json; give its document. With `fails` give its sentence instead."""
    monkeypatch.setattr(
        "longtail.app.cli.jobs.ProcessBackend", lambda device="auto": SharedBackend(backend)
    )

    def run(*arguments: object, fails: bool = False) -> Any:
        capsys.readouterr()
        status = main([*map(str, arguments), *(() if fails else ("--json",))])
        told = capsys.readouterr()
        if fails:
            assert status != 0
            assert "Traceback" not in told.err
            return told.err.strip()
        assert status == 0, told.err
        return json.loads(told.out)

    return run


@pytest.fixture(scope="session")
def heart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_heart_sample(tmp_path_factory.mktemp("Herz übung"), scans=14)


@pytest.fixture(scope="session")
def chest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_chest_sample(tmp_path_factory.mktemp("chest"), images=80)
