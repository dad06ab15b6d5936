"""Keeps the plan on the page before a run up to date, off the main thread."""

from typing import TYPE_CHECKING

import psutil
from qtpy.QtCore import QObject, QTimer, Signal

from ...core.project.records import Split
from ..background import Errands
from .train_before import BeforePage
from .train_fields import fields_of
from .train_model import Plan, labelled_in, make_plan, needs, validation_sentence

if TYPE_CHECKING:
    from ..session import Session

PLAN_AFTER_MS = 150


class Planner(QObject):
    """Turns the wish of a page into a plan, and shows it there.

    Parameters
    ----------
    session
        The window's state.
    page
        Collects the wish, and shows what it comes to.
    """

    ready = Signal(object)
    """The plan that `start` asked for."""

    def __init__(self, session: "Session", page: BeforePage, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._page = session, page
        self._starting = False
        self._is_old = True
        self._errands = Errands(1, "longtail plan", self)
        self._soon = QTimer(self, singleShot=True, interval=PLAN_AFTER_MS)
        self._soon.timeout.connect(self.plan)
        page.wish_changed.connect(self.plan_soon)

    def plan_soon(self) -> None:
        """Plan again when nothing has changed for a moment; a hidden page waits."""
        self._is_old = True
        self.look()

    def look(self) -> None:
        """Plan again soon, if something has changed and the page can be seen."""
        if self._is_old and self._page.isVisible() and self._session.project is not None:
            self._soon.start()

    def start(self) -> None:
        """Plan anew and hand the plan out; one that is made again meanwhile takes its place."""
        self._set_starting(True)
        self.plan()

    def plan(self) -> None:
        """Plan now; the answer comes later."""
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            return
        self._is_old = False
        wish, tiers = self._page.wish, catalogue.tiers()
        fields = fields_of(self._page.chosen.settings)
        self._errands.forget()
        self._errands.ask(lambda: make_plan(project, wish, tiers, fields), self._take, self._fail)

    def forget(self) -> None:
        """Another project: what was asked about the former is of no use."""
        self._errands.forget()
        self._set_starting(False)
        self._is_old = True

    def close(self) -> None:
        """Wait for what is being planned, and plan no more."""
        self._errands.close()

    def _take(self, plan: Plan) -> None:
        self._show(plan)
        if self._starting:
            self._set_starting(False)
            self.ready.emit(plan)

    def _fail(self, error: Exception) -> None:
        self._set_starting(False)
        self._session.notify(f"The training could not be planned: {error}", "error")

    def _set_starting(self, starting: bool) -> None:
        self._starting = starting
        self._page.train.setEnabled(not starting)

    def _show(self, plan: Plan) -> None:
        project, catalogue = self._session.project, self._session.catalogue
        if project is None or catalogue is None:
            return
        choice = plan.spec.validation if plan.spec else self._page.wish.validation or "none"
        held = labelled_in(catalogue, Split.VAL)
        self._page.show_plan(plan, validation_sentence(project.task, held, choice))
        device = self._session.backend.device_label()
        there = psutil.virtual_memory().total if device.startswith("CPU") else None
        self._page.needs.show_lines(needs(plan, device, there))
