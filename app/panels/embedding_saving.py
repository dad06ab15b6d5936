"""Saves what the plane shows: as a picture, as a drawing, as a table."""

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QBuffer, QIODevice, QObject, QPointF, QRectF
from qtpy.QtGui import QColor, QFont, QImage, QPainter
from qtpy.QtWidgets import QFileDialog, QWidget

from ...core.errors import LongtailError
from ...core.files import replacing, write_text
from ..session import Session
from ..theme import QUIET_PX, Tokens, to_rgb, tokens
from ..widgets.paint import painting, sized
from .embedding_colours import COLUMN, WORDS
from .embedding_export import (
    EDGE_PX,
    FOOT_PX,
    LEGEND_PX,
    LINE_PX,
    Drawing,
    svg,
    table,
)
from .embedding_overlay import paint_stars, stars_on
from .embedding_picture import Wish, as_image, larger
from .embedding_plane import Plane
from .embedding_points import Points, ink_of, layers_of
from .embedding_raster import Layer, paint, size_for
from .embedding_source import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable

SHARP = 2
"""Pixels of a saved picture in one of the window."""

MOST_SHAPES = 20_000
"""Points that a drawing holds one by one; more are put in as a picture."""

KINDS = {"png": ("Picture", "*.png"), "svg": ("Drawing", "*.svg"), "csv": ("Table", "*.csv")}


class Saving(QObject):
    """Asks where to, and saves; what goes wrong becomes a notice."""

    def __init__(self, session: Session, plane: Plane, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._plane, self._parent = session, plane, parent

    def ask(self, what: str) -> None:
        """Ask for a file and save there; `what` is `png`, `svg` or `csv`."""
        words, pattern = KINDS[what]
        first = f"embedding.{what}"
        title = f"Save the {words.lower()}"
        path, _ = QFileDialog.getSaveFileName(self._parent, title, first, pattern)
        if path:
            self.save(what, Path(path))

    def save(self, what: str, path: Path) -> None:
        """Save to a file."""
        acts: dict[str, Callable[[Path], None]] = {
            "png": self._save_png,
            "svg": self._save_svg,
            "csv": self._save_csv,
        }
        if self._plane.plot.points is None:
            return
        with self._session.reporting():
            acts[what](path.with_suffix(path.suffix or f".{what}"))
            self._session.notify(f"Saved {path.name}.")

    # --- the three forms ---

    def _save_png(self, path: Path) -> None:
        image = self.image()
        with replacing(path) as aside:
            # The file beside it has no suffix that Qt would know the form by.
            if not image.save(str(aside), "PNG"):
                raise LongtailError(
                    f"The picture could not be written to {path}.", "Choose another folder."
                )

    def _save_svg(self, path: Path) -> None:
        plot = self._plane.plot
        points, view = plot.points, plot.view
        assert points is not None
        width, height = plot.width(), plot.height()
        places = np.array([(s.x, s.y) for s in points.stars], np.float32).reshape(-1, 2)
        many = len(points) > MOST_SHAPES
        drawing = Drawing(
            points,
            view.pixels(points.spots, width, height),
            view.pixels(places, width, height),
            plot.dress.size_px or size_for(len(points), width * height),
            plot.dress.opacity,
            width,
            height,
            self._caption(),
            _encoded(self._cloud(points)) if many else "",
        )
        inks = [ink_of(kind, _paper()) for kind in points.kinds]
        write_text(path, svg(drawing, inks, names=plot.dress.names))

    def _save_csv(self, path: Path) -> None:
        project, seen = self._session.project, self._plane.seen
        facts = self._plane.facts
        if project is None or seen is None or facts is None or seen.picture is None:
            return
        rows = self._plane.choice.rows.tolist()
        cases = project.cases()
        spots = seen.picture.points
        write_text(path, table(seen.embedding, spots, facts, cases, project.classes, rows))

    # --- the picture ---

    def image(self) -> QImage:
        """Draw the plane with its legend and a line of words, on white, twice as sharp."""
        plot = self._plane.plot
        points = plot.points
        assert points is not None
        kinds = len(points.kinds)
        width = plot.width() + LEGEND_PX
        height = max(plot.height(), LINE_PX * (kinds + 1) + EDGE_PX) + FOOT_PX
        image = QImage(SHARP * width, SHARP * height, QImage.Format.Format_ARGB32)
        image.setDevicePixelRatio(SHARP)
        image.fill(QColor("#ffffff"))
        with painting(image) as painter:
            painter.setFont(plot.font())
            painter.drawImage(QPointF(0, 0), self._cloud(points))
            self._paint_stars(painter, points)
            self._paint_legend(painter, points)
            painter.setFont(_small(plot.font()))
            painter.setPen(QColor(_paper().quiet))
            painter.drawText(QPointF(EDGE_PX, height - 10), self._caption())
        return image

    def _cloud(self, points: Points) -> QImage:
        plot = self._plane.plot
        width, height = plot.width(), plot.height()
        rows = plot.chosen
        flags = np.zeros(len(points), bool)
        flags[rows] = True
        chosen = flags if len(rows) else None
        layers = layers_of(points, chosen, plot.dress, _paper(), width * height)
        sharp = larger(layers, SHARP)
        dense = points.is_dense and chosen is None
        wish = Wish(points.spots, sharp, dense, plot.view, SHARP * width, SHARP * height)
        image = as_image(wish.painted())
        image.setDevicePixelRatio(SHARP)
        return image

    def _paint_stars(self, painter: QPainter, points: Points) -> None:
        plot = self._plane.plot
        bounds = QRectF(0, 0, plot.width(), plot.height())
        seen = stars_on(points, plot.view, bounds)
        paint_stars(painter, bounds, seen, points.kinds, _paper(), names=plot.dress.names)

    def _paint_legend(self, painter: QPainter, points: Points) -> None:
        t, left = _paper(), self._plane.plot.width() + EDGE_PX
        painter.setFont(_small(self._plane.plot.font()))
        counts = np.bincount(points.codes, minlength=len(points.kinds)).tolist()
        for line, (kind, count) in enumerate(zip(points.kinds, counts, strict=True)):
            y = EDGE_PX + LINE_PX * line + 6
            layer = Layer(np.zeros(1, np.intp), to_rgb(ink_of(kind, t)), kind.shape, 18.0, 1.0)
            sign = as_image(paint(np.full((1, 2), 16, np.float32), [layer], 32, 32))
            sign.setDevicePixelRatio(SHARP)
            painter.drawImage(QPointF(left - 2, y - 8), sign)
            painter.setPen(QColor(t.text))
            painter.drawText(QPointF(left + 18, y + 4), kind.name)
            painter.setPen(QColor(t.quiet))
            words = f"{count:,}"
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.drawText(QPointF(left + LEGEND_PX - 2 * EDGE_PX - wide, y + 4), words)

    def _caption(self) -> str:
        project, seen, plane = self._session.project, self._plane.seen, self._plane
        if project is None or seen is None or seen.picture is None:
            return ""
        by = plane.colour_by
        told = WORDS.get(by, by.removeprefix(COLUMN)).lower()
        return (
            f"{project.name} · {seen.embedding.about.encoder} · {WAYS[seen.picture.about.way]} · "
            f"{len(seen.embedding.rows):,} points · colour: {told}"
        )


def _paper() -> Tokens:
    return tokens("light")


def _small(font: QFont) -> QFont:
    return sized(font, QUIET_PX)


def _encoded(image: QImage) -> str:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return b64encode(bytes(buffer.data().data())).decode("ascii")
