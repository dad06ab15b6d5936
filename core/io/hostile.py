"""The edge to files that nobody vouches for: parsers raise anything on broken bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import LongtailError


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a parser raises on `path` into a sentence; ours pass as they are."""
    try:
        yield
    except LongtailError:
        raise
    except MemoryError as error:
        raise LongtailError(
            f"{path.name} needs more memory than this computer has free.",
            "Close other programs, or cut the image into parts.",
        ) from error
    except PermissionError as error:
        raise LongtailError(
            f"{path.name} cannot be read: you are not allowed to open it.",
            "Ask for read permission.",
        ) from error
    except Exception as error:
        # Fuzzed files raised eleven types from five libraries; the next one brings a twelfth.
        raise LongtailError(
            f"{path.name} cannot be read: it is broken, or not what its suffix says.",
            "Copy it again, or export it again from where it came.",
        ) from error
