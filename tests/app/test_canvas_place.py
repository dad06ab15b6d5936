"""A case is opened at a place in it: the slice is turned to once the case is shown."""

from types import SimpleNamespace

import psygnal
import pytest

from longtail.app.canvas_place import Places
from longtail.core.errors import LongtailError


class FakeCanvas:
    changed = psygnal.Signal()

    def __init__(self, known=("one", "two")):
        self.state, self.picture, self.kept, self.steps = "empty", None, [], []
        self.notices = []
        self.session = SimpleNamespace(
            show_case=self.show_case, reporting=lambda: Reporting(self.notices)
        )
        dims = SimpleNamespace(set_current_step=lambda *step: self.steps.append(step))
        self.viewer = SimpleNamespace(dims=dims)
        self.known, self.asked = known, []

    def keep(self, companion):
        self.kept.append(companion)

    def show_case(self, case_id):
        if case_id not in self.known:
            raise LongtailError("There is no such case.")
        self.asked.append(case_id)

    def arrive(self, case_id, axis=0):
        self.state = "shown"
        self.picture = SimpleNamespace(case=SimpleNamespace(id=case_id), axis=axis)
        self.changed.emit()


class Reporting:
    def __init__(self, notices):
        self.notices = notices

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, LongtailError):
            self.notices.append(str(error))
            return True
        return False


@pytest.fixture
def canvas():
    return FakeCanvas()


def test_the_slice_is_turned_to_when_the_case_is_shown(canvas):
    places = Places(canvas)
    places.go("one", (7, 20, 30))
    assert canvas.asked == ["one"]
    assert canvas.steps == []
    canvas.arrive("one")
    assert canvas.steps == [(0, 7)]
    canvas.changed.emit()
    assert canvas.steps == [(0, 7)]


def test_in_the_case_that_is_shown_it_is_turned_to_at_once(canvas):
    places = Places(canvas)
    canvas.arrive("one", axis=2)
    places.go("one", (7, 20, 30))
    assert canvas.steps == [(2, 30)]


@pytest.mark.parametrize(("place", "axis"), [((-1, 4, 4), 0), ((), 0), ((3, 4, 5), None)])
def test_a_place_that_says_nothing_turns_nothing(canvas, place, axis):
    Places(canvas).go("one", place)
    canvas.arrive("one", axis=axis)
    assert canvas.steps == []


def test_a_case_that_came_in_between_is_not_turned(canvas):
    Places(canvas).go("one", (7, 20, 30))
    canvas.arrive("two")
    canvas.arrive("one")
    assert canvas.steps == []


def test_what_cannot_be_shown_is_said(canvas):
    Places(canvas).go("gone", (1, 1, 1))
    assert canvas.notices == ["There is no such case."]


def test_it_ends_with_the_canvas(canvas):
    places = Places(canvas)
    assert canvas.kept == [places]
    places.go("one", (7, 20, 30))
    places.close()
    canvas.arrive("one")
    assert canvas.steps == []
