"""The features that a run kept of the same images as it learned, one file a frame."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import LongtailError
from ..files import write_json
from .embedding_arrays import Unfit, Wanted, read_arrays, unreadable
from .embedding_file import FOLDER, MOST_BYTES, MOST_WIDTH, Features

ABOUT = "about.json"
MOST_FRAMES = 1_000
MOST_IMAGES = 20_000
_FRAME = re.compile(r"step-(\d{1,12})\.npz")
_WANTED = {"features": Wanted("f", (MOST_IMAGES, MOST_WIDTH))}


def frame_name(step: int) -> str:
    """Give the name of the file of a frame."""
    return f"step-{step:07d}.npz"


def write_about_frames(folder: Path, case_ids: Sequence[str]) -> None:
    """Write whose features the frames of a folder hold, in the order of their rows."""
    write_json(folder / ABOUT, {"case_ids": list(case_ids)})


def frame_steps(run_folder: Path) -> list[int]:
    """List the steps of which a run has frames, the first one first."""
    found = (_FRAME.fullmatch(path.name) for path in (run_folder / FOLDER).glob("step-*.npz"))
    return sorted(int(match.group(1)) for match in found if match)[:MOST_FRAMES]


def read_case_ids(run_folder: Path) -> tuple[str, ...]:
    """Read whose features the frames of a run hold.

    Raises
    ------
    LongtailError
        The run has no frames, or the file is damaged.
    """
    path = run_folder / FOLDER / ABOUT
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unfit("it is too long")
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
        ids = stored["case_ids"]
        if not isinstance(ids, list) or len(ids) > MOST_IMAGES:
            raise Unfit("it names no cases")
    except FileNotFoundError:
        raise LongtailError(
            "This run has kept no frames of how its features formed.",
            "Runs of some minutes on whole images keep them, unless it is switched off.",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreadable(path, "list of cases", error) from error
    return tuple(str(id_) for id_ in ids)


def read_frame(run_folder: Path, step: int, count: int) -> Features:
    """Read the features of `count` cases at one step, (case, width) float16.

    Raises
    ------
    LongtailError
        It is gone, damaged, or no frame.
    """
    path = run_folder / FOLDER / frame_name(step)
    features = read_arrays(path, _WANTED, "frame")["features"]
    if len(features) != count or not np.isfinite(features).all():
        raise unreadable(path, "frame", Unfit("it does not hold the features of its cases"))
    return features.astype(np.float16, copy=False)
