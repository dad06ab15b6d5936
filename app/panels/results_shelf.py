"""Reports of runs as they lie in the runs' folders, each read once; knows neither Qt nor torch."""

from pathlib import Path

from ...core.errors import LongtailError
from ...core.evaluate.report import Report, read_report
from ...core.project.records import Split

SMALL_BYTES = 300_000
"""A report that is read in less time than anybody notices."""


def report_path(run_folder: Path, split: str) -> Path:
    """Give the file that `evaluate` writes about a run."""
    return run_folder / f"evaluation-{split}.json"


class ReportShelf:
    """Reads reports once, and again when their file has changed."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[float, Report | LongtailError]] = {}

    def is_quick(self, run_folder: Path, split: str) -> bool:
        """Tell whether `get` takes no time to speak of: it is known, small, or not there."""
        path = report_path(run_folder, split)
        if not path.is_file():
            return True
        facts = path.stat()
        known = self._read.get(path)
        return facts.st_size < SMALL_BYTES or (known is not None and known[0] == facts.st_mtime)

    def get(self, run_folder: Path, split: str) -> Report | None:
        """Read what `evaluate` wrote about a run; None when it was not evaluated on `split`.

        Raises
        ------
        LongtailError
            The file is there but cannot be read.
        """
        path = report_path(run_folder, split)
        if not path.is_file():
            return None
        stamp = path.stat().st_mtime
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = self._read[path] = (stamp, _report_or_error(path))
        if isinstance(known[1], LongtailError):
            raise known[1]
        return known[1]


def _report_or_error(path: Path) -> Report | LongtailError:
    # A damaged file is remembered as well, else it would be read again and again.
    try:
        return read_report(path)
    except LongtailError as error:
        return error


def evaluated_splits(run_folder: Path) -> tuple[Split, ...]:
    """List the parts that a run was evaluated on, test first."""
    wanted = (Split.TEST, Split.VAL, Split.TRAIN)
    return tuple(split for split in wanted if report_path(run_folder, split).is_file())
