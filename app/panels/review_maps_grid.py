"""The grid of heat maps: a picture with its map a tile, what it came to below."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ...core.review.audit_file import AuditPictures, Bytes
from ..canvas_layers import heat_colours
from ..theme import BLUE, QUIET_PX, RED, look
from ..widgets.paint import bar, sized
from .review_maps_model import MEAN, Tile

TILE_PX = 96
WORDS_PX = 20
GAP_PX = 8
STRONGEST = 0.7
"""How much of the picture the map hides where it is highest."""

TILE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
PICTURE_ROLE = TILE_ROLE + 1


@cache
def heat_table() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Give the colours of the map on the image, (256, 4) from 0 to 1, clear at their lower end."""
    table: np.ndarray[Any, np.dtype[np.float32]] = heat_colours().colors.astype(np.float32)
    return table


def overlaid(picture: Bytes, heat: Bytes) -> Bytes:
    """Lay a map (y, x) over a picture (y, x, 3): the higher, the less of the picture is seen."""
    colours = heat_table()[heat]
    share = colours[..., 3:] * STRONGEST
    mixed = picture.astype(np.float32) * (1 - share) + 255 * colours[..., :3] * share
    shown: Bytes = mixed.round().astype(np.uint8)
    return shown


def pixmap(pixels: Bytes, aspect: float) -> QPixmap:
    """Make a picture of (y, x, 3) as wide as it was, its longer side `TILE_PX`."""
    pixels = np.ascontiguousarray(pixels)
    height, width, _ = pixels.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    aspect = aspect if np.isfinite(aspect) and aspect > 0 else 1.0
    wide, high = (1.0, 1 / aspect) if aspect >= 1 else (aspect, 1.0)
    side = TILE_PX
    return QPixmap.fromImage(
        image.scaled(
            max(1, round(wide * side)),
            max(1, round(high * side)),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    )


class TileList(QAbstractListModel):
    """The tiles; pictures are made when they are first seen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tiles: tuple[Tile, ...] = ()
        self._pictures: AuditPictures | None = None
        self._class_id = 0
        self._heat = True
        self._made: dict[int, QPixmap] = {}

    def show_tiles(
        self, tiles: Sequence[Tile], pictures: AuditPictures | None, class_id: int
    ) -> None:
        """Show these tiles in place of the former ones."""
        self.beginResetModel()
        self._tiles, self._pictures, self._class_id = tuple(tiles), pictures, class_id
        self._made.clear()
        self.endResetModel()

    def show_heat(self, shown: bool) -> None:
        """Show the maps over the pictures, or the pictures alone."""
        self.beginResetModel()
        self._heat = shown
        self._made.clear()
        self.endResetModel()

    def tile(self, number: int) -> Tile | None:
        """Give a tile; None where there is none."""
        return self._tiles[number] if 0 <= number < len(self._tiles) else None

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Count the tiles."""
        return 0 if parent is not None and parent.isValid() else len(self._tiles)

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Give a tile, its picture or its words."""
        tile = self.tile(index.row()) if index.isValid() else None
        if tile is None:
            return None
        if role == TILE_ROLE:
            return tile
        if role == PICTURE_ROLE:
            return self._picture(tile.place)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return tile.tip
        return None

    def _picture(self, place: int) -> QPixmap | None:
        if place not in self._made and self._pictures is not None:
            self._made[place] = self._make(self._pictures, place)
        return self._made.get(place)

    def _make(self, pictures: AuditPictures, place: int) -> QPixmap:
        if place == MEAN:
            side = pictures.maps.shape[1:]
            mean = pictures.means.get(self._class_id, np.zeros(side, np.uint8))
            return pixmap((255 * heat_table()[mean][..., :3]).astype(np.uint8), 1.0)
        shown = pictures.pictures[place]
        if self._heat:
            shown = overlaid(shown, pictures.maps[place])
        return pixmap(shown, float(pictures.aspects[place]))


class TileDelegate(QStyledItemDelegate):
    """Paints a tile; give it an owner, else it is collected and the process ends."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """One size for all tiles."""
        return QSize(TILE_PX + GAP_PX, TILE_PX + WORDS_PX + GAP_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a tile; the painter is the view's own and is left as it was."""
        tile = index.data(TILE_ROLE)
        if not isinstance(tile, Tile):
            return
        painter.save()
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            state = option.state
            paint_tile(
                painter,
                QRectF(option.rect),
                tile,
                index.data(PICTURE_ROLE),
                option.font,
                selected=bool(state & QStyle.StateFlag.State_Selected),
                hover=bool(state & QStyle.StateFlag.State_MouseOver),
            )
        finally:
            painter.restore()


def paint_tile(
    painter: QPainter,
    area: QRectF,
    tile: Tile,
    picture: QPixmap | None,
    font: QFont,
    *,
    selected: bool = False,
    hover: bool = False,
) -> None:
    """Draw one tile into `area`."""
    t = look().tokens
    box = QRectF(area.x() + GAP_PX / 2, area.y() + GAP_PX / 2, TILE_PX, TILE_PX)
    bar(painter, box, t.track, 3)
    if picture is not None and not picture.isNull():
        spot = QRectF(0, 0, picture.width(), picture.height())
        spot.moveCenter(box.center())
        painter.drawPixmap(spot, picture, QRectF(picture.rect()))
    if selected or hover:
        pen = QPen(QColor(BLUE if selected else t.control), 2)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 3, 3)
    words = QRectF(box.x(), box.bottom() + 1, box.width(), WORDS_PX)
    painter.setFont(sized(font, QUIET_PX))
    left = 0.0
    if tile.doubtful:
        painter.setPen(QPen(QColor(t.written(RED)), 1.6))
        x, y, r = words.x() + 5, words.center().y(), 3.0
        painter.drawLine(round(x - r), round(y - r), round(x + r), round(y + r))
        painter.drawLine(round(x - r), round(y + r), round(x + r), round(y - r))
        left = 13.0
    painter.setPen(QColor(t.text if selected else t.quiet))
    text = QFontMetrics(painter.font()).elidedText(
        tile.caption, Qt.TextElideMode.ElideRight, int(words.width() - left)
    )
    painter.drawText(words.adjusted(left, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), text)


class MapGrid(QListView):
    """Shows the tiles as they fit; `chosen` tells the case of the one that was gone to."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tiles = TileList(self)
        self.setModel(self.tiles)
        self.setItemDelegate(TileDelegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(TILE_PX // 2)
        self.setMouseTracking(True)
        self.setAccessibleName("Heat maps")
        self.selectionModel().currentChanged.connect(self._current_changed)

    def _current_changed(self, current: QModelIndex, _former: QModelIndex) -> None:
        tile = self.tiles.tile(current.row()) if current.isValid() else None
        if tile is not None and tile.case_id:
            self.chosen.emit(tile.case_id)
