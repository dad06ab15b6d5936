"""What a run has told before, from its `events.jsonl`; knows neither Qt nor torch."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.backend.events import Artifact, Event, Metric, Warned, from_json
from .train_map import KIND, map_step
from .train_strip import KIND as STRIP
from .train_strip import strip_step

Points = Sequence[tuple[int, float]]
Metrics = Mapping[tuple[str, str | None], Points]


@dataclass(frozen=True)
class Record:
    """Values by (name, class name or None), paths of maps and strips in its folder, warnings."""

    metrics: Metrics = field(default_factory=dict)
    maps: tuple[str, ...] = ()
    strips: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()


def read_record(event_log: Path) -> Record:
    """Read what a run has told; lines that are torn are left out.

    With a long run this takes a while, so ask in a thread.
    """
    curves: dict[tuple[str, str | None], list[tuple[int, float]]] = {}
    maps: list[str] = []
    strips: list[str] = []
    warnings: list[Warned] = []
    try:
        lines = event_log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # a run that never began has told nothing
        return Record()
    for line in lines:
        match _event(line):
            case Metric() as metric:
                curve = curves.setdefault((metric.name, metric.class_name), [])
                # A run that was resumed before took some steps twice: the later ones count.
                while curve and curve[-1][0] >= metric.step:
                    curve.pop()
                curve.append((metric.step, metric.value))
            case Artifact(path=path, kind=kind) if kind == KIND:
                maps.append(path)
            case Artifact(path=path, kind=kind) if kind == STRIP:
                strips.append(path)
            case Warned() as warned:
                warnings.append(warned)
    return Record(curves, in_order(maps), in_order(strips, strip_step), tuple(warnings))


def joined(earlier: Metrics, metrics: Metrics) -> Metrics:
    """Put what a run told before it was resumed in front, up to where it went on.

    Steps behind its last checkpoint were lost and are taken again, so they are left out.
    """
    if not earlier:
        return metrics
    first = min((points[0][0] for points in metrics.values() if points), default=None)
    kept = {
        key: [point for point in points if first is None or point[0] < first]
        for key, points in earlier.items()
    }
    keys = {**kept, **metrics}
    return {key: [*kept.get(key, ()), *metrics.get(key, ())] for key in keys}


def in_order(
    maps: Iterable[str], step_of: Callable[[str], int | None] = map_step
) -> tuple[str, ...]:
    """Give the paths of maps by their steps; of steps that were taken twice the later count.

    What does not lie where maps lie, so that `step_of` gives no step, is left out.
    """
    kept: list[tuple[int, str]] = []
    for path in maps:
        step = step_of(path)
        if step is None:
            continue
        while kept and kept[-1][0] >= step:
            kept.pop()
        kept.append((step, path))
    return tuple(path for _, path in kept)


def _event(line: str) -> Event | None:
    if not any(word in line for word in ('"Metric"', '"Warned"', f'"{KIND}"', f'"{STRIP}"')):
        return None  # most other lines need no decoding
    try:
        return from_json(json.loads(line))
    except (ValueError, TypeError, AttributeError):
        return None
