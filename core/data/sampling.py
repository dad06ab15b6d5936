"""Which images a step looks at: a pure function of seed and step, so that a run can be resumed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

IndexArray = np.ndarray[Any, np.dtype[np.int64]]
FloatArray = np.ndarray[Any, np.dtype[np.float64]]

SAMPLERS = ("instance", "class-balanced", "square-root")


class ImageSampler:
    """Draws rows of images.

    `instance` goes through all images in a new order each time round, unless some class is to be
    shown more often; the others draw a class, then one of its images.

    Parameters
    ----------
    presence
        (image, class) bool: which classes an image has. For one class per image each row has one.
    """

    def __init__(
        self, presence: np.ndarray[Any, Any], how: str = "instance", seed: int = 0
    ) -> None:
        self.presence = np.asarray(presence, bool)
        self.how = how
        self.factors = np.ones(self.presence.shape[1])
        self._seed = seed
        self.rest(())

    def sample_more(self, place: int, factor: float) -> None:
        """Show the class at `place` `factor` times as often as until now."""
        self.factors[place] *= factor

    def rest(self, rows: Sequence[int]) -> None:
        """Show another image of the same classes in place of each of these, until told otherwise.

        So all classes are shown as often as before. An image that is alone in having its classes
        does not rest.
        """
        self.resting = tuple(int(row) for row in rows)
        self._shown = np.arange(len(self.presence))
        awake = np.ones(len(self.presence), bool)
        awake[list(self.resting)] = False
        for row in self.resting:
            others = np.flatnonzero(awake & (self.presence == self.presence[row]).all(1))
            if len(others):
                random = np.random.default_rng([self._seed, row, 4])
                self._shown[row] = others[int(random.integers(len(others)))]

    @property
    def class_shares(self) -> FloatArray:
        """How often each class is shown, (class,), adding up to 1: the prior that is learned."""
        if self._in_turn:
            shares = self.presence.sum(0).astype(float)
        else:
            shares = (self.presence * self._image_chances()[:, None]).sum(0)
        return np.asarray(shares / max(float(shares.sum()), 1e-12), float)

    def draw(self, step: int, count: int) -> IndexArray:
        """Give the rows of a step, (count,)."""
        if self._in_turn:
            return self._shown[self._next_in_turn(step, count)]
        random = np.random.default_rng([self._seed, step, 2])
        drawn = random.choice(len(self.presence), size=count, p=self._image_chances())
        return self._shown[drawn]

    @property
    def _in_turn(self) -> bool:
        return self.how == "instance" and bool((self.factors == 1).all())

    def _next_in_turn(self, step: int, count: int) -> IndexArray:
        number = len(self.presence)
        places = np.arange(step * count, (step + 1) * count)
        rows = np.empty(count, np.int64)
        for round_ in np.unique(places // number):
            order = np.random.default_rng([self._seed, int(round_), 3]).permutation(number)
            inside = places // number == round_
            rows[inside] = order[places[inside] % number]
        return rows

    def _image_chances(self) -> FloatArray:
        """Chance of each image: the mean over its classes of what the class is to have."""
        counts = self.presence.sum(0).astype(float)
        power = {"instance": 1.0, "square-root": 0.5, "class-balanced": 0.0}[self.how]
        wanted = np.where(counts > 0, np.maximum(counts, 1) ** power, 0.0) * self.factors
        per_image = wanted / np.maximum(counts, 1)
        of_image = self.presence.sum(1)
        chances = (self.presence * per_image).sum(1) / np.maximum(of_image, 1)
        # Images without any class are shown as often as an average image with one.
        chances[of_image == 0] = chances[of_image > 0].mean() if (of_image > 0).any() else 1.0
        return np.asarray(chances / chances.sum(), float)


class ClassBatchSampler:
    """Draws batches of some classes with some images each, so that rare classes meet.

    Parameters
    ----------
    presence
        (image, class) bool, one class per image.
    classes, images
        How many classes, of those with images, and images of each; a class with fewer images
        shows some twice.
    """

    def __init__(
        self, presence: np.ndarray[Any, Any], classes: int, images: int, seed: int = 0
    ) -> None:
        self.of_class = [np.flatnonzero(column) for column in np.asarray(presence, bool).T]
        self.present = np.array([c for c, rows in enumerate(self.of_class) if len(rows)], np.int64)
        self.classes = min(classes, len(self.present))
        self.images = images
        self._seed = seed

    def draw(self, step: int, resting: Sequence[int] = ()) -> IndexArray:
        """Give the rows of a step, (classes x images,), without those that rest.

        A class of which all images rest shows them nevertheless.
        """
        random = np.random.default_rng([self._seed, step, 5])
        chosen = random.choice(self.present, size=self.classes, replace=False)
        return np.concatenate([self._rows(int(each), random, resting) for each in chosen])

    def _rows(self, place: int, random: np.random.Generator, resting: Sequence[int]) -> IndexArray:
        rows = self.of_class[place]
        awake = rows[~np.isin(rows, resting)] if len(resting) else rows
        rows = awake if len(awake) else rows
        order = random.permutation(rows)
        return np.resize(order, self.images)
