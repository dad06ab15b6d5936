import random
import threading

import numpy as np
import torch

from longtail.core.backend.control import Control
from longtail.core.backend.turns import Claim, Priority, Turns, keep_random_state


class Queue:
    """Claims on one device, each taken in a thread of its own."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.order: list[str] = []

    def claim(self, priority: Priority = Priority.WORK) -> Claim:
        return self.turns.claim(Control(self.turns.changed), priority)

    def wait_in_thread(self, name: str, claim: Claim) -> threading.Thread:
        def take() -> None:
            self.order.append(name if claim.take() else f"{name} called off")
            claim.give_back()

        thread = threading.Thread(target=take)
        thread.start()
        with self.turns.changed:
            arrived = self.turns.changed.wait_for(lambda: self._knows(claim, thread), 5)
        assert arrived
        return thread

    def _knows(self, claim: Claim, thread: threading.Thread) -> bool:
        return claim in self.turns._waiting or not thread.is_alive()


def test_interactive_jobs_go_first_and_others_in_their_order() -> None:
    queue = Queue()
    holder = queue.claim()
    holder.take()
    first, second, quick = queue.claim(), queue.claim(), queue.claim(Priority.ANSWER)
    idle = queue.claim(Priority.IDLE)
    pairs = [("idle", idle), ("second", second), ("first", first), ("quick", quick)]
    threads = [queue.wait_in_thread(name, claim) for name, claim in pairs]
    assert queue.turns.next_priority() is Priority.ANSWER
    holder.give_back()
    for thread in threads:
        thread.join(5)
    assert queue.order == ["quick", "first", "second", "idle"]


def test_training_lets_interactive_jobs_in_and_no_others() -> None:
    queue = Queue()
    training = queue.claim()
    training.take()
    later = queue.wait_in_thread("later", queue.claim())
    quick = queue.wait_in_thread("quick", queue.claim(Priority.ANSWER))
    training.offer()
    queue.order.append("training goes on")
    training.give_back()
    quick.join(5)
    later.join(5)
    assert queue.order == ["quick", "training goes on", "later"]


def test_a_paused_job_leaves_the_device_to_the_queue() -> None:
    queue = Queue()
    training = queue.claim()
    training.take()
    training.control.pause()
    later = queue.wait_in_thread("later", queue.claim())
    resting = threading.Thread(target=lambda: (training.rest(), queue.order.append("on")))
    resting.start()
    later.join(5)
    assert queue.order == ["later"]
    training.control.resume()
    resting.join(5)
    assert queue.order == ["later", "on"]


def test_a_queued_job_that_is_paused_does_not_begin() -> None:
    queue = Queue()
    holder, paused = queue.claim(), queue.claim()
    holder.take()
    paused.control.pause()
    thread = queue.wait_in_thread("paused", paused)
    holder.give_back()
    assert queue.turns.next_priority() is None
    assert queue.order == []
    paused.control.resume()
    thread.join(5)
    assert queue.order == ["paused"]


def test_a_queued_job_can_be_called_off() -> None:
    queue = Queue()
    holder, stopped, cancelled = queue.claim(), queue.claim(), queue.claim()
    holder.take()
    for name, claim, wish in (("a", stopped, Control.stop), ("b", cancelled, Control.cancel)):
        thread = queue.wait_in_thread(name, claim)
        wish(claim.control)
        thread.join(5)
    assert queue.order == ["a called off", "b called off"]


def test_a_paused_job_that_is_stopped_gets_the_device_to_save_its_work() -> None:
    queue = Queue()
    training, other = queue.claim(), queue.claim()
    training.take()
    training.control.pause()
    resting = threading.Thread(target=lambda: (training.rest(), queue.order.append("saves")))
    resting.start()
    assert other.take()
    training.control.stop()
    resting.join(0.1)
    assert queue.order == []
    other.give_back()
    resting.join(5)
    assert queue.order == ["saves"]


def test_random_numbers_go_on_as_if_nothing_had_been() -> None:
    def draw() -> list[float]:
        return [random.random(), float(np.random.rand()), float(torch.rand(1))]

    restore = keep_random_state()
    expected = draw()
    restore()
    assert draw() == expected
    assert draw() != expected
