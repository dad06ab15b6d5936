"""Moving, drawing around and pointing at 112,120 points of an embedding, beside a matplotlib plot.

The points are as many as ChestX-ray14 has images, in fifteen groups of very unequal size. Events go
to the window's own plot as Qt sends them, at the rate of a screen; each time lasts until what it
changed has been painted.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from longtail.app.cli.bench import result

if TYPE_CHECKING:
    from longtail.app.panels.embedding_plot import EmbeddingPlot

POINTS, GROUPS = 112_120, 15
WIDTH, HEIGHT = 1100, 420
MOVES, LASSOS, POINTED = 240, 12, 240
FRAME_S = 1 / 60
PAN_MS, LASSO_MS, HOVER_MS = 60.0, 150.0, 20.0
SETTLED_S = 10.0

Spots = np.ndarray[Any, np.dtype[np.float32]]
Codes = np.ndarray[Any, np.dtype[np.int16]]


def measure() -> list[dict[str, Any]]:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return [result("pan", None, "ms", at_most=PAN_MS, note="there is no display")]
    # In a process of its own: Qt may fall over its own feet when it is taken down.
    done = subprocess.run(
        [sys.executable, __file__], capture_output=True, text=True, timeout=900, check=True
    )
    lines: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return lines


def lines() -> list[dict[str, Any]]:
    """Measure here and now."""
    spots, codes = clouds()
    ours = list(_ours(spots, codes))
    theirs = _matplotlib(spots, codes)
    return [_line(name, times, at_most, theirs) for name, times, at_most in ours]


def clouds() -> tuple[Spots, Codes]:
    """Generate points (n, 2) in groups of unequal size, and the group of each."""
    rng = np.random.default_rng(7)
    shares = 0.65 ** np.arange(GROUPS)
    codes = rng.choice(GROUPS, POINTS, p=shares / shares.sum())
    centres = rng.normal(0, 6, (GROUPS, 2))
    spots = centres[codes] + rng.normal(0, 1, (POINTS, 2)) * (0.6 + rng.random((GROUPS, 1))[codes])
    return spots.astype(np.float32), codes.astype(np.int16)


def _line(
    name: str, times: list[float], at_most: float | None, theirs: dict[str, float] | None
) -> dict[str, Any]:
    value = float(np.percentile(times, 95))
    if theirs is None or name not in theirs:
        note = "" if theirs is not None else "matplotlib is not installed"
        return result(f"{name}, 95th percentile", value, "ms", at_most=at_most, note=note)
    return result(
        f"{name}, 95th percentile",
        value,
        "ms",
        reference=f"matplotlib {theirs[name]:.0f} ms",
        ratio=value / theirs[name],
        at_most=at_most,
        judged=value,
    )


def _ours(spots: Spots, codes: Codes) -> Iterator[tuple[str, list[float], float | None]]:
    from qtpy.QtWidgets import QApplication

    from longtail.app.panels.embedding_plot import EmbeddingPlot

    app = QApplication.instance() or QApplication([])
    plot = EmbeddingPlot()
    plot.resize(WIDTH, HEIGHT)
    plot.show()
    try:
        yield "first picture", [_timed(lambda: _show(app, plot, spots, codes))], None
        hand = _Hand(app, plot)
        yield "pan", hand.pan(), PAN_MS
        yield "zoom", hand.zoom(), PAN_MS
        plot.fit()
        hand.settle()
        yield "lasso, until the points stand out", hand.lasso(), LASSO_MS
        yield "hover", hand.hover(), HOVER_MS
    finally:
        plot.close_threads()


def _show(app: Any, plot: "EmbeddingPlot", spots: Spots, codes: Codes) -> None:
    from longtail.app.panels.embedding_points import Kind, Points

    kinds = tuple(Kind(f"group {n}", f"#{(n * 1_118_481) % 0xFFFFFF:06x}") for n in range(GROUPS))
    plot.show_points(Points(spots, codes, kinds))
    _settle(app, plot)


def _settle(app: Any, plot: "EmbeddingPlot") -> None:
    """Let the plot paint all that it still has to."""
    end = time.perf_counter() + SETTLED_S
    app.processEvents()
    while plot.painting.waits and time.perf_counter() < end:
        app.processEvents()
        time.sleep(0.001)
    plot.viewport().repaint()


def _timed(act: Callable[[], None]) -> float:
    """Give how long something takes, in ms."""
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


class _Hand:
    """A hand on the mouse that moves once a frame of the screen."""

    def __init__(self, app: Any, plot: "EmbeddingPlot") -> None:
        self._app, self._plot = app, plot
        self._due = time.perf_counter()

    def pan(self) -> list[float]:
        """Drag to and fro."""
        middle = np.array([WIDTH / 2, HEIGHT / 2])
        self._mouse("press", middle)
        turns = np.linspace(0, 6 * np.pi, MOVES)
        ways = np.stack([200 * np.sin(turns), 90 * np.sin(2 * turns)], axis=1)
        times = [self._frame(lambda at=middle + way: self._mouse("move", at)) for way in ways]
        self._mouse("release", middle + ways[-1])
        return times

    def zoom(self) -> list[float]:
        """Turn the wheel in and out."""
        ticks = [120 if step % 40 < 20 else -120 for step in range(MOVES)]
        return [self._frame(lambda by=by: self._wheel(by)) for by in ticks]

    def lasso(self) -> list[float]:
        """Draw around points, and let them stand out; timed from the end of the line."""
        plot, times = self._plot, []
        plot.lassoed.connect(lambda rows, _adds: plot.choose(rows))
        for number in range(LASSOS):
            line = _ring(WIDTH / 2, HEIGHT / 2, 60 + 10 * number)
            plot.set_lasso(True)
            self._mouse("press", line[0])
            for spot in line[1:]:
                self._frame(lambda at=spot: self._mouse("move", at))
            times.append(_timed(lambda at=line[-1]: self._let_go(at)))
            assert len(plot.chosen), "the lasso caught nothing"
            plot.set_lasso(False)
            plot.choose(None)
            self.settle()
        return times

    def hover(self) -> list[float]:
        """Move over the points."""
        turns = np.linspace(0, 5 * np.pi, POINTED)
        spots = [(WIDTH / 2 + 30 * t * np.cos(t), HEIGHT / 2 + 12 * t * np.sin(t)) for t in turns]
        return [self._frame(lambda at=spot: self._mouse("hover", at)) for spot in spots]

    def settle(self) -> None:
        """Let the plot come to rest."""
        _settle(self._app, self._plot)

    def _let_go(self, at: Any) -> None:
        self._mouse("release", at)
        self.settle()

    def _frame(self, act: Callable[[], None]) -> float:
        """Do something at the next frame, and give how long it took until it was painted."""
        while time.perf_counter() < self._due:
            self._app.processEvents()
            time.sleep(0.0005)
        took = _timed(lambda: (act(), self._app.processEvents(), self._plot.viewport().repaint()))
        self._due = max(self._due + FRAME_S, time.perf_counter())
        return took

    def _mouse(self, what: str, at: Any) -> None:
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent

        kinds = {
            "press": QEvent.Type.MouseButtonPress,
            "release": QEvent.Type.MouseButtonRelease,
        }
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        viewport, spot = self._plot.viewport(), QPointF(float(at[0]), float(at[1]))
        event = QMouseEvent(
            kinds.get(what, QEvent.Type.MouseMove),
            spot,
            viewport.mapToGlobal(spot),
            left if what in kinds else none,
            left if what in ("press", "move") else none,
            Qt.KeyboardModifier.NoModifier,
        )
        self._app.sendEvent(viewport, event)

    def _wheel(self, by: int) -> None:
        from qtpy.QtCore import QPoint, QPointF, Qt
        from qtpy.QtGui import QWheelEvent

        viewport, spot = self._plot.viewport(), QPointF(WIDTH / 2, HEIGHT / 2)
        event = QWheelEvent(
            spot,
            viewport.mapToGlobal(spot),
            QPoint(0, 0),
            QPoint(0, by),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        self._app.sendEvent(viewport, event)


def _ring(x: float, y: float, radius: float) -> list[Any]:
    turns = np.linspace(0, 2 * np.pi, 40)
    return list(np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1))


def _matplotlib(spots: Spots, codes: Codes) -> dict[str, float] | None:
    """Give the median times of the same in a scatter of matplotlib, None where it is absent."""
    try:
        from matplotlib.backend_bases import MouseEvent
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.path import Path
    except ImportError:
        return None
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    canvas, axes = FigureCanvasAgg(figure), figure.add_axes((0, 0, 1, 1))
    dots = axes.scatter(spots[:, 0], spots[:, 1], s=4, c=codes, cmap="tab20", linewidths=0)
    canvas.draw()

    def shift(by: float) -> None:
        left, right = axes.get_xlim()
        axes.set_xlim(left + by, right + by)
        canvas.draw()

    def surround() -> None:
        inside = Path(np.array(_ring(0, 0, 3))).contains_points(spots)
        dots.set_sizes(np.where(inside, 9, 4))
        canvas.draw()

    def point() -> None:
        dots.contains(MouseEvent("motion_notify_event", canvas, WIDTH / 2, HEIGHT / 2))

    pan = float(np.median([_timed(lambda by=by: shift(by)) for by in (0.2, -0.2, 0.2)]))
    return {
        "pan": pan,
        "zoom": pan,
        "lasso, until the points stand out": _timed(surround),
        "hover": float(np.median([_timed(point) for _ in range(3)])),
    }


if __name__ == "__main__":
    print(json.dumps(lines()), flush=True)  # noqa: T201
    os._exit(0)
