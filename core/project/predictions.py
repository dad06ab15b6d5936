"""What runs predicted: which case, from which weights, under which version of the labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, func, select
from sqlalchemy.dialects.sqlite import insert

from .cases import ALIVE
from .paths import inside
from .records import PredictionRecord
from .runs import Runs
from .schema import cases, predictions


class Predictions(Runs):
    """The part of a project that keeps predictions."""

    def record_predictions(self, records: Sequence[PredictionRecord]) -> None:
        """Keep predictions; one of the same run and case takes the place of the former.

        Raises
        ------
        LongtailError
            A case or a run is unknown.
        """
        if not records:
            return
        for run_id in {record.run for record in records}:
            self.run(run_id)
        ids = list(dict.fromkeys(record.case for record in records))
        with self._writing() as connection:
            rows = {row.id: row.row for row in self._rows(connection, ids)}
            filled = [_to_row(record, rows[record.case]) for record in records]
            statement = insert(predictions)
            new = {name: statement.excluded[name] for name in filled[0] if name not in _KEYS}
            connection.execute(
                statement.on_conflict_do_update(index_elements=_KEYS, set_=new), filled
            )

    def predictions(self, run_id: str) -> list[PredictionRecord]:
        """List what a run predicted, in the order of the cases' import.

        Raises
        ------
        LongtailError
            There is no such run.
        """
        self.run(run_id)
        query = (
            select(cases.c.id.label("case"), predictions)
            .join(cases, cases.c.row == predictions.c.case_row)
            .where(predictions.c.run == run_id, ALIVE)
            .order_by(cases.c.row)
        )
        with self._database.reading() as connection:
            return [self._to_prediction(row) for row in connection.execute(query)]

    def prediction(self, run_id: str, case_id: str) -> PredictionRecord | None:
        """Read what a run predicted for one case; None where it did not."""
        query = (
            select(cases.c.id.label("case"), predictions)
            .join(cases, cases.c.row == predictions.c.case_row)
            .where(predictions.c.run == run_id, cases.c.id == case_id, ALIVE)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else self._to_prediction(row)

    def prediction_count(self, run_id: str) -> int:
        """How many cases a run has predicted."""
        query = select(func.count()).select_from(predictions).where(predictions.c.run == run_id)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def _to_prediction(self, row: Row[Any]) -> PredictionRecord:
        if row.file is not None:
            # Others open it: a tampered project must not point elsewhere.
            inside(self.path, row.file)
        return PredictionRecord(
            case=row.case,
            run=row.run,
            weights_hash=row.weights_hash,
            label_version=row.label_version,
            file=row.file,
            logits=None if row.logits is None else np.frombuffer(row.logits, "<f4"),
            uncertainty=row.uncertainty,
        )


_KEYS = ["run", "case_row"]


def _to_row(record: PredictionRecord, row: int) -> dict[str, Any]:
    logits = record.logits
    return {
        "run": record.run,
        "case_row": row,
        "weights_hash": record.weights_hash,
        "label_version": record.label_version,
        "file": record.file,
        "logits": None if logits is None else np.asarray(logits, "<f4").tobytes(),
        "uncertainty": record.uncertainty,
    }
