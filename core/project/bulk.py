"""One statement for very many rows, handed to SQLite without a stop for each row."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Update


def run_many(
    connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Run a statement once a row; all rows have the same keys, those of its parameters.

    SQLAlchemy prepares every row anew, which takes twice as long as SQLite needs to store it.
    The columns here are numbers and text, which need no preparation.
    """
    if not rows:
        return
    columns = list(rows[0]) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=connection.dialect, column_keys=columns)
    pick = itemgetter(*(compiled.positiontup or ()))
    connection.exec_driver_sql(str(compiled), [pick(row) for row in rows])
