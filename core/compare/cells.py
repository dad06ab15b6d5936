"""The finished runs of a comparison: one line each in `cells.jsonl`, and the one under way."""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import LongtailError
from ..evaluate.box_scores import BoxScore
from ..files import write_json, writing_failed
from .plan import Cell

logger = logging.getLogger(__name__)

CELLS_FILE = "cells.jsonl"
CURRENT_FILE = "current.json"


class CaseScores(BaseModel):
    """One test case: `scores` (measure, class name) for label maps, else answers and logits.

    `truth` is 1 yes, 0 no, -1 unknown a class; of classes that exclude each other one is 1.
    `boxes` has the findings with drawn boxes by class name, None where the image has none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    case: str
    patient: str | None = None
    scores: dict[str, dict[str, float | None]] | None = None
    truth: tuple[int, ...] | None = None
    logits: tuple[float, ...] | None = None
    boxes: dict[str, BoxScore] | None = None

    @property
    def group(self) -> str:
        """Whose image it is; a case without a patient stands for itself."""
        return self.patient or self.case


class CellClass(BaseModel):
    """A class as the run knew it; `training` counts its labelled training cases."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    tier: str
    training: int


class CellRecord(BaseModel):
    """What came of one run.

    `prior` is that which the run was effectively trained under; `adjustable` says that its logits
    are those of plain cross-entropy, which post-hoc adjustment is made for. `seconds` is training
    alone, `total_s` with setting up and measuring. `controls` has the measures of boxes of a
    random map and of a box in the middle, on the same images.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    contender: str
    labelled: str | None = None
    draw: str | None = None
    seed: int = 0
    state: Literal["done", "failed"]
    reason: str = ""
    run: str | None = None
    seconds: float | None = None
    total_s: float | None = None
    iterations: int | None = None
    device: str = ""
    labels: int = 0
    unlabelled: int = 0
    val: int = 0
    classes: tuple[CellClass, ...] = ()
    tiers: str = ""
    prior: tuple[float, ...] | None = None
    adjustable: bool = False
    versions: dict[str, str] = {}
    cases: tuple[CaseScores, ...] = ()
    controls: dict[str, dict[str, float | None]] = {}

    @property
    def cell(self) -> Cell:
        """Which run of the plan it is."""
        return Cell(self.contender, self.labelled, self.draw, self.seed)

    @property
    def replicate(self) -> tuple[str | None, int]:
        """Draw and seed: what two runs share that can be paired."""
        return self.draw, self.seed


def append_cell(folder: Path, record: CellRecord) -> None:
    """Add a line; a line that a crash cut short before is ended first."""
    path = folder / CELLS_FILE
    line = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, allow_nan=False)
    try:
        with path.open("ab+") as file:
            whole = _ends_a_line(file.tell(), path)
            file.write((b"" if whole else b"\n") + line.encode("utf-8") + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise writing_failed(path, error) from error


def read_cells(folder: Path) -> dict[Cell, CellRecord]:
    """Read the runs that ended; of several lines on one cell the last counts.

    Raises
    ------
    LongtailError
        The file cannot be read.
    """
    path = folder / CELLS_FILE
    if not path.is_file():
        return {}
    found: dict[Cell, CellRecord] = {}
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise LongtailError(f"The file {path} cannot be read.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = CellRecord.model_validate_json(line)
        except ValidationError:
            # Cut short by a crash: that run is simply not finished.
            logger.warning("line %d of %s is damaged and left out", number, CELLS_FILE)
            continue
        found[record.cell] = record
    return found


def write_current(folder: Path, cell: Cell, run: str) -> None:
    """Note which run is under way, so that it can be gone on with."""
    write_json(folder / CURRENT_FILE, {"cell": list(cell), "run": run})


def current_run(folder: Path, cell: Cell) -> str | None:
    """Give the run that was begun for this cell, None where there is none."""
    try:
        document = json.loads((folder / CURRENT_FILE).read_text(encoding="utf-8"))
        return str(document["run"]) if document["cell"] == list(cell) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget_current(folder: Path) -> None:
    """No run is under way any more."""
    (folder / CURRENT_FILE).unlink(missing_ok=True)


def done(records: Mapping[Cell, CellRecord], cells: Iterable[Cell]) -> list[CellRecord]:
    """Give the records of those cells that were measured, in their order."""
    found = (records.get(cell) for cell in cells)
    return [record for record in found if record is not None and record.state == "done"]


def _ends_a_line(size: int, path: Path) -> bool:
    if not size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
