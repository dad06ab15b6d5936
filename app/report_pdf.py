"""A report as PDF, laid out by Qt's rich text and written by Qt's printer."""

from pathlib import Path

from qtpy.QtCore import QMarginsF, QRectF, QSize, Qt, QUrl
from qtpy.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QFileDialog, QWidget

from ..core.evaluate.print_page import Printable, printable
from ..core.evaluate.report import Report
from ..core.files import replacing

SHARPNESS = 4
"""Dots of a picture for each dot of the page's 96 an inch."""

MARGIN_MM = 3.0
"""Beside the two centimetres that Qt's rich text leaves itself on paper."""


class Sheet(QTextDocument):
    """The page as rich text; its plots are painted when they are asked for."""

    def __init__(self, page: Printable) -> None:
        super().__init__()
        self._page = page
        self.setHtml(page.html)

    def loadResource(self, kind: int, name: QUrl) -> object:
        """Paint a plot; anything else, such as an address elsewhere, is not fetched."""
        svg = self._page.pictures.get(name.toString())
        return paint_svg(svg) if svg is not None else None


def write_pdf(path: Path, report: Report) -> None:
    """Replace `path` by the report as PDF on A4.

    Raises
    ------
    LongtailError
        The folder cannot be written; the old file is intact.
    """
    sheet = Sheet(printable(report))
    with replacing(path) as aside:
        writer = QPdfWriter(str(aside))
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
        writer.setPageMargins(margins, QPageLayout.Unit.Millimeter)
        writer.setTitle(f"{report.run} on {report.split}")
        writer.setCreator("Longtail")
        sheet.print_(writer)
        del writer  # the file is whole when its writer is gone


def ask_and_write(parent: QWidget, report: Report, folder: Path) -> Path | None:
    """Ask where to, and write the report there; None where the user thought better of it.

    Raises
    ------
    LongtailError
        The folder cannot be written.
    """
    offered = folder / f"{report.run}-{report.split}.pdf"
    chosen, _ = QFileDialog.getSaveFileName(
        parent, "Save the report as PDF", str(offered), "PDF (*.pdf)"
    )
    if not chosen:
        return None
    path = Path(chosen)
    path = path if path.suffix.lower() == ".pdf" else path.with_name(f"{path.name}.pdf")
    write_pdf(path, report)
    return path


def paint_svg(svg: str) -> QImage:
    """Paint a picture, sharp enough for paper."""
    renderer = QSvgRenderer(svg.encode())
    size = renderer.defaultSize() * SHARPNESS
    image = QImage(size if not size.isEmpty() else QSize(1, 1), QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    return image
