"""Which points are selected, and the cases that they stand for; the same in every panel."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from psygnal import Signal

from ..session import Session
from .embedding_grid import Rows
from .embedding_model import EmbeddingModel
from .train_words import case_noun, plural

NONE = np.zeros(0, np.intp)
FEW = 4


class Choice:
    """The selection of the embedding; `changed` tells of another one.

    Attributes
    ----------
    rows
        The selected points, sorted.
    words
        What is selected, in words.
    """

    changed = Signal()

    def __init__(self, session: Session, model: EmbeddingModel) -> None:
        self._session, self._model = session, model
        self.rows: Rows = NONE
        self.words = ""
        self._places = _Places((), NONE)
        self._telling = False

    # --- who is who ---

    def points_changed(self) -> None:
        """Note that other points are shown; what was selected of the same cases stays selected."""
        former = self.case_ids
        seen = self._model.seen
        if seen is None:
            self._places = _Places((), NONE)
        else:
            self._places = _Places(seen.embedding.case_ids, seen.embedding.rows)
        self._set(self.rows_of(former) if len(self.rows) else NONE)

    def case_of(self, row: int) -> str | None:
        """Give the case of a point; None where there is no point or its case is gone."""
        facts = self._model.facts
        if facts is None or not 0 <= row < len(facts) or facts.case[row] < 0:
            return None
        return self._places.case_ids[int(self._places.of_point[row])]

    def row_of(self, case_id: str) -> int:
        """Give the first point of a case, -1 where there is none."""
        rows = self.rows_of([case_id])
        return int(rows[0]) if len(rows) else -1

    def first_rows(self, case_ids: Sequence[str]) -> Rows:
        """Give the first point of each of some cases, -1 where there is none."""
        return self._places.first_rows(case_ids)

    def rows_of(self, case_ids: Sequence[str]) -> Rows:
        """Give the points of cases, sorted."""
        return self._places.rows_of(case_ids)

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases of the selected points that are still in the project, each once."""
        facts = self._model.facts
        rows = self.rows
        if facts is not None and len(facts) == len(self._places.of_point):
            rows = rows[facts.case[rows] >= 0]
        return tuple(self._places.case_ids[i] for i in np.unique(self._places.of_point[rows]))

    # --- changing ---

    def take(self, rows: Rows, adds: bool = False) -> None:
        """Select points, besides those that are or in their place; all panels are told."""
        self._set(np.union1d(self.rows, rows) if adds else np.unique(rows))
        self.tell()

    def clear(self) -> None:
        """Select nothing."""
        if len(self.rows):
            self._set(NONE)
            self.tell()

    def follow(self, case_ids: Sequence[str]) -> None:
        """Select what another panel has selected."""
        if not self._telling:
            self._set(self.rows_of(case_ids))

    def show_alike(self, rows: Rows, found: Rows) -> None:
        """Select points with those that are most like them, and list their cases."""
        asked = self._named(rows)
        self._set(np.union1d(rows, found), f"like {asked}")
        self.tell()
        self._session.list_cases(self.case_ids, f"like {asked}")

    def show_in_cases(self) -> None:
        """List only the selected cases at the left."""
        self._session.list_cases(self.case_ids, "selected in the embedding")

    def tell(self) -> None:
        """Have the other panels select the same."""
        self._telling = True
        try:
            self._session.select_cases(self.case_ids)
        finally:
            self._telling = False

    # --- inside ---

    def _set(self, rows: Rows, words: str = "") -> None:
        self.rows = rows.astype(np.intp)
        self.words = words or self._count_words()
        self.changed.emit()

    def _count_words(self) -> str:
        cases = len(np.unique(self._places.of_point[self.rows])) if len(self.rows) else 0
        if cases == len(self.rows):
            return f"{cases:,} selected"
        project = self._session.project
        noun = case_noun(str(project.task)) if project else "case"
        return f"{len(self.rows):,} points, {plural(cases, noun)}"

    def _named(self, rows: Rows) -> str:
        ids = [self._places.case_ids[i] for i in np.unique(self._places.of_point[rows])]
        return ids[0].rpartition("/")[2] if len(ids) == 1 else f"{len(ids):,} selected ones"


class _Places:
    """The points of each case."""

    def __init__(self, case_ids: Sequence[str], of_point: Any) -> None:
        self.case_ids = tuple(case_ids)
        self.of_point = np.asarray(of_point, np.intp)

    @cached_property
    def _known(self) -> dict[str, int]:
        return {case_id: place for place, case_id in enumerate(self.case_ids)}

    @cached_property
    def _first(self) -> Rows:
        # Written backwards, so that the first point of a case is written last.
        first = np.full(len(self.case_ids) + 1, -1, np.intp)
        first[self.of_point[::-1]] = np.arange(len(self.of_point))[::-1]
        first[-1] = -1
        return first

    def first_rows(self, case_ids: Sequence[str]) -> Rows:
        places = [self._known.get(case_id, -1) for case_id in case_ids]
        return self._first[np.array(places, np.intp)]

    def rows_of(self, case_ids: Sequence[str]) -> Rows:
        wanted = [self._known[case_id] for case_id in case_ids if case_id in self._known]
        if not wanted:
            return NONE
        if len(wanted) <= FEW:
            return np.flatnonzero(np.isin(self.of_point, wanted))
        marked = np.zeros(len(self.case_ids), bool)
        marked[wanted] = True
        return np.flatnonzero(marked[self.of_point])
