"""What a training of a chosen method would need on this device: memory and time."""

from functools import partial
from typing import TYPE_CHECKING, Any

import psutil

from ..session import Session
from .doctor_side import DoctorSide
from .embedding_model import Ask

if TYPE_CHECKING:
    from ...core.project.store import Project

MINUTES = 6.0


class Needs:
    """Plans a training in a thread and shows what it would take; nothing is started."""

    def __init__(self, session: Session, side: DoctorSide, ask: Ask) -> None:
        self._session, self._side, self._ask = session, side, ask
        self._is_old, self._method = True, ""
        session.project_changed.connect(self._forget)
        session.catalogue_changed.connect(self._outdate)
        side.method_chosen.connect(self._choose)

    def look(self) -> None:
        """Bring the lines up to date, if they can be seen."""
        project = self._session.project
        if project is None or not self._is_old or not self._side.isVisible():
            return
        self._is_old = False
        if not self._method:
            self._offer(project)
        if self._method:
            device = self._session.backend.device_label()
            self._ask(partial(_needs, project, self._method, device), self._show, self._failed)

    def _offer(self, project: "Project") -> None:
        from .train_model import methods_for

        methods = [(one.name, one.title) for one in methods_for(project.task)]
        self._side.offer_methods(methods)
        self._method = methods[0][0] if methods else ""

    def _choose(self, method: str) -> None:
        self._method, self._is_old = method, True
        self.look()

    def _show(self, told: tuple[tuple[tuple[str, str], ...], str]) -> None:
        self._side.show_needs(*told)

    def _failed(self, error: Exception) -> None:
        self._side.show_needs((), str(error))

    def _forget(self) -> None:
        self._is_old, self._method = True, ""

    def _outdate(self) -> None:
        self._is_old = True
        self.look()


def _needs(project: "Project", method: str, device: str) -> tuple[Any, str]:
    from .train_model import Wish, make_plan, needs

    plan = make_plan(project, Wish(method=method, minutes=MINUTES), {})
    if plan.spec is None:
        return (), plan.blocked.reason if plan.blocked else ""
    there = psutil.virtual_memory().total if device.startswith("CPU") else None
    return needs(plan, device, there), ""
