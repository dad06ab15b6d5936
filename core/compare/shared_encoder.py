"""Contenders that stand on the encoder of another: cRT on the very run that plain CE gave.

`extractor` of a contender may name another one in place of a run; each of its runs then takes the
encoder of that one's run with the same labels, draw and seed.
"""

from collections.abc import Mapping, Sequence

from ..errors import LongtailError
from .cells import CellRecord
from .plan import Cell, Contender, Plan

SETTING = "extractor"


def source_of(one: Contender, contenders: Sequence[Contender]) -> str | None:
    """Give the name of the contender whose encoder `one` takes, None where it takes none."""
    wish = one.settings.get(SETTING)
    return next((other.name for other in contenders if wish and other.name == wish), None)


def check_order(contenders: Sequence[Contender]) -> None:
    """See that each encoder that is taken is trained before.

    Raises
    ------
    LongtailError
        A contender takes the encoder of itself or of one behind it.
    """
    for place, one in enumerate(contenders):
        source = source_of(one, contenders)
        if source is not None and source_of(one, contenders[:place]) is None:
            raise LongtailError(
                f"{one.name} takes the encoder of {source}, which is not trained before it.",
                f"Name {source} first in --methods.",
            )


def standing_alone(one: Contender, contenders: Sequence[Contender]) -> Contender:
    """Give `one` as it can be planned before the run that it stands on is there."""
    return one if source_of(one, contenders) is None else _with_extractor(one, "")


def standing_on_run(cell: Cell, plan: Plan, records: Mapping[Cell, CellRecord]) -> Contender:
    """Give the contender of a cell, with the run whose encoder it takes in place of its name.

    Raises
    ------
    LongtailError
        That run has failed.
    """
    one = plan.contender(cell.contender)
    source = source_of(one, plan.contenders)
    if source is None:
        return one
    record = records.get(cell._replace(contender=source))
    if record is None or record.state != "done" or record.run is None:
        raise LongtailError(
            f"{one.name} takes the encoder of {source}, whose run has failed.",
            "Ask for the comparison again when that run succeeds.",
        )
    return _with_extractor(one, record.run)


def _with_extractor(one: Contender, value: str) -> Contender:
    return one.model_copy(update={"settings": {**one.settings, SETTING: value}})
