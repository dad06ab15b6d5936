"""The columns of the table that cases came with: which there are, and what they hold."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...core.project.store import Project

LOOKED_AT = 200
PATIENT = "patient"


def column_names(project: "Project") -> tuple[str, ...]:
    """List the columns that some of the first cases fill; `patient` where it is known."""
    ids = project.catalogue().ids
    step = max(len(ids) // LOOKED_AT, 1)
    some = project.cases(ids=ids[::step])
    names = dict.fromkeys(name for case in some for name in case.metadata)
    patients = {case.patient for case in some if case.patient}
    return (*([PATIENT] if len(patients) > 1 else []), *names)


def column_values(
    project: "Project", case_ids: Sequence[str], column: str
) -> tuple[str | None, ...]:
    """Give a column, one text a case in the order of `case_ids`, None where it is empty.

    Reading 100,000 cases takes a few seconds, so ask in a thread.
    """
    found = {
        case.id: case.patient if column == PATIENT else case.metadata.get(column)
        for case in project.cases()
    }
    return tuple(found.get(case_id) for case_id in case_ids)
