"""What the compute process does before anybody asks: import what jobs will need."""

import gc
import importlib
import logging
import threading
from collections.abc import Callable

from .arbiter import Arbiter
from .devices import describe_device
from .messages import Ready
from .outbox import Outbox
from .settings import ProcessSettings
from .turns import Priority

logger = logging.getLogger(__name__)


class Preparation:
    """Imports torch before the first job, and the modules to preload while there is no job.

    With the device in hand, since two threads that import the same can see it half done.

    Parameters
    ----------
    settings
        Names the modules and the number of threads.
    arbiter
        Gives the turns.
    choose
        Gives the device.
    outbox
        Takes the name of the device.
    """

    def __init__(
        self,
        settings: ProcessSettings,
        arbiter: Arbiter,
        choose: Callable[[], str],
        outbox: Outbox,
    ) -> None:
        self._settings = settings
        self._arbiter = arbiter
        self._choose = choose
        self._outbox = outbox
        self._has_turn = threading.Event()
        self._thread = threading.Thread(target=self._prepare, name="preparation", daemon=True)

    @property
    def is_busy(self) -> bool:
        """Whether something is being imported, or waits to be."""
        return self._thread.is_alive()

    def begin(self) -> None:
        """Prepare in a thread; returns when no job can come before it any more."""
        self._thread.start()
        self._has_turn.wait()

    def _prepare(self) -> None:
        with self._arbiter.turn(Priority.ANSWER):
            self._has_turn.set()
            _attempt("torch", self._prepare_torch)
        for name in self._settings.preload:
            with self._arbiter.turn(Priority.IDLE):
                _attempt(name, importlib.import_module, name)

    def _prepare_torch(self) -> None:
        import torch

        torch.set_num_threads(self._settings.threads)
        self._outbox.report(Ready(describe_device(self._choose())))


def _attempt(what: str, act: Callable[..., object], *arguments: str) -> None:
    try:
        act(*arguments)
    # Whatever is wrong here, the job that needs it says so with its own reason.
    except Exception:
        logger.exception("%s could not be prepared", what)
    # What was imported stays: looking through it after each job would take a while.
    gc.collect()
    gc.freeze()
