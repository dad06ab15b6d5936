"""Between the rows of the database and the records that the project hands out."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from .records import Annotation, Case, ImageLabels, Split, Status

SPLITS = (Split.TRAIN, Split.VAL, Split.TEST)
STATUSES = (Status.UNLABELLED, Status.DRAFT, Status.REVIEWED)
SPLIT_CODES = {split: code for code, split in enumerate(SPLITS)}
STATUS_CODES = {status: code for code, status in enumerate(STATUSES)}

MEMORY = 4096
"""Different shapes, spacings and label sets kept in memory: a study has few of each."""


def now() -> float:
    """Give the present time as it is stored: seconds since 1970, UTC."""
    return datetime.now(UTC).timestamp()


def to_time(seconds: float) -> datetime:
    """Give a stored time with its time zone, UTC."""
    return datetime.fromtimestamp(seconds, UTC)


@lru_cache(MEMORY)
def pack_labels(labels: ImageLabels | None) -> str | None:
    """Write image-level labels as `yes|no`, ids in order; None is unlabelled."""
    return None if labels is None else f"{_pack_ids(labels.yes)}|{_pack_ids(labels.no)}"


@lru_cache(MEMORY)
def unpack_labels(packed: str | None) -> ImageLabels | None:
    """Read what `pack_labels` wrote."""
    if packed is None:
        return None
    yes, _, no = packed.partition("|")
    return ImageLabels(_unpack_ids(yes), _unpack_ids(no))


@lru_cache(MEMORY)
def pack_shape(shape: tuple[int, ...]) -> str:
    """Write a shape."""
    return ",".join(str(int(number)) for number in shape)


@lru_cache(MEMORY)
def pack_spacing(spacing_mm: tuple[float, ...] | None) -> str | None:
    """Write a spacing in mm; apart from shapes, since 3 and 3.0 are one key of a cache."""
    return None if spacing_mm is None else ",".join(repr(float(mm)) for mm in spacing_mm)


@lru_cache(MEMORY)
def unpack_shape(packed: str) -> tuple[int, ...]:
    """Read a shape."""
    return tuple(int(number) for number in packed.split(",")) if packed else ()


@lru_cache(MEMORY)
def unpack_spacing(packed: str | None) -> tuple[float, ...] | None:
    """Read a spacing in mm."""
    return None if packed is None else tuple(float(number) for number in packed.split(","))


def pack_volumes(volumes: Mapping[int, float]) -> str | None:
    """Write the volume of each class id; None for no volumes."""
    return json.dumps({str(key): value for key, value in volumes.items()}) if volumes else None


def unpack_volumes(packed: str | None) -> dict[int, float]:
    """Read what `pack_volumes` wrote."""
    if packed is None:
        return {}
    return {int(key): float(value) for key, value in json.loads(packed).items()}


def pack_counts(counts: Mapping[int, int]) -> str:
    """Write how many of each class id there are; none at all is not the same as unknown."""
    return json.dumps({str(key): count for key, count in counts.items()})


def unpack_counts(packed: str | None) -> dict[int, int] | None:
    """Read what `pack_counts` wrote; None where nobody counted."""
    if packed is None:
        return None
    return {int(key): int(count) for key, count in json.loads(packed).items()}


def to_case(row: Row[Any], resolve: Callable[[str], str]) -> Case:
    """Make the record of a row of `cases`; `resolve` makes its paths absolute."""
    return Case(
        id=row.id,
        channels=tuple(resolve(path) for path in row.channels.split("\n")),
        shape=unpack_shape(row.shape),
        channel_count=row.channel_count,
        spacing_mm=unpack_spacing(row.spacing_mm),
        split=SPLITS[row.split],
        status=STATUSES[row.status],
        patient=row.patient,
        labels=unpack_labels(row.labels),
        has_mask=row.has_mask,
        volumes_mm3=unpack_volumes(row.volumes_mm3),
        author=row.author,
        changed=None if row.changed is None else to_time(row.changed),
        metadata=json.loads(row.metadata or "{}"),
        box_counts=unpack_counts(row.box_counts),
    )


def to_annotation(row: Row[Any], case_id: str) -> Annotation:
    """Make the record of a row of `annotations`."""
    return Annotation(
        case=case_id,
        version=row.version,
        author=row.author,
        status=STATUSES[row.status],
        time=to_time(row.time),
        labels=unpack_labels(row.labels),
        file=row.file,
    )


def _pack_ids(ids: Iterable[int]) -> str:
    return ",".join(str(number) for number in sorted(ids))


def _unpack_ids(packed: str) -> frozenset[int]:
    return frozenset(int(number) for number in packed.split(",")) if packed else frozenset()
