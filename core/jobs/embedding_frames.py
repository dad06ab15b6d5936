"""Which frames of its features a run has kept, and the pictures of them that are there."""

from pathlib import Path

from ..errors import LongtailError
from ..explain.embedding_file import FOLDER, Frames, read_frames
from ..explain.embedding_frames import frame_name, frame_steps, read_case_ids
from .embedding_store import digest


def read_all(folder: Path) -> tuple[tuple[str, ...], tuple[int, ...], str]:
    """Give the cases and the steps of a run's frames, and a key that changes with the files.

    Raises
    ------
    LongtailError
        The run has kept none.
    """
    case_ids = read_case_ids(folder)
    steps = tuple(frame_steps(folder))
    if not steps:
        raise LongtailError(
            "This run has kept no frames of how its features formed.",
            "Wait for the first one, or choose another run.",
        )
    states = [(folder / FOLDER / frame_name(step)).stat() for step in steps]
    key = digest(case_ids, steps, [(one.st_size, one.st_mtime_ns) for one in states])
    return case_ids, steps, key


def known_frames(path: Path, key: str) -> Frames | None:
    """Give pictures that were made of these frames before; damaged ones count as none."""
    if not path.is_file():
        return None
    try:
        frames = read_frames(path)
    except LongtailError:
        return None
    return frames if frames.about.key == key else None
