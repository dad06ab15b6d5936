"""What is said where a picture library gives up: Pillow and tifffile share their complaints."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from ..errors import LongtailError


@contextmanager
def picture_words(path: Path) -> Iterator[None]:
    """Turn the complaint of a picture library into a sentence."""
    try:
        yield
    except PillowImage.DecompressionBombError as error:
        raise LongtailError(
            f"{path.name} unpacks to more pixels than Longtail opens as one picture.",
            "Cut it into tiles or scale it down.",
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError) as error:
        raise LongtailError(
            f"{path.name} cannot be read: {_why(error)}.",
            "Open it in another program and save it again, or copy it again.",
        ) from error


def _why(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is broken, or not what its suffix says"
    return "it is broken or cut off"
