"""Classes change while runs stay: from the ids that a run knew to those of the project now."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


def project_class_ids(
    class_ids: Sequence[int], merged: Mapping[int, int], in_use: Sequence[int]
) -> tuple[int, ...]:
    """Translate the classes of a run to those that the project has now.

    Parameters
    ----------
    class_ids
        The classes as the run knew them.
    merged
        The class that took over, of each class that was merged since.
    in_use
        The classes in use now; one that was retired without a successor becomes background, 0.
    """
    known = set(in_use)
    return tuple(now if now in known else 0 for now in (_successor(i, merged) for i in class_ids))


def _successor(class_id: int, merged: Mapping[int, int]) -> int:
    seen = set()
    while class_id in merged and class_id not in seen:
        seen.add(class_id)
        class_id = merged[class_id]
    return class_id


def merge_columns(
    logits: FloatArray, now: Sequence[int], class_ids: Sequence[int], *, exclusive: bool
) -> FloatArray:
    """Give (case, class) logits with a column for each of `class_ids`.

    Columns of classes that were merged since become one: their probabilities add up where
    classes exclude each other, else the surest counts. Columns of retired classes go.

    Parameters
    ----------
    logits
        (case, column).
    now
        The present class of each column, 0 for a retired one.
    class_ids
        The columns of the answer.
    exclusive
        The classes exclude each other.
    """
    join = np.logaddexp.reduce if exclusive else np.max
    present = np.asarray(now)
    columns = [join(logits[:, present == class_id], axis=1) for class_id in class_ids]
    return np.stack(columns, axis=1)
