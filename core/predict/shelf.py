"""What a run has predicted so far, kept in its folder; imports no torch.

The compute process fills it, since it may not write the project's database; whoever holds the
project's lock records it from here. Label maps have an `index.json`, image-level classes one
`logits.npz`.
"""

import json
import logging
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ..files import replacing, write_json
from ..project.paths import file_stem
from ..project.records import PredictionRecord

logger = logging.getLogger(__name__)

Logits: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

FOLDER = "predictions"
INDEX = "index.json"
LOGITS = "logits.npz"


@dataclass(frozen=True, slots=True)
class Shelved:
    """One predicted case: the file of its label map in the run's `predictions`, or its logits."""

    uncertainty: float | None
    file: str | None = None
    logits: Logits | None = None


@dataclass(slots=True)
class Shelf:
    """All cases predicted by one version of a run's weights.

    `class_ids` are the columns of the logits, as the run knows them.
    """

    weights_hash: str
    label_version: int
    class_ids: tuple[int, ...]
    cases: dict[str, Shelved] = field(default_factory=dict)

    def records(self, run_id: str, folder: str) -> list[PredictionRecord]:
        """Give what the project's database keeps; `folder` is the run's, relative to it."""
        return [
            PredictionRecord(
                case=case,
                run=run_id,
                weights_hash=self.weights_hash,
                label_version=self.label_version,
                file=None if one.file is None else f"{folder}/{FOLDER}/{one.file}",
                logits=one.logits,
                uncertainty=one.uncertainty,
            )
            for case, one in self.cases.items()
        ]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")
    file: str
    uncertainty: float | None = None


class _Index(BaseModel):
    model_config = ConfigDict(extra="ignore")
    weights_hash: str
    label_version: int
    class_ids: tuple[int, ...]
    cases: dict[str, _Entry]


def map_file(case_id: str) -> str:
    """Give the name of a case's predicted label map."""
    return f"{file_stem(case_id)}.nii.gz"


def entropy_file(case_id: str) -> str:
    """Give the name of a case's map of uncertainty."""
    return uncertainty_beside(map_file(case_id))


def uncertainty_beside(file: str) -> str:
    """Give the path of the map of uncertainty that belongs to a predicted label map."""
    return f"{file.removesuffix('.nii.gz')}.uncertainty.nii.gz"


def read_shelf(run_folder: Path) -> Shelf | None:
    """Read what a run has predicted; None when there is nothing that can be read.

    A damaged shelf counts as empty, with a line in the log: predicting again costs minutes,
    and nothing of the user's is in it.
    """
    folder = run_folder / FOLDER
    try:
        if (folder / INDEX).is_file():
            return _read_index(folder)
        if (folder / LOGITS).is_file():
            return _read_logits(folder / LOGITS)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, ValidationError) as error:
        logger.warning("the predictions in %s are damaged: %s", folder.name, type(error).__name__)
    return None


def open_shelf(
    run_folder: Path, weights_hash: str, label_version: int, class_ids: Sequence[int]
) -> Shelf:
    """Give the shelf of these very weights; an empty one if the run's weights have changed."""
    shelf = read_shelf(run_folder)
    if shelf and shelf.weights_hash == weights_hash and shelf.class_ids == tuple(class_ids):
        return shelf
    return Shelf(weights_hash, label_version, tuple(class_ids))


def write_shelf(run_folder: Path, shelf: Shelf) -> Path:
    """Replace what the run's folder says it has predicted; give the file.

    What another job has put there meanwhile, such as one case that was asked for at once, stays.
    """
    there = open_shelf(run_folder, shelf.weights_hash, shelf.label_version, shelf.class_ids)
    shelf.cases = {**there.cases, **shelf.cases}
    folder = run_folder / FOLDER
    if any(one.logits is not None for one in shelf.cases.values()):
        return _write_logits(folder / LOGITS, shelf)
    cases = {
        case: {"file": one.file, "uncertainty": one.uncertainty}
        for case, one in shelf.cases.items()
    }
    document = {
        "weights_hash": shelf.weights_hash,
        "label_version": shelf.label_version,
        "class_ids": list(shelf.class_ids),
        "cases": cases,
    }
    write_json(folder / INDEX, document)
    return folder / INDEX


def _read_index(folder: Path) -> Shelf:
    index = _Index.model_validate(json.loads((folder / INDEX).read_text(encoding="utf-8")))
    cases = {
        case: Shelved(entry.uncertainty, file=entry.file)
        for case, entry in index.cases.items()
        # The name is told by the case; one that is not might lead out of the folder.
        if entry.file == map_file(case) and (folder / entry.file).is_file()
    }
    return Shelf(index.weights_hash, index.label_version, index.class_ids, cases)


def _read_logits(path: Path) -> Shelf:
    with np.load(path, allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        ids, logits, uncertainty = stored["ids"], stored["logits"], stored["uncertainty"]
    if logits.ndim != 2 or len(ids) != len(logits) or len(ids) != len(uncertainty):
        raise ValueError("its arrays do not fit each other")
    cases = {
        str(case): Shelved(float(doubt), logits=row)
        for case, row, doubt in zip(ids, logits.astype(np.float32), uncertainty, strict=True)
    }
    class_ids = tuple(int(i) for i in about["class_ids"])
    return Shelf(str(about["weights_hash"]), int(about["label_version"]), class_ids, cases)


def _write_logits(path: Path, shelf: Shelf) -> Path:
    about: Mapping[str, Any] = {
        "weights_hash": shelf.weights_hash,
        "label_version": shelf.label_version,
        "class_ids": list(shelf.class_ids),
    }
    rows = [one for one in shelf.cases.values() if one.logits is not None]
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez(
            file,
            about=np.array(json.dumps(about)),
            ids=np.array([case for case, one in shelf.cases.items() if one.logits is not None]),
            logits=np.stack([np.asarray(one.logits, dtype=np.float32) for one in rows]),
            uncertainty=np.array([one.uncertainty or 0.0 for one in rows], dtype=np.float32),
        )
    return path
