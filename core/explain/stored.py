"""A map that was computed once, as it lies in a run's folder; read without torch.

The file may have come with a stranger's project: the sizes of its arrays are read from their
headers before anything is unpacked.
"""

import json
import math
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.lib import format as npy

from ..errors import LongtailError
from ..files import replacing
from ..project.paths import file_stem

FOLDER = "explanations"
"""Where the maps of a run lie in its folder."""

MOST_WORDS = 100_000
"""A text about a map that is longer than this was not written here."""

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

About: TypeAlias = Mapping[str, Any]
MapArray: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]


@dataclass(frozen=True, eq=False)
class StoredMap:
    """The map of one class in one case on the source's grid, and what is known of it.

    Parameters
    ----------
    values
        (z, y, x) or (y, x), float16, 0 to 1.
    class_id, class_name
        The class that the run looked for.
    variant
        One of `longtail.core.explain.variants.VARIANTS`.
    kind
        The word of a `MapKind`: only a `graded` map says where.
    probability
        Of the class in the whole image; None for label maps.
    """

    values: MapArray
    class_id: int
    class_name: str
    variant: str
    kind: str
    probability: float | None = None

    @property
    def says_where(self) -> bool:
        """Whether some places speak more for the class than others."""
        return self.kind == "graded"


def map_name(case_id: str, class_id: int, variant: str) -> str:
    """Give the name of the file of a map."""
    return f"{file_stem(case_id)}--class-{class_id}--{variant}.npz"


def map_path(run_folder: Path, case_id: str, class_id: int, variant: str) -> Path:
    """Give the file of a map in the run's folder."""
    return run_folder / FOLDER / map_name(case_id, class_id, variant)


def write_stored(path: Path, values: MapArray, about: About) -> None:
    """Write a map and what is known of it."""
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez_compressed(
            file,
            map=values.astype(np.float16),
            about=np.array(json.dumps(about, ensure_ascii=False, allow_nan=False)),
        )


def read_stored(path: Path, shape: Sequence[int]) -> StoredMap:
    """Read a map that fits an image of this shape, (z, y, x) or (y, x).

    Raises
    ------
    LongtailError
        It is gone, damaged, or was made for an image of another size.
    """
    try:
        values, about = _read(path, tuple(shape))
        return _checked(values, about)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise LongtailError(
            f"The heat map {path.name} cannot be read.", "Delete it; it is computed again."
        ) from error


def is_current(path: Path, made_from: Iterable[Path]) -> bool:
    """Tell whether a map is there and no older than the weights and the image it was made from."""
    try:
        made = path.stat().st_mtime_ns
        return all(each.stat().st_mtime_ns <= made for each in made_from)
    except OSError:
        return False


def _read(path: Path, shape: tuple[int, ...]) -> tuple[MapArray, Any]:
    with zipfile.ZipFile(path) as archive:
        if _header(archive, "map") != (shape, "f"):
            raise LongtailError(
                f"The heat map {path.name} does not fit the image: it has another size.",
                "Delete it; it is computed again.",
            )
        words = archive.getinfo("about.npy").file_size
        if _header(archive, "about") != ((), "U") or words > 4 * MOST_WORDS:
            raise ValueError("no text about the map")
    with np.load(path, allow_pickle=False) as stored:
        return stored["map"], json.loads(str(stored["about"]))


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], str]:
    with archive.open(f"{name}.npy") as member:
        shape, _, dtype = _HEADERS[npy.read_magic(member)](member)
        return shape, dtype.kind


def _checked(values: MapArray, about: Any) -> StoredMap:
    if not np.isfinite(values).all() or float(values.max(initial=0.0)) > 1 or values.min() < 0:
        raise ValueError("no shares")
    probability = about["probability"]
    return StoredMap(
        values,
        int(about["class_id"]),
        str(about["class_name"]),
        str(about["variant"]),
        str(about["kind"]),
        None if probability is None or not math.isfinite(probability) else float(probability),
    )
