"""The prior slider at work on a run of the session: read in a thread, kept with the run."""

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from ...core.evaluate.report import Report
from ...core.project.records import RunRecord, Split, Task
from ..background import Errands
from .results_prior import PriorPart
from .results_prior_model import PriorModel
from .results_prior_read import learned_classes, read_prior_model

if TYPE_CHECKING:
    from ...core.project.store import Project
    from ..session import Session


class RunSlider(PriorPart):
    """The part of the Results panel that moves a run's answers to another prior.

    Parameters
    ----------
    session
        The window's state; told when a setting was kept.
    """

    def __init__(self, session: "Session", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: tuple[object, ...] = ()
        self._run_id = ""
        self._errands = Errands(1, "longtail prior", self)
        self.keep_asked.connect(self._keep)

    def show_run(
        self, project: "Project", run: RunRecord, split: Split, report: Report | None
    ) -> None:
        """Show the slider of `run` on the cases of `split`; nothing before it was evaluated."""
        wanted = (run.id, split, project.label_version, _stamp(report), str(run.settings))
        if project.task is Task.SEGMENTATION or report is None or not run.result.get("prior"):
            self.forget()
            return
        if wanted == self._shown:
            return
        if wanted[:2] != self._shown[:2]:
            self.show_model(None)
        self._shown, self._run_id = wanted, run.id
        self._errands.forget()
        tuned, tuned_on = _tuned(run, report)

        def show(model: PriorModel | None) -> None:
            self.show_model(model, writable=project.writable, tuned=tuned, tuned_on=tuned_on)

        self._errands.ask(lambda: read_prior_model(project, run, split), show, self._tell)

    def forget(self) -> None:
        """Show nothing."""
        self._errands.forget()
        self._shown = ()
        self.show_model(None)

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._errands.close()

    def _tell(self, error: Exception) -> None:
        self._session.notify(f"The prior slider cannot be shown: {error}", "warning")

    def _keep(self) -> None:
        project, model = self._session.project, self.model
        if project is None or model is None:
            return
        with self._session.reporting():
            for key, value in model.keep().items():
                project.set_run_setting(self._run_id, key, value)
            # What is shown is what is kept now, so it need not be read again.
            settings = str(project.run(self._run_id).settings)
            self._shown = (*self._shown[:4], settings)
        self._show_outcome()
        self._session.runs_changed.emit()


def _stamp(report: Report | None) -> str:
    return "" if report is None else f"{report.provenance.weights_hash} {report.provenance.created}"


def _tuned(run: RunRecord, report: Report) -> tuple[dict[int, float], int]:
    """Give the thresholds that were chosen on validation images, by the run's class ids."""
    if report.tuned is None:
        return {}, 0
    known = {one.id for one in learned_classes(run)}
    ids = {each.name: each.id for each in report.classes if each.id in known}
    chosen = report.tuned.thresholds.items()
    return {ids[name]: value for name, value in chosen if name in ids}, report.tuned.labelled
