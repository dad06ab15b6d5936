"""Files of embeddings, of their pictures in the plane, and of pictures over the steps of a run.

All are `.npz` without pickle. Their readers need neither torch nor a project, and take a file for
a stranger's until it is checked.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import LongtailError
from .embedding_arrays import (
    AnyArray,
    Unfit,
    Wanted,
    packed,
    read_arrays,
    unpacked,
    unreadable,
    write_arrays,
)

FORMAT: Final = 1
FOLDER = "embeddings"
"""Where embeddings lie: in the folder of a run, or in the project's cache."""

MOST_POINTS, MOST_WIDTH, MOST_CLASSES = 4_000_000, 16_384, 65_535
MOST_BYTES = 1 << 30
MOST_FRAMES = 1_000

Kind = Literal["images", "pixels", "regions"]
Way = Literal["pca", "umap", "tsne"]

Features = np.ndarray[Any, np.dtype[np.float16]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
Whole = np.ndarray[Any, np.dtype[np.int32]]

Text = Annotated[str, Field(max_length=200)]


class _About(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = FORMAT
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class EmbeddingAbout(_About):
    """What is to be known of an embedding.

    `run` is None for the pretrained encoder, whose name `encoder` tells in words. `class_ids` and
    `class_names` are those of the run, in the order of the columns of the logits; `prior` is what
    the logits take for granted. `eyes` tells the encoder with all that it does to an image:
    embeddings with equal eyes can be compared.
    """

    kind: Kind
    run: Text | None = None
    which: Text = ""
    encoder: Text
    eyes: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    weights_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    class_ids: tuple[int, ...] = ()
    class_names: tuple[Text, ...] = ()
    prior: tuple[float, ...] | None = None


class PictureAbout(_About):
    """What is to be known of a picture in the plane; `explained` is PCA's share of each axis."""

    way: Way
    seed: int
    explained: tuple[float, ...] = ()


class Embedding(NamedTuple):
    """Points in many dimensions, one an image, a pixel or a region.

    Attributes
    ----------
    features
        (point, width) float16, as the network gave them.
    case_ids
        The cases.
    rows
        (point,) the case of each point, a place in `case_ids`; for images 0, 1, 2 ...
    places
        (point, 3) z, y, x in voxels of the file as stored; -1 where an axis says nothing: a
        picture has no z, an image as a whole no y and x.
    classes
        (point,) the class at the place when the embedding was made, 0 background, 255 not
        labelled; -1 for images, whose classes the project knows.
    predicted
        (point,) the class that the run gives to the place, 0 background; -1 for images.
    logits
        (point, class) what the run says of the image, before any prior is moved; (point, 0)
        without a run, and for pixels and regions.
    marks
        (point,) a number that changes with the case's files.
    """

    about: EmbeddingAbout
    features: Features
    case_ids: tuple[str, ...]
    rows: Whole
    places: Whole
    classes: Whole
    predicted: Whole
    logits: Floats
    marks: np.ndarray[Any, np.dtype[np.uint64]]


class Picture(NamedTuple):
    """An embedding in the plane: `points` is (point, 2) in the order of the embedding's."""

    about: PictureAbout
    points: Floats


class Frames(NamedTuple):
    """How an embedding formed: `points` is (frame, case, 2), one frame for each of `steps`.

    Frames are turned, mirrored and scaled onto the one before, so that what moves has learned.
    """

    about: PictureAbout
    case_ids: tuple[str, ...]
    steps: tuple[int, ...]
    points: Floats


_POINTS = (MOST_POINTS,)
_EMBEDDING = {
    "about": Wanted("u", (MOST_BYTES,)),
    "ids": Wanted("u", (MOST_BYTES,)),
    "features": Wanted("f", (MOST_POINTS, MOST_WIDTH)),
    "rows": Wanted("i", _POINTS),
    "places": Wanted("i", (MOST_POINTS, 3)),
    "classes": Wanted("i", _POINTS),
    "predicted": Wanted("i", _POINTS),
    "logits": Wanted("f", (MOST_POINTS, MOST_CLASSES)),
    "marks": Wanted("u", _POINTS),
}
_WHOLE = ("rows", "places", "classes", "predicted")
_PICTURE = {"about": Wanted("u", (MOST_BYTES,)), "points": Wanted("f", (MOST_POINTS, 2))}
_FRAMES = {
    "about": Wanted("u", (MOST_BYTES,)),
    "ids": Wanted("u", (MOST_BYTES,)),
    "steps": Wanted("i", (MOST_FRAMES,)),
    "points": Wanted("f", (MOST_FRAMES, MOST_POINTS, 2)),
}


def read_embedding(path: Path) -> Embedding:
    """Read an embedding.

    Raises
    ------
    LongtailError
        It is gone, damaged, or no embedding.
    """
    arrays = read_arrays(path, _EMBEDDING, "embedding")
    try:
        found = Embedding(
            about=_about(EmbeddingAbout, arrays),
            features=_finite(arrays["features"]).astype(np.float16, copy=False),
            case_ids=tuple(unpacked(arrays["ids"])),
            logits=_finite(arrays["logits"]).astype(np.float32, copy=False),
            marks=arrays["marks"].astype(np.uint64),
            **{name: arrays[name].astype(np.int32) for name in _WHOLE},
        )
        _check_embedding(found)
    except (ValueError, TypeError) as error:
        raise unreadable(path, "embedding", error) from error
    return found


def read_about(path: Path) -> EmbeddingAbout:
    """Read what is to be known of an embedding, not its points; raises as `read_embedding`."""
    arrays = read_arrays(path, {"about": _EMBEDDING["about"]}, "embedding")
    try:
        return _about(EmbeddingAbout, arrays)
    except (ValueError, TypeError) as error:
        raise unreadable(path, "embedding", error) from error


def write_embedding(path: Path, embedding: Embedding) -> None:
    """Write an embedding."""
    arrays = embedding._asdict()
    about, ids = arrays.pop("about"), arrays.pop("case_ids")
    write_arrays(path, {**arrays, "ids": packed(ids)}, about.model_dump(mode="json"))


def read_picture(path: Path) -> Picture:
    """Read a picture in the plane; see `read_embedding` for what it raises."""
    arrays = read_arrays(path, _PICTURE, "picture")
    try:
        return Picture(_about(PictureAbout, arrays), _finite(arrays["points"]).astype(np.float32))
    except (ValueError, TypeError) as error:
        raise unreadable(path, "picture", error) from error


def write_picture(path: Path, picture: Picture) -> None:
    """Write a picture in the plane."""
    write_arrays(path, {"points": picture.points}, picture.about.model_dump(mode="json"))


def read_frames(path: Path) -> Frames:
    """Read the pictures over the steps of a run; see `read_embedding` for what it raises."""
    arrays = read_arrays(path, _FRAMES, "replay")
    try:
        ids, points = tuple(unpacked(arrays["ids"])), arrays["points"]
        if points.shape != (len(arrays["steps"]), len(ids), 2):
            raise Unfit("its parts do not fit each other")
        steps = tuple(int(step) for step in arrays["steps"])
        return Frames(_about(PictureAbout, arrays), ids, steps, _finite(points).astype(np.float32))
    except (ValueError, TypeError) as error:
        raise unreadable(path, "replay", error) from error


def write_frames(path: Path, frames: Frames) -> None:
    """Write the pictures over the steps of a run."""
    arrays = {
        "ids": packed(frames.case_ids),
        "steps": np.asarray(frames.steps, np.int64),
        "points": frames.points,
    }
    write_arrays(path, arrays, frames.about.model_dump(mode="json"))


_A = TypeVar("_A", bound=_About)


def _about(kind: type[_A], arrays: Mapping[str, AnyArray]) -> _A:
    try:
        return kind.model_validate(json.loads(arrays["about"].tobytes().decode()))
    except ValidationError as error:
        raise Unfit("its description is damaged") from error


def _finite(values: AnyArray) -> AnyArray:
    return values if np.isfinite(values).all() else np.nan_to_num(values, posinf=0.0, neginf=0.0)


def _check_embedding(found: Embedding) -> None:
    count = len(found.features)
    columns: Sequence[AnyArray] = (
        found.rows,
        found.places,
        found.classes,
        found.predicted,
        found.logits,
        found.marks,
    )
    if any(len(column) != count for column in columns) or found.places.shape[1] != 3:
        raise Unfit("its parts do not fit each other")
    if count and not 0 <= found.rows.min() <= found.rows.max() < len(found.case_ids):
        raise Unfit("it names cases that it does not hold")
    if found.logits.shape[1] not in (0, len(found.about.class_ids)):
        raise Unfit("its logits do not fit its classes")
    if len(found.about.class_ids) != len(found.about.class_names):
        raise Unfit("its classes do not fit their names")


def check_named(path: str, pattern: Any, what: str) -> str:
    """Give `path` where it is a name that Longtail writes, so that none leads out of the folder.

    Raises
    ------
    LongtailError
        It is not.
    """
    if pattern.fullmatch(path) is None or ".." in path:
        raise LongtailError(f"{path!r} is not the name of {what}.", "Make it again.")
    return path
