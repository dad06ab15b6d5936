"""The report of a run: opened in the browser, or saved as PDF."""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QWidget

from ...core.evaluate.report import Report
from ...core.project.records import RunRecord
from .train_words import run_number

if TYPE_CHECKING:
    from ..session import Session


def open_report(session: "Session", run: RunRecord | None) -> None:
    """Show the report of a run in the user's browser, or say where it should lie."""
    project = session.project
    if project is None or run is None:
        return
    path = project.run_folder(run.id) / "report.html"
    if not path.is_file() or not open_in_browser(path):
        session.notify(
            f"The report {path.name} of {run_number(run.id)} could not be opened. "
            f"It should lie in {path.parent}; evaluate the run again to make it anew.",
            "error",
        )


def save_report(session: "Session", run: RunRecord | None, report: Report, over: QWidget) -> None:
    """Ask where to, and save the report of a run there as PDF."""
    from ..report_pdf import ask_and_write  # loads Qt's SVG, which nothing else needs

    project = session.project
    if project is None or run is None:
        return
    with session.reporting():
        path = ask_and_write(over, report, project.path.parent)
        if path is not None:
            show = ("Open it", lambda: open_in_browser(path))
            session.notify(f"The report was saved as {path.name}.", "info", show)


def open_in_browser(path: Path) -> bool:
    """Open a file of this computer in the program for it; False where there is none."""
    return bool(QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))))
