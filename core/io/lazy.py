"""Uncompressed volumes as views of their files: the first slice shows before the rest is read."""

import numpy as np

from .image_paths import VOLUME_SUFFIXES, Source, image_suffix
from .image_types import Image
from .storage import RawPixels, check_stored_whole, raw_pixels


def map_volume(source: Source) -> Image | None:
    """Map the pixels of `source` into memory; None where it must be read whole.

    Rescaled NIfTI is read whole, since a view cannot hold true values. Pixels that are no numbers
    stay as they are stored.

    Raises
    ------
    LongtailError
        As for `image.read_header`.
    """
    if not source.path.is_file() or image_suffix(source.path.name) not in VOLUME_SUFFIXES:
        return None
    raw = raw_pixels(source.path)
    if raw is None or raw.scaled:
        return None
    check_stored_whole(source.path)
    return _map(raw, source)


def _map(raw: RawPixels, source: Source) -> Image:
    from .volume import read_header

    header = read_header(source)
    shape = (header.channel_count, *header.shape)
    mapped = np.memmap(raw.file, raw.dtype, mode="r", offset=raw.offset, shape=shape)
    # A plain array, so that slices of it are not file handles to whoever gets them.
    return Image(np.asarray(mapped), header.geometry)
