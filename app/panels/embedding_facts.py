"""What is known of each point of an embedding: its class, what a run says, its part. Pure numpy.

Whoever draws or counts points asks here; nothing of it needs Qt, torch or a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.evaluate.setting import AS_TRAINED, Setting
from ...core.project.catalogue import YES, Catalogue
from ...core.project.records import NOT_LABELLED, Task

if TYPE_CHECKING:
    from ...core.explain.embedding_file import Embedding
    from .cases_predicted import Guess

NOTHING, UNKNOWN = 0, -1
"""Labelled with no class (or background), and not labelled or not predicted."""

RIGHT, WRONG = 1, 0

Ids = np.ndarray[Any, np.dtype[np.int16]]
Shares = np.ndarray[Any, np.dtype[np.float32]]
Rows = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Facts:
    """What is known of each point, one entry a point.

    Parameters
    ----------
    case
        The row of its case in the catalogue, -1 where the case is gone.
    true
        The class that a person gave it, by id; of several the rarest. `NOTHING` or `UNKNOWN` else.
    said
        The class that a run gives it; of several the likeliest that it calls found.
    share
        The probability of `said`, nan where it is not known.
    right
        `RIGHT`, `WRONG`, or `UNKNOWN` where either is not known.
    """

    case: Rows
    true: Ids
    said: Ids
    share: Shares
    right: Ids

    def __len__(self) -> int:
        return len(self.case)


def places_of(case_ids: Sequence[str], rows: Any, catalogue: Catalogue) -> Rows:
    """Give the catalogue's row of each point's case, -1 where it is gone."""
    known = {case_id: row for row, case_id in enumerate(catalogue.ids)}
    of_case = np.array([known.get(case_id, -1) for case_id in case_ids], np.intp)
    return np.asarray(of_case[rows]) if len(of_case) else np.zeros(0, np.intp)


def facts_of(
    embedding: "Embedding",
    catalogue: Catalogue,
    setting: Setting = AS_TRAINED,
    guesses: "Mapping[str, Guess] | None" = None,
) -> Facts:
    """Put together what is known of the points of an embedding.

    Parameters
    ----------
    setting
        The run's prior and thresholds, for what it says of images.
    guesses
        What another run says of cases, where the embedding itself says nothing.
    """
    case = places_of(embedding.case_ids, embedding.rows, catalogue)
    if embedding.about.kind != "images":
        return _drawn(embedding, case)
    true = rarest_class(catalogue)[case]
    true[case < 0] = UNKNOWN
    if embedding.logits.shape[1]:
        said, share, right = _told(embedding, catalogue, case, setting)
    else:
        said, share, right = _guessed(embedding, catalogue, case, guesses or {})
    return Facts(case, true, said, share, right)


def rarest_class(catalogue: Catalogue) -> Ids:
    """Give the class of each case, of several the rarest: that is the one to look at."""
    true = np.full(len(catalogue) + 1, UNKNOWN, np.int16)
    true[:-1][catalogue.labelled] = NOTHING
    counts = catalogue.class_counts()
    # The rarest is written last.
    for class_id in sorted(catalogue.class_ids, key=lambda key: -counts[key]):
        column = catalogue.class_ids.index(class_id)
        true[:-1][catalogue.presence[:, column] == YES] = class_id
    # One entry more, so that a case that is gone (-1) has a place to look at.
    return true


def _drawn(embedding: "Embedding", case: Rows) -> Facts:
    true = np.where(embedding.classes == NOT_LABELLED, UNKNOWN, embedding.classes)
    said = embedding.predicted.astype(np.int16)
    share = np.full(len(case), np.nan, np.float32)
    right = _compared(true, said)
    return Facts(case, true.astype(np.int16), said, share, right)


def _told(
    embedding: "Embedding", catalogue: Catalogue, case: Rows, setting: Setting
) -> tuple[Ids, Shares, Ids]:
    exclusive = catalogue.task is not Task.MULTILABEL
    about = embedding.about
    shares = setting.probabilities(embedding.logits, about.prior, exclusive=exclusive)
    cuts = np.array([setting.threshold(i) for i in about.class_ids])
    ids = np.array(about.class_ids, np.int16)
    if exclusive:
        best = shares.argmax(axis=1)
        said = ids[best]
        share = shares[np.arange(len(best)), best]
        true = rarest_class(catalogue)[case]
        return said, share.astype(np.float32), _compared(true, said)
    found = shares >= cuts
    best = np.where(found, shares, shares - 1).argmax(axis=1)
    said = np.where(found.any(axis=1), ids[best], NOTHING).astype(np.int16)
    share = shares.max(axis=1).astype(np.float32)
    return said, share, _all_right(found, about.class_ids, catalogue, case)


def _all_right(found: Any, class_ids: Sequence[int], catalogue: Catalogue, case: Rows) -> Ids:
    """Tell where all that a person answered of an image is what the run says."""
    right = np.full(len(case), UNKNOWN, np.int16)
    columns = [i for i, class_id in enumerate(class_ids) if class_id in catalogue.class_ids]
    if not columns:
        return right
    kept = [catalogue.class_ids.index(class_ids[i]) for i in columns]
    truth = catalogue.presence[:, kept][case]
    known = (truth >= 0) & (case >= 0)[:, None]
    same = (truth == YES) == found[:, columns]
    right[known.any(axis=1)] = WRONG
    right[known.any(axis=1) & (same | ~known).all(axis=1)] = RIGHT
    return right


def _guessed(
    embedding: "Embedding", catalogue: Catalogue, case: Rows, guesses: "Mapping[str, Guess]"
) -> tuple[Ids, Shares, Ids]:
    said = np.full(len(case), UNKNOWN, np.int16)
    share = np.full(len(case), np.nan, np.float32)
    for point, row in enumerate(embedding.rows.tolist()):
        guess = guesses.get(embedding.case_ids[row])
        if guess is not None:
            said[point] = guess.class_ids[0] if guess.class_ids else NOTHING
            if guess.probability is not None:
                share[point] = guess.probability
    exclusive = catalogue.task is Task.CLASSIFICATION
    true = rarest_class(catalogue)[case]
    unknown = np.full(len(case), UNKNOWN, np.int16)
    return said, share, _compared(true, said) if exclusive else unknown


def _compared(true: Any, said: Any) -> Ids:
    known = (true >= 0) & (said >= 0)
    return np.where(known, np.where(true == said, RIGHT, WRONG), UNKNOWN).astype(np.int16)
