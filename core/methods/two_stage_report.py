"""What `two-stage` tells of its stages: how features retrieve, what the new classifier changed."""

import math
from collections.abc import Iterator, Sequence

from torch import Tensor

from ..backend.events import Event, Log, Metric
from .image_scores import recalls
from .spec import RunSpec

CONFUSED_PAIRS = 3


class StageReport:
    """Collects what is known until it is asked for.

    Told are `recall_at_1` and `map_at_r` of each class, and its recall by the classifier of the
    first stage, `head_recall_before`, and of the second, `head_recall_after`.
    """

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self._waiting: list[tuple[str, Sequence[float]]] = []
        self._sentences: list[str] = []

    def retrieved(self, recall_at_1: Tensor, map_at_r: Tensor) -> None:
        """Note how well images find others of their class, (class,) each."""
        self._waiting += [("recall_at_1", recall_at_1.tolist()), ("map_at_r", map_at_r.tolist())]

    def classifier(self, when: str, answers: Tensor, classes: Tensor) -> None:
        """Note what the classifier `before` or `after` stage 2 says of images, (image,)."""
        found = recalls(answers, classes, len(self._spec.classes))
        self._waiting.append((f"head_recall_{when}", found))
        if when == "before":
            self._sentences += self._confused(answers, classes)

    def news(self, step: int) -> Iterator[Event]:
        """Tell what was noted since the last time."""
        waiting, sentences = self._waiting, self._sentences
        self._waiting, self._sentences = [], []
        for name, values in waiting:
            yield from self._told(step, name, values)
        for sentence in sentences:
            yield Log(sentence)

    def _told(self, step: int, name: str, values: Sequence[float]) -> Iterator[Event]:
        for each, value in zip(self._spec.classes, values, strict=True):
            if not math.isnan(value):
                yield Metric(step, name, value, each.name)

    def _confused(self, answers: Tensor, classes: Tensor) -> Iterator[str]:
        """Name the pairs of classes that are most often taken for each other."""
        names = self._spec.class_names
        counts: dict[tuple[int, int], int] = {}
        for answer, own in zip(answers.tolist(), classes.tolist(), strict=True):
            if answer != own:
                pair = (min(answer, own), max(answer, own))
                counts[pair] = counts.get(pair, 0) + 1
        often = sorted(counts.items(), key=lambda item: -item[1])[:CONFUSED_PAIRS]
        for (first, second), count in often:
            yield (
                f"Before the second stage {names[first]} and {names[second]} are taken for each "
                f"other {count} times among {len(classes)} images."
            )
