"""The compute process: `python -m longtail.core.backend.process`, started by the client alone.

It reads its settings, with the key of the connection, from the first line of its standard input;
it alone imports torch and owns the device.
"""

import faulthandler
import functools
import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from types import FrameType

from .arbiter import Arbiter
from .control import Control
from .devices import choose_device
from .drive import failure
from .events import Warned
from .messages import Hello, Idle, Leave, Order, Steer, Submit, Tell
from .outbox import Outbox
from .preparation import Preparation
from .settings import ProcessSettings
from .system import be_the_victim, give_way, share_heap

logger = logging.getLogger(__name__)

WISHES: dict[str, Callable[[Control], None]] = {
    "pause": Control.pause,
    "resume": Control.resume,
    "stop": Control.stop,
    "cancel": Control.cancel,
}

LOG_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
LOOK_AROUND_S = 0.25
# A job that has not come to a safe point this long after its client went will never do.
PATIENCE_WITHOUT_CLIENT_S = 30 * 60.0


class ComputeProcess:
    """Obeys one client until it goes.

    Parameters
    ----------
    settings
        What the client wishes.
    connection
        The way to the client.
    """

    def __init__(self, settings: ProcessSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._outbox = Outbox(connection)
        self._choose = functools.cache(lambda: choose_device(settings.device))
        self._arbiter = Arbiter(self._outbox.tell, self._choose, settings.threads)
        self._preparation = Preparation(settings, self._arbiter, self._choose, self._outbox)
        self._leave_running = False
        self._leaving = threading.Event()

    def serve(self) -> None:
        """Work until the client goes, then end as it wished."""
        signal.signal(signal.SIGTERM, self._on_terminate)
        self._outbox.report(Hello(os.getpid()))
        self._preparation.begin()
        try:
            self._obey_orders()
        except (EOFError, OSError):
            logger.info("the client has gone")
            self._outbox.drop()
        self._end()

    def _obey_orders(self) -> None:
        reported_idle_s = 0.0
        while not self._leaving.is_set():
            if self._connection.poll(LOOK_AROUND_S):
                self._obey(self._connection.recv())
            idle_s = self._arbiter.idle_s
            limit_s = self._settings.idle_exit_s
            reported_idle_s = min(reported_idle_s, idle_s)
            if limit_s is not None and idle_s - reported_idle_s >= limit_s:
                self._outbox.report(Idle())
                reported_idle_s = idle_s

    def _obey(self, order: Order) -> None:
        if isinstance(order, Submit):
            self._submit(order)
        elif isinstance(order, Leave):
            self._leave_running = order.leave_running
            self._leaving.set()
        elif control := self._arbiter.control(order.job_id):
            self._pass_on(order, control)

    def _submit(self, order: Submit) -> None:
        try:
            job = pickle.loads(order.payload)
        # A job of a class that cannot be imported here is that job's failure, not the process's.
        except Exception as error:  # noqa: BLE001
            self._outbox.tell(order.job_id, failure(error))
        else:
            self._arbiter.submit(order.job_id, job)

    def _pass_on(self, order: Steer | Tell, control: Control) -> None:
        if isinstance(order, Steer):
            WISHES[order.wish](control)
            return
        try:
            control.tell(pickle.loads(order.payload))
        # A change that cannot be read must not end the process with the job in it.
        except Exception:
            logger.exception("a change could not be read")
            self._outbox.tell(order.job_id, Warned("A change could not be taken up.", kind="told"))

    def _end(self) -> None:
        if self._leave_running:
            self._outbox.close()
            self._arbiter.resume_all()
            self._arbiter.wait_until_empty()
        else:
            self._arbiter.stop_all()
            if not self._arbiter.wait_until_empty(PATIENCE_WITHOUT_CLIENT_S):
                logger.error("a job did not come to an end and is given up")
                os._exit(1)
            self._outbox.close()
        if self._preparation.is_busy:
            # Python's own shutdown would pull the ground from under an import.
            os._exit(0)

    def _on_terminate(self, number: int, frame: FrameType | None) -> None:
        self._leaving.set()


def main() -> int:
    """Connect to the client that started this process, and serve it."""
    settings = ProcessSettings.from_line(sys.stdin.readline())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    faulthandler.enable()
    share_heap()
    be_the_victim()
    if settings.polite:
        give_way()
    with Client(settings.address, authkey=settings.key) as connection:
        ComputeProcess(settings, connection).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
