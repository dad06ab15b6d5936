"""Tiny jobs for the tests of the backend; the compute process finds them through PYTHONPATH."""

import os
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from longtail.core.backend.event_log import EventLog
from longtail.core.backend.events import (
    Artifact,
    Finished,
    Log,
    Metric,
    Outcome,
    Progress,
    Warned,
    told,
)
from longtail.core.backend.job import Job, JobContext, Steps
from longtail.core.errors import LongtailError


@dataclass(frozen=True)
class SampleJob(Job):
    log: str = ""

    @property
    def title(self) -> str:
        return type(self).__name__

    @property
    def event_log(self) -> Path | None:
        return Path(self.log) if self.log else None


@dataclass(frozen=True)
class Count(SampleJob):
    """Takes steps like a training; ends early when it is stopped, and says how far it came."""

    steps: int = 3
    step_s: float = 0.0
    kept: str = ""

    def run(self, context: JobContext) -> Steps:
        done = 0
        while done < self.steps and not context.stop_asked:
            yield from context.safe_point()
            for change in context.changes():
                yield told(change)
            time.sleep(self.step_s)
            done += 1
            yield Progress(done, self.steps)
        if self.kept:
            Path(self.kept).write_text(str(done), encoding="utf-8")
            yield Artifact(self.kept, "checkpoint")
        return {"steps": done}


@dataclass(frozen=True)
class Draws(SampleJob):
    """Draws random numbers from every generator, one a step."""

    steps: int = 4
    step_s: float = 0.0
    generators: ClassVar[tuple[str, ...]] = ("random", "numpy", "torch")

    def run(self, context: JobContext) -> Steps:
        import numpy
        import torch

        random.seed(0)
        numpy.random.seed(0)
        torch.manual_seed(0)
        drawn: list[float] = []
        for step in range(self.steps):
            yield from context.safe_point()
            drawn += [random.random(), numpy.random.rand(), float(torch.rand(1))]
            yield Progress(step + 1, self.steps)
            time.sleep(self.step_s)
        return {"drawn": drawn}


@dataclass(frozen=True)
class Glance(SampleJob):
    """An interactive job that also draws random numbers."""

    interactive: ClassVar[bool] = True

    def run(self, context: JobContext) -> Steps:
        random.random()
        if torch := sys.modules.get("torch"):
            torch.rand(3)
        yield Log("seen")
        return {"time": time.monotonic()}


@dataclass(frozen=True)
class Fails(SampleJob):
    how: str = "runtime"

    def run(self, context: JobContext) -> Steps:
        yield Log("still well")
        raise self.error()

    def error(self) -> BaseException:
        if self.how == "torch memory":
            import torch

            return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return {
            "runtime": RuntimeError("the tensors quarrel\nsecond line"),
            "sentence": LongtailError("scan.nii is cut short.", "Copy it again."),
            "memory": MemoryError(),
            "disk": OSError(28, "No space left on device"),
            "exit": SystemExit(3),
        }[self.how]


@dataclass(frozen=True)
class Returns(SampleJob):
    """Returns what is no plain data, or tells it."""

    what: str = "array"
    how: str = "return"

    def run(self, context: JobContext) -> Steps:
        import numpy

        value: Any = {
            "array": numpy.zeros(3),
            "scalar": numpy.float32(0.5),
            "path": Path("a") / "b",
            "tuple": (1, 2),
        }[self.what]
        if self.how == "tell":
            yield Metric(1, "loss", value)
        return {"value": value}


@dataclass(frozen=True)
class Facts(SampleJob):
    """Tells about the process it runs in, and whether a word shows in its public parts."""

    word: str = "none"

    def run(self, context: JobContext) -> Steps:
        yield Log(context.device)
        arguments = Path(f"/proc/{os.getpid()}/cmdline")
        environment = Path(f"/proc/{os.getpid()}/environ")
        return {
            "process_id": os.getpid(),
            "threads": context.threads,
            "torch": "torch" in sys.modules,
            "wave": "wave" in sys.modules,
            "omp": os.environ.get("OMP_NUM_THREADS"),
            "path": sys.path,
            "in_arguments": arguments.exists() and self.word in arguments.read_text(),
            "in_environment": environment.exists() and self.word in environment.read_text(),
        }


@dataclass(frozen=True)
class Flood(SampleJob):
    count: int = 1000

    def run(self, context: JobContext) -> Steps:
        for number in range(self.count):
            yield Metric(number, "loss", 1 / (1 + number))
        return {"count": self.count}


@dataclass(frozen=True)
class Dies(SampleJob):
    """Ends its process without a word."""

    exit_code: int = 7
    last_words: bool = False

    def run(self, context: JobContext) -> Steps:
        yield Warned("this ends badly")
        time.sleep(0.2)
        if self.last_words:
            with EventLog(self.event_log) as log:
                log.append(Finished(Outcome.COMPLETED, {"said": "all"}))
        os._exit(self.exit_code)


@dataclass(frozen=True)
class Fills(SampleJob):
    """Fills memory in pieces small enough to lie on the heap of the C library."""

    megabytes: int = 1

    def run(self, context: JobContext) -> Steps:
        import psutil

        pieces = [b"1" * 50_000 for _ in range(self.megabytes * 20)]
        yield Progress(len(pieces), len(pieces))
        return {"rss": psutil.Process().memory_info().rss}


@dataclass(frozen=True)
class Loads(SampleJob):
    """Loads data in worker processes, which inherit all that is open."""

    steps: int = 1

    def run(self, context: JobContext) -> Steps:
        from torch.utils.data import DataLoader

        loaded = 0
        for step in range(self.steps):
            for batch in DataLoader([1, 2, 3], num_workers=2):
                loaded += int(batch)
                yield Progress(step, self.steps)
                time.sleep(0.05)
        return {"loaded": loaded}


@dataclass(frozen=True)
class Hungry(SampleJob):
    """An interactive job for which only the CPU has memory."""

    interactive: ClassVar[bool] = True

    def run(self, context: JobContext) -> Steps:
        yield Log(context.device)
        if context.device != "cpu":
            raise RuntimeError("MPS backend out of memory")
        return {"device": context.device}


@dataclass(frozen=True)
class Stubborn(SampleJob):
    """Never comes to a safe point."""

    seconds: float = 60.0

    def run(self, context: JobContext) -> Steps:
        yield Log("busy")
        time.sleep(self.seconds)
        return None


@dataclass(frozen=True)
class SampleMore:
    class_name: str
    factor: float
