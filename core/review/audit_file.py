"""The audit of a run's heat maps as it lies in the run's folder; read without torch."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..errors import LongtailError
from ..files import replacing, write_json
from .audit import ClassLooked, Inside, Looked

FOLDER = "audit"
FILE, PICTURES = "audit.json", "pictures.npz"
FORMAT = 1
SIDE = 96
"""Pictures and maps are squares of this many pixels; `aspects` says how wide they were."""

MOST_PICTURES = 20_000

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Audit:
    """Where a run looks in the cases of one part.

    Attributes
    ----------
    run, split, variant
        Whose maps these are, of which part, and how they are made.
    classes
        A line a class and region, the least inside first.
    maps
        Every map, the least inside first; row `n` of the pictures belongs to `maps[n]`.
    notes
        Sentences about all of it, such as that a heat map is no proof.
    left_out
        Why cases were left out: (case, reason).
    """

    run: str
    split: str
    variant: str
    weights_hash: str
    classes: tuple[ClassLooked, ...]
    maps: tuple[Looked, ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "format": FORMAT,
            "run": self.run,
            "split": self.split,
            "variant": self.variant,
            "weights_hash": self.weights_hash,
            "notes": list(self.notes),
            "left_out": [{"case": case, "reason": reason} for case, reason in self.left_out],
            "classes": [one.to_json() for one in self.classes],
            "maps": [one.to_json() for one in self.maps],
        }


@dataclass(frozen=True, eq=False)
class AuditPictures:
    """What is shown of an audit.

    Attributes
    ----------
    pictures
        (map, side, side, 3) uint8, of a volume the slice with the most energy.
    maps
        (map, side, side) uint8, 255 the highest.
    aspects
        (map,) width by height.
    slices
        (map,) the z of that slice, -1 for images.
    means
        The mean map (side, side) uint8 of each class, by its id: what is always looked at, such
        as a tag in a corner, stays in it.
    """

    pictures: Bytes
    maps: Bytes
    aspects: np.ndarray[Any, np.dtype[np.float32]]
    slices: np.ndarray[Any, np.dtype[np.int32]]
    means: Mapping[int, Bytes] = field(default_factory=dict)


def write_audit(run_folder: Path, audit: Audit, pictures: AuditPictures) -> Path:
    """Write an audit and its pictures; give the file of the former."""
    folder = run_folder / FOLDER
    ids = sorted(pictures.means)
    empty = np.zeros((0, SIDE, SIDE), np.uint8)
    with replacing(folder / PICTURES) as aside, aside.open("wb") as file:
        np.savez(
            file,
            pictures=pictures.pictures,
            maps=pictures.maps,
            aspects=pictures.aspects,
            slices=pictures.slices,
            mean_classes=np.array(ids, np.int32),
            means=np.stack([pictures.means[i] for i in ids]) if ids else empty,
        )
    write_json(folder / FILE, audit.to_json())
    return folder / FILE


def read_audit(run_folder: Path) -> Audit | None:
    """Read an audit; None where there is none.

    Raises
    ------
    LongtailError
        It is damaged.
    """
    path = run_folder / FOLDER / FILE
    if not path.is_file():
        return None
    try:
        return _audit(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error


def read_pictures(run_folder: Path, count: int) -> AuditPictures:
    """Read the pictures of an audit of `count` maps.

    Raises
    ------
    LongtailError
        They are gone or damaged.
    """
    path = run_folder / FOLDER / PICTURES
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = AuditPictures(
                stored["pictures"],
                stored["maps"],
                stored["aspects"].astype(np.float32),
                stored["slices"].astype(np.int32),
                dict(zip(stored["mean_classes"].tolist(), stored["means"], strict=True)),
            )
        _check(found, count)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(path) from error
    return found


def _check(found: AuditPictures, count: int) -> None:
    shapes = (found.pictures.shape, found.maps.shape, found.aspects.shape, found.slices.shape)
    wanted = ((count, SIDE, SIDE, 3), (count, SIDE, SIDE), (count,), (count,))
    kinds = {found.pictures.dtype, found.maps.dtype} | {m.dtype for m in found.means.values()}
    means = all(mean.shape == (SIDE, SIDE) for mean in found.means.values())
    if shapes != wanted or kinds - {np.dtype(np.uint8)} or not means or count > MOST_PICTURES:
        raise ValueError("its parts do not fit each other")


def _damaged(path: Path) -> LongtailError:
    return LongtailError(
        f"The heat maps of {path.parent.parent.name} cannot be read: {path.name} is damaged.",
        "Look at all heat maps again.",
    )


def _audit(document: Any) -> Audit:
    if int(document["format"]) != FORMAT:
        raise ValueError("another format")
    return Audit(
        run=str(document["run"]),
        split=str(document["split"]),
        variant=str(document["variant"]),
        weights_hash=str(document["weights_hash"]),
        classes=tuple(_class(one) for one in document["classes"]),
        maps=tuple(_looked(one) for one in document["maps"]),
        notes=tuple(str(one) for one in document["notes"]),
        left_out=tuple((str(o["case"]), str(o["reason"])) for o in document["left_out"]),
    )


def _looked(document: Any) -> Looked:
    return Looked(
        case=str(document["case"]),
        class_id=int(document["class_id"]),
        kind=str(document["kind"]),
        of=Inside(document["of"]),
        point_inside=None if document["point_inside"] is None else bool(document["point_inside"]),
        **_numbers(document, ("probability", "inside", "area", "edge")),
    )


def _class(document: Any) -> ClassLooked:
    return ClassLooked(
        class_id=int(document["class_id"]),
        of=Inside(document["of"]),
        maps=int(document["maps"]),
        **_numbers(document, ("inside", "low", "high", "area", "edge", "pointing")),
    )


def _numbers(document: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: None if document[name] is None else float(document[name]) for name in names}
