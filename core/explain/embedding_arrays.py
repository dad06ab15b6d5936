"""Arrays in files that may come from anywhere: looked at by their headers before all else."""

import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from ..errors import LongtailError
from ..files import replacing

AnyArray = np.ndarray[Any, np.dtype[Any]]

WIDEST_NUMBER = 8
"""Bytes."""

ENCRYPTED = 1


class Wanted(NamedTuple):
    """What an array must be.

    `kinds` are the kinds of its numbers as NumPy names them, `most` is how long each of its axes
    may be at most.
    """

    kinds: str
    most: tuple[int, ...]


class Unfit(ValueError):
    """The file is whole but not what it is taken for; its words are ours."""


def read_arrays(path: Path, wanted: Mapping[str, Wanted], what: str) -> dict[str, AnyArray]:
    """Read the wanted arrays of a file; nothing in it is run, and nothing else is unpacked.

    Parameters
    ----------
    what
        What the file is, for an error: `embedding`.

    Raises
    ------
    LongtailError
        It is gone, damaged, or holds something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for name, one in wanted.items():
                _check_member(archive, name, one)
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in wanted}
    except FileNotFoundError:
        raise LongtailError(f"The {what} {path.name} is gone.", "Make it again.") from None
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise unreadable(path, what, error) from error


def unreadable(path: Path, what: str, error: Exception) -> LongtailError:
    """Say in a sentence why a file of arrays cannot be used."""
    reason = str(error) if isinstance(error, Unfit) else "the file is damaged"
    return LongtailError(
        f"The {what} {path.name} cannot be read: {reason}.", "Delete it and make it again."
    )


def write_arrays(path: Path, arrays: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    """Write arrays and what is to be known of them; the old file stays until the new is whole."""
    text = json.dumps(about, ensure_ascii=False, allow_nan=False, sort_keys=True)
    # Not compressed: features are noise to a compressor, which takes seconds to find that out.
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez(file, about=packed([text]), **arrays)


def packed(texts: Sequence[str]) -> AnyArray:
    """Put texts without line breaks into bytes: an array of text takes four bytes a character."""
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def unpacked(stored: AnyArray) -> list[str]:
    """Take apart what `packed` put together."""
    return stored.tobytes().decode().split("\n") if stored.size else []


_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def _check_member(archive: zipfile.ZipFile, name: str, wanted: Wanted) -> None:
    about = archive.getinfo(f"{name}.npy")
    # We write without compression, so that a small file cannot unpack to a huge one.
    if about.compress_type != zipfile.ZIP_STORED or about.flag_bits & ENCRYPTED:
        raise Unfit("it was written by something else")
    with archive.open(about) as member:
        shape, dtype = _header(member)
    fits = dtype.kind in wanted.kinds and dtype.itemsize <= WIDEST_NUMBER
    if not fits or len(shape) != len(wanted.most):
        raise Unfit(f"its {name} are not of the right kind")
    if any(have > most for have, most in zip(shape, wanted.most, strict=True)):
        raise Unfit(f"its {name} are too many")
    if math.prod(shape) * dtype.itemsize > about.file_size:
        raise Unfit("it is cut short")


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(member)
    if version not in _HEADERS:
        raise Unfit("it was written by something else")
    shape, _, dtype = _HEADERS[version](member)
    return shape, dtype
