"""Reads what the page of runs shows out of the runs' folders, each thing once; knows no Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...core.errors import LongtailError
from ...core.evaluate.report import Report
from ...core.evaluate.slices import read_slices, slices_path
from ...core.evaluate.versus import Versus
from ...core.project.records import RunRecord, Split
from .results_shelf import ReportShelf, evaluated_splits, report_path
from .runs_model import RunCurve, Spot, run_curves
from .train_record import Metrics, read_record

if TYPE_CHECKING:
    from ...core.project.store import Project

PARTS = (Split.TEST, Split.VAL, Split.TRAIN)


@dataclass(frozen=True)
class Evaluated:
    """The runs of a project that were measured on one part, the newest first."""

    split: Split = Split.TEST
    runs: tuple[tuple[RunRecord, Report], ...] = ()
    failed: tuple[str, ...] = field(default=())
    """Why a report could not be read, a sentence each."""

    def run(self, run_id: str) -> tuple[RunRecord, Report] | None:
        """Find a run."""
        return next((each for each in self.runs if each[0].id == run_id), None)


class RunsReader:
    """Reads reports, curves and differences; all of it may be asked from a thread."""

    def __init__(self) -> None:
        self._shelf = ReportShelf()
        self._versus: dict[tuple[object, ...], Versus] = {}
        self._told: dict[tuple[str, float], Metrics] = {}

    def evaluated(self, project: "Project") -> Evaluated:
        """Read the reports on the test part, or on another where no run was tested."""
        runs = list(reversed(project.runs()))
        done = {run.id: evaluated_splits(project.run_folder(run.id)) for run in runs}
        split = next((part for part in PARTS if any(part in each for each in done.values())), None)
        if split is None:
            return Evaluated()
        found: list[tuple[RunRecord, Report]] = []
        failed: list[str] = []
        for run in runs:
            if split not in done[run.id]:
                continue
            try:
                report = self._shelf.get(project.run_folder(run.id), split)
            except LongtailError as error:
                failed.append(f"{run.id}: {error.reason}")
                continue
            if report is not None:
                found.append((run, report))
        return Evaluated(split, tuple(found), tuple(failed))

    def versus(self, project: "Project", evaluated: Evaluated, run_id: str, other: str) -> Versus:
        """Give `run_id` minus `other`.

        Raises
        ------
        LongtailError
            The two cannot be compared.
        """
        from ...core.jobs.versus import versus

        mine, theirs = evaluated.run(run_id), evaluated.run(other)
        if mine is None or theirs is None:
            raise LongtailError(f"{run_id} or {other} was not measured.", "Evaluate both runs.")
        stamps = [
            report_path(project.run_folder(each), evaluated.split).stat().st_mtime
            for each in (run_id, other)
        ]
        key = (project.path, run_id, other, *stamps)
        if key not in self._versus:
            self._versus[key] = versus(project, *mine, *theirs)
        return self._versus[key]

    def curves(
        self, project: "Project", run_ids: Sequence[str], markers: Mapping[str, str]
    ) -> list[RunCurve]:
        """Read how runs came along; those that told nothing are left out."""
        told = [(markers[each], each, self._metrics(project, each)) for each in run_ids]
        return run_curves(told)

    def _metrics(self, project: "Project", run_id: str) -> Metrics:
        log = project.run_folder(run_id) / "events.jsonl"
        if not log.is_file():
            return {}
        key = (run_id, log.stat().st_mtime)
        if key not in self._told:
            self._told[key] = read_record(log).metrics
        return self._told[key]

    def has_slices(self, project: "Project", run_id: str, report: Report) -> bool:
        """Tell whether the slices of a run's scans were measured."""
        return slices_path(project.run_folder(run_id), report.split).is_file()

    def slices(self, project: "Project", run_id: str, report: Report) -> list[Spot]:
        """Read the Dice of every slice of a run's scans.

        Raises
        ------
        LongtailError
            The file is damaged.
        """
        names = {each.id: each.name for each in report.classes}
        path = slices_path(project.run_folder(run_id), report.split)
        return [
            Spot(one.case, names[one.class_id], one.dice, one.slice)
            for one in read_slices(path)
            if one.class_id in names
        ]
