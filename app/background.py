"""Small errands off the main thread, with the answer brought back to it."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from qtpy.QtCore import QObject, Qt, Signal

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class Errands(QObject):
    """A few threads that read files; each answer is given on the thread that made this object.

    An answer that comes after `forget` is dropped.
    """

    _done = Signal(object)

    def __init__(self, threads: int = 1, name: str = "longtail", parent: QObject | None = None):
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._generation = 0
        # Bound to the pool alone: this object is half gone when it tells that it is destroyed.
        self.destroyed.connect(partial(self._pool.shutdown, wait=False, cancel_futures=True))
        # Queued even within this thread: an answer never comes before `ask` has returned.
        self._done.connect(self._give, Qt.ConnectionType.QueuedConnection)

    def ask(
        self,
        work: Callable[[], Answer],
        then: Callable[[Answer], object],
        failed: Callable[[Exception], object] | None = None,
    ) -> None:
        """Do `work` in a thread, then `then` with its answer or `failed` with its error here."""
        generation = self._generation

        def finish(future: "Future[Answer]") -> None:
            if not future.cancelled():
                self._tell((generation, future, then, failed))

        self._pool.submit(work).add_done_callback(finish)

    def forget(self) -> None:
        """Drop the answers of all that was asked before."""
        self._generation += 1

    def close(self) -> None:
        """Wait for what is under way, drop what waits."""
        self.forget()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tell(self, answer: tuple[Any, ...]) -> None:
        try:
            self._done.emit(answer)
        except RuntimeError:  # the window went away while a file was read
            log.debug("An answer came after its window was closed")

    def _give(self, answer: tuple[Any, ...]) -> None:
        generation, future, then, failed = answer
        if generation != self._generation:
            return
        error = future.exception()
        if error is None:
            then(future.result())
        elif failed is not None:
            failed(error)
        else:
            log.error("An errand failed", exc_info=error)
