"""Errands: done elsewhere, answered here, dropped when nobody asks any more."""

import threading

import pytest

from longtail.app.background import Errands

WAIT_MS = 5000


@pytest.fixture
def errands(qtbot):
    errands = Errands(1, "longtail test")
    yield errands
    errands.close()


def test_the_work_is_done_in_a_thread_and_the_answer_is_given_here(errands, qtbot):
    answers = []
    errands.ask(
        threading.current_thread,
        lambda worker: answers.append((worker, threading.current_thread())),
    )
    qtbot.waitUntil(lambda: bool(answers), timeout=WAIT_MS)
    worker, here = answers[0]
    assert worker is not threading.main_thread()
    assert here is threading.main_thread()


def test_an_error_is_handed_over(errands, qtbot):
    failed = []

    def work():
        raise OSError("no such disk")

    errands.ask(work, lambda _answer: pytest.fail("there is no answer"), failed.append)
    qtbot.waitUntil(lambda: bool(failed), timeout=WAIT_MS)
    assert str(failed[0]) == "no such disk"


def test_an_error_that_nobody_takes_is_in_the_log(errands, qtbot, caplog):
    errands.ask(lambda: 1 // 0, lambda _answer: None)
    qtbot.waitUntil(lambda: "An errand failed" in caplog.text, timeout=WAIT_MS)


def test_forgotten_answers_are_dropped(errands, qtbot):
    gate, answers = threading.Event(), []
    errands.ask(lambda: gate.wait(5), lambda _answer: answers.append("old"))
    errands.forget()
    gate.set()
    errands.ask(lambda: None, lambda _answer: answers.append("new"))
    qtbot.waitUntil(lambda: bool(answers), timeout=WAIT_MS)
    assert answers == ["new"]


def test_closing_drops_what_waits(qtbot):
    errands = Errands(1, "longtail test")
    answers = []
    for number in range(50):
        errands.ask(lambda number=number: number, answers.append)
    errands.close()
    qtbot.wait(20)
    assert answers == []
